/** The commands that make resources with a stock of their own, and remove them. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { readFile } from 'node:fs/promises'
import { SetupError } from '../../errors.js'
import { addEmulatorOptions } from '../client/connect.js'
import type { Io } from '../io.js'
import { counted, instant } from '../text/words.js'
import { askEmulator } from './control.js'

interface MadeResource {
  name: string
  connectionString: string
  phoneNumbers: string[]
}

export const resourceCommand = (io: Io): Command =>
  addEmulatorOptions(new Command('resource'))
    .description('Make a resource with a stock of its own: what it buys touches nobody else')
    .argument('[name]', 'made up when left out')
    .option('--resource-host <HOST...>', 'host name it answers to; without any it is known by its keys')
    .option('--stock <JSON>', 'its numbers: JSON, or @ and a file of it; without it a few of several countries')
    .addOption(new Option('--no-stock', 'no numbers at all'))
    .option('--wallet <AMOUNT_CURRENCY...>', 'money, e.g. 25USD', collectWallet)
    .addHelpText(
      'after',
      `
Stock is a list; each item says a place and how many, or names numbers:
  [{"countryCode": "US", "phoneNumberType": "geographic", "areaCode": "425", "quantity": 5},
   {"phoneNumbers": ["+14255550199"]}]
Made-up numbers begin with +999, which no country has.

Examples:
  $ linebook emulator resource
  $ linebook emulator resource shop --wallet 25USD --stock @stock.json
  $ linebook emulator resource --json | jq -r .connectionString`,
    )
    .action(async (name: string | undefined, options: ResourceOptions, command: Command) => {
      const { resourceHost: hosts, wallet: wallets } = options
      const stock = await readStock(options.stock)
      const body = { name, hosts, stock, wallets }
      return askEmulator(io, command, { method: 'POST', path: '/resources', body }, (made: MadeResource) =>
        [
          `Resource ${made.name} has ${counted(made.phoneNumbers.length, 'number')} to itself.`,
          `  ${made.connectionString}`,
        ].join('\n'),
      )
    })

interface ResourceOptions {
  resourceHost?: string[]
  /** False: none at all. */
  stock?: string | boolean
  wallet?: Wallet[]
}

interface Wallet {
  amount: string
  currency: string
}

function collectWallet(text: string, earlier: Wallet[] = []): Wallet[] {
  const [, amount, currency] = /^(\d+(?:\.\d+)?) ?([A-Za-z]{3})$/.exec(text) ?? []
  if (amount === undefined || currency === undefined) {
    throw new InvalidArgumentError('An amount and a currency, e.g. 25USD or 12.50EUR.')
  }
  return [...earlier, { amount, currency: currency.toUpperCase() }]
}

async function readStock(given: string | boolean | undefined): Promise<unknown> {
  if (given === false) return []
  if (typeof given !== 'string') return undefined
  const text = given.startsWith('@') ? await readText(given.slice(1)) : given
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw new SetupError(
      '--stock: that is not JSON. A good one is [{"countryCode": "US", "phoneNumberType": "geographic", "areaCode": ' +
        '"425", "quantity": 5}], or @ and the name of a file with such.',
      { cause: error },
    )
  }
}

const readText = (file: string): Promise<string> =>
  readFile(file, 'utf8').catch((error: unknown) => {
    throw new SetupError(`--stock: "${file}" can't be read: ${String(error)}`, { cause: error })
  })

interface Listed {
  resources: { name: string; hosts: string[]; createdAt: string; numbers: number }[]
}

export const resourcesCommand = (io: Io): Command =>
  addEmulatorOptions(new Command('resources'))
    .description('List the resources that have a stock of their own')
    .option('--remove <NAME>', 'remove this one instead, with all that is its own')
    .addHelpText('after', '\nExamples:\n  $ linebook emulator resources\n  $ linebook emulator resources --remove shop')
    .action(({ remove }: { remove?: string }, command: Command) =>
      remove === undefined
        ? askEmulator(
            io,
            command,
            { method: 'GET', path: '/resources' },
            ({ resources }: Listed) =>
              resources
                .map(
                  ({ name, hosts, createdAt, numbers }) =>
                    `${name.padEnd(24)} ${instant(createdAt)}  ${counted(numbers, 'number')}${hosts.map((host) => `  ${host}`).join('')}`,
                )
                .join('\n') || 'There is none.',
          )
        : askEmulator(
            io,
            command,
            { method: 'DELETE', path: `/resources/${encodeURIComponent(remove)}` },
            () => `The resource ${remove} is removed, with all that was its own.`,
          ),
    )

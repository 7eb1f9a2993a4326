/** What a resource may buy: limit, entitlements, addresses. Set here, applied by `buyers/`. */
import { Command, InvalidArgumentError } from 'commander'
import { addressFault, readAddress, type Address } from '../../buyers/address.js'
import { SetupError } from '../../errors.js'
import { operator, type Client } from '../client/client.js'
import { addClientOptions } from '../client/connect.js'
import { perform } from '../client/perform.js'
import type { Io } from '../io.js'
import { entitledText, resourceText, type BuyerJson } from '../text/resource-text.js'
import { counted } from '../text/words.js'

const SOON = 'Running servers search by it within five seconds, and purchase by it at once.'

export const limitCommand = (io: Io): Command =>
  addClientOptions(new Command('limit'))
    .description('Say how many numbers a resource may own')
    .argument('<name>', 'the resource')
    .argument('<count>', 'a whole number, or none for no limit', parseLimit)
    .addHelpText(
      'after',
      `
Searches and purchases that would go beyond it fail with NotEnoughLicenses. What is owned already stays.
${SOON}

Examples:
  $ linebook resource limit contoso 25
  $ linebook resource limit contoso none`,
    )
    .action((name: string, numberLimit: number | null, _options, command: Command) =>
      perform(io, command, async (client) => ({
        json: await change(client, name, { numberLimit }),
        text: `${name} may own ${numberLimit === null ? 'any number of numbers' : counted(numberLimit, 'number')}.`,
      })),
    )

const MOST_NUMBERS = 2_147_483_647

function parseLimit(text: string): number | null {
  if (text === 'none') return null
  const count = /^\d{1,10}$/.test(text) ? Number(text) : Infinity
  if (count > MOST_NUMBERS) throw new InvalidArgumentError(`A whole number up to ${MOST_NUMBERS}, or none.`)
  return count
}

export const entitleCommand = (io: Io): Command =>
  addClientOptions(new Command('entitle'))
    .description('Say what a resource may buy, in place of what was said before')
    .argument('<name>', 'the resource')
    .argument('<offerings...>', 'such as US, US:tollFree or US:tollFree:application; or all; or none')
    .addHelpText(
      'after',
      `
Searches and purchases of anything else fail with AuthorizationDenied. ${SOON}

Examples:
  $ linebook resource entitle contoso US:tollFree IE
  $ linebook resource entitle contoso US:geographic:application
  $ linebook resource entitle contoso all`,
    )
    .action((name: string, offerings: string[], _options, command: Command) =>
      perform(io, command, async (client) => {
        const changed = await change(client, name, { entitledTo: entitlementsOf(offerings) })
        return { json: changed, text: `${name} may buy ${entitledText(changed)}.` }
      }),
    )

/** Null: everything. */
function entitlementsOf(words: readonly string[]): readonly string[] | null {
  const [first] = words
  if (words.length === 1 && first === 'all') return null
  return words.length === 1 && first === 'none' ? [] : words
}

interface AddressOptions {
  line?: string
  city?: string
  postalCode?: string
  state?: string
  remove?: true
}

export const addressCommand = (io: Io): Command =>
  addClientOptions(new Command('address'))
    .description('Give a resource an address in a country, for offerings that need one')
    .argument('<name>', 'the resource')
    .argument('<country>', 'two letters: IE')
    .option('--line <TEXT>', 'street and house')
    .option('--city <NAME>', 'city')
    .option('--postal-code <CODE>', 'postal code, where the country has them')
    .option('--state <NAME>', 'state or province, where addresses have it')
    .option('--remove', 'take the address away')
    .addHelpText(
      'after',
      `
It is stored as given. While it is not valid in its country, searches and purchases of offerings that need an address
there fail with InvalidAddress; without one, with MissingAddress. Which offerings do: isAddressRequired in the catalogue.

Examples:
  $ linebook resource address contoso IE --line "1 Main Street" --city Dublin --postal-code "D02 X285"
  $ linebook resource address contoso IE --remove`,
    )
    .action((name: string, country: string, options: AddressOptions, command: Command) =>
      perform(io, command, async (client) => {
        const countryCode = country.toUpperCase()
        if (!/^[A-Z]{2}$/.test(countryCode)) throw new SetupError(`"${country}" is not a country code, e.g. IE.`)
        const address = addressOf(options)
        const json = await change(client, name, { addresses: { [countryCode]: address } })
        if (address === null) return { json, text: `${name} has no address in ${countryCode}.` }
        const fault = addressFault(countryCode, address)
        const text = `${name} has an address in ${countryCode}.`
        return { json, text: fault === undefined ? text : `${text}\nIt is not valid there: ${fault}` }
      }),
    )

/** Null: to be taken away. */
function addressOf({ remove, ...parts }: AddressOptions): Address | null {
  const given = Object.keys(parts).some((part) => ['line', 'city', 'postalCode', 'state'].includes(part))
  if (given === (remove === true)) throw new SetupError('Give --line, --city and --postal-code, or --remove alone.')
  return remove ? null : readAddress(parts)
}

export const showCommand = (io: Io): Command =>
  addClientOptions(new Command('show'))
    .description('Tell what a resource may buy and what it has')
    .argument('<name>', 'the resource')
    .addHelpText(
      'after',
      `
Examples:
  $ linebook resource show contoso
  $ linebook resource show contoso --json`,
    )
    .action((name: string, _options, command: Command) =>
      perform(io, command, async (client) => {
        const buyer = await client.request<BuyerJson>('GET', operator`/resources/${name}`)
        return { json: buyer, text: resourceText(buyer) }
      }),
    )

const change = (client: Client, name: string, terms: object): Promise<BuyerJson> =>
  client.request('PATCH', operator`/resources/${name}/terms`, { body: terms })

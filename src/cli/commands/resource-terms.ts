/** What a resource may buy: limit, entitlements, addresses. Set here, applied by `buyers/`. */
import { Command, InvalidArgumentError } from 'commander'
import { addressFault, readAddress, type Address } from '../../buyers/address.js'
import { parseEntitlement } from '../../buyers/entitlement.js'
import { SetupError } from '../../errors.js'
import { withBuyers } from '../connection/buyers.js'
import { addSettings, print, STORE_SETTINGS } from '../connection/settings.js'
import { resourceText } from '../text/resource-text.js'
import { counted } from '../text/words.js'

const SOON = 'Running servers search by it within five seconds, and purchase by it at once.'

export const limitCommand = (): Command =>
  addSettings(new Command('limit'), STORE_SETTINGS)
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
      withBuyers(command, async (buyers) => {
        await buyers.change(name, { numberLimit })
        print(`${name} may own ${numberLimit === null ? 'any number of numbers' : counted(numberLimit, 'number')}.`)
      }),
    )

const MOST_NUMBERS = 2_147_483_647

function parseLimit(text: string): number | null {
  if (text === 'none') return null
  const count = /^\d{1,10}$/.test(text) ? Number(text) : Infinity
  if (count > MOST_NUMBERS) throw new InvalidArgumentError(`A whole number up to ${MOST_NUMBERS}, or none.`)
  return count
}

export const entitleCommand = (): Command =>
  addSettings(new Command('entitle'), STORE_SETTINGS)
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
      withBuyers(command, async (buyers) => {
        const entitledTo = entitlementsOf(offerings)
        await buyers.change(name, { entitledTo })
        print(`${name} may buy ${entitledTo === null ? 'everything' : entitledTo.join(', ') || 'nothing'}.`)
      }),
    )

const MOST_ENTITLEMENTS = 500

/** Null: everything. */
function entitlementsOf(words: readonly string[]): string[] | null {
  const [first] = words
  if (words.length === 1 && first === 'all') return null
  if (words.length === 1 && first === 'none') return []
  if (words.length > MOST_ENTITLEMENTS) throw new SetupError(`That are more than ${MOST_ENTITLEMENTS} offerings.`)
  return [...new Set(words.map(parseEntitlement))].sort()
}

interface AddressOptions {
  line?: string
  city?: string
  postalCode?: string
  state?: string
  remove?: true
}

export const addressCommand = (): Command =>
  addSettings(new Command('address'), STORE_SETTINGS)
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
      withBuyers(command, async (buyers) => {
        const countryCode = country.toUpperCase()
        if (!/^[A-Z]{2}$/.test(countryCode)) throw new SetupError(`"${country}" is no country code, e.g. IE.`)
        const address = addressOf(options)
        await buyers.change(name, { addresses: { [countryCode]: address } })
        if (address === null) return print(`${name} has no address in ${countryCode}.`)
        print(`${name} has an address in ${countryCode}.`)
        const fault = addressFault(countryCode, address)
        if (fault !== undefined) print(`It is not valid there: ${fault}`)
      }),
    )

/** Null: to be taken away. */
function addressOf({ remove, ...parts }: AddressOptions): Address | null {
  const given = Object.keys(parts).some((part) => ['line', 'city', 'postalCode', 'state'].includes(part))
  if (given === (remove === true)) throw new SetupError('Give --line, --city and --postal-code, or --remove alone.')
  return remove ? null : readAddress(parts)
}

export const showCommand = (): Command =>
  addSettings(new Command('show'), STORE_SETTINGS)
    .description('Tell what a resource may buy and what it has')
    .argument('<name>', 'the resource')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ linebook resource show contoso
  $ linebook resource show contoso --json`,
    )
    .action((name: string, options: { json?: true }, command: Command) =>
      withBuyers(command, async (buyers) => {
        const buyer = await buyers.show(name)
        print(options.json ? JSON.stringify(buyer, undefined, 2) : resourceText(buyer))
      }),
    )

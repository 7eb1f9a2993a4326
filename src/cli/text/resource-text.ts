/** A resource as a buyer, for people to read. */
import { addressFault, type Address } from '../../buyers/address.js'
import type { ShownBuyer } from '../../buyers/terms.js'
import { counted, instant, printable } from './words.js'

/** As the Operator API shows it. */
export interface BuyerJson extends ShownBuyer {
  hosts: string[]
  disabledAt: string | null
}

export function resourceText({ name, pool, numberLimit, hosts, disabledAt, ...buyer }: BuyerJson): string {
  const { entitledTo, addresses, wallets, numbers } = buyer
  const { owned, underWay } = numbers
  const facts: [string, string[]][] = [
    ['hosts', [hosts.join(', ') || 'any unclaimed host']],
    ...(disabledAt === null ? [] : [['disabled', [`since ${instant(disabledAt)}`]] as [string, string[]]]),
    ['stock', [pool === '' ? 'the one that all share' : `its own (${pool})`]],
    ['numbers', [`${owned} owned${underWay === 0 ? '' : `, ${underWay} being purchased`}`]],
    ['limit', [numberLimit === null ? 'none' : counted(numberLimit, 'number')]],
    ['may buy', [entitledText({ entitledTo })]],
    ['addresses', lines(Object.entries(addresses), ([country, address]) => addressText(country, address))],
    ['wallets', lines(wallets, ({ currency, balance }) => `${balance} ${currency}`)],
  ]
  const width = Math.max(...facts.map(([label]) => label.length))
  return [
    name,
    ...facts.flatMap(([label, texts]) => texts.map((text, i) => `  ${(i === 0 ? label : '').padEnd(width)}  ${text}`)),
  ].join('\n')
}

const lines = <T>(items: readonly T[], text: (item: T) => string): string[] =>
  items.length === 0 ? ['none'] : items.map(text)

function addressText(countryCode: string, address: Address): string {
  const { line, city, postalCode, state } = address
  const fault = addressFault(countryCode, address)
  const text = [line, city, state ?? '', postalCode].filter((part) => part !== '').join(', ')
  return `${countryCode}: ${printable(text)}${fault === undefined ? '' : ` (not valid there: ${printable(fault)})`}`
}

export const entitledText = ({ entitledTo }: Pick<ShownBuyer, 'entitledTo'>): string =>
  entitledTo === null ? 'everything' : entitledTo.join(', ') || 'nothing'

/** A resource as a buyer, for people to read. */
import { addressFault, type Address } from '../../buyers/address.js'
import type { ShownBuyer } from '../../buyers/terms.js'
import { counted, printable } from './words.js'

export function resourceText({ name, pool, numberLimit, ...buyer }: ShownBuyer): string {
  const { entitledTo, addresses, wallets, numbers } = buyer
  const { owned, underWay } = numbers
  const facts: [string, string[]][] = [
    ['stock', [pool === '' ? 'the one that all share' : `its own (${pool})`]],
    ['numbers', [`${owned} owned${underWay === 0 ? '' : `, ${underWay} being purchased`}`]],
    ['limit', [numberLimit === null ? 'none' : counted(numberLimit, 'number')]],
    ['may buy', [entitledTo === null ? 'everything' : entitledTo.join(', ') || 'nothing']],
    ['addresses', lines(Object.entries(addresses), ([country, address]) => addressText(country, address))],
    ['wallets', lines(wallets, ({ currency, balance }) => `${balance} ${currency}`)],
  ]
  const width = Math.max(...facts.map(([label]) => label.length))
  return [
    name,
    ...facts.flatMap(([label, texts]) => texts.map((text, i) => `  ${(i === 0 ? label : '').padEnd(width)}  ${text}`)),
  ].join('\n')
}

const lines = <T>(things: readonly T[], text: (thing: T) => string): string[] =>
  things.length === 0 ? ['none'] : things.map(text)

function addressText(countryCode: string, address: Address): string {
  const { line, city, postalCode, state } = address
  const fault = addressFault(countryCode, address)
  const text = [line, city, state ?? '', postalCode].filter((part) => part !== '').join(', ')
  return `${countryCode}: ${printable(text)}${fault === undefined ? '' : ` (not valid there: ${printable(fault)})`}`
}

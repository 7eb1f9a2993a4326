/**
 * The operator that a block of mobile numbers was first given to, from data/operator-prefixes.json. A number that has
 * been ported since has another operator, which no open data contains.
 */
import { readFile } from 'node:fs/promises'

/** An unknown value is null. */
export interface OperatorDetails {
  name: string | null
  mobileNetworkCode: string | null
  mobileCountryCode: string | null
}

export const unknownOperator: OperatorDetails = { name: null, mobileNetworkCode: null, mobileCountryCode: null }

/** The shape of the file; scripts/operator-prefixes.js writes it. */
export interface PrefixData {
  /** By calling code, then by operator: prefixes of national numbers, separated by spaces. */
  prefixes: Record<string, Record<string, string>>
  /** By country, then by operator: `MCC-MNC`, or `MCC` alone. */
  networks: Record<string, Record<string, string>>
}

export class OperatorPrefixes {
  readonly #operators = new Map<string, string>()
  readonly #networks: PrefixData['networks']
  #longest = 0

  constructor({ prefixes, networks }: PrefixData) {
    for (const [callingCode, operators] of Object.entries(prefixes)) {
      for (const [operator, list] of Object.entries(operators)) {
        for (const prefix of list.split(' ')) this.#add(callingCode + prefix, operator)
      }
    }
    this.#networks = networks
  }

  #add(digits: string, operator: string): void {
    this.#operators.set(digits, operator)
    this.#longest = Math.max(this.#longest, digits.length)
  }

  /** The operator with the longest prefix that the number begins with. */
  find(e164: string, countryCode: string | null): OperatorDetails {
    const digits = e164.slice(1)
    for (let length = Math.min(this.#longest, digits.length); length > 0; length--) {
      const name = this.#operators.get(digits.slice(0, length))
      if (name !== undefined) return { name, ...this.#networkOf(name, countryCode) }
    }
    return unknownOperator
  }

  #networkOf(operator: string, countryCode: string | null): Omit<OperatorDetails, 'name'> {
    const code = this.#networks[countryCode ?? '']?.[operator]
    const [mobileCountryCode = null, mobileNetworkCode = null] = code?.split('-') ?? []
    return { mobileNetworkCode, mobileCountryCode }
  }
}

const FILE = new URL('../../../data/operator-prefixes.json', import.meta.url)

let loaded: Promise<OperatorPrefixes> | undefined

/** The table that comes with Linebook, read when first needed: a start doesn't spend the time and memory it takes. */
export function operatorPrefixes(): Promise<OperatorPrefixes> {
  loaded ??= readTable().catch((error: unknown) => {
    // A failure is not kept: the next request tries again.
    loaded = undefined
    throw error
  })
  return loaded
}

const readTable = async (): Promise<OperatorPrefixes> =>
  new OperatorPrefixes(JSON.parse(await readFile(FILE, 'utf8')) as PrefixData)

/** Addresses that some offerings need: their required parts, and the format of postal codes. */
import { invalidInput } from '../errors.js'

export interface Address {
  line: string
  city: string
  postalCode: string
  /** State or province, where the country has them in addresses. */
  state?: string
}

const MAX_PART_CHARS = 200

/** An address as it is stored, valid or not. Parts that are left out are empty. Throws 'invalid-input'. */
export function readAddress({ line = '', city = '', postalCode = '', state }: Partial<Address>): Address {
  const address = { line, city, postalCode, ...(state !== undefined && { state }) }
  if (Object.values(address).some((part) => part.length > MAX_PART_CHARS)) {
    throw invalidInput(`Each part of an address has up to ${MAX_PART_CHARS} characters.`, 'addresses')
  }
  return address
}

/** Postal codes by country, as the countries' own postal services write them. A country that is not here has none. */
const POSTAL_CODES: Readonly<Record<string, RegExp>> = {
  AR: /^([A-Z]\d{4}[A-Z]{3}|\d{4})$/,
  AT: /^\d{4}$/,
  AU: /^\d{4}$/,
  BE: /^\d{4}$/,
  BR: /^\d{5}-?\d{3}$/,
  CA: /^[A-Z]\d[A-Z] ?\d[A-Z]\d$/,
  CH: /^\d{4}$/,
  CL: /^\d{3}-?\d{4}$/,
  CN: /^\d{6}$/,
  CO: /^\d{6}$/,
  DE: /^\d{5}$/,
  DK: /^\d{4}$/,
  ES: /^\d{5}$/,
  FI: /^\d{5}$/,
  FR: /^\d{5}$/,
  GB: /^[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}$/,
  ID: /^\d{5}$/,
  IE: /^[A-Z]\d[\dW] ?[A-Z\d]{4}$/,
  IL: /^\d{5}(\d{2})?$/,
  IT: /^\d{5}$/,
  KR: /^\d{5}$/,
  LU: /^(L-)?\d{4}$/,
  LV: /^(LV-)?\d{4}$/,
  MX: /^\d{5}$/,
  MY: /^\d{5}$/,
  NL: /^\d{4} ?[A-Z]{2}$/,
  NO: /^\d{4}$/,
  NZ: /^\d{4}$/,
  PH: /^\d{4}$/,
  PL: /^\d{2}-?\d{3}$/,
  PR: /^00[679]\d{2}(-\d{4})?$/,
  PT: /^\d{4}-?\d{3}$/,
  SA: /^\d{5}(-\d{4})?$/,
  SE: /^\d{3} ?\d{2}$/,
  SG: /^\d{6}$/,
  SK: /^\d{3} ?\d{2}$/,
  TH: /^\d{5}$/,
  TW: /^\d{3}(\d{2,3})?$/,
  US: /^\d{5}(-\d{4})?$/,
  ZA: /^\d{4}$/,
}
const STATES_IN_ADDRESSES = ['AU', 'BR', 'CA', 'MX', 'US']

/** Describes what is wrong with an address, as a sentence; undefined when it is valid. */
export function addressFault(countryCode: string, { line, city, postalCode, state }: Address): string | undefined {
  if (line.trim() === '') return 'the street is missing.'
  if (city.trim() === '') return 'the city is missing.'
  const postalCodes = POSTAL_CODES[countryCode]
  if (postalCodes !== undefined && !postalCodes.test(postalCode.trim().toUpperCase())) {
    return postalCode.trim() === ''
      ? 'the postal code is missing.'
      : `"${postalCode}" is not a postal code of ${countryCode}.`
  }
  if (STATES_IN_ADDRESSES.includes(countryCode) && !state?.trim()) return 'the state or province is missing.'
  return undefined
}

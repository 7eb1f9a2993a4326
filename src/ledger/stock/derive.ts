/**
 * Derives a number's place from what is given about it and from the number itself. An attribute that isn't given is
 * derived where the numbering plan makes it certain, and asked for otherwise: a wrong guess would sell the number as
 * something it isn't.
 */
import type { PhoneNumber } from 'libphonenumber-js/max'
import { createRequire } from 'node:module'
import { isE164, numberTypes, type NumberType } from '../number.js'
import type { Place } from './enter.js'

/** What is given about a number, as people write it. Empty text: not given. */
export interface GivenNumber {
  phoneNumber: string
  countryCode: string
  phoneNumberType: string
  areaCode: string
  locality: string
  administrativeDivision: string
}

/** A message about a bad number: which value is wrong, why, and what would be right. */
export type Problem = string

const MAX_NAME_CHARS = 200
/** Places are remembered, but a file with a new place for every number must not fill the memory. */
const MAX_REMEMBERED = 50_000
const NANP_CALLING_CODE = '1'
const NANP_NATIONAL_DIGITS = 10
const NANP_AREA_DIGITS = 3
/** A calling code that no country has, used for test numbers of any country. */
export const TEST_CALLING_CODE = '999'
const TEST_PREFIX = `+${TEST_CALLING_CODE}`

/** What is given besides the number, checked; very many numbers share it. */
interface Given {
  countryCode: string | undefined
  /** The calling code of `countryCode`; undefined when that isn't given or has no phone numbers. */
  callingCode: string | undefined
  numberType: NumberType | undefined
  areaCode: string | undefined
  locality: string
  administrativeDivision: string
  /**
   * The prefixes of numbers of exactly this place; undefined unless country, type and area code are given. A test
   * number may have the calling code of its country after the test calling code.
   */
  exact: { place: Place; prefix: string; testPrefix: string; longTestPrefix: string } | undefined
}

/** Finds the places of numbers; it returns the same object for the same place as long as it remembers it. */
export class PlaceFinder {
  readonly #given = new Map<string, Given>()
  readonly #places = new Map<string, Place>()

  /** The place of a number, or why none was found. Does not throw: among millions of lines many may be bad. */
  placeOf(number: GivenNumber): Place | Problem {
    const { phoneNumber, countryCode, phoneNumberType, areaCode, locality, administrativeDivision } = number
    if (!isE164(phoneNumber)) return `phoneNumber ${shown(phoneNumber)} is not an E.164 number, e.g. +14255550100`
    const key = `${countryCode}\n${phoneNumberType}\n${areaCode}\n${locality}\n${administrativeDivision}`
    let given = this.#given.get(key)
    if (given === undefined) {
      const checked = this.#check(number)
      if (typeof checked === 'string') return checked
      remember(this.#given, key, (given = checked))
    }
    const { exact } = given
    if (exact && beginsWith(phoneNumber, exact)) return exact.place
    return this.#derive(phoneNumber, given)
  }

  /** Checks everything that doesn't depend on the number. */
  #check(number: GivenNumber): Given | Problem {
    const { locality, administrativeDivision } = number
    const problem = nameProblem('locality', locality) ?? nameProblem('administrativeDivision', administrativeDivision)
    if (problem !== undefined) return problem

    const countryCode = number.countryCode.toUpperCase() || undefined
    // Checked as it was written: the capital of "ß" is "SS", a country.
    if (countryCode !== undefined && !/^[A-Za-z]{2}$/.test(number.countryCode)) {
      return `countryCode ${shown(number.countryCode)} is not two letters, e.g. US`
    }
    const typeText = number.phoneNumberType.toLowerCase()
    const numberType = numberTypes.find((type) => type.toLowerCase() === typeText)
    if (typeText !== '' && numberType === undefined) {
      return `phoneNumberType ${shown(number.phoneNumberType)} is none of ${numberTypes.join(', ')}`
    }
    const areaCode = number.areaCode || undefined
    if (areaCode !== undefined && !/^[0-9]{1,8}$/.test(areaCode)) {
      return `areaCode ${shown(areaCode)} is not 1 to 8 digits, e.g. 425`
    }
    const callingCode = countryCode === undefined ? undefined : callingCodeOf(countryCode)
    const given = { countryCode, callingCode, numberType, areaCode, locality, administrativeDivision }
    if (countryCode === undefined || numberType === undefined || areaCode === undefined) {
      return { ...given, exact: undefined }
    }
    const place = this.#place({ countryCode, numberType, areaCode, administrativeDivision, locality })
    // A country without phone numbers takes test numbers alone.
    const prefix = `+${callingCode ?? TEST_CALLING_CODE}${areaCode}`
    const testPrefix = `${TEST_PREFIX}${areaCode}`
    return { ...given, exact: { place, prefix, testPrefix, longTestPrefix: `${TEST_PREFIX}${prefix.slice(1)}` } }
  }

  /** Names every attribute that is neither given nor certain at once, so that a file can be fixed in one go. */
  #derive(phoneNumber: string, given: Given): Place | Problem {
    const isTest = phoneNumber.startsWith(TEST_PREFIX)
    if (given.countryCode !== undefined && !isTest) {
      if (given.callingCode === undefined) return `countryCode ${given.countryCode} is no country with phone numbers`
      if (!phoneNumber.startsWith(`+${given.callingCode}`)) {
        return `countryCode ${given.countryCode} is +${given.callingCode}, which ${phoneNumber} does not begin with`
      }
    }
    const isWanting = given.countryCode === undefined || given.numberType === undefined
    const parsed = isWanting && !isTest ? library().parsePhoneNumberFromString(phoneNumber) : undefined
    // The library drops digits that are only dialled within a country; then it has read another number.
    if (parsed && parsed.number !== phoneNumber) {
      return `phoneNumber ${phoneNumber} has digits too many for its country; is ${parsed.number} meant?`
    }
    const callingCode = isTest ? TEST_CALLING_CODE : (given.callingCode ?? parsed?.countryCallingCode)

    const countryCode = given.countryCode ?? countryOf(parsed)
    const numberType = given.numberType ?? typeOf(parsed)
    const areaCode = areaCodeOf(phoneNumber, callingCode, given.areaCode)
    if (countryCode instanceof Doubt || numberType instanceof Doubt || areaCode instanceof Doubt) {
      const doubts = [countryCode, numberType, areaCode].filter((attribute) => attribute instanceof Doubt)
      return doubts.map(({ why }) => why).join('; ')
    }
    const { locality, administrativeDivision } = given
    return this.#place({ countryCode, numberType, areaCode, administrativeDivision, locality })
  }

  #place(place: Place): Place {
    const { countryCode, numberType, areaCode, locality, administrativeDivision } = place
    const key = `${countryCode}\n${numberType}\n${areaCode}\n${locality}\n${administrativeDivision}`
    const known = this.#places.get(key)
    if (known === undefined) remember(this.#places, key, place)
    return known ?? place
  }
}

const beginsWith = (
  phoneNumber: string,
  { prefix, testPrefix, longTestPrefix }: NonNullable<Given['exact']>,
): boolean =>
  phoneNumber.startsWith(prefix) || phoneNumber.startsWith(testPrefix) || phoneNumber.startsWith(longTestPrefix)

/** Takes an attribute's place when it can't be derived from the number, or the number contradicts what is given. */
class Doubt {
  constructor(readonly why: string) {}
}

function countryOf(parsed: PhoneNumber | undefined): string | Doubt {
  const country = parsed?.country
  if (parsed === undefined || country === undefined) {
    return new Doubt('the number does not tell its country: give countryCode')
  }
  const others = otherCountriesOf(parsed, country)
  // North America's toll-free numbers belong to all its countries alike; by convention they are listed under the US.
  const isSharedTollFree = parsed.countryCallingCode === NANP_CALLING_CODE && parsed.getType() === 'TOLL_FREE'
  if (others.length > 0 && !isSharedTollFree) {
    return new Doubt(`the number may be of ${someOf([country, ...others])}: give countryCode`)
  }
  return country
}

function typeOf(parsed: PhoneNumber | undefined): NumberType | Doubt {
  const type = parsed?.getType()
  switch (type) {
    case 'FIXED_LINE':
      return 'geographic'
    case 'FIXED_LINE_OR_MOBILE':
      // The North American plan keeps mobile numbers among the geographic ones; elsewhere the two are sold apart.
      if (parsed?.countryCallingCode === NANP_CALLING_CODE) return 'geographic'
      return new Doubt('the number may be geographic or mobile: give phoneNumberType')
    case 'MOBILE':
      return 'mobile'
    case 'TOLL_FREE':
      return 'tollFree'
    case undefined:
      return new Doubt('the number does not tell its type: give phoneNumberType')
    default:
      return new Doubt(`the number is of type ${type}: give phoneNumberType`)
  }
}

function areaCodeOf(phoneNumber: string, callingCode: string | undefined, given: string | undefined): string | Doubt {
  // Without a calling code the message asks for the country already.
  const national = callingCode === undefined ? '' : phoneNumber.slice(1 + callingCode.length)
  if (given !== undefined) {
    if (callingCode === undefined || national.startsWith(given)) return given
    const hint =
      given.startsWith('0') && national.startsWith(given.slice(1))
        ? '; leave out the 0 of calls within the country'
        : ''
    return new Doubt(`areaCode ${given} is not what follows +${callingCode} in ${phoneNumber}${hint}`)
  }
  if (callingCode === NANP_CALLING_CODE && national.length === NANP_NATIONAL_DIGITS) {
    return national.slice(0, NANP_AREA_DIGITS)
  }
  return new Doubt('the number does not tell its area code: give areaCode')
}

function nameProblem(field: 'locality' | 'administrativeDivision', name: string): Problem | undefined {
  if (/\p{Cc}/u.test(name)) return `${field} ${shown(name)} has control characters in it`
  if (name.includes('\ufffd')) return `${field} ${shown(name)} is not UTF-8 text`
  // Counted as the database does, by code points.
  if (name.length > MAX_NAME_CHARS && [...name].length > MAX_NAME_CHARS) {
    return `${field} ${shown(name)} is longer than ${MAX_NAME_CHARS} characters`
  }
  return undefined
}

const MAX_SHOWN_CHARS = 40

/** A value in a message: quoted, so that nothing in it can act on a terminal, and not too long. */
export const shown = (value: string): string =>
  JSON.stringify(value.length > MAX_SHOWN_CHARS ? `${value.slice(0, MAX_SHOWN_CHARS)}…` : value)

function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  if (map.size >= MAX_REMEMBERED) map.clear()
  map.set(key, value)
}

const MAX_COUNTRIES_NAMED = 4

const someOf = (countries: string[]): string =>
  countries.length > MAX_COUNTRIES_NAMED
    ? `${countries.slice(0, MAX_COUNTRIES_NAMED).join(', ')} and others`
    : countries.join(' or ')

type Library = typeof import('libphonenumber-js/max')
let loaded: Library | undefined

/** Loaded when first needed (30 to 90 ms), and synchronously: awaiting it would cost more per line. */
const library = (): Library =>
  (loaded ??= createRequire(import.meta.url)('libphonenumber-js/max') as unknown as Library)

/** Undefined when `countryCode` is not a country with phone numbers. */
export function callingCodeOf(countryCode: string): string | undefined {
  const { isSupportedCountry, getCountryCallingCode } = library()
  return isSupportedCountry(countryCode) ? getCountryCallingCode(countryCode) : undefined
}

type Country = NonNullable<PhoneNumber['country']>
let countriesByCallingCode: Map<string, Country[]> | undefined

/**
 * Countries other than `country` whose numbering plans have this number. Countries that share a calling code share some
 * of its ranges too, and there the library just returns the first.
 */
function otherCountriesOf(parsed: PhoneNumber, country: Country): Country[] {
  if (isGeographicNanp(parsed)) return []
  const others = sharingCallingCode(parsed.countryCallingCode).filter((other) => {
    if (other === country) return false
    parsed.country = other
    return parsed.getType() !== undefined
  })
  parsed.country = country
  return others
}

function sharingCallingCode(callingCode: string): Country[] {
  if (countriesByCallingCode === undefined) {
    const { getCountries, getCountryCallingCode } = library()
    countriesByCallingCode = new Map()
    for (const country of getCountries()) {
      const code = getCountryCallingCode(country)
      countriesByCallingCode.set(code, [...(countriesByCallingCode.get(code) ?? []), country])
    }
  }
  return countriesByCallingCode.get(callingCode) ?? []
}

/** Each area code of the North American plan belongs to one country; trying all 25 would only cost time. */
const isGeographicNanp = (parsed: PhoneNumber): boolean =>
  parsed.countryCallingCode === NANP_CALLING_CODE && parsed.getType() === 'FIXED_LINE_OR_MOBILE'

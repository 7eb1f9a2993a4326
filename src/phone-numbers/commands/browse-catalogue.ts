import { invalidInput, notFound } from '../../errors.js'
import type { AssignmentType, NumberType } from '../../ledger/number.js'
import { hasLocalities, listAreaCodes, listLocalities, type ListPage, type Locality } from '../../ledger/places.js'
import type { Offering } from '../model/catalogue.js'
import type { PhoneNumbersDeps } from '../model/deps.js'

export interface CountryName {
  localizedName: string
  countryCode: string
}

/** The countries served, by their name in the first language of `acceptLanguage` that the runtime knows. */
export function countriesIn(
  { catalogue }: Pick<PhoneNumbersDeps, 'catalogue'>,
  acceptLanguage: string | undefined,
): CountryName[] {
  const language = firstKnownLanguage(acceptLanguage)
  const names = new Intl.DisplayNames([language], { type: 'region' })
  const collator = new Intl.Collator(language)
  return catalogue.countries
    .map((countryCode) => ({ localizedName: names.of(countryCode) ?? countryCode, countryCode }))
    .sort((a, b) => collator.compare(a.localizedName, b.localizedName))
}

const FALLBACK_LANGUAGE = 'en-US'
const MAX_LANGUAGES = 10

/** The best of an Accept-Language header (RFC 9110 §12.5.4) that there are country names for. */
export function firstKnownLanguage(acceptLanguage: string | undefined): string {
  const ranges = (acceptLanguage ?? '')
    .split(',', MAX_LANGUAGES)
    .map((range) => LANGUAGE_RANGE.exec(range))
    .filter((match) => match !== null)
    .map(([, tag = ANY_LANGUAGE, weight = '1']) => ({ tag, weight: Number(weight) }))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
  return ranges.map(({ tag }) => supportedTag(tag)).find((tag) => tag !== undefined) ?? FALLBACK_LANGUAGE
}

const ANY_LANGUAGE = '*'
const LANGUAGE_RANGE = /^\s*(\*|[a-z]{1,8}(?:-[a-z0-9]{1,8})*)\s*(?:;\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?\s*$/i

const supportedTag = (tag: string): string | undefined => {
  if (tag === ANY_LANGUAGE) return FALLBACK_LANGUAGE
  try {
    return Intl.DisplayNames.supportedLocalesOf(tag)[0]
  } catch {
    return undefined
  }
}

export const localitiesOf = (
  { db, clock }: PhoneNumbersDeps,
  filter: {
    pool: string
    countryCode: string
    numberType: NumberType | undefined
    administrativeDivision: string | undefined
  },
  page: ListPage,
): Promise<Locality[]> => listLocalities(db, filter, page, clock.now())

/**
 * The area codes that have numbers for sale. Throws 'invalid-input' for geographic ones without a locality in a
 * country that has localities, 'not-found' when none is left.
 */
export async function areaCodesOf(
  { db, clock, catalogue }: PhoneNumbersDeps,
  filter: {
    pool: string
    countryCode: string
    numberType: NumberType
    assignmentType: AssignmentType | undefined
    locality: string | undefined
    administrativeDivision: string | undefined
  },
  page: ListPage,
): Promise<string[]> {
  const { countryCode, numberType, assignmentType, locality } = filter
  if (numberType === 'geographic' && locality === undefined && (await hasLocalities(db, filter))) {
    throw invalidInput('locality is required for geographic area codes of this country.', 'locality')
  }
  const isOffered =
    assignmentType === undefined || catalogue.find(countryCode, numberType, assignmentType) !== undefined
  const areaCodes = isOffered ? await listAreaCodes(db, filter, page, clock.now()) : []
  if (areaCodes.length === 0 && page.skip === 0) {
    throw notFound('No area codes were found for the given parameters')
  }
  return areaCodes
}

export const offeringsOf = (
  { catalogue }: PhoneNumbersDeps,
  filter: { countryCode: string; numberType: NumberType | undefined; assignmentType: AssignmentType | undefined },
): Offering[] =>
  catalogue
    .offerings(filter.countryCode)
    .filter(({ numberType }) => filter.numberType === undefined || numberType === filter.numberType)
    .filter(({ assignmentType }) => filter.assignmentType === undefined || assignmentType === filter.assignmentType)

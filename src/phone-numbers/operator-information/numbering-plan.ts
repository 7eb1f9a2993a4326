/** What can be derived from a number itself: its formats, its country and its type. */
import type { PhoneNumber } from 'libphonenumber-js/max'

export type OperatorNumberType = 'unknown' | 'other' | 'geographic' | 'mobile'

export interface NumberFormats {
  national: string
  international: string
}

export interface PlannedNumber {
  formats: NumberFormats
  /** ISO 3166-1 alpha-2; null when the number belongs to no country or its country can't be determined. */
  countryCode: string | null
  numberType: OperatorNumberType
  /** Whether its first digits identify a mobile operator. */
  isOfMobileOperator: boolean
}

const NANP_CALLING_CODE = '1'

/**
 * Finds a number in the world's numbering plans. Any well-formed E.164 number has a result, because numbers that no
 * plan knows are used for tests and fiction.
 */
export async function inNumberingPlan(e164: string): Promise<PlannedNumber> {
  // Loaded when first needed: it takes 30 to 90 ms, which a start doesn't need to spend.
  const { parsePhoneNumberFromString } = await import('libphonenumber-js/max')
  const parsed = parsePhoneNumberFromString(e164)
  if (parsed === undefined) return unplanned({ national: e164.slice(1), international: e164 })
  // The library drops digits that are only dialled within a country; then it has read another number.
  if (parsed.number !== e164) {
    const callingCode = `+${parsed.countryCallingCode}`
    const national = e164.slice(callingCode.length)
    return unplanned({ national, international: `${callingCode} ${national}` })
  }
  const type = parsed.getType()
  return {
    formats: formatsOf(parsed),
    countryCode: parsed.country ?? null,
    numberType: typeOf(parsed),
    isOfMobileOperator: type === 'MOBILE' || type === 'FIXED_LINE_OR_MOBILE' || type === 'PAGER',
  }
}

const unplanned = (formats: NumberFormats): PlannedNumber => ({
  formats,
  countryCode: null,
  numberType: 'unknown',
  isOfMobileOperator: false,
})

/**
 * Internationally with spaces, as ITU-T E.123 requires and the library does; in North America with hyphens, as the
 * published service does.
 */
function formatsOf(parsed: PhoneNumber): NumberFormats {
  const callingCode = parsed.countryCallingCode
  const [, ...groups] = parsed.formatInternational().split(' ')
  return {
    national: parsed.formatNational(),
    international: `+${callingCode} ${groups.join(callingCode === NANP_CALLING_CODE ? '-' : ' ')}`,
  }
}

function typeOf(parsed: PhoneNumber): OperatorNumberType {
  const type = parsed.getType()
  switch (type) {
    case undefined:
      return 'unknown'
    case 'FIXED_LINE':
      return 'geographic'
    case 'MOBILE':
      return 'mobile'
    case 'FIXED_LINE_OR_MOBILE':
      // The North American plan keeps mobile numbers among the geographic ones; elsewhere it may be either.
      return parsed.countryCallingCode === NANP_CALLING_CODE ? 'geographic' : 'unknown'
    default:
      return 'other'
  }
}

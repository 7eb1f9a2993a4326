import { DomainError } from '../../errors.js'
import { isE164, type NumberType } from '../../ledger/number.js'
import { findKind } from '../../ledger/reads.js'
import type { PhoneNumbersDeps } from '../model/deps.js'
import { inNumberingPlan, type NumberFormats, type OperatorNumberType, type PlannedNumber } from './numbering-plan.js'
import { operatorPrefixes, unknownOperator, type OperatorDetails } from './operator-prefixes.js'

export interface OperatorInformation {
  e164: string
  formats: NumberFormats
  /** Only on request. */
  details: NumberDetails | undefined
}

export interface NumberDetails {
  countryCode: string | null
  numberType: OperatorNumberType
  operator: OperatorDetails
}

/**
 * The formats of a number and, on request, its operator. The ledger is read first, then the table of prefixes; what
 * neither has is unknown. Throws 'not-one-number' unless there is exactly one number, well-formed.
 */
export async function searchOperatorInformation(
  deps: Pick<PhoneNumbersDeps, 'db' | 'operator'>,
  phoneNumbers: readonly string[],
  { withDetails }: { withDetails: boolean },
): Promise<OperatorInformation> {
  const e164 = theOnly(phoneNumbers)
  const planned = await inNumberingPlan(e164)
  return { e164, formats: planned.formats, details: withDetails ? await detailsOf(deps, e164, planned) : undefined }
}

/** The recorded service counts the numbers before it checks any. */
function theOnly(phoneNumbers: readonly string[]): string {
  const [e164] = phoneNumbers
  if (phoneNumbers.length > 1) throw new DomainError('not-one-number', 'Can only accept one phoneNumber')
  if (e164 === undefined) throw refusal('phoneNumbers is empty; it takes one E.164 number, e.g. +14255550100.')
  if (!isE164(e164)) {
    throw refusal(
      `phoneNumbers has ${JSON.stringify(e164.slice(0, MAX_SHOWN_CHARS))}, which is not an E.164 number, e.g. +14255550100.`,
    )
  }
  return e164
}
const MAX_SHOWN_CHARS = 40

const refusal = (message: string): DomainError => new DomainError('not-one-number', message, { target: 'phonenumbers' })

/**
 * For a number in the ledger the result only shows that it is ours, not who has it, nor whether anyone has it.
 */
async function detailsOf(
  { db, operator }: Pick<PhoneNumbersDeps, 'db' | 'operator'>,
  e164: string,
  planned: PlannedNumber,
): Promise<NumberDetails> {
  const kind = await findKind(db, e164)
  if (kind !== undefined) {
    const numberType = kind.numberType === null ? planned.numberType : typeInWords[kind.numberType]
    return {
      countryCode: kind.countryCode ?? planned.countryCode,
      numberType,
      // The codes are those of a mobile network.
      operator: numberType === 'mobile' ? operator : { ...unknownOperator, name: operator.name },
    }
  }
  const { countryCode, numberType } = planned
  const found = planned.isOfMobileOperator ? (await operatorPrefixes()).find(e164, countryCode) : unknownOperator
  return { countryCode, numberType, operator: found }
}

const typeInWords: Record<NumberType, OperatorNumberType> = {
  geographic: 'geographic',
  tollFree: 'other',
  mobile: 'mobile',
}

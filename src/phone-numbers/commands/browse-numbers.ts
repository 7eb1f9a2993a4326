import type { Principal } from '../../auth/authenticate.js'
import { invalidInput } from '../../errors.js'
import { covers, type AssignmentType, type Capabilities, type NumberType } from '../../ledger/number.js'
import { sampleAvailable } from '../../ledger/sample.js'
import { inferredAssignment, type Offering } from '../model/catalogue.js'
import type { PhoneNumbersDeps } from '../model/deps.js'

export interface WantedSample {
  countryCode: string
  numberType: NumberType
  /** Undefined: see {@link inferredAssignment}. */
  assignmentType: AssignmentType | undefined
  /** Capabilities that the numbers have to have at least. */
  capabilities: Partial<Capabilities>
  /** As written by the client; a number has to begin with one of them. */
  prefixes: readonly string[]
}

/** Numbers for sale now, all on the terms of one offering. */
export interface Sample {
  offering: Offering
  phoneNumbers: string[]
}

/** The size of the service's own page. */
export const SAMPLE_SIZE = 25
/** Each prefix costs a probe of every place. */
export const MAX_PREFIXES = 10

/**
 * A random sample of the numbers that the resource may search for. Nothing is held. Undefined when no offering matches.
 * Throws 'invalid-input' for a prefix that no number can begin with.
 */
export async function browseNumbers(
  { db, clock, catalogue }: Pick<PhoneNumbersDeps, 'db' | 'clock' | 'catalogue'>,
  { pool }: Pick<Principal, 'pool'>,
  { countryCode, numberType, assignmentType, capabilities, prefixes }: WantedSample,
): Promise<Sample | undefined> {
  const digits = readPrefixes(prefixes)
  const offered = catalogue.offerings(countryCode).filter((offering) => offering.numberType === numberType)
  const wanted = assignmentType ?? inferredAssignment(offered)
  const offering = offered.find((candidate) => candidate.assignmentType === wanted)
  if (!offering || !covers(offering.capabilities, { calling: 'none', sms: 'none', ...capabilities })) return undefined
  const stock = { pool, countryCode, numberType, prefixes: digits }
  return { offering, phoneNumbers: await sampleAvailable(db, stock, SAMPLE_SIZE, clock.now()) }
}

function readPrefixes(prefixes: readonly string[]): string[] {
  if (prefixes.length > MAX_PREFIXES) {
    throw invalidInput(
      `phoneNumberPrefixes may have at most ${MAX_PREFIXES} elements, not ${prefixes.length}.`,
      'phonenumberprefixes',
    )
  }
  return prefixes.map((prefix, index) => {
    const digits = /^\+?(\d{1,15})$/.exec(prefix)?.[1]
    if (digits !== undefined) return digits
    throw invalidInput(
      `phoneNumberPrefixes.${index} must be 1 to 15 digits, country calling code first, e.g. "1425", ` +
        `not ${JSON.stringify(prefix.slice(0, MAX_SHOWN_CHARS))}.`,
      `phonenumberprefixes.${index}`,
    )
  })
}
const MAX_SHOWN_CHARS = 40

/**
 * Limits how often a resource may call each operation. Off unless set: it serves to test against the limits of the
 * original, or to keep one buyer from taking up the whole server. Each process counts separately.
 */
import type { Clock } from '../clock.js'
import { DomainError } from '../errors.js'
import { RateLimit, type Rate } from '../http/rate-limit.js'

/** The name of each operation, in the setting and in refusals. */
export const throttleWords: Readonly<Record<string, string>> = {
  PhoneNumbers_ListAvailableCountries: 'countries',
  PhoneNumbers_ListAvailableLocalities: 'localities',
  PhoneNumbers_ListAreaCodes: 'areaCodes',
  PhoneNumbers_ListOfferings: 'offerings',
  PhoneNumbers_BrowseAvailableNumbers: 'browse',
  PhoneNumbers_SearchAvailablePhoneNumbers: 'search',
  PhoneNumbers_GetSearchResult: 'searchResult',
  PhoneNumbers_PurchasePhoneNumbers: 'purchase',
  PhoneNumbers_ListReservations: 'reservations',
  PhoneNumbers_CreateOrUpdateReservation: 'reserve',
  PhoneNumbers_GetReservation: 'reservation',
  PhoneNumbers_DeleteReservation: 'unreserve',
  PhoneNumbers_PurchaseReservation: 'purchaseReservation',
  PhoneNumbers_OperatorInformationSearch: 'operatorInformation',
  PhoneNumbers_GetOperation: 'operation',
  PhoneNumbers_CancelOperation: 'cancel',
  PhoneNumbers_ListPhoneNumbers: 'numbers',
  PhoneNumbers_GetByNumber: 'number',
  PhoneNumbers_UpdateCapabilities: 'capabilities',
  PhoneNumbers_ReleasePhoneNumber: 'release',
  SipRouting_Get: 'sip',
  SipRouting_Update: 'changeSip',
}

/** Stands for every operation without its own rate; each is counted separately. */
const EVERY_OTHER = '*'

/** Rates by word; `*` has the rate of all other operations. */
export type ThrottleRates = ReadonlyMap<string, Rate>

const SHAPE = 'a count and a period in seconds for each operation, e.g. search=5/604800,purchase=1/10,*=100/1'
const MAX_COUNT = 1_000_000
const MAX_SECONDS = 31 * 86_400

/** Reads `search=5/604800,*=100/1`; an empty text sets no limits. Throws an Error that describes valid values. */
export function parseThrottle(text: string): ThrottleRates {
  const rates = new Map<string, Rate>()
  const words = [...Object.values(throttleWords), EVERY_OTHER]
  for (const item of text.split(',').map((part) => part.trim())) {
    if (item === '') continue
    const [, asked = '', count = '', seconds = ''] = /^([a-z]+|\*)\s*=\s*(\d{1,7})\s*\/\s*(\d{1,7})$/i.exec(item) ?? []
    const word = words.find((known) => known.toLowerCase() === asked.toLowerCase())
    if (asked !== '' && word === undefined) throw new Error(`${SHAPE}; the operations are ${words.join(', ')}`)
    const rate = { count: Number(count), periodMs: Number(seconds) * 1000 }
    const isInRange =
      rate.count >= 1 && rate.count <= MAX_COUNT && rate.periodMs >= 1000 && rate.periodMs <= MAX_SECONDS * 1000
    if (word === undefined || !isInRange) {
      throw new Error(`${SHAPE}; counts from 1 to ${MAX_COUNT}, periods from 1 to ${MAX_SECONDS}`)
    }
    if (rates.has(word)) throw new Error(`${SHAPE}; ${word} is given twice`)
    rates.set(word, rate)
  }
  return rates
}

export class Throttle {
  readonly #limits = new Map<string, RateLimit>()
  readonly #clock: Clock
  readonly #rates: ThrottleRates

  constructor(clock: Clock, rates: ThrottleRates) {
    this.#clock = clock
    this.#rates = rates
  }

  /** Counts a request of a resource. Throws 'too-many-requests' with the time of the next permitted one. */
  count(resourceId: string, operationId: string): void {
    const word = throttleWords[operationId] ?? operationId
    const rate = this.#rates.get(word) ?? this.#rates.get(EVERY_OTHER)
    if (rate === undefined) return
    const taken = this.#limitOf(word, rate).take(resourceId)
    if (taken.allowed) return
    const { retryAfterSeconds } = taken
    throw new DomainError(
      'too-many-requests',
      `Too many requests for ${word}: this resource may make ${rate.count} in ${seconds(rate.periodMs / 1000)}. ` +
        `Try again in ${seconds(retryAfterSeconds)}.`,
      { retryAfterSeconds },
    )
  }

  /** Resets all counts. */
  forget(): void {
    this.#limits.clear()
  }

  #limitOf(word: string, rate: Rate): RateLimit {
    const known = this.#limits.get(word)
    if (known !== undefined) return known
    const limit = new RateLimit(this.#clock, rate)
    this.#limits.set(word, limit)
    return limit
  }
}

const seconds = (count: number): string => (count === 1 ? '1 second' : `${count} seconds`)

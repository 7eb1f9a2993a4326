/**
 * The rules that an operator sets for numbers: how long they are held, how long they rest, and whether buyers may
 * release them. The policy is read per number at the moment it applies, and the resulting instant is stored with the
 * number, so that changing a rule later does not change what was promised.
 */
import { later } from '../clock.js'
import type { NumberType } from './number.js'

export interface NumberPolicy {
  /** How long a number rests after its buyer released it or it was taken off its account. */
  restMs: number
  /** Whether the buyer may release the number. */
  releasable: boolean
  /** How long a search holds the numbers it finds. */
  searchHoldMs: number
  /** How long a reservation holds its numbers after each change. */
  reservationHoldMs: number
  /** How long a reservation may live in all. */
  reservationMaxMs: number
}

/**
 * What a policy is read for. A search promises its hold before it knows a number, so its policy is read for what it
 * searches for and applies to all numbers it finds. A reservation, whose numbers come and go, has one maximum life,
 * read with an empty subject.
 */
export interface PolicySubject {
  e164?: string
  countryCode?: string
  numberType?: NumberType
  areaCode?: string | undefined
}

export type PolicyOf = (subject: PolicySubject) => NumberPolicy

/** Until when a number rests that is released at `at`. */
export const restsUntil = (policyOf: PolicyOf, e164: string, at: Date): Date => later(at, policyOf({ e164 }).restMs)

/**
 * Until when a reservation lasts that changes now. It ends for all its numbers at once, so the shortest hold time among
 * them counts.
 */
export function reservationEnd(policyOf: PolicyOf, e164s: readonly string[], createdAt: Date, now: Date): Date {
  const whole = policyOf({})
  const holdMs =
    e164s.length === 0
      ? whole.reservationHoldMs
      : e164s.reduce((least, e164) => Math.min(least, policyOf({ e164 }).reservationHoldMs), Infinity)
  return new Date(Math.min(now.getTime() + holdMs, createdAt.getTime() + whole.reservationMaxMs))
}

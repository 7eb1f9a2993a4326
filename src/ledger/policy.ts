/**
 * The rules that an operator sets for numbers: how long they are held, how long they rest, and whether they may be given
 * back. They are asked by number at the moment when they count; what they decide (an instant) is stored with the number,
 * so that another rule later does not change what was promised.
 */
import { later } from '../clock.js'
import type { NumberType } from './number.js'

export interface NumberPolicy {
  /** How long it rests after its buyer has released it, or after it was taken off its account. */
  restMs: number
  /** Whether its buyer may release it. */
  releasable: boolean
  /** How long a search holds what it finds. */
  searchHoldMs: number
  /** How long a reservation holds its numbers after each change. */
  reservationHoldMs: number
  /** How long a reservation may live in all. */
  reservationMaxMs: number
}

/**
 * What the rules are asked for. A search promises its hold before it knows a number, so they are asked for what it looks
 * for, and hold for all that it finds; a reservation, whose numbers come and go, has one life, asked for with nothing.
 */
export interface PolicySubject {
  e164?: string
  countryCode?: string
  numberType?: NumberType
  areaCode?: string | undefined
}

export type PolicyOf = (subject: PolicySubject) => NumberPolicy

/** Until when a number rests that is given back at an instant. */
export const restsUntil = (policyOf: PolicyOf, e164: string, at: Date): Date => later(at, policyOf({ e164 }).restMs)

/**
 * Until when a reservation lasts that is changed now. It ends for all of its numbers at once, so the shortest of their
 * times counts.
 */
export function reservationEnd(policyOf: PolicyOf, e164s: readonly string[], createdAt: Date, now: Date): Date {
  const whole = policyOf({})
  const holdMs =
    e164s.length === 0
      ? whole.reservationHoldMs
      : e164s.reduce((least, e164) => Math.min(least, policyOf({ e164 }).reservationHoldMs), Infinity)
  return new Date(Math.min(now.getTime() + holdMs, createdAt.getTime() + whole.reservationMaxMs))
}

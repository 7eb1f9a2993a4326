/** The rules of a reservation: how long it lives, what may be done with it, and why it may not get a number. */
import type { ShownError } from '../../errors.js'
import type { Standing } from '../../ledger/chosen.js'
import { effectiveState, isE164, type NumberState, type NumberType } from '../../ledger/number.js'
import type { Terms } from '../../ledger/store.js'

/** submitted: its purchase has been accepted; completed: that has ended, whichever way. */
export type ReservationState = 'active' | 'submitted' | 'completed'

export interface Reservation {
  /** The client's own choice, so unique for its resource only. */
  id: string
  resourceId: string
  /** Ours: what the ledger's numbers refer to. */
  holdId: string
  state: ReservationState
  createdAt: Date
  expiresAt: Date
}

/** A number of a reservation, on the terms as they were when it was reserved. */
export interface ReservedNumber extends Terms {
  e164: string
  countryCode: string
  numberType: NumberType
  resellAgreementRequired: boolean
  /** How its purchase ended. */
  outcome: 'purchased' | ShownError | null
}

export interface ReservationWithNumbers {
  reservation: Reservation
  /** In the order of the numbers. */
  numbers: readonly ReservedNumber[]
}

export interface ReservationLimits {
  /** How long numbers are held after each change. */
  holdMs: number
  /** How long a reservation may live in all. */
  maxMs: number
  maxNumbers: number
}

const DAY_MS = 24 * 60 * 60_000
/** How long after its creation a reservation can be read: the longest of months. */
export const RESERVATION_RETENTION_MS = 31 * DAY_MS

/** One whose purchase is under way is not forgotten, however long that takes. */
export const isForgotten = ({ state, createdAt }: Reservation, now: Date): boolean =>
  state !== 'submitted' && createdAt.getTime() + RESERVATION_RETENTION_MS <= now.getTime()

export const reservationStatus = ({ state, expiresAt }: Reservation, now: Date): ReservationState | 'expired' =>
  state === 'active' && expiresAt <= now ? 'expired' : state

/** What a client asks to have changed. */
export interface WantedChange {
  /** In the client's order. */
  add: readonly string[]
  remove: readonly string[]
  /** Keys to be added that are no numbers. */
  noNumbers: readonly string[]
}

/**
 * Reads a merge patch by its keys: digits, with or without a plus sign. What is said of a number is not looked at, save
 * that null removes it.
 */
export function readChange(phoneNumbers: Readonly<Record<string, object | null>>): WantedChange {
  const byNumber = new Map<string, 'add' | 'remove'>()
  const noNumbers: string[] = []
  for (const [key, value] of Object.entries(phoneNumbers)) {
    const e164 = key.startsWith('+') ? key : `+${key}`
    if (isE164(e164)) byNumber.set(e164, value === null ? 'remove' : 'add')
    else if (value !== null) noNumbers.push(key)
  }
  const those = (what: 'add' | 'remove') => [...byNumber].filter(([, wanted]) => wanted === what).map(([e164]) => e164)
  return { add: those('add'), remove: those('remove'), noNumbers }
}

/** Why a number could not be reserved. Who has it instead is nobody's business. */
export const notReserved = {
  noNumber: (): ShownError => ({
    code: 'NotAPhoneNumber',
    message: 'A number is given by its digits, country calling code first, e.g. 14255550100.',
  }),
  overLimit: (maxNumbers: number): ShownError => ({
    code: 'TooManyNumbers',
    message: `A reservation has at most ${maxNumbers} numbers. Remove others first, or use another reservation.`,
  }),
  unknown: (): ShownError => ({ code: 'NotInInventory', message: 'The number is not in the inventory.' }),
  countryNotServed: (countryCode: string): ShownError => ({
    code: 'CountryNotServed',
    message: `Numbers of ${countryCode} are not sold here.`,
  }),
  notOffered: ({ countryCode, numberType }: Pick<Standing, 'countryCode' | 'numberType'>): ShownError => ({
    code: 'OfferingWithdrawn',
    message: `${numberType} numbers of ${countryCode} are not sold at the moment.`,
  }),
  /** By how a number stands that is sold. */
  taken: ({ state, freeAt }: Standing, now: Date): ShownError => inTheWay[effectiveState(state, freeAt, now)],
}

const inTheWay: Record<NumberState, ShownError> = {
  available: {
    code: 'NumberChanging',
    message: 'The number has just become available. Try again.',
  },
  held: {
    code: 'NumberHeld',
    message: 'The number is held by a search or a reservation.',
  },
  owned: { code: 'NumberOwned', message: 'The number has been purchased already.' },
  assigned: { code: 'NumberInUse', message: 'The number is in use.' },
  quarantined: {
    code: 'NumberResting',
    message: 'The number was given up lately and rests for a while before it is sold again.',
  },
  retired: { code: 'NotInInventory', message: 'The number is not in the inventory.' },
}

/** The rules of reservations: how long they live, what may be done with them, and why they may not get a number. */
import type { ShownError } from '../../errors.js'
import type { StockedNumber } from '../../ledger/holds.js'
import { effectiveState, isE164, type NumberState, type NumberType } from '../../ledger/number.js'
import type { Terms } from '../../ledger/sales.js'

/** submitted: its purchase has been accepted; completed: the purchase has ended, with or without success. */
export type ReservationState = 'active' | 'submitted' | 'completed'

export interface Reservation {
  /** Chosen by the client, so unique for its resource only. */
  id: string
  resourceId: string
  /** Our own id, which the ledger's numbers refer to. */
  holdId: string
  state: ReservationState
  createdAt: Date
  expiresAt: Date
}

/** A number of a reservation, on the terms of the time when it was reserved. */
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

const DAY_MS = 24 * 60 * 60_000
/** How long after its creation a reservation can be read: the length of the longest month. */
export const RESERVATION_RETENTION_MS = 31 * DAY_MS

/** Whether it can no longer be read. One whose purchase is under way can, however long that takes. */
export const isForgotten = ({ state, createdAt }: Reservation, now: Date): boolean =>
  state !== 'submitted' && createdAt.getTime() + RESERVATION_RETENTION_MS <= now.getTime()

export const reservationStatus = ({ state, expiresAt }: Reservation, now: Date): ReservationState | 'expired' =>
  state === 'active' && expiresAt <= now ? 'expired' : state

/** A change that a client requests. */
export interface WantedChange {
  /** In the client's order. */
  add: readonly string[]
  remove: readonly string[]
  /** Keys to add that are not numbers. */
  noNumbers: readonly string[]
}

/**
 * Reads a merge patch by its keys: digits, with or without a plus sign. The values don't matter, except that null
 * removes the number.
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

/** Why a number could not be reserved. The reasons don't reveal who has it. */
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
  notOffered: ({ countryCode, numberType }: Pick<StockedNumber, 'countryCode' | 'numberType'>): ShownError => ({
    code: 'OfferingWithdrawn',
    message: `${numberType} numbers of ${countryCode} are not sold at the moment.`,
  }),
  /** By the state of a number that is sold. */
  taken: ({ state, freeAt }: StockedNumber, now: Date): ShownError => inTheWay[effectiveState(state, freeAt, now)],
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

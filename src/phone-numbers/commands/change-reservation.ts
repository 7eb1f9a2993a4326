import type { Principal } from '../../auth/authenticate.js'
import type { Tx } from '../../db/db.js'
import { invalidInput, type ShownError } from '../../errors.js'
import type { Cause } from '../../ledger/history.js'
import { cancelHold, extendHold, findChosen, holdThese, releaseHeld, type SoldKind } from '../../ledger/holds.js'
import { numberTypes } from '../../ledger/number.js'
import { reservationEnd } from '../../ledger/policy.js'
import { defaultOffering, type Catalogue, type Offering } from '../model/catalogue.js'
import type { PhoneNumbersDeps } from '../model/deps.js'
import {
  notReserved,
  reservationStatus,
  type Reservation,
  type ReservationWithNumbers,
  type ReservedNumber,
  type WantedChange,
} from '../model/reservation.js'
import {
  deleteReservation,
  deleteReserved,
  insertReserved,
  listReserved,
  lockReservation,
  openReservation,
  prolongReservation,
} from '../model/reservation-store.js'
import { requireReservationId, reservationNotActive, reservationNotFound } from './read-reservations.js'

/** A number that a reservation did not get. */
export interface FailedNumber {
  /** As the client wrote it, without a plus sign. */
  key: string
  reason: ShownError
  /** The terms on which it would be sold, if known. */
  offering: Offering | undefined
}

export interface ChangedReservation extends ReservationWithNumbers {
  created: boolean
  failed: readonly FailedNumber[]
}

/**
 * Makes a reservation, or changes and prolongs the one with this id. Each number to add is taken or refused on its own.
 * A number that is in the reservation already stays as it is, and removing one that isn't in it is not an error, so a
 * repeat of the same change has no effect.
 *
 * Throws 'invalid-input' for an id that is no UUID and for far too many numbers, 'reservation-not-active'.
 */
export async function changeReservation(
  deps: PhoneNumbersDeps,
  principal: Principal,
  reservationId: string,
  change: WantedChange,
): Promise<ChangedReservation> {
  const id = requireReservationId(reservationId)
  checkBounds(deps, change)
  return deps.db.transaction(async (tx) => {
    const now = deps.clock.now()
    const { resourceId } = principal
    const endWith = (e164s: readonly string[], createdAt = now) => reservationEnd(deps.policyOf, e164s, createdAt, now)
    const { reservation: found, created } = await openReservation(tx, { resourceId, id }, endWith(change.add), now)
    const status = reservationStatus(found, now)
    if (status !== 'active') throw reservationNotActive(status)

    const cause = causeOf(principal, found, now)
    const before = created ? [] : await listReserved(tx, found)
    const kept = await remove(tx, found, before, change.remove, cause)
    const known = new Set(kept.map(({ e164 }) => e164))
    const wanted = change.add.filter((e164) => !known.has(e164))
    const reservation = created
      ? found
      : await prolongReservation(tx, found, endWith([...known, ...wanted], found.createdAt))
    if (kept.length > 0) await extendHold(tx, reservation.holdId, reservation.expiresAt, now)
    const { added, failed } = await add(deps, tx, principal, reservation, kept.length, wanted, cause)
    return {
      reservation,
      created,
      numbers: [...kept, ...added].sort((a, b) => (a.e164 < b.e164 ? -1 : 1)),
      failed: [...failed, ...change.noNumbers.map((key) => failedNumber(key, notReserved.noNumber()))],
    }
  })
}

/** A few numbers too many are refused one by one, but no client has use for a list of thousands of refusals. */
const MOST_CHANGES_FACTOR = 10

function checkBounds({ maxReservationNumbers }: PhoneNumbersDeps, { add, remove, noNumbers }: WantedChange): void {
  const most = MOST_CHANGES_FACTOR * maxReservationNumbers
  const count = add.length + remove.length + noNumbers.length
  if (count <= most) return
  throw invalidInput(
    `phoneNumbers names ${count} numbers; a request may name ${most}, a reservation have ${maxReservationNumbers}.`,
    'phoneNumbers',
  )
}

/** Gives up those numbers that the reservation has. Returns the others. */
async function remove(
  tx: Tx,
  reservation: Reservation,
  before: readonly ReservedNumber[],
  e164s: readonly string[],
  cause: Cause,
): Promise<readonly ReservedNumber[]> {
  const unwanted = new Set(e164s)
  const removed = before.map(({ e164 }) => e164).filter((e164) => unwanted.has(e164))
  if (removed.length === 0) return before
  await releaseHeld(tx, reservation.holdId, removed, cause)
  await deleteReserved(tx, reservation, removed)
  return before.filter(({ e164 }) => !unwanted.has(e164))
}

/** Reserves those of the wanted numbers that are available. */
async function add(
  { catalogue, maxReservationNumbers: maxNumbers }: PhoneNumbersDeps,
  tx: Tx,
  { pool }: Principal,
  reservation: Reservation,
  count: number,
  wanted: readonly string[],
  cause: Cause,
): Promise<{ added: readonly ReservedNumber[]; failed: readonly FailedNumber[] }> {
  const room = Math.max(0, maxNumbers - count)
  const tried = wanted.slice(0, room)
  const overLimit = wanted.slice(room).map((e164) => failedNumber(e164, notReserved.overLimit(maxNumbers)))
  if (tried.length === 0) return { added: [], failed: overLimit }

  const { holdId, resourceId, expiresAt: until } = reservation
  const kinds = soldKinds(catalogue)
  const held = await holdThese(tx, tried, { pool, kinds }, { holdId, resourceId, until }, cause)
  const added = held.map(({ e164, countryCode, numberType }): ReservedNumber => {
    const offering = defaultOffering(catalogue, countryCode, numberType)
    if (!offering) throw new Error(`${e164} is held although it is not sold`)
    const { assignmentType, capabilities, price, resellAgreementRequired } = offering
    const terms = { assignmentType, ...capabilities, price, resellAgreementRequired }
    return { e164, countryCode, numberType, ...terms, outcome: null }
  })
  if (added.length > 0) await insertReserved(tx, reservation, added)
  const got = new Set(added.map(({ e164 }) => e164))
  const missed = tried.filter((e164) => !got.has(e164))
  return { added, failed: [...(await whyMissed(catalogue, tx, pool, missed, cause.at)), ...overLimit] }
}

/** The kinds of numbers that may be reserved, by country and type. */
const soldKinds = (catalogue: Catalogue): SoldKind[] =>
  catalogue.countries.flatMap((countryCode) =>
    numberTypes
      .filter((numberType) => defaultOffering(catalogue, countryCode, numberType))
      .map((numberType) => ({ countryCode, numberType })),
  )

async function whyMissed(
  catalogue: Catalogue,
  tx: Tx,
  pool: string,
  e164s: readonly string[],
  now: Date,
): Promise<FailedNumber[]> {
  if (e164s.length === 0) return []
  const stocked = new Map((await findChosen(tx, e164s, pool)).map((number) => [number.e164, number]))
  return e164s.map((e164) => {
    const number = stocked.get(e164)
    if (!number) return failedNumber(e164, notReserved.unknown())
    const { countryCode, numberType } = number
    const offering = defaultOffering(catalogue, countryCode, numberType)
    if (offering) return failedNumber(e164, notReserved.taken(number, now), offering)
    const isServed = catalogue.countries.includes(countryCode)
    return failedNumber(e164, isServed ? notReserved.notOffered(number) : notReserved.countryNotServed(countryCode))
  })
}

const failedNumber = (name: string, reason: ShownError, offering?: Offering): FailedNumber => ({
  key: name.replace(/^\+/, ''),
  reason,
  offering,
})

/**
 * Gives a reservation up; its numbers are free at once. Throws 'invalid-input' for an id that is no UUID,
 * 'reservation-not-found' and 'reservation-not-active'.
 */
export async function giveUpReservation(
  { db, clock }: PhoneNumbersDeps,
  principal: Principal,
  reservationId: string,
): Promise<void> {
  const id = requireReservationId(reservationId)
  await db.transaction(async (tx) => {
    const now = clock.now()
    const found = await lockReservation(tx, principal.resourceId, id, now)
    if (!found) throw reservationNotFound()
    const { reservation } = found
    const status = reservationStatus(reservation, now)
    if (status !== 'active') throw reservationNotActive(status)
    await cancelHold(tx, reservation.holdId, causeOf(principal, reservation, now))
    await deleteReservation(tx, reservation)
  })
}

const causeOf = (principal: Principal, { id }: Reservation, at: Date): Cause => ({
  at,
  actor: principal.actor,
  reason: `reservation_${id}`,
})

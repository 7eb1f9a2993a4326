import type { Principal } from '../../auth/authenticate.js'
import { DomainError, invalidInput } from '../../errors.js'
import { isUuid } from '../../ids.js'
import type { PhoneNumbersDeps } from '../model/deps.js'
import type { Reservation, ReservationWithNumbers, reservationStatus } from '../model/reservation.js'
import { findReservation, listReservations, type ReservationKey } from '../model/reservation-store.js'

/** A reservation of the resource. Throws 'invalid-input' for an id that is no UUID, 'reservation-not-found'. */
export async function getReservation(
  { db, clock }: PhoneNumbersDeps,
  { resourceId }: Principal,
  reservationId: string,
): Promise<ReservationWithNumbers> {
  const found = await findReservation(db, resourceId, requireReservationId(reservationId), clock.now())
  if (!found) throw reservationNotFound()
  return found
}

/**
 * A page of the resource's reservations, expired ones among them, by when they end.
 * @param after the end of the previous page, as {@link pageKey} writes it. Throws 'invalid-input' for anything else
 */
export const pageOfReservations = (
  { db, clock }: PhoneNumbersDeps,
  { resourceId }: Principal,
  { after, skip, limit }: { after: string | undefined; skip: number; limit: number },
): Promise<Reservation[]> =>
  listReservations(
    db,
    resourceId,
    { after: after === undefined ? undefined : readPageKey(after), skip, limit },
    clock.now(),
  )

export const pageKey = ({ expiresAt, id }: ReservationKey): string => `${expiresAt.getTime()}_${id}`

const LATEST_MS = 8.64e15

function readPageKey(text: string): ReservationKey {
  const [, ms, id] = /^(\d{1,16})_(.{36})$/.exec(text) ?? []
  if (ms === undefined || id === undefined || Number(ms) > LATEST_MS || !isUuid(id)) {
    throw invalidInput('after must be as a nextLink has it; leave it out to begin with the first page.', 'after')
  }
  return { expiresAt: new Date(Number(ms)), id }
}

/** The id in lower case, as responses have it. */
export function requireReservationId(id: string): string {
  if (isUuid(id)) return id.toLowerCase()
  throw invalidInput(
    'The id of a reservation must be a UUID, e.g. 378ddf60-81be-452a-ba4f-613198ea6c28.',
    'reservationid',
  )
}

/** The service's own wording. */
export const reservationNotFound = (): DomainError =>
  new DomainError('reservation-not-found', 'The reservation was not found and the operation could not be completed.')

export const reservationNotActive = (status: ReturnType<typeof reservationStatus>): DomainError =>
  new DomainError(
    'reservation-not-active',
    `The reservation is ${status}. Only an active one can be changed, deleted or purchased; make another one.`,
    { target: 'reservationid' },
  )

import { empty, join, sql, type Queryable, type Sql, type Tx } from '../../db/db.js'
import { newId } from '../../ids.js'
import {
  isForgotten,
  RESERVATION_RETENTION_MS,
  type Reservation,
  type ReservationState,
  type ReservationWithNumbers,
  type ReservedNumber,
} from './reservation.js'

/**
 * The reservation with this id, locked: a new one that lasts until `until`, or the existing one. Two requests that
 * create the same one meet at the primary key.
 */
export async function openReservation(
  tx: Tx,
  { resourceId, id }: Pick<Reservation, 'resourceId' | 'id'>,
  until: Date,
  now: Date,
): Promise<{ reservation: Reservation; created: boolean }> {
  const found = await insertOrLock(tx, { resourceId, id }, until, now)
  if (!isForgotten(found.reservation, now)) return found
  await deleteReservation(tx, found.reservation)
  return insertOrLock(tx, { resourceId, id }, until, now)
}

async function insertOrLock(
  tx: Tx,
  { resourceId, id }: Pick<Reservation, 'resourceId' | 'id'>,
  until: Date,
  now: Date,
): Promise<{ reservation: Reservation; created: boolean }> {
  const [row] = await tx.query<Reservation & { created: boolean }>(sql`
    insert into reservation as r (resource_id, id, hold_id, state, created_at, expires_at)
    values (${resourceId}, ${id}, ${newId()}, 'active', ${now}, ${until})
    on conflict (resource_id, id) do update
    set expires_at = r.expires_at
    returning ${columns}, r.xmax = 0 as created`)
  if (!row) throw new Error(`Reservation ${id} was neither found nor made`)
  const { created, ...reservation } = row
  return { reservation, created }
}

/** Gives a locked reservation another end. Returns it. */
export async function prolongReservation(tx: Tx, reservation: Reservation, until: Date): Promise<Reservation> {
  await tx.query(sql`update reservation set expires_at = ${until} where hold_id = ${reservation.holdId}`)
  return { ...reservation, expiresAt: until }
}

/** A reservation of the resource that can still be read, with its numbers, in one statement: they belong together. */
export async function findReservation(
  db: Queryable,
  resourceId: string,
  id: string,
  now: Date,
): Promise<ReservationWithNumbers | undefined> {
  const rows = await db.query<Reservation & (NumberRow | { e164: null })>(sql`
    select ${columns}, ${numberColumns}
    from reservation r left join reservation_number n using (hold_id)
    where ${isReadable(resourceId, now)} and r.id = ${id}
    order by n.e164`)
  const [first] = rows
  if (!first) return undefined
  return {
    reservation: toReservation(first),
    numbers: rows.filter((row): row is Reservation & NumberRow => row.e164 !== null).map(toNumber),
  }
}

/** Locks a reservation of the resource that can still be read, and so its numbers. */
export async function lockReservation(
  tx: Tx,
  resourceId: string,
  id: string,
  now: Date,
): Promise<ReservationWithNumbers | undefined> {
  const [reservation] = await tx.query<Reservation>(
    sql`select ${columns} from reservation r where ${isReadable(resourceId, now)} and r.id = ${id} for update`,
  )
  // Read after the lock: a change that held the lock before may have changed them.
  return reservation && { reservation, numbers: await listReserved(tx, reservation) }
}

/** The numbers of a reservation, in order. */
export async function listReserved(db: Queryable, { holdId }: Reservation): Promise<ReservedNumber[]> {
  const rows = await db.query<NumberRow>(
    sql`select ${numberColumns} from reservation_number n where n.hold_id = ${holdId} order by n.e164`,
  )
  return rows.map(toNumber)
}

/** The end of a page, where the next one starts. */
export type ReservationKey = Pick<Reservation, 'expiresAt' | 'id'>

/**
 * A page of a resource's reservations, ordered by their end. Index `reservation_order`: a page that continues another
 * one starts at its key; a page that only knows how many to skip walks the index up to there.
 */
export const listReservations = (
  db: Queryable,
  resourceId: string,
  { after, skip, limit }: { after: ReservationKey | undefined; skip: number; limit: number },
  now: Date,
): Promise<Reservation[]> =>
  db.query<Reservation>(sql`
    select ${columns} from reservation r
    where ${isReadable(resourceId, now)}
      ${after ? sql`and (r.expires_at, r.id) > (${after.expiresAt}::timestamptz, ${after.id}::uuid)` : empty}
    order by r.expires_at, r.id offset ${after ? 0 : skip} limit ${limit}`)

/** Adds numbers to a locked reservation. */
export async function insertReserved(
  tx: Tx,
  { holdId }: Reservation,
  numbers: readonly Omit<ReservedNumber, 'outcome'>[],
): Promise<void> {
  const texts = (of: (number: Omit<ReservedNumber, 'outcome'>) => string) => sql`${numbers.map(of)}::text[]`
  await tx.query(sql`
    insert into reservation_number (hold_id, e164, country_code, number_type, assignment_type, calling, sms,
                                    price_amount, price_currency, resell_agreement_required)
    select ${holdId}, e164, country_code, number_type, assignment_type, calling, sms, amount::numeric, currency, resell
    from unnest(${texts(({ e164 }) => e164)}, ${texts(({ countryCode }) => countryCode)},
                ${texts(({ numberType }) => numberType)}, ${texts(({ assignmentType }) => assignmentType)},
                ${texts(({ calling }) => calling)}, ${texts(({ sms }) => sms)},
                ${texts(({ price }) => price.amount)}, ${texts(({ price }) => price.currency)},
                ${numbers.map(({ resellAgreementRequired }) => resellAgreementRequired)}::boolean[])
         as n (e164, country_code, number_type, assignment_type, calling, sms, amount, currency, resell)`)
}

/** Takes numbers out of a locked reservation. */
export async function deleteReserved(tx: Tx, { holdId }: Reservation, e164s: readonly string[]): Promise<void> {
  await tx.query(sql`delete from reservation_number where hold_id = ${holdId} and e164 = any(${e164s}::text[])`)
}

/** Removes a locked reservation with its numbers. */
export async function deleteReservation(tx: Tx, { holdId }: Reservation): Promise<void> {
  await tx.query(sql`delete from reservation where hold_id = ${holdId}`)
}

export async function saveReservationState(tx: Tx, { holdId }: Reservation, state: ReservationState): Promise<void> {
  await tx.query(sql`update reservation set state = ${state} where hold_id = ${holdId}`)
}

/** Records how the purchase of a locked reservation has ended for each of its numbers. */
export async function completeReservation(
  tx: Tx,
  { holdId }: Reservation,
  outcomes: readonly Pick<ReservedNumber, 'e164' | 'outcome'>[],
): Promise<void> {
  const failures = outcomes.map(({ outcome }) => (outcome === null || outcome === 'purchased' ? undefined : outcome))
  await tx.query(sql`
    with completed as (
      update reservation set state = 'completed' where hold_id = ${holdId}
    )
    update reservation_number as n
    set outcome = case when o.code is null then 'purchased' else 'failed' end,
        error_code = o.code, error_message = o.message
    from unnest(${outcomes.map(({ e164 }) => e164)}::text[], ${failures.map((failure) => failure?.code ?? null)}::text[],
                ${failures.map((failure) => failure?.message ?? null)}::text[]) as o (e164, code, message)
    where n.hold_id = ${holdId} and n.e164 = o.e164`)
}

/** Removes up to `limit` forgotten reservations; returns how many. Index `reservation_created_at`. */
export async function purgeReservations(tx: Tx, limit: number, now: Date): Promise<number> {
  const rows = await tx.query(sql`
    delete from reservation where hold_id = any (array(
      select hold_id from reservation
      where created_at <= ${forgottenUntil(now)} and state <> 'submitted'
      order by created_at limit ${limit} for update skip locked
    )) returning id`)
  return rows.length
}

const forgottenUntil = (now: Date): Date => new Date(now.getTime() - RESERVATION_RETENTION_MS)

const isReadable = (resourceId: string, now: Date): Sql =>
  sql`r.resource_id = ${resourceId} and (r.created_at > ${forgottenUntil(now)} or r.state = 'submitted')`

const columns = join(
  [
    sql`r.id`,
    sql`r.resource_id as "resourceId"`,
    sql`r.hold_id as "holdId"`,
    sql`r.state`,
    sql`r.created_at as "createdAt"`,
    sql`r.expires_at as "expiresAt"`,
  ],
  ', ',
)

const toReservation = ({ id, resourceId, holdId, state, createdAt, expiresAt }: Reservation): Reservation => ({
  id,
  resourceId,
  holdId,
  state,
  createdAt,
  expiresAt,
})

const numberColumns = join(
  [
    sql`n.e164`,
    sql`n.country_code as "countryCode"`,
    sql`n.number_type as "numberType"`,
    sql`n.assignment_type as "assignmentType"`,
    sql`n.calling`,
    sql`n.sms`,
    sql`n.price_amount as "priceAmount"`,
    sql`n.price_currency as "priceCurrency"`,
    sql`n.resell_agreement_required as "resellAgreementRequired"`,
    sql`n.outcome`,
    sql`n.error_code as "errorCode"`,
    sql`n.error_message as "errorMessage"`,
  ],
  ', ',
)

type NumberRow = Omit<ReservedNumber, 'price' | 'outcome'> & {
  priceAmount: string
  priceCurrency: string
  outcome: 'purchased' | 'failed' | null
  errorCode: string | null
  errorMessage: string | null
}

const toNumber = (row: NumberRow): ReservedNumber => ({
  e164: row.e164,
  countryCode: row.countryCode,
  numberType: row.numberType,
  assignmentType: row.assignmentType,
  calling: row.calling,
  sms: row.sms,
  price: { amount: row.priceAmount, currency: row.priceCurrency },
  resellAgreementRequired: row.resellAgreementRequired,
  outcome:
    row.errorCode !== null && row.errorMessage !== null
      ? { code: row.errorCode, message: row.errorMessage }
      : row.outcome === 'purchased'
        ? 'purchased'
        : null,
})

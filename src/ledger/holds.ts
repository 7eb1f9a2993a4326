/**
 * Holds: a buyer's temporary claims on numbers, found by a search or chosen one by one, and how a hold ends without a
 * purchase.
 */
import { sql, type Queryable, type Sql, type Tx } from '../db/db.js'
import { change, historyOf, historyOfTime, type Cause } from './history.js'
import type { NumberState, NumberType } from './number.js'
import { isOfKind, randomShuffle } from './places.js'

export interface Hold {
  holdId: string
  resourceId: string
  until: Date
}

/** What a buyer searches for. */
export interface WantedNumbers {
  /** Only this pool's stock; '' is the one that all buyers share. */
  pool: string
  countryCode: string
  numberType: NumberType
  /** Any area when undefined. */
  areaCode: string | undefined
  quantity: number
}

/**
 * Holds up to `wanted.quantity` numbers that count as available, in one statement, and returns them. Fewer than wanted
 * means that no more are free at this instant.
 *
 * Both the places and the numbers of a place are rings in random order, entered at a random point and followed once
 * round. Rows that another transaction has locked are skipped, not waited for. Every level has a limit and no level
 * sorts, so rows are locked one by one until there are enough. Numbers whose hold or quarantine time is over come after
 * those stored as available. See docs/adr/0002-hold-in-one-statement.md.
 */
export async function holdAny(tx: Tx, wanted: WantedNumbers, hold: Hold, cause: Cause): Promise<string[]> {
  const { pool, countryCode, numberType, areaCode, quantity } = wanted
  const placeStart = randomShuffle()
  const numberStart = randomShuffle()
  const inPlaces = isOfKind({ pool, countryCode, numberType })
  const places =
    areaCode === undefined
      ? sql`
        (select id from place where ${inPlaces} and shuffle >= ${placeStart} order by shuffle)
        union all
        (select id from place where ${inPlaces} and shuffle < ${placeStart} order by shuffle)`
      : sql`select id from place where ${inPlaces} and area_code = ${areaCode}`
  const rows = await tx.query<{ e164: string }>(sql`
    with taken as materialized (
      select n.e164, n.state
      from (${places}) as p
      cross join lateral (
        select * from (
          select e164, state from number
          where place_id = p.id and state = 'available' and shuffle >= ${numberStart}
          order by shuffle limit ${quantity} for update skip locked
        ) as onwards
        union all
        select * from (
          select e164, state from number
          where place_id = p.id and state = 'available' and shuffle < ${numberStart}
          order by shuffle limit ${quantity} for update skip locked
        ) as wrapped
        union all
        select * from (
          select e164, state from number
          where place_id = p.id and free_at <= ${cause.at}
          order by free_at limit ${quantity} for update skip locked
        ) as freed
        limit ${quantity}
      ) as n
      limit ${quantity}
    ), ${holdTaken(hold, cause)}
    select e164 from held order by e164`)
  return rows.map(({ e164 }) => e164)
}

/** A kind of number that is for sale. */
export interface SoldKind {
  countryCode: string
  numberType: NumberType
}

export interface ChosenNumber extends SoldKind {
  e164: string
}

/**
 * Holds those of the chosen numbers that count as available, are in the pool and are of a kind that is sold, in one
 * statement, and returns them. A second buyer of the same number waits until the first one holds it or has given it up,
 * so its result is right. Only free rows are locked, always in the same order, so that two buyers who have chosen the
 * same numbers can't deadlock.
 */
export async function holdThese(
  tx: Tx,
  e164s: readonly string[],
  { pool, kinds }: { pool: string; kinds: readonly SoldKind[] },
  hold: Hold,
  cause: Cause,
): Promise<ChosenNumber[]> {
  return tx.query<ChosenNumber>(sql`
    with taken as materialized (
      select n.e164, n.state, p.country_code, p.number_type
      from (select e164 from unnest(${e164s}::text[]) as w (e164) order by e164) as w
      cross join lateral (
        select e164, state, place_id from number
        where number.e164 = w.e164 and (state = 'available' or free_at <= ${cause.at}) for update
      ) as n
      join place p on p.id = n.place_id
      where p.pool = ${pool} and (p.country_code, p.number_type) in (
        select * from unnest(${kinds.map(({ countryCode }) => countryCode)}::text[],
                             ${kinds.map(({ numberType }) => numberType)}::text[])
      )
    ), ${holdTaken(hold, cause)}
    select e164, country_code as "countryCode", number_type as "numberType" from taken order by e164`)
}

/** Gives back single numbers of an unexpired hold. Returns those that were in it. */
export const releaseHeld = (tx: Tx, holdId: string, e164s: readonly string[], cause: Cause): Promise<string[]> =>
  change(
    tx,
    'cancel',
    'available',
    cause,
    sql`set state = 'available', hold_id = null, resource_id = null, free_at = null`,
    {
      found: sql`e164 = any(${e164s}::text[])`,
      guard: sql`hold_id = ${holdId} and state = 'held' and free_at > ${cause.at}`,
    },
  )

/** A number of the stock, and its state. */
export interface StockedNumber extends ChosenNumber {
  state: NumberState
  /** Infinity when a purchase has claimed the hold. */
  freeAt: Date | number | null
}

/** Those of the numbers that are the pool's stock, with the states that kept `holdThese` from them. Primary key. */
export const findChosen = (db: Queryable, e164s: readonly string[], pool: string): Promise<StockedNumber[]> =>
  db.query<StockedNumber>(sql`
    select n.e164, n.state, n.free_at as "freeAt", p.country_code as "countryCode", p.number_type as "numberType"
    from number n join place p on p.id = n.place_id
    where n.e164 = any(${e164s}::text[]) and p.pool = ${pool}`)

/**
 * The part of a statement that puts a hold on the numbers of its CTE `taken (e164, state)`, locked there, and writes
 * their history: CTEs `held` and `history`.
 */
const holdTaken = (hold: Hold, cause: Cause): Sql => sql`
    held as (
      update number
      set state = 'held', hold_id = ${hold.holdId}, resource_id = ${hold.resourceId}, free_at = ${hold.until},
          left_account = false
      -- An array, not a join: the planner can't know how few rows there are and might read the whole table.
      where e164 = any (array(select e164 from taken))
      returning e164
    ), history as (
      ${historyOf(
        sql`select e164, 'hold', 'available', 'held' from held`,
        cause,
        sql`select e164, state from taken where state <> 'available'`,
      )}
    )`

/**
 * Gives back every number of a hold. A hold whose time is over is left to `sweepFreed`, or to the next hold on its
 * numbers. Returns the numbers freed.
 */
export const cancelHold = (tx: Tx, holdId: string, cause: Cause): Promise<string[]> =>
  change(
    tx,
    'cancel',
    'available',
    cause,
    sql`set state = 'available', hold_id = null, resource_id = null, free_at = null`,
    { found: sql`hold_id = ${holdId}`, guard: sql`state = 'held' and free_at > ${cause.at}` },
  )

/**
 * Extends a hold because a purchase has been promised on it: `until` is infinity then, and a finite instant when the
 * purchase is called off. Returns the numbers whose time was not over.
 */
export async function extendHold(tx: Tx, holdId: string, until: Date | 'infinity', now: Date): Promise<string[]> {
  const rows = await tx.query<{ e164: string }>(sql`
    update number set free_at = ${until}
    where e164 = any (array(
      select e164 from (select * from number where hold_id = ${holdId} order by e164 offset 0 for update) as n
      where state = 'held' and free_at > ${now}
    ))
    returning e164`)
  return rows.map(({ e164 }) => e164)
}

/**
 * Stores holds that have expired and quarantines that have ended as available. Nothing depends on it; it keeps the
 * index of free numbers complete and reports short. Returns how many, at most `limit`.
 */
export async function sweepFreed(tx: Tx, limit: number, now: Date): Promise<number> {
  const rows = await tx.query<{ e164: string }>(sql`
    with over as (
      select n.e164, n.state from place p
      cross join lateral (
        select e164, state from number
        where place_id = p.id and free_at <= ${now}
        order by free_at limit ${limit} for update skip locked
      ) as n
      limit ${limit}
    ), freed as (
      update number
      set state = 'available', hold_id = null, resource_id = null, free_at = null, left_account = false
      where e164 = any (array(select e164 from over))
      returning e164
    ), history as (
      ${historyOfTime(sql`select e164, state from over`, now)}
    )
    select e164 from freed`)
  return rows.length
}

/**
 * Numbers that a buyer has chosen one by one, where `store.ts` has those that a search finds: holding them, giving
 * single ones back, and how those stand that can't be held.
 */
import { sql, type Queryable, type Tx } from '../db/db.js'
import type { Cause } from './history.js'
import { holdTaken } from './holding.js'
import type { Hold } from './holding.js'
import type { NumberState, NumberType } from './number.js'
import { change } from './store.js'

/** A sort of number that is for sale. */
export interface SoldKind {
  countryCode: string
  numberType: NumberType
}

export interface ChosenNumber extends SoldKind {
  e164: string
}

/**
 * Holds those of the chosen numbers that count as available, are in the pool and of a kind that is sold, in one
 * statement, and returns them. Whoever comes second to a number waits until the first has it or has let it go, and is
 * then told the truth: only free rows are locked, in one order for everybody, so that two buyers who have chosen the same
 * numbers can't lock each other out.
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

/** Gives single numbers of an unexpired hold back. Returns those that were in it. */
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

/** How a number of stock stands. */
export interface Standing extends ChosenNumber {
  state: NumberState
  /** Infinity when a purchase has claimed the hold. */
  freeAt: Date | number | null
}

/** How those of the numbers stand that are stock of the pool. Primary key. */
export const findStanding = (db: Queryable, e164s: readonly string[], pool: string): Promise<Standing[]> =>
  db.query<Standing>(sql`
    select n.e164, n.state, n.free_at as "freeAt", p.country_code as "countryCode", p.number_type as "numberType"
    from number n join place p on p.id = n.place_id
    where n.e164 = any(${e164s}::text[]) and p.pool = ${pool}`)

/** Enters numbers into stock in batches, each number with its place and the first line of its history. */
import { sql, type Db, type Tx } from '../../db/db.js'
import { isUnavailable } from '../../db/failures.js'
import { SetupError } from '../../errors.js'
import { historyOf, type Cause } from '../history.js'
import type { NumberType } from '../number.js'
import { SHUFFLE_RANGE } from '../places.js'

export interface Place {
  countryCode: string
  numberType: NumberType
  areaCode: string
  /** Empty: none. */
  administrativeDivision: string
  /** Empty: none. */
  locality: string
}

/** A place and its pool; '' is the pool that all buyers share. */
export interface PooledPlace extends Place {
  pool: string
}

export interface StockNumber {
  e164: string
  place: Place
}

/** The result of entering a batch. */
export interface Entered {
  /** New numbers. */
  entered: number
  /** Numbers that were in the ledger already, with the same place. */
  known: number
  /** Numbers that are in the ledger with another place, or not as stock; they were not changed. */
  differing: Differing[]
}

export interface Differing {
  e164: string
  /** Its place in the ledger; null when it never was stock. */
  place: PooledPlace | null
}

/** How many numbers to enter at a time: enough to make the round trip cheap, few enough to hold in memory twice. */
export const ENTRY_BATCH_SIZE = 5_000
/** From this many new numbers on, the planner's statistics are refreshed. */
const LARGE_ENTRY = 1_000
/** Places are few, but a file that names a new one on every line must not fill the memory. */
const MAX_REMEMBERED_PLACES = 50_000

const SHUFFLE_COUNT = SHUFFLE_RANGE.to - SHUFFLE_RANGE.from

/**
 * Enters batches of numbers within one transaction and remembers the places it has seen. Numbers that are in the ledger
 * already stay as they are, so that a repeat changes nothing.
 */
export class StockEntry {
  readonly #tx: Tx
  readonly #cause: Cause
  readonly #pool: string
  readonly #placeIds = new Map<string, number>()

  /** @param pool the pool that the numbers join; '' is the one that all buyers share */
  constructor(tx: Tx, cause: Cause, pool = '') {
    this.#tx = tx
    this.#cause = cause
    this.#pool = pool
  }

  /** Enters a batch without duplicates. One round trip, and two more when it has new places. */
  async enter(numbers: readonly StockNumber[]): Promise<Entered> {
    await this.#learnPlaces(numbers)
    const e164s = numbers.map(({ e164 }) => e164)
    const placeIds = numbers.map(({ place }) => this.#placeIds.get(placeKey(place)) as number)
    const [row] = await this.#tx.query<{ entered: number }>(sql`
      with entered as (
        insert into number (e164, place_id, shuffle, state)
        select e164, place_id, ${SHUFFLE_RANGE.from} + floor(random() * ${SHUFFLE_COUNT}::float8)::bigint, 'available'
        from unnest(${e164s}::text[], ${placeIds}::integer[]) as w (e164, place_id)
        on conflict (e164) do nothing
        returning e164
      ), history as (
        ${historyOf(sql`select e164, 'enter', null, 'available' from entered`, this.#cause)}
      )
      select count(*) as entered from entered`)
    const entered = row?.entered ?? 0
    const differing = entered === numbers.length ? [] : await this.#findDiffering(e164s, placeIds)
    return { entered, known: numbers.length - entered - differing.length, differing }
  }

  #findDiffering(e164s: string[], placeIds: number[]): Promise<Differing[]> {
    return this.#tx.query<Differing>(sql`
      select n.e164,
             case when p.id is not null then json_build_object(
               'pool', p.pool, 'countryCode', p.country_code, 'numberType', p.number_type, 'areaCode', p.area_code,
               'administrativeDivision', p.administrative_division, 'locality', p.locality) end as place
      from unnest(${e164s}::text[], ${placeIds}::integer[]) as w (e164, place_id)
      join number n using (e164) left join place p on p.id = n.place_id
      where n.place_id is distinct from w.place_id
      order by n.e164`)
  }

  async #learnPlaces(numbers: readonly StockNumber[]): Promise<void> {
    const unknown = new Map<string, Place>()
    for (const { place } of numbers) {
      const key = placeKey(place)
      if (!this.#placeIds.has(key)) unknown.set(key, place)
    }
    if (unknown.size === 0) return
    if (this.#placeIds.size + unknown.size > MAX_REMEMBERED_PLACES) {
      // Learns all places of this batch again: they must be known when this is done.
      this.#placeIds.clear()
      for (const { place } of numbers) unknown.set(placeKey(place), place)
    }
    const places = [...unknown.values()]
    const column = (name: keyof Place) => places.map((place) => place[name])
    const wanted = sql`
      unnest(${column('countryCode')}::text[], ${column('numberType')}::text[], ${column('areaCode')}::text[],
             ${column('administrativeDivision')}::text[], ${column('locality')}::text[])
      as w (country_code, number_type, area_code, administrative_division, locality)`
    // Not "do update … returning": it would lock every place seen until a long entry ends, and other entries would
    // wait.
    await this.#tx.query(sql`
      insert into place (pool, country_code, number_type, area_code, administrative_division, locality, shuffle)
      select ${this.#pool}, w.*, ${SHUFFLE_RANGE.from} + floor(random() * ${SHUFFLE_COUNT}::float8)::bigint
      from ${wanted}
      order by 2, 3, 4, 5, 6 -- always in the same order, so that two entries can't deadlock
      on conflict on constraint place_unique do nothing`)
    const rows = await this.#tx.query<Place & { id: number }>(sql`
      select p.id, country_code as "countryCode", number_type as "numberType", area_code as "areaCode",
             administrative_division as "administrativeDivision", locality
      from ${wanted}
      join place p using (country_code, number_type, area_code, administrative_division, locality)
      where p.pool = ${this.#pool}`)
    for (const { id, ...place } of rows) this.#placeIds.set(placeKey(place), id)
  }
}

/** Equal for equal places. */
export const placeKey = (place: Place): string =>
  `${place.countryCode}\n${place.numberType}\n${place.areaCode}\n${place.administrativeDivision}\n${place.locality}`

/** A place as messages name it, e.g. "US geographic 206 (Seattle, WA)". */
export function describePlace({ countryCode, numberType, areaCode, locality, administrativeDivision }: Place): string {
  const names = [locality, administrativeDivision].filter((name) => name !== '').join(', ')
  return `${countryCode} ${numberType} ${areaCode}${names === '' ? '' : ` (${names})`}`
}

/** Run after a large entry is committed: holds on new numbers are fast only once the planner has statistics of them. */
export const refreshStatistics = sql`analyze number, place`

/** Options of a long entry. */
export interface EntryRun {
  /** The actor in the numbers' history; the operator when left out. */
  actor?: string
  /** Aborts the entry with nothing entered; its reason is thrown. */
  signal?: AbortSignal
}

/**
 * Runs an entry in one transaction, and refreshes the planner's statistics when many numbers were new. As in every
 * transaction, the work may run more than once. Throws a SetupError when others keep the numbers locked or the database
 * goes away.
 */
export async function entryTransaction<T extends { entered: number }>(
  db: Db,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  let outcome: T
  try {
    outcome = await db.transaction(work)
  } catch (error) {
    throw entryError(error)
  }
  if (outcome.entered >= LARGE_ENTRY) await db.query(refreshStatistics)
  return outcome
}

/** Other transactions keep the numbers locked. */
export class NumbersLocked extends SetupError {}

/** SQLSTATEs of a lock that could not be taken: the wait took too long, deadlock, serialization failure. */
const LOCKED_OUT = ['55P03', '40P01', '40001']

function entryError(error: unknown): unknown {
  if (error instanceof Error && 'code' in error && LOCKED_OUT.includes(String(error.code))) {
    return new NumbersLocked(
      'Nothing was entered: another transaction, maybe another import, has some of these numbers locked. ' +
        'Try again when it has ended.',
      { cause: error },
    )
  }
  if (isUnavailable(error)) {
    return new SetupError(
      `The database failed: ${(error as Error).message}. ` +
        'Enter the numbers again; what is there already stays as it is.',
      { cause: error },
    )
  }
  return error
}

/** How numbers come into stock: in batches, each with its place and the first line of its history. */
import { sql, type Tx } from '../../db/db.js'
import type { NumberType } from '../number.js'
import { SHUFFLE_RANGE, type Cause } from '../store.js'

export interface Place {
  countryCode: string
  numberType: NumberType
  areaCode: string
  /** Empty: none. */
  administrativeDivision: string
  /** Empty: none. */
  locality: string
}

export interface StockNumber {
  e164: string
  place: Place
}

/** What became of a batch. */
export interface Entered {
  /** New numbers. */
  entered: number
  /** Numbers that were in the ledger already, with the same place. */
  known: number
  /** Numbers that are in the ledger with another place, or not as stock; nothing was changed about them. */
  differing: string[]
}

const SHUFFLE_COUNT = SHUFFLE_RANGE.to - SHUFFLE_RANGE.from

/**
 * Enters batches of numbers within one transaction; it remembers the places it has met. Numbers that are in the ledger
 * already stay as they are, so that a repeat changes nothing.
 */
export class StockEntry {
  readonly #tx: Tx
  readonly #cause: Cause
  readonly #placeIds = new Map<string, number>()

  constructor(tx: Tx, cause: Cause) {
    this.#tx = tx
    this.#cause = cause
  }

  /** Enters a batch in which no number stands twice. One round trip, two when it has new places. */
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
      ), told as (
        insert into number_history (e164, at, event, to_state, actor, reason)
        select e164, ${this.#cause.at}::timestamptz, 'enter', 'available', ${this.#cause.actor}, ${this.#cause.reason}
        from entered
      )
      select count(*) as entered from entered`)
    const entered = row?.entered ?? 0
    const differing = entered === numbers.length ? [] : await this.#findDiffering(e164s, placeIds)
    return { entered, known: numbers.length - entered - differing.length, differing }
  }

  async #findDiffering(e164s: string[], placeIds: number[]): Promise<string[]> {
    const rows = await this.#tx.query<{ e164: string }>(sql`
      select n.e164
      from unnest(${e164s}::text[], ${placeIds}::integer[]) as w (e164, place_id) join number n using (e164)
      where n.place_id is distinct from w.place_id
      order by n.e164`)
    return rows.map(({ e164 }) => e164)
  }

  async #learnPlaces(numbers: readonly StockNumber[]): Promise<void> {
    const unknown = new Map<string, Place>()
    for (const { place } of numbers) {
      const key = placeKey(place)
      if (!this.#placeIds.has(key)) unknown.set(key, place)
    }
    if (unknown.size === 0) return
    const places = [...unknown.values()]
    const column = (name: keyof Place) => places.map((place) => place[name])
    const rows = await this.#tx.query<Place & { id: number }>(sql`
      insert into place (country_code, number_type, area_code, administrative_division, locality, shuffle)
      select w.*, ${SHUFFLE_RANGE.from} + floor(random() * ${SHUFFLE_COUNT}::float8)::bigint
      from unnest(${column('countryCode')}::text[], ${column('numberType')}::text[], ${column('areaCode')}::text[],
                  ${column('administrativeDivision')}::text[], ${column('locality')}::text[]) as w
      -- An update that changes nothing, because only touched rows are returned.
      on conflict on constraint place_unique do update set country_code = excluded.country_code
      returning id, country_code as "countryCode", number_type as "numberType", area_code as "areaCode",
                administrative_division as "administrativeDivision", locality`)
    for (const { id, ...place } of rows) this.#placeIds.set(placeKey(place), id)
  }
}

const placeKey = (place: Place): string =>
  [place.countryCode, place.numberType, place.areaCode, place.administrativeDivision, place.locality].join('\n')

/** The planner needs to know what came in before holds on it are fast. To be called after a large entry is committed. */
export const refreshStatistics = sql`analyze number, place`

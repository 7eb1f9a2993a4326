/**
 * The places of the stock. The lists of localities and area codes come from the numbers that are for sale now, not from
 * a numbering plan. There are few places; one probe of `number_available` (or `number_freeing`) per place shows whether
 * it has numbers. Every list is of one pool ('' is the one that all buyers share).
 */
import { randomInt } from 'node:crypto'
import { empty, sql, type Queryable, type Sql } from '../db/db.js'
import type { NumberType } from './number.js'

/** `shuffle` columns hold a random integer of this half-open range; a hold enters the ring at a random point of it. */
export const SHUFFLE_RANGE = { from: -(2 ** 31), to: 2 ** 31 }
export const SHUFFLE_BITS = 2 ** 32

export const randomShuffle = (): number => randomInt(SHUFFLE_BITS) + SHUFFLE_RANGE.from

export interface Locality {
  locality: string
  /** Empty when the place has none. */
  administrativeDivision: string
}

export interface ListPage {
  skip: number
  limit: number
}

/** Localities with numbers for sale, by division, then by name. */
export const listLocalities = (
  db: Queryable,
  filter: {
    pool: string
    countryCode: string
    numberType: NumberType | undefined
    administrativeDivision: string | undefined
  },
  { skip, limit }: ListPage,
  now: Date,
): Promise<Locality[]> =>
  db.query<Locality>(sql`
    select locality, administrative_division as "administrativeDivision"
    from place
    where pool = ${filter.pool} and country_code = ${filter.countryCode} and locality <> ''
      ${filter.numberType === undefined ? empty : sql`and number_type = ${filter.numberType}`}
      ${equalsIgnoringCase(sql`administrative_division`, filter.administrativeDivision)}
      and ${hasNumbers(now)}
    group by administrative_division, locality
    order by administrative_division, locality
    offset ${skip} limit ${limit}`)

/** The numbers of one kind in one pool's stock. */
export interface Kind {
  pool: string
  countryCode: string
  numberType: NumberType
}

/** Which rows of `place`. */
export const isOfKind = ({ pool, countryCode, numberType }: Kind): Sql =>
  sql`pool = ${pool} and country_code = ${countryCode} and number_type = ${numberType}`

/** Whether any place of this kind has a locality, whatever its stock. */
export async function hasLocalities(db: Queryable, kind: Kind): Promise<boolean> {
  const [row] = await db.query<{ found: boolean }>(sql`
    select exists (select from place where ${isOfKind(kind)} and locality <> '') as found`)
  return row?.found ?? false
}

/** Area codes with numbers for sale, ordered as text. */
export async function listAreaCodes(
  db: Queryable,
  filter: Kind & { locality: string | undefined; administrativeDivision: string | undefined },
  { skip, limit }: ListPage,
  now: Date,
): Promise<string[]> {
  const rows = await db.query<{ areaCode: string }>(sql`
    select distinct area_code as "areaCode"
    from place
    where ${isOfKind(filter)}
      ${equalsIgnoringCase(sql`locality`, filter.locality)}
      ${equalsIgnoringCase(sql`administrative_division`, filter.administrativeDivision)}
      and ${hasNumbers(now)}
    order by area_code
    offset ${skip} limit ${limit}`)
  return rows.map(({ areaCode }) => areaCode)
}

const hasNumbers = (now: Date): Sql => sql`(
  exists (select from number where place_id = place.id and state = 'available')
  or exists (select from number where place_id = place.id and free_at <= ${now})
)`

const equalsIgnoringCase = (column: Sql, text: string | undefined): Sql =>
  text === undefined ? empty : sql`and lower(${column}) = lower(${text})`

/**
 * Area codes with numbers for sale instead of `areaCode`, nearest first: those of one of its localities, then those of
 * one of its administrative divisions, then the others, each group ordered by distance as numbers. For an area code
 * without a place only its digits are known.
 */
export async function nearestAreaCodes(
  db: Queryable,
  { areaCode, ...kind }: Kind & { areaCode: string },
  limit: number,
  now: Date,
): Promise<string[]> {
  const rows = await db.query<{ areaCode: string }>(sql`
    with home as (
      select locality, administrative_division from place where ${isOfKind(kind)} and area_code = ${areaCode}
    ), candidate as (
      select area_code, abs(area_code::integer - ${areaCode}::integer) as distance,
             min(case when locality <> '' and (locality, administrative_division) in (select * from home) then 1
                      when administrative_division <> ''
                           and administrative_division in (select administrative_division from home) then 2
                      else 3 end) as rank
      from place
      where ${isOfKind(kind)} and area_code <> ${areaCode}
      group by area_code
    )
    -- Sorted before the probes, so that they end with the last area code wanted.
    select area_code as "areaCode"
    from (select * from candidate order by rank, distance, area_code) as nearest
    cross join lateral (
      select from place p cross join lateral (${anyFree(sql`p.id`, sql`1`, now)}) as n
      where ${isOfKind(kind)} and area_code = nearest.area_code limit 1
    ) as stocked
    order by rank, distance, area_code limit ${limit}`)
  return rows.map((row) => row.areaCode)
}

/** How many numbers of a kind are for sale, counted up to `atMost`. */
export async function countFree(db: Queryable, kind: Kind, atMost: number, now: Date): Promise<number> {
  const [row] = await db.query<{ count: number }>(sql`
    select count(*) as count from (
      select from place p cross join lateral (${anyFree(sql`p.id`, sql`${atMost}`, now)}) as n
      where ${isOfKind(kind)}
      limit ${atMost}
    ) as free`)
  return row?.count ?? 0
}

/** Up to `limit` free numbers of a place, in no order. */
const anyFree = (placeId: Sql, limit: Sql, now: Date): Sql => sql`
  (select e164 from number where place_id = ${placeId} and state = 'available' limit ${limit})
  union all
  (select e164 from number where place_id = ${placeId} and free_at <= ${now} limit ${limit})
  limit ${limit}`

/**
 * Where stock is: the lists of localities and area codes come from the numbers that are for sale now, not from a plan.
 * Places are few; for each one probe of `number_available` (or `number_freeing`) tells whether it has any.
 */
import { empty, sql, type Queryable, type Sql } from '../db/db.js'
import type { NumberType } from './number.js'

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
  filter: { countryCode: string; numberType: NumberType | undefined; administrativeDivision: string | undefined },
  { skip, limit }: ListPage,
  now: Date,
): Promise<Locality[]> =>
  db.query<Locality>(sql`
    select locality, administrative_division as "administrativeDivision"
    from place
    where country_code = ${filter.countryCode} and locality <> ''
      ${filter.numberType === undefined ? empty : sql`and number_type = ${filter.numberType}`}
      ${equalsIgnoringCase(sql`administrative_division`, filter.administrativeDivision)}
      and ${hasNumbers(now)}
    group by administrative_division, locality
    order by administrative_division, locality
    offset ${skip} limit ${limit}`)

/** Whether any place of this kind has a locality, whatever its stock. */
export async function hasLocalities(db: Queryable, countryCode: string, numberType: NumberType): Promise<boolean> {
  const [row] = await db.query<{ found: boolean }>(sql`
    select exists (
      select from place where country_code = ${countryCode} and number_type = ${numberType} and locality <> ''
    ) as found`)
  return row?.found ?? false
}

/** Area codes with numbers for sale, in their order as text. */
export async function listAreaCodes(
  db: Queryable,
  filter: {
    countryCode: string
    numberType: NumberType
    locality: string | undefined
    administrativeDivision: string | undefined
  },
  { skip, limit }: ListPage,
  now: Date,
): Promise<string[]> {
  const rows = await db.query<{ areaCode: string }>(sql`
    select distinct area_code as "areaCode"
    from place
    where country_code = ${filter.countryCode} and number_type = ${filter.numberType}
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

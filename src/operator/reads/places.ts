import { join, sql, type Queryable } from '../../db/db.js'
import type { NumberType } from '../../ledger/number.js'
import { MAX_EXAMINED } from '../contract/operation.js'
import type { Window } from './window.js'

export interface PlaceFilter {
  pool?: string | undefined
  countryCodes?: readonly string[] | undefined
  numberTypes?: readonly NumberType[] | undefined
  areaCodes?: readonly string[] | undefined
  localities?: readonly string[] | undefined
}

export interface StockPlace {
  id: number
  /** '' for the shared stock. */
  pool: string
  countryCode: string
  numberType: NumberType
  areaCode: string
  administrativeDivision: string
  locality: string
  /** Null unless it was to be counted. */
  available: number | null
}

/**
 * Places by id. Primary key, of which a window is read and then filtered; what is available in each is counted from the
 * indexes `number_available` and `number_freeing`.
 */
export async function selectPlaces(
  db: Queryable,
  { pool, countryCodes, numberTypes, areaCodes, localities }: PlaceFilter,
  { now, limit, after, counted }: { now: Date; limit: number; after: number; counted: boolean },
): Promise<Window<StockPlace>> {
  const wanted = [
    sql`true`,
    ...(pool === undefined ? [] : [sql`pool = ${pool}`]),
    ...(countryCodes ? [sql`country_code = any(${countryCodes.map((code) => code.toUpperCase())}::text[])`] : []),
    ...(numberTypes ? [sql`number_type = any(${numberTypes}::text[])`] : []),
    ...(areaCodes ? [sql`area_code = any(${areaCodes}::text[])`] : []),
    ...(localities ? [sql`lower(locality) in (select lower(name) from unnest(${localities}::text[]) as name)`] : []),
  ]
  const available = counted
    ? sql`(select count(*) from number where place_id = m.id and state = 'available')
          + (select count(*) from number where place_id = m.id and free_at <= ${now})`
    : sql`null::bigint`
  const rows = await db.query<StockPlace & { examined: number; last: number | null }>(sql`
    with examined as materialized (
      select * from place where id > ${after} order by id limit ${MAX_EXAMINED}
    )
    select (select count(*) from examined) as examined, (select max(id) from examined) as last, found.*
    from (values (1)) as always
    left join (
      select m.id, m.pool, m.country_code as "countryCode", m.number_type as "numberType", m.area_code as "areaCode",
             m.administrative_division as "administrativeDivision", m.locality, ${available} as available
      from (select * from examined where ${join(wanted, ' and ')} order by id limit ${limit}) as m
    ) as found on true
    order by found.id`)
  const [first] = rows
  return {
    found: rows.filter(({ id }) => Boolean(id)),
    examined: first?.examined ?? 0,
    last: typeof first?.last === 'number' ? [first.last] : null,
  }
}

import type { Queryable } from '../../db/db.js'
import { sql } from '../../db/db.js'
import type { NumberState } from '../number.js'
import { csvLine, STOCK_HEADINGS } from './csv.js'

const PAGE_SIZE = 10_000

/**
 * The stock as chunks of CSV that `importStock` accepts, in the order of numbers; numbers that never were stock are
 * left out. Each page is as of its own instant: no transaction stays open while a reader takes its time.
 * @param state only numbers that count as being in this state at `now`
 * @param pool the pool to export; '' is the one that all buyers share
 */
export async function* exportStock(
  db: Queryable,
  now: Date,
  state?: NumberState,
  pageSize = PAGE_SIZE,
  pool = '',
): AsyncGenerator<string> {
  yield csvLine(STOCK_HEADINGS)
  let after = ''
  for (;;) {
    const rows = await readPage(db, { after, pageSize, now, state, pool })
    const last = rows.at(-1)
    if (last === undefined) return
    after = last.values[0]
    const text = rows.filter(({ isWanted }) => isWanted).map(({ values }) => csvLine(values))
    if (text.length > 0) yield text.join('')
  }
}

interface WantedPage {
  after: string
  pageSize: number
  now: Date
  state: NumberState | undefined
  pool: string
}

interface ExportRow {
  /** In the order of STOCK_HEADINGS. */
  values: [string, ...string[]]
  isWanted: boolean
}

/**
 * The wanted ones among the next numbers after `after`, and in any case the last of these numbers, where the next page
 * starts. Filtered after paging: otherwise a page of a rare state would read the whole ledger in one statement. Primary
 * key.
 */
const readPage = (db: Queryable, { after, pageSize, now, state, pool }: WantedPage): Promise<ExportRow[]> =>
  db.query<ExportRow>(sql`
    with page as materialized (
      select e164, place_id, case when free_at <= ${now} then 'available' else state end as state
      from number where e164 > ${after} order by e164 limit ${pageSize}
    ), judged as (
      select e164, p.*, coalesce(p.pool = ${pool} and state = coalesce(${state ?? null}::text, state), false) as wanted
      from page left join place p on p.id = place_id
    )
    select array[e164, country_code, number_type, area_code, locality, administrative_division] as values,
           wanted as "isWanted"
    from judged
    where wanted or e164 = (select max(e164) from page)
    order by e164`)

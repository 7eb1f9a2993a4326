import type { Queryable } from '../../db/db.js'
import { sql } from '../../db/db.js'
import type { NumberState } from '../number.js'
import { csvLine, STOCK_HEADINGS } from './csv.js'

const PAGE_SIZE = 10_000

/**
 * The stock as pieces of CSV that `importStock` takes back, in the order of numbers; numbers that never were stock are
 * not part of it. Each page is as of its own instant: no transaction is kept open for as long as a reader takes.
 * @param state only numbers that count as being in it at `now`
 */
export async function* exportStock(
  db: Queryable,
  now: Date,
  state?: NumberState,
  pageSize = PAGE_SIZE,
): AsyncGenerator<string> {
  yield csvLine(STOCK_HEADINGS)
  let after = ''
  for (;;) {
    const rows = await readPage(db, after, pageSize, now, state)
    const last = rows.at(-1)
    if (last === undefined) return
    after = last.values[0]
    const text = rows.filter(({ isWanted }) => isWanted).map(({ values }) => csvLine(values))
    if (text.length > 0) yield text.join('')
  }
}

interface ExportRow {
  /** In the order of STOCK_HEADINGS. */
  values: [string, ...string[]]
  isWanted: boolean
}

/**
 * What is wanted among the next numbers after `after`, and in any case the last of them, from which the next page goes
 * on. Filtered after paging: a page of a rare state would else read the whole ledger in one statement. Primary key.
 */
const readPage = (
  db: Queryable,
  after: string,
  pageSize: number,
  now: Date,
  state: NumberState | undefined,
): Promise<ExportRow[]> =>
  db.query<ExportRow>(sql`
    with page as materialized (
      select e164, place_id, case when free_at <= ${now} then 'available' else state end as state
      from number where e164 > ${after} order by e164 limit ${pageSize}
    ), judged as (
      select e164, place_id, place_id is not null and state = coalesce(${state ?? null}::text, state) as wanted
      from page
    )
    select array[j.e164, p.country_code, p.number_type, p.area_code, p.locality, p.administrative_division] as values,
           wanted as "isWanted"
    from judged j left join place p on p.id = j.place_id
    where wanted or e164 = (select max(e164) from page)
    order by e164`)

/** Lists that a backend returns whole: the database filters, orders and cuts them, like those that it stores. */
import { sql, type Queryable } from '../../db/db.js'
import { compileFilter } from '../filter/compile.js'
import type { FilterFields } from '../filter/fields.js'
import { partsOf, storable } from '../filter/wire-fields.js'
import { cutPage, pageLimit, pageOffset, type ListQuery, type Page } from './list.js'

/**
 * The page of items that came in any order: filtered, ordered by `keyOf` (by code point), cut. `total` is the number of
 * matches. Only the keys and the values that the filter uses are sent to the database.
 */
export async function pageOfWhole<Item extends object>(
  db: Queryable,
  query: ListQuery,
  items: readonly Item[],
  fields: FilterFields,
  keyOf: (item: Item) => string,
): Promise<Page<Item> & { total: number }> {
  const { filter, after } = query
  const given = items.map((item, index) => ({
    index,
    key: storable(keyOf(item)),
    ...(filter && { parts: partsOf(item, filter, fields) }),
  }))
  const rows = await db.query<{ total: number; index: number | null; key: string }>(sql`
    with matching as materialized (
      select item.index, item.key
      from jsonb_to_recordset(${JSON.stringify(given)}::text::jsonb)
        as item (index integer, key text collate "C", parts jsonb)
      where ${filter ? compileFilter(filter, fields) : sql`true`}
    )
    select counted.total, page.index, page.key
    from (select count(*) as total from matching) as counted
    left join lateral (
      select * from matching where ${after === undefined ? sql`true` : sql`key > ${after}::text`}
      order by key, index offset ${pageOffset(query)} limit ${pageLimit(query)}
    ) as page on true
    order by page.key, page.index`)
  const found = rows.flatMap(({ index, key }) => (index === null ? [] : [{ item: items[index] as Item, key }]))
  const page = cutPage(query, found, ({ key }) => key)
  return { ...page, items: page.items.map(({ item }) => item), total: rows[0]?.total ?? 0 }
}

/** Sort keys of several parts compare as the parts would one after another. */
export const sortKey = (...parts: readonly (string | undefined)[]): string =>
  parts.map((part) => part ?? '').join(BEFORE_ALL_TEXT)
const BEFORE_ALL_TEXT = '\u0001'

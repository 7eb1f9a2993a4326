/** Filter fields of items that come from a backend, in their shape on the wire. */
import { sql, type Sql } from '../../db/db.js'
import { parseRfc3339 } from '../../http/dates.js'
import type { FilterFields, FilterFieldType } from './fields.js'
import type { Filter } from './parse.js'

type Scalar = string | number | boolean | Date

/** The paths of all single values in `Item`; lists have none. */
type ScalarPath<Item> = {
  [Name in keyof Item & string]-?: NonNullable<Item[Name]> extends Scalar
    ? Name
    : NonNullable<Item[Name]> extends readonly unknown[]
      ? never
      : NonNullable<Item[Name]> extends object
        ? `${Name}/${ScalarPath<NonNullable<Item[Name]>>}`
        : never
}[keyof Item & string]

type ValueAt<Item, Path> = Path extends `${infer Name}/${infer Rest}`
  ? Name extends keyof Item
    ? ValueAt<NonNullable<Item[Name]>, Rest>
    : never
  : Path extends keyof Item
    ? NonNullable<Item[Path]>
    : never

/** How a value of a type may be filtered: a text may also be a GUID or a point in time. */
type TypeOf<Value> = [Value] extends [boolean]
  ? 'boolean'
  : [Value] extends [number]
    ? 'number'
    : [Value] extends [Date]
      ? 'dateTime'
      : 'string' | 'guid' | 'dateTime'

/**
 * Defines how each single value of `Item` is filtered, over the row that `partsOf` makes of it: `item.parts`. A path
 * that is left out, misspelt or mistyped does not compile.
 */
export const wireFields =
  <Item extends object>() =>
  (types: { readonly [Path in ScalarPath<Item>]: TypeOf<ValueAt<Item, Path>> }): FilterFields =>
    Object.fromEntries(
      Object.entries<FilterFieldType>(types).map(([path, type]) => [path, { type, sql: partAt(path, type) }]),
    )

/** A point in time is kept in milliseconds: the database accepts fewer notations of one than backends send. */
const partAt = (path: string, type: FilterFieldType): Sql =>
  type === 'dateTime'
    ? sql`(timestamptz 'epoch' + (item.parts ->> ${path}::text)::double precision * interval '1 millisecond')`
    : sql`item.parts ->> ${path}::text`

/** The values of an item that a filter uses, by path; missing ones are left out. */
export const partsOf = (item: object, filter: Filter, fields: FilterFields): Record<string, unknown> =>
  Object.fromEntries(
    pathsOf(filter).flatMap((path) => {
      const value = valueAt(item, path.split('/'))
      const part = fields[path]?.type === 'dateTime' ? milliseconds(value) : value
      return part === undefined || part === null ? [] : [[path, typeof part === 'string' ? storable(part) : part]]
    }),
  )

function pathsOf(filter: Filter): string[] {
  switch (filter.kind) {
    case 'or':
    case 'and':
      return filter.of.flatMap(pathsOf)
    case 'not':
      return pathsOf(filter.of)
    default:
      return [filter.path]
  }
}

const milliseconds = (value: unknown): number | undefined =>
  (typeof value === 'string' ? parseRfc3339(value) : value instanceof Date ? value : undefined)?.getTime()

/** A text as the database accepts it. Backends may send what it doesn't: U+0000, halves of surrogate pairs. */
export const storable = (text: string): string => Buffer.from(text, 'utf8').toString('utf8').replaceAll('\0', '\ufffd')

const valueAt = (item: object, names: readonly string[]): unknown =>
  names.reduce<unknown>(
    (value, name) =>
      typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined,
    item,
  )

/** Filter fields of items that are kept in the shape in which they go over the wire. */
import type { FilterFields, FilterFieldType } from './fields.js'

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

/** Says of every single value of `Item` how it is filtered. A path left out, misspelt or mistyped does not compile. */
export const wireFields =
  <Item extends object>() =>
  (types: { readonly [Path in ScalarPath<Item>]: TypeOf<ValueAt<Item, Path>> }): FilterFields<Item> =>
    Object.fromEntries(
      Object.entries<FilterFieldType>(types).map(([path, type]) => {
        const names = path.split('/')
        return [path, { type, value: (item: Item) => valueAt(item, names) }]
      }),
    )

const valueAt = (item: object, names: readonly string[]): unknown =>
  names.reduce<unknown>(
    (value, name) =>
      typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined,
    item,
  )

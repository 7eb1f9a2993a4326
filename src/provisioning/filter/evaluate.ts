/** A filter over items in memory. It chooses what the condition of `compile.ts` chooses among the same items as rows. */
import { checkFilter, fieldAt, type FilterFields, type FilterFieldType } from './fields.js'
import { compareOrdinal } from './ordinal.js'
import type { Comparison, Filter, FilterPath, Literal, TextTest } from './parse.js'
import { asciiLower, comparable, type Comparable } from './values.js'

/** Whether `filter` chooses `item`. Throws 'invalid-filter' where it doesn't fit `fields`. */
export const evaluateFilter = <Item>(filter: Filter, fields: FilterFields<Item>, item: Item): boolean =>
  filterPredicate(filter, fields)(item)

/** The same for many items: checked once. */
export function filterPredicate<Item>(filter: Filter, fields: FilterFields<Item>): (item: Item) => boolean {
  checkFilter(filter, fields)
  return predicate(filter, fields)
}

function predicate<Item>(filter: Filter, fields: FilterFields<Item>): (item: Item) => boolean {
  switch (filter.kind) {
    case 'or': {
      const parts = filter.of.map((part) => predicate(part, fields))
      return (item) => parts.some((holds) => holds(item))
    }
    case 'and': {
      const parts = filter.of.map((part) => predicate(part, fields))
      return (item) => parts.every((holds) => holds(item))
    }
    case 'not': {
      const holds = predicate(filter.of, fields)
      return (item) => !holds(item)
    }
    case 'compare': {
      const { type, read } = readerOf(fields, filter)
      const wanted = wantedOf(type, filter.literal)
      return (item) => compares(filter.comparison, read(item), wanted)
    }
    case 'text-test': {
      const { type, read } = readerOf(fields, filter)
      const text = type === 'guid' ? asciiLower(filter.text) : filter.text
      return (item) => testsText(filter.test, read(item), text)
    }
    case 'path': {
      const { read } = readerOf(fields, filter)
      return (item) => read(item) === true
    }
  }
}

function readerOf<Item>(
  fields: FilterFields<Item>,
  named: FilterPath,
): { type: FilterFieldType; read: (item: Item) => Comparable } {
  const { type, value } = fieldAt(fields, named)
  if (!value) throw new Error(`The field ${named.path} has no value.`)
  return { type, read: (item) => comparable(type, value(item)) }
}

const wantedOf = (type: FilterFieldType, literal: Literal): Comparable =>
  literal.type === 'null' ? undefined : comparable(type, literal.value)

function compares(name: Comparison, value: Comparable, wanted: Comparable): boolean {
  if (name === 'eq') return value === wanted
  if (name === 'ne') return value !== wanted
  if (value === undefined || wanted === undefined) return false
  const order =
    typeof value === 'string' && typeof wanted === 'string'
      ? compareOrdinal(value, wanted)
      : Number(value) - Number(wanted)
  switch (name) {
    case 'gt':
      return order > 0
    case 'ge':
      return order >= 0
    case 'lt':
      return order < 0
    case 'le':
      return order <= 0
  }
}

function testsText(name: TextTest, value: Comparable, text: string): boolean {
  if (typeof value !== 'string') return false
  switch (name) {
    case 'startswith':
      return value.startsWith(text)
    case 'endswith':
      return value.endsWith(text)
    case 'contains':
      return value.includes(text)
  }
}

/**
 * A filter as a condition of SQL. Literals are parameters, never text of the statement.
 *
 * The language has two truth values, SQL has three. The condition may come out as null where the filter is false, which
 * `where` treats alike, and so do `and` and `or` around it; `not` is written `is not true`. A comparison stays as plain
 * as it would be by hand, so that an index can serve it, which `coalesce(…, false)` around it would prevent.
 */
import { join, sql, type Sql } from '../../db/db.js'
import { checkFilter, fieldAt, type FilterFields, type FilterFieldType } from './fields.js'
import type { Comparison, Filter, FilterPath, Literal, TextTest } from './parse.js'

/** The condition that `filter` sets, for a `where`. Throws 'invalid-filter' where it doesn't fit `fields`. */
export function compileFilter(filter: Filter, fields: FilterFields): Sql {
  checkFilter(filter, fields)
  return sql`(${condition(filter, fields)})`
}

function condition(filter: Filter, fields: FilterFields): Sql {
  switch (filter.kind) {
    case 'or':
    case 'and':
      return sql`(${join(
        filter.of.map((part) => condition(part, fields)),
        ` ${filter.kind} `,
      )})`
    case 'not':
      return sql`((${condition(filter.of, fields)}) is not true)`
    case 'compare': {
      const { type, operand } = operandOf(fields, filter)
      return comparison(filter.comparison, operand, parameter(type, filter.literal))
    }
    case 'text-test': {
      const { type, operand } = operandOf(fields, filter)
      return textTest(filter.test, operand, textParameter(type, filter.text))
    }
    case 'path':
      return operandOf(fields, filter).operand
  }
}

function operandOf(fields: FilterFields, named: FilterPath): { type: FilterFieldType; operand: Sql } {
  const { type, sql: value } = fieldAt(fields, named)
  return { type, operand: operands[type](value) }
}

/** A field in the form in which it is compared: texts by code point, points in time by the milliseconds clients see. */
const operands: Record<FilterFieldType, (field: Sql) => Sql> = {
  string: (field) => sql`((${field})::text collate "C")`,
  guid: (field) => sql`lower((${field})::text collate "C")`,
  boolean: (field) => sql`(${field})::boolean`,
  number: (field) => sql`(${field})::double precision`,
  dateTime: (field) => sql`floor(extract(epoch from (${field})::timestamptz) * 1000)`,
}

/** Undefined for null. */
function parameter(type: FilterFieldType, literal: Literal): Sql | undefined {
  switch (literal.type) {
    case 'null':
      return undefined
    case 'string':
      return textParameter(type, literal.value)
    case 'boolean':
      return sql`${literal.value}::boolean`
    case 'number':
      return sql`${String(literal.value)}::double precision`
    case 'dateTime':
      return sql`${String(literal.value.getTime())}::numeric`
  }
}

const textParameter = (type: FilterFieldType, text: string): Sql =>
  sql`${type === 'guid' ? asciiLower(text) : text}::text`

/** Lower case as lower() makes it under collate "C": other letters than these stay as they are. */
const asciiLower = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())

function comparison(name: Comparison, operand: Sql, value: Sql | undefined): Sql {
  switch (name) {
    case 'eq':
      return value ? sql`${operand} = ${value}` : sql`${operand} is null`
    case 'ne':
      return value ? sql`${operand} is distinct from ${value}` : sql`${operand} is not null`
    case 'gt':
      return value ? sql`${operand} > ${value}` : sql`false`
    case 'ge':
      return value ? sql`${operand} >= ${value}` : sql`false`
    case 'lt':
      return value ? sql`${operand} < ${value}` : sql`false`
    case 'le':
      return value ? sql`${operand} <= ${value}` : sql`false`
  }
}

/** None of these functions uses patterns, so a text needs no escaping. */
function textTest(name: TextTest, operand: Sql, text: Sql): Sql {
  switch (name) {
    case 'startswith':
      return sql`starts_with(${operand}, ${text})`
    case 'endswith':
      return sql`right(${operand}, length(${text})) = ${text}`
    case 'contains':
      return sql`strpos(${operand}, ${text}) > 0`
  }
}

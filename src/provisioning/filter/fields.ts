/** The filter fields of a list, and the check that a filter only uses these. */
import type { Sql } from '../../db/db.js'
import { DomainError } from '../../errors.js'
import type { Filter, FilterPath, Literal } from './parse.js'
import { shown } from './tokens.js'

/** A `guid` is a text that compares in any letter case. */
export type FilterFieldType = 'string' | 'guid' | 'boolean' | 'number' | 'dateTime'

export interface FilterField {
  type: FilterFieldType
  /** Its value in a row. Null: absent. */
  sql: Sql
}

/** The fields of a list by path, names joined by slashes. */
export type FilterFields = Readonly<Record<string, FilterField>>

/** Throws 'invalid-filter' when `filter` names an unknown field, or uses one in a way that its type doesn't support. */
export function checkFilter(filter: Filter, fields: FilterFields): void {
  switch (filter.kind) {
    case 'or':
    case 'and':
      for (const part of filter.of) checkFilter(part, fields)
      return
    case 'not':
      return checkFilter(filter.of, fields)
    case 'compare': {
      const { type } = fieldAt(fields, filter)
      if (filter.literal.type !== 'null' && filter.literal.type !== literalOf[type]) {
        throw misused(filter, type, `not compared with ${inWords[filter.literal.type]}`)
      }
      return
    }
    case 'text-test': {
      const { type } = fieldAt(fields, filter)
      if (literalOf[type] !== 'string') throw misused(filter, type, `so ${filter.test} has nothing to look at`)
      return
    }
    case 'path': {
      const { type } = fieldAt(fields, filter)
      if (type !== 'boolean') throw misused(filter, type, 'so it is no condition by itself')
    }
  }
}

/** The field that a filter names. Throws 'invalid-filter' if there is none. */
export function fieldAt(fields: FilterFields, { path, position }: FilterPath): FilterField {
  // Only own properties: a filter may well name "constructor".
  const field = Object.hasOwn(fields, path) ? fields[path] : undefined
  if (field) return field
  const nearest = nearestTo(path, Object.keys(fields))
  throw new DomainError(
    'invalid-filter',
    `The filter names an unknown property at character ${position + 1}: ${shown(path)}. ` +
      `${nearest.length === 0 ? 'This list has no property to filter by' : `Near it there is ${nearest.join(', ')}`}.`,
    { target: 'filter' },
  )
}

const literalOf: Record<FilterFieldType, Literal['type']> = {
  string: 'string',
  guid: 'string',
  boolean: 'boolean',
  number: 'number',
  dateTime: 'dateTime',
}

const inWords: Record<FilterFieldType | Literal['type'], string> = {
  string: 'a text in single quotes',
  guid: 'a text in single quotes',
  boolean: 'true or false',
  number: 'a number',
  dateTime: 'a date-time such as 2024-02-29T12:00:00Z (without quotes)',
  null: 'null',
}

const misused = ({ path, position }: FilterPath, type: FilterFieldType, objection: string): DomainError =>
  new DomainError(
    'invalid-filter',
    `The filter is wrong at character ${position + 1}: ${path} takes ${inWords[type]}, ${objection}.`,
    { target: 'filter' },
  )

const MOST_NEAREST = 3

/** The few of `known` that are most like `path`, as a whole or in their last name. */
function nearestTo(path: string, known: readonly string[]): string[] {
  const wanted = path.slice(0, MAX_COMPARED_CHARS).toLowerCase()
  return known
    .map((candidate) => {
      const other = candidate.toLowerCase()
      return { candidate, distance: Math.min(editDistance(wanted, other), 1 + editDistance(last(wanted), last(other))) }
    })
    .sort((a, b) => a.distance - b.distance)
    .slice(0, MOST_NEAREST)
    .map(({ candidate }) => candidate)
}
const MAX_COMPARED_CHARS = 100

const last = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

/** How many characters have to be inserted, deleted or replaced to turn one text into the other. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] as number) + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[to.length] as number
}

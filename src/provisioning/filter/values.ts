/** Values of items as a filter compares them. */
import { parseRfc3339 } from '../../http/dates.js'
import type { FilterFieldType } from './fields.js'

/** What a field of each type is compared as; a point in time is its milliseconds. Undefined: absent. */
export type Comparable = string | number | boolean | undefined

/** A value of an item as `type` compares it. One that isn't of the type counts as absent. */
export function comparable(type: FilterFieldType, value: unknown): Comparable {
  switch (type) {
    case 'string':
      return typeof value === 'string' ? value : undefined
    case 'guid':
      return typeof value === 'string' ? asciiLower(value) : undefined
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined
    case 'number':
      return typeof value === 'number' ? value : undefined
    case 'dateTime': {
      const date = typeof value === 'string' ? parseRfc3339(value) : value
      return date instanceof Date ? date.getTime() : undefined
    }
  }
}

/** Lower case as PostgreSQL's lower() makes it under collate "C": other letters than these stay as they are. */
export const asciiLower = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())

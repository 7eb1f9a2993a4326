/** Pages of what is filtered row by row: each examines so many rows at most, found or not. */
import { MAX_EXAMINED } from '../contract/operation.js'

export type Key = readonly (string | number)[]

/** What a statement found in its window. */
export interface Window<Row> {
  /** In order, at most as many as were asked for. Where there is none, the statement has one row without a key. */
  found: readonly Row[]
  examined: number
  /** The key of the last row that was examined, found or not. */
  last: Key | null
}

/** Where the next page begins; null: nothing is left. */
export function nextKey<Row>(
  { found, examined, last }: Window<Row>,
  limit: number,
  keyOf: (row: Row) => Key,
): Key | null {
  const lastFound = found.at(-1)
  if (found.length >= limit && lastFound !== undefined) return keyOf(lastFound)
  return examined >= MAX_EXAMINED ? last : null
}

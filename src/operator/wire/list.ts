/** Lists: pages with a cursor, or the whole list as CSV or NDJSON. */
import { createHash } from 'node:crypto'
import { isDataException } from '../../db/db.js'
import { DomainError } from '../../errors.js'
import { DEFAULT_LIMIT } from '../contract/operation.js'

export interface PageRequest {
  limit: number
  /** The key of the last item of the page before, as the list itself wrote it; undefined: from the beginning. */
  after: readonly (string | number)[] | undefined
}

/** A list: a page of it, and how an item is written as CSV. */
export interface ListResult<Item = unknown> {
  /** Reads one page; called again and again when the whole list is streamed. */
  page(request: PageRequest): Promise<Page<Item>>
  view(item: Item): object
  /** How many items match; `exact: false` for an estimate. Absent: the list can't be counted. */
  count?(): Promise<{ value: number; exact: boolean }>
  /** Columns of the CSV: names of the view's members, in order; members of members with a dot. */
  columns: readonly string[]
}

export interface Page<Item> {
  items: readonly Item[]
  /** Where the next page starts; null: nothing is left. May be there with few items, or none: go on. */
  next: readonly (string | number)[] | null
}

/** How many items a streamed list reads at a time. */
const STREAM_PAGE = 1_000

export type ListFormat = 'json' | 'csv' | 'ndjson'

/** What the Accept header asks a list for; the first that is known wins, JSON otherwise. */
export function formatOf(accept: string | undefined): ListFormat {
  for (const part of (accept ?? '').split(',')) {
    const type = part.split(';', 1)[0]?.trim().toLowerCase()
    if (type === 'text/csv') return 'csv'
    if (type === 'application/x-ndjson') return 'ndjson'
    if (type === 'application/json' || type === '*/*') return 'json'
  }
  return 'json'
}

export const MEDIA_TYPES: Readonly<Record<ListFormat, string>> = {
  json: 'application/json; charset=utf-8',
  csv: 'text/csv; charset=utf-8; header=present',
  ndjson: 'application/x-ndjson',
}

/**
 * One page as a response body. Throws 'invalid-input' for a cursor that is none of this list's.
 * @param filters what the list is chosen and sorted by: a cursor is good for the same alone
 */
export async function pageBody(
  result: ListResult,
  { limit = DEFAULT_LIMIT, cursor, count }: { limit?: number; cursor?: string; count?: boolean },
  filters: unknown,
): Promise<object> {
  const mark = markOf(filters)
  const after = cursor === undefined ? undefined : readCursor(cursor, mark)
  const { items, next } = await readPage(result, { limit, after })
  return {
    items: items.map((item) => result.view(item)),
    next: next === null ? null : writeCursor(next, mark),
    ...(count === true && { count: (await result.count?.()) ?? null }),
  }
}

/** A key that was not taken from a page may be of the wrong sort for its list, which the database finds first. */
async function readPage(result: ListResult, request: PageRequest): Promise<Page<unknown>> {
  try {
    return await result.page(request)
  } catch (error) {
    if (request.after === undefined || !(isDataException(error) || error instanceof RangeError)) throw error
    throw badCursor(NOT_OURS)
  }
}

/** A page of a list that is at hand as a whole, in the order of a key that no two items share. */
export function pageOf<Item>(
  all: readonly Item[],
  { limit, after }: PageRequest,
  keyOf: (item: Item) => string,
): Page<Item> {
  const [last] = after ?? []
  const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
  const sorted = [...all].sort((a, b) => compare(keyOf(a), keyOf(b)))
  const left = last === undefined ? sorted : sorted.filter((item) => keyOf(item) > String(last))
  const items = left.slice(0, limit)
  const end = items.at(-1)
  return { items, next: left.length > items.length && end !== undefined ? [keyOf(end)] : null }
}

/** The whole list, unpaged, in pieces of text; each is of one page. */
export async function* listText(result: ListResult, format: 'csv' | 'ndjson'): AsyncGenerator<string> {
  let head = format === 'csv' ? csvLine(result.columns) : ''
  let after: PageRequest['after']
  for (;;) {
    const { items, next } = await result.page({ limit: STREAM_PAGE, after })
    const lines = items.map((item) => {
      const view = result.view(item)
      return format === 'csv' ? csvLine(result.columns.map((column) => memberOf(view, column))) : JSON.stringify(view)
    })
    yield head + (format === 'csv' ? lines.join('') : lines.map((line) => `${line}\n`).join(''))
    head = ''
    if (next === null) return
    after = next
  }
}

const memberOf = (view: object, path: string): unknown =>
  path.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown> | null | undefined)?.[name], view)

/** A line of RFC 4180; lists within a field are separated by spaces. */
export function csvLine(values: readonly unknown[]): string {
  const fields = values.map((value) => {
    const text = Array.isArray(value) ? value.join(' ') : plainText(value)
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  })
  return `${fields.join(',')}\r\n`
}

const plainText = (value: unknown): string => {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const MARK_CHARS = 8

/** Of the filters and the order that a cursor belongs to. */
const markOf = (filters: unknown): string =>
  createHash('sha256').update(JSON.stringify(filters)).digest('base64url').slice(0, MARK_CHARS)

const writeCursor = (key: readonly (string | number)[], mark: string): string =>
  Buffer.from(JSON.stringify([mark, ...key])).toString('base64url')

function readCursor(text: string, mark: string): (string | number)[] {
  const [found, ...key] = parsed(text) ?? []
  if (found === undefined || !key.every((part) => typeof part === 'string' || Number.isFinite(part))) {
    throw badCursor(NOT_OURS)
  }
  if (found !== mark) throw badCursor('belongs to a list with other filters: begin anew, without it')
  return key as (string | number)[]
}

function parsed(text: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
    return Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

const NOT_OURS = 'is no cursor of ours: take the next of the page before, unchanged'

const badCursor = (what: string) =>
  new DomainError('invalid-input', `The cursor ${what}.`, { target: 'cursor', place: 'query' })

/**
 * Lists: their parameters, their pages and the links between these.
 *
 * Filter, then skip, then top, then cut into pages. A link to the next page carries the advanced `skip` and, in
 * `after`, the sort key of the last item sent. The next page starts at that key and costs the same as every other page;
 * the `skip` beside it is not used. A client that pages by `skip` alone is served too.
 */
import { DomainError, invalidInput } from '../../errors.js'
import type { QueryParameters } from '../../http/query.js'
import { checkFilter, type FilterFields } from '../filter/fields.js'
import { parseFilter, type Filter } from '../filter/parse.js'

export const DEFAULT_PAGE_SIZE = 200
export const MAX_PAGE_SIZE = 500
const MAX_INT32 = 2_147_483_647
/** Names of accounts have up to 100 characters, ids of backends are not much longer. */
const MAX_AFTER_CHARS = 2_000
/** The most faults reported for one request. */
const MAX_FAULTS = 10

const listParameters = ['top', 'skip', 'maxpagesize', 'filter', 'countRecords'] as const
type ListParameter = (typeof listParameters)[number]

export interface ListRules {
  /** The parameters that the operation takes, besides api-version. */
  parameters: readonly (ListParameter | (string & {}))[]
  /** The treatment of a maxpagesize above {@link MAX_PAGE_SIZE}. */
  oversizedPage: 'cut' | 'refused'
}

export const currentListRules: ListRules = { parameters: listParameters, oversizedPage: 'cut' }
/** The rules of api-version 2023-10-01. */
export const oldListRules: ListRules = { parameters: ['skip', 'maxpagesize'], oversizedPage: 'refused' }

export interface ListQuery {
  skip: number
  /** How many items there may be over all pages. */
  top?: number
  pageSize: number
  filter?: Filter
  /** The filter as it was written. */
  filterText?: string
  /** Whether the number of matching items is requested. */
  count: boolean
  /** The sort key after which the page begins; `skip` is not used then. */
  after?: string
}

/**
 * Reads the parameters of a list whose items can be filtered by `fields`. Throws 'unsupported-query-parameter',
 * 'invalid-input' or 'invalid-filter'; several faults come as the `faults` of one error.
 */
export function readListQuery(
  query: QueryParameters,
  fields: FilterFields,
  { parameters, oversizedPage }: ListRules = currentListRules,
): ListQuery {
  const faults = unknownParameters(query, parameters)
  /** Parses a parameter that is there and supported; its error is kept with the others. */
  const read = <Value>(name: string, parse: (text: string) => Value): Value | undefined => {
    const values = query.get(name.toLowerCase())
    if (!values || !(name === AFTER || parameters.includes(name))) return undefined
    try {
      if (values.length > 1) throw invalidInput(`${name} is given ${values.length} times; give it once.`, name)
      return parse(values[0] as string)
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      faults.push(error)
      return undefined
    }
  }

  const skip = read('skip', (text) => wholeNumber('skip', text, 0))
  const top = read('top', (text) => wholeNumber('top', text, 1))
  const pageSize = read('maxpagesize', (text) => readPageSize(text, oversizedPage))
  const filter = read('filter', (text) => readFilter(text, fields))
  const count = read('countRecords', readCountRecords)
  const after = read(AFTER, readAfter)
  if (faults.length > 0) throw oneOf(faults)
  return {
    skip: skip ?? 0,
    ...(top !== undefined && { top }),
    pageSize: pageSize ?? DEFAULT_PAGE_SIZE,
    ...filter,
    count: count ?? false,
    ...(after !== undefined && { after }),
  }
}

/** Our only own parameter; it comes from links and isn't documented. */
const AFTER = 'after'

function unknownParameters(query: QueryParameters, parameters: readonly string[]): DomainError[] {
  const known = new Set(['api-version', AFTER, ...parameters.map((name) => name.toLowerCase())])
  return [...query.keys()]
    .filter((name) => !known.has(name))
    .map(
      (name) =>
        new DomainError(
          'unsupported-query-parameter',
          `The query parameter "${name.slice(0, 100)}" is not supported here; supported are ${parameters.join(', ')}.`,
          { target: name.slice(0, 100) },
        ),
    )
}

function oneOf(faults: readonly DomainError[]): DomainError {
  const [first, ...others] = faults as [DomainError, ...DomainError[]]
  if (others.length === 0) return first
  const kind = others.every((fault) => fault.kind === first.kind) ? first.kind : 'invalid-input'
  return new DomainError(kind, `${faults.length} query parameters are wrong; each is in the details.`, {
    faults: faults.slice(0, MAX_FAULTS),
  })
}

function wholeNumber(name: string, text: string, least: number): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN
  if (value >= least && value <= MAX_INT32) return value
  throw invalidInput(`${name} must be a whole number from ${least} to ${MAX_INT32}, not ${shown(text)}.`, name)
}

function readPageSize(text: string, oversizedPage: ListRules['oversizedPage']): number {
  const wanted = wholeNumber('maxpagesize', text, 1)
  if (wanted > MAX_PAGE_SIZE && oversizedPage === 'refused') {
    throw invalidInput(`maxpagesize must not exceed ${MAX_PAGE_SIZE}; it is ${wanted}.`, 'maxpagesize')
  }
  return Math.min(wanted, MAX_PAGE_SIZE)
}

function readFilter(filterText: string, fields: FilterFields): Pick<ListQuery, 'filter' | 'filterText'> {
  const filter = parseFilter(filterText)
  checkFilter(filter, fields)
  return { filter, filterText }
}

function readCountRecords(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  throw invalidInput(`countRecords must be true or false, in lower case, not ${shown(text)}.`, 'countRecords')
}

function readAfter(text: string): string {
  const bytes = Buffer.from(text, 'base64url')
  const key = bytes.toString('utf8')
  // Encoding it again must give the same text: otherwise it was not base64url of UTF-8.
  if (text.length <= MAX_AFTER_CHARS && !key.includes('\0') && writeAfter(key) === text) return key
  throw invalidInput('after is not one of ours; follow nextLink as it is, or leave after away.', AFTER)
}
const writeAfter = (key: string): string => Buffer.from(key, 'utf8').toString('base64url')

const shown = (text: string): string => `"${text.slice(0, 100)}"`

/** How many rows to fetch for a page: one more than it holds, to see whether there is a next page. */
export const pageLimit = (query: ListQuery): number => pageRoom(query) + 1

/** How many rows to skip; none when the page begins after a key. */
export const pageOffset = ({ after, skip }: ListQuery): number => (after === undefined ? skip : 0)

const pageRoom = ({ pageSize, top = pageSize }: ListQuery): number => Math.min(pageSize, top)

export interface Page<Item> {
  items: Item[]
  /** The sort key of the last item, if there is one. */
  lastKey?: string
  /** Whether there are wanted items after the page. */
  more: boolean
}

/** The page of rows that were fetched by {@link pageLimit}. */
export function cutPage<Item>(query: ListQuery, rows: readonly Item[], keyOf: (item: Item) => string): Page<Item> {
  const room = pageRoom(query)
  const items = rows.slice(0, room)
  const last = items.at(-1)
  return {
    items,
    ...(last !== undefined && { lastKey: keyOf(last) }),
    more: rows.length > room && (query.top ?? Infinity) > room,
  }
}

export interface PageLink {
  /** The URL under which clients reach us, without a slash at the end. */
  baseUrl: string
  /** The path of the list, percent-encoded. */
  path: string
  apiVersion: string
  query: ListQuery
  page: Pick<Page<unknown>, 'lastKey' | 'more'> & { items: readonly unknown[] }
}

/** The absolute URL of the next page; undefined on the last one. */
export function nextLink({ baseUrl, path, apiVersion, query, page }: PageLink): string | undefined {
  if (!page.more || page.lastKey === undefined) return undefined
  const returned = page.items.length
  const parameters: [name: string, value: string | number | undefined][] = [
    ['api-version', apiVersion],
    ['filter', query.filterText],
    ['maxpagesize', query.pageSize],
    ['countRecords', query.count ? 'true' : undefined],
    ['skip', Math.min(query.skip + returned, MAX_INT32)],
    ['top', query.top === undefined ? undefined : query.top - returned],
    [AFTER, writeAfter(page.lastKey)],
  ]
  const text = parameters
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encodeStrictly(String(value))}`)
  return `${baseUrl}${path}?${text.join('&')}`
}

/** Also encodes characters that encodeURIComponent leaves and some URL parsers rewrite: most filters have quotes. */
const encodeStrictly = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`)

/**
 * Conditional requests: reading the headers, and deciding by them (RFC 9110, section 13).
 *
 * Writes compare the `cfg` part of tags only, in `If-Match` and `If-None-Match` alike, so that the two are each other's
 * opposite and a sync in the background decides neither. Reads compare whole tags in both: a read is about the response
 * that would be sent. `W/` in front of a tag is skipped, because proxies that compress add it.
 */
import { DomainError, invalidInput } from '../../errors.js'
import { parseHttpDate, parseRfc3339 } from '../../http/dates.js'
import { formatEtag, sameConfiguration, sameVersion, type Etag, type Version } from './etag.js'

/** Tags without their quotes, or `*`: any version. */
export type Tags = '*' | readonly string[]

export interface Conditions {
  ifMatch?: Tags
  ifNoneMatch?: Tags
  ifModifiedSince?: Date
  ifUnmodifiedSince?: Date
}

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

/**
 * The conditions of a request, by its headers (names in lower case, as Node gives them). On PUT a request header `ETag`
 * stands for `If-Match` when neither match header is there: documented samples send it so. Throws 'invalid-input' for a
 * tag or date that can't be read.
 */
export function readConditions(method: string, headers: Headers): Conditions {
  const read = <Value>(name: string, parse: (text: string, header: string) => Value): Value | undefined => {
    const value = headers[name.toLowerCase()]
    if (value === undefined) return undefined
    return parse(typeof value === 'string' ? value : value.join(','), name)
  }
  const ifNoneMatch = read('If-None-Match', readTags)
  const ifMatch = read('If-Match', readTags) ?? (method === 'PUT' && !ifNoneMatch ? read('ETag', readTags) : undefined)
  const ifModifiedSince = read('If-Modified-Since', readDate)
  const ifUnmodifiedSince = read('If-Unmodified-Since', readDate)
  return {
    ...(ifMatch && { ifMatch }),
    ...(ifNoneMatch && { ifNoneMatch }),
    ...(ifModifiedSince && { ifModifiedSince }),
    ...(ifUnmodifiedSince && { ifUnmodifiedSince }),
  }
}

/**
 * Lets a write pass or throws 'condition-not-met'. `current` is undefined when there is no such resource: then only
 * `If-Match` can fail, and `If-Unmodified-Since`, which has nothing to compare with, doesn't count.
 */
export function checkWrite(conditions: Conditions, current: Version | undefined): void {
  const { ifMatch, ifNoneMatch, ifUnmodifiedSince } = conditions
  if (ifMatch) {
    if (!current) throw notMet('If-Match', 'there is no such resource')
    if (!matches(ifMatch, current, sameConfiguration)) throw notMet('If-Match', HAS_CHANGED)
  } else if (ifUnmodifiedSince && current && isAfter(current.modifiedAt, ifUnmodifiedSince)) {
    throw notMet('If-Unmodified-Since', `the resource was changed at ${current.modifiedAt.toISOString()}`)
  }
  if (ifNoneMatch && current && matches(ifNoneMatch, current, sameConfiguration)) {
    throw notMet('If-None-Match', ifNoneMatch === '*' ? 'the resource exists' : IS_THAT)
  }
}

/** Whether a read is answered in full or with "not modified". Throws 'condition-not-met'. */
export function checkRead(conditions: Conditions, current: Version): 'send' | 'not-modified' {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions
  if (ifMatch) {
    if (!matches(ifMatch, current, sameVersion)) throw notMet('If-Match', HAS_CHANGED)
  } else if (ifUnmodifiedSince && isAfter(current.changedAt, ifUnmodifiedSince)) {
    throw notMet('If-Unmodified-Since', `the resource was changed at ${current.changedAt.toISOString()}`)
  }
  if (ifNoneMatch) return matches(ifNoneMatch, current, sameVersion) ? 'not-modified' : 'send'
  return ifModifiedSince && !isAfter(current.changedAt, ifModifiedSince) ? 'not-modified' : 'send'
}

/** The headers that give the version in a response. */
export const versionHeaders = ({ etag, changedAt }: Pick<Version, 'etag' | 'changedAt'>): Record<string, string> => ({
  etag: formatEtag(etag),
  // An HTTP date (IMF-fixdate), in whole seconds.
  'last-modified': changedAt.toUTCString(),
})

const matches = (tags: Tags, { etag }: Version, same: (tag: string, etag: Etag) => boolean): boolean =>
  tags === '*' || tags.some((tag) => same(tag, etag))

/** HTTP dates have whole seconds, so against one the fraction of `at` doesn't count. */
function isAfter(at: Date, limit: Date): boolean {
  const atMs = at.getTime()
  const limitMs = limit.getTime()
  return (limitMs % 1000 === 0 ? Math.floor(atMs / 1000) * 1000 : atMs) > limitMs
}

const HAS_CHANGED = 'the resource is at another version now; read it again'
const IS_THAT = 'the resource is at that version'

const notMet = (header: string, because: string): DomainError =>
  new DomainError('condition-not-met', `The condition of ${header} is not met: ${because}.`, { target: header })

function readTags(text: string, header: string): Tags {
  const trimmed = text.trim()
  if (trimmed === '*') return '*'
  const members = trimmed.split(',').map((member) => member.trim())
  const tags = members.filter((member) => member !== '').map((member) => TAG.exec(member)?.groups)
  if (tags.length === 0 || tags.includes(undefined)) {
    throw invalidInput(
      `${header} must be * or tags such as "abc.def", separated by commas, not ${shown(text)}.`,
      header,
    )
  }
  return tags.map((groups) => (groups?.['quoted'] ?? groups?.['bare']) as string)
}
/** Our tags contain no commas, so lists may be split at commas. */
const TAG = /^(?:W\/)?(?:"(?<quoted>[!#-~\x80-\xff]*)"|(?!W\/)(?<bare>[!#-)+-~\x80-\xff]+))$/

function readDate(text: string, header: string): Date {
  const trimmed = text.trim()
  const date = parseHttpDate(trimmed) ?? parseRfc3339(trimmed)
  if (date) return date
  throw invalidInput(
    `${header} must be a date such as Thu, 29 Feb 2024 12:00:00 GMT or 2024-02-29T12:00:00Z, not ${shown(text)}.`,
    header,
  )
}

const shown = (text: string): string => `'${text.slice(0, MAX_SHOWN_CHARS)}'`
const MAX_SHOWN_CHARS = 100

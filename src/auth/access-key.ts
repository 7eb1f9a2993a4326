/**
 * HMAC-SHA256 access-key authentication of the Communication Services data plane.
 *
 *   stringToSign = METHOD \n pathAndQuery \n {date};{host};{x-ms-content-sha256}
 *
 * Clients disagree on the canonical form of two of these: the JavaScript SDK re-serialises the query string, the Java
 * SDK leaves the port out of the host, and a proxy may have rewritten Host. So a signature is compared with every
 * candidate form, the likeliest first. What is signed stays the same: method, path, query, date, host and body.
 * A repeated signature is no attack here: the JavaScript SDK signs once and sends the same headers at each retry.
 */
import { createHash, createHmac, timingSafeEqual, type KeyObject } from 'node:crypto'

/** The parts of a request that the signature covers, as received. */
export interface SignedRequest {
  method: string
  /** The request target exactly as on the wire. */
  target: string
  headers: Record<string, string | string[] | undefined>
  /** The raw body; empty when there is none. */
  body: Uint8Array
}

export type SignatureRefusal = 'not-access-key' | 'malformed' | 'outside-date-window' | 'body-hash-differs'

export interface ParsedSignature {
  signature: Buffer
  /** The names of SignedHeaders in the order given, lower case. */
  signedHeaders: string[]
}

const SCHEME = /^HMAC-SHA256\s+(.+)$/i
const SHA256_BYTES = 32
const EMPTY_BODY_HASH = createHash('sha256').digest()
const REQUIRED_HEADERS = ['host', 'x-ms-content-sha256']
const DATE_HEADERS = ['x-ms-date', 'date']

/** Parses the Authorization header; the signature itself may hold `=`, `+` and `/`. */
export function parseAuthorization(header: string | undefined): ParsedSignature | SignatureRefusal {
  const parameters = header === undefined ? undefined : SCHEME.exec(header)?.[1]
  if (parameters === undefined) return 'not-access-key'
  const parts = new Map<string, string>()
  for (const part of parameters.split('&')) {
    const equals = part.indexOf('=')
    if (equals < 0) return 'malformed'
    parts.set(part.slice(0, equals).trim().toLowerCase(), part.slice(equals + 1).trim())
  }
  const signature = Buffer.from(parts.get('signature') ?? '', 'base64')
  const signedHeaders = (parts.get('signedheaders') ?? '').toLowerCase().split(';')
  const complete =
    REQUIRED_HEADERS.every((name) => signedHeaders.includes(name)) &&
    DATE_HEADERS.some((name) => signedHeaders.includes(name))
  return complete && signature.length === SHA256_BYTES ? { signature, signedHeaders } : 'malformed'
}

/** Checks what can be checked without a key: the date window and the body's hash. */
export function checkDateAndBody(
  request: SignedRequest,
  { signedHeaders }: ParsedSignature,
  now: Date,
  windowMs: number,
): SignatureRefusal | undefined {
  const dateHeader = DATE_HEADERS.find((name) => signedHeaders.includes(name)) as string
  const date = parseHttpDate(headerOf(request, dateHeader))
  if (date === undefined) return 'malformed'
  if (Math.abs(now.getTime() - date) > windowMs) return 'outside-date-window'
  const hash = request.body.length === 0 ? EMPTY_BODY_HASH : createHash('sha256').update(request.body).digest()
  const claimed = Buffer.from(headerOf(request, 'x-ms-content-sha256') ?? '', 'base64')
  return equalBytes(hash, claimed) ? undefined : 'body-hash-differs'
}

/** Whether one of `keys` made the signature over one of the request's canonical forms with one of `hosts`. */
export function verifySignature(
  request: SignedRequest,
  { signature, signedHeaders }: ParsedSignature,
  keys: readonly KeyObject[],
  hosts: readonly string[],
): boolean {
  for (const message of canonicalForms(request, signedHeaders, hosts)) {
    for (const key of keys) {
      if (timingSafeEqual(signature, createHmac('sha256', key).update(message).digest())) return true
    }
  }
  return false
}

function* canonicalForms(request: SignedRequest, signedHeaders: string[], hosts: readonly string[]): Generator<string> {
  for (const pathAndQuery of canonicalTargets(request.target)) {
    for (const host of hosts) {
      const values = signedHeaders.map((name) => (name === 'host' ? host : (headerOf(request, name) ?? '')))
      yield `${request.method.toUpperCase()}\n${pathAndQuery}\n${values.join(';')}`
    }
  }
}

/** The target as received, and as the JavaScript SDK rewrites it: its query through URLSearchParams. */
function* canonicalTargets(target: string): Generator<string> {
  yield target
  const mark = target.indexOf('?')
  if (mark < 0) return
  const query = new URLSearchParams(target.slice(mark + 1)).toString()
  const reserialised = query === '' ? target.slice(0, mark) : `${target.slice(0, mark)}?${query}`
  if (reserialised !== target) yield reserialised
}

/** The forms in which a host may have been signed: as given, and without its port. */
export const hostForms = (host: string): string[] => {
  const bare = withoutPort(host)
  return bare === host ? [host] : [host, bare]
}

/** A host without its port; IPv6 literals keep their brackets. */
export const withoutPort = (host: string): string => host.replace(/:\d+$/, '')

const headerOf = ({ headers }: SignedRequest, name: string): string | undefined => {
  const value = headers[name]
  return Array.isArray(value) ? value.join(',') : value
}

const HTTP_DATE = /^[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/

const parseHttpDate = (text: string | undefined): number | undefined => {
  const time = text !== undefined && HTTP_DATE.test(text) ? Date.parse(text) : NaN
  return Number.isNaN(time) ? undefined : time
}

const equalBytes = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b)

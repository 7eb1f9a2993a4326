/**
 * HTTP requests that Linebook itself makes: to backends, hooks and token endpoints. A request is sent once, follows no
 * redirect (credentials must not reach wherever a response points) and reads no more of the body than it may.
 */
import { Readable } from 'node:stream'

export interface OutboundRequest extends StreamedRequest {
  /** A longer body of the response is not read to its end. */
  maxBytes: number
}

/** A request whose response is read as a stream. */
export interface StreamedRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  headers?: Readonly<Record<string, string | undefined>>
  /** The body: forms and streams as they are, all else as JSON. */
  body?: unknown
  /** Aborts the request: because of its time-out, or because nothing waits for it any more. */
  signal?: AbortSignal
  fetch?: typeof fetch
}

export interface OutboundResponse {
  status: number
  headers: Headers
  /** The body; undefined when it is longer than `maxBytes`. */
  text: string | undefined
}

/** No response came, or only a part of one. */
export class NoResponse extends Error {
  override readonly name = 'NoResponse'
  /** Such as ECONNREFUSED. Only the code may be shown: the texts of such errors may repeat addresses and headers. */
  readonly code: string
  /** False when the request failed before anything was sent. */
  readonly mayHaveActed: boolean

  constructor(error: unknown) {
    const code = codeOf(error)
    super(`No response: ${code}.`, { cause: error })
    this.code = code
    this.mayHaveActed = !(NEVER_LEFT.has(code) || code.startsWith('ERR_TLS') || code.includes('CERT'))
  }
}

/** Failures from before anything was sent. */
const NEVER_LEFT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** Throws NoResponse. */
export async function sendRequest(url: string, { maxBytes, ...request }: OutboundRequest): Promise<OutboundResponse> {
  const response = await openResponse(url, request)
  try {
    return { status: response.status, headers: response.headers, text: await readText(response, maxBytes) }
  } catch (error) {
    throw new NoResponse(error)
  }
}

/** Sends a request and leaves the body of the response to be read. Throws NoResponse. */
export async function openResponse(url: string, request: StreamedRequest): Promise<Response> {
  const { method, body, signal, fetch: send = fetch } = request
  const isForm = body instanceof URLSearchParams
  const isStream = body instanceof Readable
  const headers: Record<string, string | undefined> = {
    Accept: 'application/json',
    ...(body !== undefined && !isForm && !isStream && { 'Content-Type': 'application/json' }),
    ...request.headers,
  }
  const init: RequestInit & { duplex?: 'half' } = {
    method,
    headers: Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ...(body !== undefined && {
      body: isForm || isStream ? (body as NonNullable<RequestInit['body']>) : JSON.stringify(body),
    }),
    ...(isStream && { duplex: 'half' }),
    redirect: 'manual',
    ...(signal && { signal }),
  }
  try {
    return await send(url, init)
  } catch (error) {
    throw new NoResponse(error)
  }
}

async function readText({ body }: Response, maxBytes: number): Promise<string | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength
    // Leaving the loop ends the connection.
    if (size > maxBytes) return undefined
    chunks.push(chunk)
  }
  return new TextDecoder().decode(Buffer.concat(chunks))
}

function codeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  const inner = cause instanceof AggregateError ? (cause.errors[0] as unknown) : cause
  if (!(inner instanceof Error)) return 'failure'
  return 'code' in inner && typeof inner.code === 'string' ? inner.code : inner.name
}

/** The value of a JSON text; undefined when it is not JSON. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const MS_PER_SECOND = 1_000
const MAX_AFTER_MS = 24 * 60 * 60 * MS_PER_SECOND
/** RFC 9110 §5.6.7. Date.parse alone takes "-1" and "0.5" for dates, too. */
const HTTP_DATE = /^[A-Z][a-z]+, \d{2}[ -][A-Z][a-z]{2}[ -]\d{2,4} \d{2}:\d{2}:\d{2} GMT$/

/** How long the other side asked us to wait; undefined for what makes no sense. @param now allows an HTTP date, too */
export function retryAfterMs(headers: Headers, now?: Date): number | undefined {
  const text = headers.get('Retry-After')?.trim() ?? ''
  if (/^\d+$/.test(text)) return Math.min(Number(text) * MS_PER_SECOND, MAX_AFTER_MS)
  const ms = now && HTTP_DATE.test(text) ? Date.parse(text) - now.getTime() : undefined
  return ms === undefined || Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_AFTER_MS)
}

/** A text of the other side as it can be shown: without our secrets, in case it repeated one. */
export const withoutSecrets = (text: string, secrets: readonly (string | undefined)[]): string =>
  secrets.reduce<string>((shown, secret) => (secret ? shown.replaceAll(secret, '…') : shown), text)

/**
 * `Idempotency-Key` (the IETF's draft): a POST or PATCH that is sent again with the same key has one effect and gets the
 * first response. Stored as Provisioning's repeatable requests are.
 */
import { createHash } from 'node:crypto'
import type { Sealer } from '../../auth/seal.js'
import { later } from '../../clock.js'
import { DomainError } from '../../errors.js'
import type { BodyCodec, OnceRequest } from '../../http/repeatable/once.js'

export const KEY_HEADER = 'Idempotency-Key'

/** How long a key is remembered. */
const REMEMBERED_MS = 24 * 60 * 60_000
const KEY = /^[\x21-\x7e]{1,128}$/
/** Keys are not dated, unlike Provisioning's requests. */
const UNDATED = new Date(0)

/**
 * The key of a request's header; a structured-field string may have its quotes. Throws 'idempotency-key-invalid'.
 */
export function readKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined
  const text = Array.isArray(header) ? header.join(', ') : header.trim()
  const key = /^"(.*)"$/.exec(text)?.[1] ?? text
  if (KEY.test(key)) return key
  throw new DomainError(
    'idempotency-key-invalid',
    `${KEY_HEADER} takes 1 to 128 printable ASCII characters without spaces, best a UUID.`,
    { target: KEY_HEADER.toLowerCase(), place: 'header' },
  )
}

export interface KeyedRequest {
  callerId: string
  key: string
  method: string
  /** With the query, as it came. */
  target: string
  /** The body's bytes, or their SHA-256 where they were spooled. */
  body: Buffer
  now: Date
  /** Seals responses that show a secret; undefined: stored as they are. */
  sealer?: Sealer | undefined
}

export function onceRequest({ callerId, key, method, target, body, now, sealer }: KeyedRequest): OnceRequest {
  const hash = createHash('sha256').update(method).update('\0').update(target).update('\0').update(body).digest()
  return {
    key: { caller: `operator:${callerId}`, requestId: key },
    fingerprint: { firstSent: UNDATED, hash },
    now,
    expiresAt: later(now, REMEMBERED_MS),
    codec: sealer && sealed(sealer, `response to ${callerId} ${key}`),
    mismatch: () =>
      new DomainError(
        'idempotency-mismatch',
        `Another request was sent under this ${KEY_HEADER}. Repeat a request exactly, or give a new one a key of its own.`,
        { target: KEY_HEADER.toLowerCase(), place: 'header' },
      ),
    inProgress: () =>
      new DomainError('idempotency-in-progress', 'The same request is being carried out. Repeat it in a moment.', {
        target: KEY_HEADER.toLowerCase(),
        place: 'header',
      }),
  }
}

const sealed = (sealer: Sealer, context: string): BodyCodec => ({
  encode: (body) => sealer.seal(Buffer.from(body), context).toString('base64'),
  decode: (body) => sealer.open(Buffer.from(body, 'base64'), context).toString('utf8'),
})

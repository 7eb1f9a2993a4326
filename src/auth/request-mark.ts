import { createHash } from 'node:crypto'
import { isUuid } from '../ids.js'

/** The credential of a request, as far as it distinguishes one request from another. */
export type Evidence =
  { scheme: 'access-key'; signature: Buffer } | { scheme: 'token'; tokenHash: Buffer; callerId: string; issuer: string }

/** What a request asks for. */
export interface Asked {
  method: string
  /** The request target exactly as on the wire. */
  target: string
  body: Uint8Array
}

/**
 * Marks one request as sent by one client, so that a client which lost the answer and retries can be given the first
 * answer instead of a second effect. Two requests that merely look alike have different marks; without a client request
 * id nothing is taken for a retry.
 *
 * A signature covers method, target, date and body, and a retry repeats it (the JavaScript SDK signs before its retry
 * loop), so it makes the mark together with the x-ms-client-request-id. A token is the same for an hour of requests:
 * with one, the mark is made of what is asked, and only a UUID counts as the id of one request, as the SDKs send it;
 * words that a program puts on everything it sends do not. A retry under a newer token is not recognised.
 */
export function requestMark(evidence: Evidence, asked: Asked, clientRequestId: string | undefined): Buffer | null {
  if (clientRequestId === undefined || clientRequestId === '') return null
  const mark = createHash('sha256')
  if (evidence.scheme === 'access-key') return mark.update(evidence.signature).update(clientRequestId).digest()
  if (!isUuid(clientRequestId)) return null
  return mark
    .update(evidence.tokenHash)
    .update(`${asked.method} ${asked.target}\n${clientRequestId.toLowerCase()}\n`)
    .update(asked.body)
    .digest()
}

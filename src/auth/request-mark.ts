import { createHash } from 'node:crypto'
import { isUuid } from '../ids.js'

/** The credential of a request, as far as it distinguishes one request from another. */
export type Evidence =
  { scheme: 'access-key'; signature: Buffer } | { scheme: 'token'; callerId: string; issuer: string }

/** What a request asks for. */
export interface Asked {
  method: string
  /** The request target exactly as on the wire. */
  target: string
  body: Uint8Array
}

/**
 * Marks one request as sent by one client, so that a client which lost the response and retries can be given the first
 * response instead of a second effect. Two requests that merely look alike have different marks; without a client
 * request id nothing is taken for a retry. Marks are compared within one resource, for MARK_LIFETIME_MS.
 *
 * Every SDK sends a UUID as x-ms-client-request-id and repeats it at each attempt. The mark is then made of who asks for
 * what: the JavaScript SDK signs before its retry loop, but those for Python and .NET sign every attempt anew, and a
 * token may have been replaced in between.
 *
 * Other texts are words that a program may put on everything it sends. With an access key the signature, which covers
 * method, target, date and body, tells such requests apart; a token is the same for an hour of requests, so with one
 * they have no mark.
 */
export function requestMark(evidence: Evidence, asked: Asked, clientRequestId: string | undefined): Buffer | null {
  if (clientRequestId === undefined || clientRequestId === '') return null
  const mark = createHash('sha256')
  if (isUuid(clientRequestId)) {
    return mark
      .update(JSON.stringify([clientOf(evidence), asked.method, asked.target, clientRequestId.toLowerCase()]))
      .update(asked.body)
      .digest()
  }
  if (evidence.scheme === 'token') return null
  return mark.update(evidence.signature).update(clientRequestId).digest()
}

/** A signature speaks for the resource, with either of its keys. */
const clientOf = (evidence: Evidence): readonly string[] =>
  evidence.scheme === 'access-key' ? [evidence.scheme] : [evidence.scheme, evidence.issuer, evidence.callerId]

/** How long a request counts as a retry. No longer: in .NET a program may use one id for all that it sends in a scope. */
export const MARK_LIFETIME_MS = 10 * 60_000

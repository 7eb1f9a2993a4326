/** Repeatable requests (contract 1.8): a write may be sent again after a lost response, and has one effect. */
import { createHash } from 'node:crypto'
import type { ProvisioningDeps } from '../../accounts/deps.js'
import { later, type Clock } from '../../clock.js'
import { DomainError } from '../../errors.js'
import { parseHttpDate, parseRfc3339 } from '../../http/dates.js'
import { carryOutOnce, everyTime, type Carrying } from '../../http/repeatable/once.js'
import type { Fingerprint, RepeatKey, Response } from '../../http/repeatable/store.js'

export interface RepeatDeps extends Pick<ProvisioningDeps, 'db'> {
  /** The real time, even if the clock of the domain was moved: clients date their requests by their own clocks. */
  realClock: Clock
  repeatabilityWindowMs: number
}

export interface RepeatRequest {
  /** The client: request ids of different clients are unrelated. */
  caller: string
  requestId: string | undefined
  /** As it was sent. */
  firstSent: string | undefined
  method: string
  path: string
  /** Sorted, so that the order in which a client writes parameters doesn't matter. */
  query: string
  body: Buffer
}

export type RepeatResult = 'accepted' | 'rejected'

/** How far ahead a client's clock may be. */
const FUTURE_MS = 5 * 60_000
const REQUEST_ID = /^[\x21-\x7e]{1,128}$/

/**
 * Carries a request out once, or returns the response that it got before.
 * @param note receives the treatment of the request's headers, before anything else can fail
 * @param execute returns responses for refusals too; an error it throws is a bug, and is not remembered
 * Throws 'repeatability-header-invalid', 'repeatability-window-exceeded', 'repeatability-mismatch',
 * 'repeatability-in-progress'.
 */
export async function carryOutRepeatable(
  { db, realClock, repeatabilityWindowMs }: RepeatDeps,
  request: RepeatRequest,
  note: (result: RepeatResult) => void,
  execute: (carrying: Carrying) => Promise<Response>,
): Promise<Response> {
  if (request.requestId === undefined && request.firstSent === undefined) return execute(everyTime(db))
  const now = realClock.now()
  note('rejected')
  const { key, fingerprint } = readRequest(request, now, repeatabilityWindowMs)
  const expiresAt = later(fingerprint.firstSent, repeatabilityWindowMs + FUTURE_MS)
  const onAccepted = (): void => note('accepted')
  return carryOutOnce(db, { key, fingerprint, now, expiresAt, onAccepted, mismatch, inProgress }, execute)
}

function readRequest(
  { caller, requestId, firstSent, method, path, query, body }: RepeatRequest,
  now: Date,
  windowMs: number,
): { key: RepeatKey; fingerprint: Fingerprint } {
  if (requestId === undefined || firstSent === undefined) {
    const missing = requestId === undefined ? ID_HEADER : SENT_HEADER
    throw invalidHeader(`${ID_HEADER} and ${SENT_HEADER} come together; ${missing} is missing.`, missing)
  }
  if (!REQUEST_ID.test(requestId)) {
    throw invalidHeader(`${ID_HEADER} must be 1 to 128 printable ASCII characters, best a GUID.`, ID_HEADER)
  }
  const sentAt = parseHttpDate(firstSent.trim()) ?? parseRfc3339(firstSent.trim())
  if (sentAt === undefined) {
    throw invalidHeader(
      `${SENT_HEADER} must be a date such as Thu, 29 Feb 2024 12:00:00 GMT or 2024-02-29T12:00:00Z.`,
      SENT_HEADER,
    )
  }
  const ageMs = now.getTime() - sentAt.getTime()
  if (ageMs > windowMs || ageMs < -FUTURE_MS) {
    throw new DomainError(
      'repeatability-window-exceeded',
      `${SENT_HEADER} is ${sentAt.toISOString()}; requests can be repeated for ${windowMs / 60_000} minutes, ` +
        `and it is ${now.toISOString()} now.`,
      { target: SENT_HEADER },
    )
  }
  const hash = createHash('sha256')
  for (const part of [method, path, query]) hash.update(part).update('\0')
  return { key: { caller, requestId }, fingerprint: { firstSent: sentAt, hash: hash.update(body).digest() } }
}

const ID_HEADER = 'Repeatability-Request-ID'
const SENT_HEADER = 'Repeatability-First-Sent'

const invalidHeader = (message: string, target: string): DomainError =>
  new DomainError('repeatability-header-invalid', message, { target })

const mismatch = (): DomainError =>
  new DomainError(
    'repeatability-mismatch',
    `Another request was sent under this ${ID_HEADER}. Repeat a request exactly, or give a new one an id of its own.`,
    { target: ID_HEADER },
  )

const inProgress = (): DomainError =>
  new DomainError('repeatability-in-progress', 'The same request is being carried out. Repeat it in a moment.', {
    target: ID_HEADER,
  })

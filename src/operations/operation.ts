/**
 * Promised work: what a 202 answers with. An operation that needs only the ledger is carried out in the transaction
 * that accepts it and is stored already ended; one with a delay is stored pending and carried out when it is due.
 * What clients see in between follows from the clock alone (`shownStatus`), so nothing has to be written for it.
 */
import { later } from '../clock.js'
import type { Capabilities } from '../ledger/number.js'

export const operationKinds = ['search', 'purchase', 'release', 'capabilities'] as const
export type OperationKind = (typeof operationKinds)[number]

export type OperationStatus = 'pending' | 'succeeded' | 'failed'
export type ShownStatus = 'notStarted' | 'running' | 'succeeded' | 'failed'

export interface OperationFailure {
  code: string
  message: string
}

/** What the operation is about. */
export type OperationSubject =
  | { kind: 'search' | 'purchase'; searchId: string }
  | { kind: 'release'; e164: string }
  | { kind: 'capabilities'; e164: string; capabilities: Partial<Capabilities> }

export interface Operation {
  /** `{kind}_{uuid}` */
  id: string
  resourceId: string
  /** On whose behalf, as the history of numbers says it. */
  actor: string
  subject: OperationSubject
  status: OperationStatus
  createdAt: Date
  startsAt: Date
  dueAt: Date
  endedAt: Date | null
  failure: OperationFailure | null
}

/** Milliseconds from acceptance to end, per kind; 0 finishes in the accepting transaction. */
export type OperationDelays = Record<OperationKind, number>

/** How long an ended operation can still be read. */
export const OPERATION_RETENTION_MS = 24 * 60 * 60_000

export const operationId = (kind: OperationKind, id: string): string => `${kind}_${id}`

/** The UUID part of an operation's id. */
export const subjectId = (operation: Operation): string => operation.id.slice(operation.id.indexOf('_') + 1)

/**
 * A new operation, pending until `delayMs` after `acceptedAt`; for the first half of that it has not started.
 * @param createdAt what clients are told, when that is not the time of acceptance
 */
export const newOperation = (
  id: string,
  asker: { resourceId: string; actor: string },
  subject: OperationSubject,
  acceptedAt: Date,
  delayMs: number,
  createdAt: Date = acceptedAt,
): Operation => ({
  id: operationId(subject.kind, id),
  resourceId: asker.resourceId,
  actor: asker.actor,
  subject,
  status: 'pending',
  createdAt,
  startsAt: later(acceptedAt, delayMs / 2),
  dueAt: later(acceptedAt, delayMs),
  endedAt: null,
  failure: null,
})

/** The operation as it is once it has ended, well or with a failure. */
export const ended = (operation: Operation, at: Date, failure: OperationFailure | null): Operation => ({
  ...operation,
  status: failure === null ? 'succeeded' : 'failed',
  endedAt: at,
  failure,
})

export const shownStatus = ({ status, startsAt }: Operation, now: Date): ShownStatus =>
  status === 'pending' ? (now < startsAt ? 'notStarted' : 'running') : status

/** When the operation last moved on, by the clock. */
export const lastActionAt = ({ endedAt, startsAt, createdAt }: Operation, now: Date): Date =>
  endedAt ?? (now < startsAt ? createdAt : startsAt)

/**
 * Promised work, behind every 202. An operation that needs only the ledger is carried out in the transaction that
 * accepts it and is stored as ended; one with a delay is stored as pending and carried out when it is due; one that has
 * to call other systems first is stored with the call that comes next (`call-out.ts`). The status that clients see in
 * between follows from what is stored and the clock (`shownStatus`).
 */
import { later } from '../clock.js'
import type { ShownError } from '../errors.js'
import type { Capabilities } from '../ledger/number.js'
import type { CallOut } from './call-out.js'

export const operationKinds = ['search', 'purchase', 'reservationPurchase', 'release', 'capabilities'] as const
export type OperationKind = (typeof operationKinds)[number]

export type OperationStatus = 'pending' | 'succeeded' | 'failed'
export type ShownStatus = 'notStarted' | 'running' | 'succeeded' | 'failed'

export interface OperationFailure {
  code: string
  message: string
  /** The number, the rule that was broken, and what would work. */
  details?: readonly ShownError[]
}

/** What the operation is about. */
export type OperationSubject =
  | { kind: 'search' | 'purchase'; searchId: string }
  | { kind: 'reservationPurchase'; reservationId: string }
  | { kind: 'release'; e164: string }
  | { kind: 'capabilities'; e164: string; capabilities: Partial<Capabilities> }

/** How an operation proceeds. Only emulators use more than delays. */
export interface Course {
  /** Milliseconds from acceptance to end; 0 finishes in the accepting transaction. */
  delayMs: number
  /** The poll that finds it ended, counted from 1; instead of the delay. */
  polls?: number
  /** A person decides when it goes on; instead of the delay. */
  byHand?: true
  /** It fails with this error in any case. */
  failure?: OperationFailure
}

/** What an operation waits for besides time. */
export type Waiting = { for: 'polls'; left: number } | { for: 'hand' }

export interface Operation {
  /** `{kind}_{uuid}`, unique for its resource. */
  id: string
  resourceId: string
  /** The actor in the history of numbers. */
  actor: string
  subject: OperationSubject
  status: OperationStatus
  createdAt: Date
  /** Null: not known yet. */
  startsAt: Date | null
  dueAt: Date
  endedAt: Date | null
  waiting: Waiting | null
  scriptedFailure: OperationFailure | null
  /** The calls to other systems that it still has to make. */
  callOut: CallOut | null
  failure: OperationFailure | null
}

/** How long an ended operation can still be read. */
export const OPERATION_RETENTION_MS = 24 * 60 * 60_000

export const operationId = (kind: OperationKind, id: string): string => `${kind}_${id}`

/** The UUID part of an operation's id. */
export const subjectId = (operation: Operation): string => operation.id.slice(operation.id.indexOf('_') + 1)

/**
 * A new operation, pending. With a delay it has not started for the first half of it.
 * @param createdAt the time that clients see, when that is not the time of acceptance
 */
export function newOperation(
  id: string,
  asker: { resourceId: string; actor: string },
  subject: OperationSubject,
  acceptedAt: Date,
  { delayMs, polls, byHand, failure }: Course,
  createdAt: Date = acceptedAt,
): Operation {
  const waiting = byHand ? ({ for: 'hand' } as const) : polls ? ({ for: 'polls', left: polls } as const) : null
  return {
    id: operationId(subject.kind, id),
    resourceId: asker.resourceId,
    actor: asker.actor,
    subject,
    status: 'pending',
    createdAt,
    startsAt: waiting ? null : later(acceptedAt, delayMs / 2),
    dueAt: waiting ? acceptedAt : later(acceptedAt, delayMs),
    endedAt: null,
    waiting,
    scriptedFailure: failure ?? null,
    callOut: null,
    failure: null,
  }
}

/** Whether a pending operation can be carried out now. */
export const isDue = ({ status, waiting, callOut, dueAt }: Operation, now: Date): boolean =>
  status === 'pending' && waiting === null && callOut === null && dueAt <= now

/**
 * Whether its work has begun, so that it can't be cancelled any more. For a call, the process that claimed it stored
 * the time, by a clock that may be ahead of this one.
 */
export const hasStarted = ({ startsAt, callOut }: Operation, now: Date): boolean =>
  startsAt !== null && (callOut !== null || startsAt <= now)

/** The operation after it has ended, with or without a failure. */
export const ended = (operation: Operation, at: Date, failure: OperationFailure | null): Operation => ({
  ...operation,
  status: failure === null ? 'succeeded' : 'failed',
  endedAt: at,
  waiting: null,
  callOut: null,
  failure,
})

export const shownStatus = (operation: Operation, now: Date): ShownStatus =>
  operation.status !== 'pending' ? operation.status : hasStarted(operation, now) ? 'running' : 'notStarted'

/** When the operation last moved on, by the clock. */
export const lastActionAt = (operation: Operation, now: Date): Date =>
  operation.endedAt ?? (hasStarted(operation, now) ? (operation.startsAt ?? now) : operation.createdAt)

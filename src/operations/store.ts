import { join, sql, type Queryable, type Tx } from '../db/db.js'
import type { CapabilityType } from '../ledger/number.js'
import type { CallStage, Verdict } from './call-out.js'
import {
  OPERATION_RETENTION_MS,
  type Operation,
  type OperationFailure,
  type OperationKind,
  type OperationStatus,
  type OperationSubject,
  type Waiting,
} from './operation.js'

/** The unique indexes that decide races; see `violatesUnique`. */
export const REQUEST_MARK_INDEX = 'operation_request_mark'
export const NUMBER_BUSY_INDEX = 'operation_number_busy'

/**
 * Stores an operation; one with the same id that has ended starts again. Violates REQUEST_MARK_INDEX when the very same
 * request has started one before, NUMBER_BUSY_INDEX when another operation on the number is pending.
 * @param requestMark see `auth/request-mark.ts`
 */
export async function insertOperation(tx: Tx, operation: Operation, requestMark: Buffer | null): Promise<void> {
  const { subject, failure, waiting, callOut } = operation
  const capabilities = subject.kind === 'capabilities' ? subject.capabilities : null
  await tx.query(sql`
    insert into operation (id, kind, resource_id, actor, status, created_at, starts_at, due_at, ended_at, search_id,
                           reservation_id, e164, calling, sms, error_code, error_message, error_details, request_mark,
                           waits_for, polls_left, scripted_failure, stage)
    values (${operation.id}, ${subject.kind}, ${operation.resourceId}, ${operation.actor}, ${operation.status},
            ${operation.createdAt}, ${operation.startsAt}, ${operation.dueAt}, ${operation.endedAt},
            ${'searchId' in subject ? subject.searchId : null},
            ${'reservationId' in subject ? subject.reservationId : null}, ${'e164' in subject ? subject.e164 : null},
            ${capabilities?.calling ?? null}, ${capabilities?.sms ?? null},
            ${failure?.code ?? null}, ${failure?.message ?? null}, ${json(failure?.details)}::jsonb, ${requestMark},
            ${waiting?.for ?? null}, ${waiting?.for === 'polls' ? waiting.left : null},
            ${json(operation.scriptedFailure)}::jsonb, ${callOut?.stage ?? null})
    on conflict (resource_id, id) do update
    set request_mark = excluded.request_mark, status = excluded.status, created_at = excluded.created_at, starts_at = excluded.starts_at, due_at = excluded.due_at,
        ended_at = excluded.ended_at, error_code = excluded.error_code, error_message = excluded.error_message,
        error_details = excluded.error_details, waits_for = excluded.waits_for, polls_left = excluded.polls_left,
        scripted_failure = excluded.scripted_failure, stage = excluded.stage, claimed_by = null, attempts = 0,
        last_error = null, verdict = null
    where operation.status <> 'pending'`)
}

const json = (value: unknown): string | null => (value === undefined || value === null ? null : JSON.stringify(value))

/** An operation of the resource that can still be read. */
export async function findOperation(
  db: Queryable,
  resourceId: string,
  id: string,
  now: Date,
): Promise<Operation | undefined> {
  const [row] = await db.query<OperationRow>(sql`
    select ${operationColumns} from operation
    where resource_id = ${resourceId} and id = ${id}
      and (ended_at is null or ended_at > ${new Date(now.getTime() - OPERATION_RETENTION_MS)})`)
  return row && toOperation(row)
}

/**
 * The operation that the very same request has started since a time. A purchase shows its search's or reservation's
 * time as its own, so its age does not count; a second one of the same is none anyway.
 */
export async function findOperationByMark(
  db: Queryable,
  resourceId: string,
  requestMark: Buffer,
  since: Date,
): Promise<Operation | undefined> {
  const [row] = await db.query<OperationRow>(sql`
    select ${operationColumns} from operation
    where resource_id = ${resourceId} and request_mark = ${requestMark} and (created_at > ${since} or not ${AGES})`)
  return row && toOperation(row)
}

/** Takes the mark off an operation that was started before a time: another request may have it now. */
export async function clearOldMark(tx: Tx, resourceId: string, requestMark: Buffer, since: Date): Promise<void> {
  await tx.query(sql`
    update operation set request_mark = null
    where resource_id = ${resourceId} and request_mark = ${requestMark} and created_at <= ${since} and ${AGES}`)
}

const AGES = sql`kind in ('search', 'release', 'capabilities')`

/** Locks a pending operation of the resource; undefined when it has ended or isn't there. */
export async function lockPendingOperation(tx: Tx, resourceId: string, id: string): Promise<Operation | undefined> {
  const [row] = await tx.query<OperationRow>(sql`
    select ${operationColumns} from operation
    where resource_id = ${resourceId} and id = ${id} and status = 'pending' for update`)
  return row && toOperation(row)
}

/** Locks the operation that has been due longest and that no other process is carrying out. Index `operation_due`. */
export async function claimDueOperation(tx: Tx, now: Date): Promise<Operation | undefined> {
  const [row] = await tx.query<OperationRow>(sql`
    select ${operationColumns} from operation
    where status = 'pending' and stage is null and waits_for is null and due_at <= ${now}
    order by due_at limit 1 for update skip locked`)
  return row && toOperation(row)
}

/** Records how a locked operation ended; one that has failed may still have calls to make, to undo what was done. */
export async function endOperation(tx: Tx, operation: Operation): Promise<void> {
  const { id, resourceId, status, endedAt, failure, dueAt, callOut } = operation
  await tx.query(sql`
    update operation
    set status = ${status}, ended_at = ${endedAt}, error_code = ${failure?.code ?? null},
        error_message = ${failure?.message ?? null}, error_details = ${json(failure?.details)}::jsonb,
        waits_for = null, polls_left = null, claimed_by = null, due_at = ${dueAt},
        stage = ${callOut?.stage ?? null}, attempts = ${callOut?.attempts ?? 0},
        last_error = ${callOut?.lastError ?? null}, verdict = ${json(callOut?.verdict)}::jsonb
    where resource_id = ${resourceId} and id = ${id} and status = 'pending'`)
}

/** Stores what a locked pending operation waits for from now on, and how it will end. */
export async function saveWaiting(tx: Tx, operation: Operation): Promise<void> {
  const { id, resourceId, startsAt, dueAt, waiting, scriptedFailure } = operation
  await tx.query(sql`
    update operation
    set starts_at = ${startsAt}, due_at = ${dueAt}, waits_for = ${waiting?.for ?? null},
        polls_left = ${waiting?.for === 'polls' ? waiting.left : null},
        scripted_failure = ${json(scriptedFailure)}::jsonb
    where resource_id = ${resourceId} and id = ${id} and status = 'pending'`)
}

/** When the next pending operation is due, if there is one. Index `operation_due`. */
export async function nextDueAt(db: Queryable): Promise<Date | undefined> {
  const [row] = await db.query<{ dueAt: Date }>(sql`
    select due_at as "dueAt" from operation
    where status = 'pending' and stage is null and waits_for is null order by due_at limit 1`)
  return row?.dueAt
}

/** Pending operations, oldest first; of one resource if given. */
export async function listPending(db: Queryable, resourceId: string | undefined, limit: number): Promise<Operation[]> {
  const rows = await db.query<OperationRow>(sql`
    select ${operationColumns} from operation
    where status = 'pending' and (${resourceId ?? null}::uuid is null or resource_id = ${resourceId ?? null})
    order by created_at, id limit ${limit}`)
  return rows.map(toOperation)
}

/** Removes up to `limit` operations that can't be read any more; returns how many. Index `operation_ended_at`. */
export async function purgeOperations(tx: Tx, limit: number, now: Date): Promise<number> {
  const rows = await tx.query(sql`
    delete from operation where (resource_id, id) in (
      select resource_id, id from operation
      where ended_at <= ${new Date(now.getTime() - OPERATION_RETENTION_MS)} and stage is null
      order by ended_at limit ${limit} for update skip locked
    ) returning id`)
  return rows.length
}

export interface OperationRow {
  id: string
  kind: OperationKind
  resourceId: string
  actor: string
  status: OperationStatus
  createdAt: Date
  startsAt: Date | null
  dueAt: Date
  endedAt: Date | null
  searchId: string | null
  reservationId: string | null
  e164: string | null
  calling: CapabilityType | null
  sms: CapabilityType | null
  errorCode: string | null
  errorMessage: string | null
  errorDetails: OperationFailure['details'] | null
  waitsFor: Waiting['for'] | null
  pollsLeft: number | null
  scriptedFailure: OperationFailure | null
  stage: CallStage | null
  attempts: number
  lastError: string | null
  verdict: Verdict | null
}

export const operationColumns = join(
  [
    sql`id`,
    sql`kind`,
    sql`resource_id as "resourceId"`,
    sql`actor`,
    sql`status`,
    sql`created_at as "createdAt"`,
    sql`starts_at as "startsAt"`,
    sql`due_at as "dueAt"`,
    sql`ended_at as "endedAt"`,
    sql`search_id as "searchId"`,
    sql`reservation_id as "reservationId"`,
    sql`e164`,
    sql`calling`,
    sql`sms`,
    sql`error_code as "errorCode"`,
    sql`error_message as "errorMessage"`,
    sql`error_details as "errorDetails"`,
    sql`waits_for as "waitsFor"`,
    sql`polls_left as "pollsLeft"`,
    sql`scripted_failure as "scriptedFailure"`,
    sql`stage`,
    sql`attempts`,
    sql`last_error as "lastError"`,
    sql`verdict`,
  ],
  ', ',
)

export const toOperation = (row: OperationRow): Operation => ({
  id: row.id,
  resourceId: row.resourceId,
  actor: row.actor,
  subject: toSubject(row),
  status: row.status,
  createdAt: row.createdAt,
  startsAt: row.startsAt,
  dueAt: row.dueAt,
  endedAt: row.endedAt,
  waiting: toWaiting(row),
  scriptedFailure: row.scriptedFailure,
  callOut: row.stage && {
    stage: row.stage,
    attempts: row.attempts,
    lastError: row.lastError,
    verdict: row.verdict ?? {},
  },
  failure: toFailure(row),
})

const toWaiting = ({ waitsFor, pollsLeft }: OperationRow): Waiting | null =>
  waitsFor === 'polls' ? { for: 'polls', left: pollsLeft ?? 1 } : waitsFor && { for: waitsFor }

const toFailure = ({ errorCode, errorMessage, errorDetails }: OperationRow): OperationFailure | null =>
  errorCode === null || errorMessage === null
    ? null
    : { code: errorCode, message: errorMessage, ...(errorDetails && { details: errorDetails }) }

function toSubject({ kind, searchId, reservationId, e164, calling, sms }: OperationRow): OperationSubject {
  if ((kind === 'search' || kind === 'purchase') && searchId !== null) return { kind, searchId }
  if (kind === 'reservationPurchase' && reservationId !== null) return { kind, reservationId }
  if (kind === 'release' && e164 !== null) return { kind, e164 }
  if (kind === 'capabilities' && e164 !== null) {
    return { kind, e164, capabilities: { ...(calling && { calling }), ...(sms && { sms }) } }
  }
  throw new Error(`Operation of kind ${kind} without its subject`)
}

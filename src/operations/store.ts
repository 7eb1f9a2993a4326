import { join, sql, type Queryable, type Tx } from '../db/db.js'
import type { CapabilityType } from '../ledger/number.js'
import {
  OPERATION_RETENTION_MS,
  type Operation,
  type OperationFailure,
  type OperationKind,
  type OperationStatus,
  type OperationSubject,
} from './operation.js'

/** The unique indexes that decide races; see `violatesUnique`. */
export const REQUEST_MARK_INDEX = 'operation_request_mark'
export const NUMBER_BUSY_INDEX = 'operation_number_busy'

/**
 * Stores an operation; one of the same id that has failed is begun again. Violates REQUEST_MARK_INDEX when the very same request has begun one before, NUMBER_BUSY_INDEX when
 * another operation on the number is pending.
 * @param requestMark see `auth/request-mark.ts`
 */
export async function insertOperation(tx: Tx, operation: Operation, requestMark: Buffer | null): Promise<void> {
  const { subject, failure } = operation
  const capabilities = subject.kind === 'capabilities' ? subject.capabilities : null
  await tx.query(sql`
    insert into operation (id, kind, resource_id, actor, status, created_at, starts_at, due_at, ended_at, search_id, e164,
                           calling, sms, error_code, error_message, request_mark)
    values (${operation.id}, ${subject.kind}, ${operation.resourceId}, ${operation.actor}, ${operation.status}, ${operation.createdAt},
            ${operation.startsAt}, ${operation.dueAt}, ${operation.endedAt},
            ${'searchId' in subject ? subject.searchId : null}, ${'e164' in subject ? subject.e164 : null},
            ${capabilities?.calling ?? null}, ${capabilities?.sms ?? null},
            ${failure?.code ?? null}, ${failure?.message ?? null}, ${requestMark})
    on conflict (id) do update
    set status = excluded.status, starts_at = excluded.starts_at, due_at = excluded.due_at,
        ended_at = excluded.ended_at, error_code = excluded.error_code, error_message = excluded.error_message
    where operation.status = 'failed'`)
}

/** An operation of the resource that can still be read. */
export async function findOperation(
  db: Queryable,
  resourceId: string,
  id: string,
  now: Date,
): Promise<Operation | undefined> {
  const [row] = await db.query<OperationRow>(sql`
    select ${columns} from operation
    where id = ${id} and resource_id = ${resourceId}
      and (ended_at is null or ended_at > ${new Date(now.getTime() - OPERATION_RETENTION_MS)})`)
  return row && toOperation(row)
}

/** The operation that the very same request has begun before. */
export async function findOperationByMark(
  db: Queryable,
  resourceId: string,
  requestMark: Buffer,
): Promise<Operation | undefined> {
  const [row] = await db.query<OperationRow>(sql`
    select ${columns} from operation where resource_id = ${resourceId} and request_mark = ${requestMark}`)
  return row && toOperation(row)
}

/** Locks a pending operation of the resource; undefined when it has ended or isn't there. */
export async function lockPendingOperation(tx: Tx, resourceId: string, id: string): Promise<Operation | undefined> {
  const [row] = await tx.query<OperationRow>(sql`
    select ${columns} from operation
    where id = ${id} and resource_id = ${resourceId} and status = 'pending' for update`)
  return row && toOperation(row)
}

/** Locks the longest due operation that nobody else is carrying out. Index `operation_due`. */
export async function claimDueOperation(tx: Tx, now: Date): Promise<Operation | undefined> {
  const [row] = await tx.query<OperationRow>(sql`
    select ${columns} from operation
    where status = 'pending' and due_at <= ${now}
    order by due_at limit 1 for update skip locked`)
  return row && toOperation(row)
}

/** Records how a locked operation ended. */
export async function endOperation(tx: Tx, { id, status, endedAt, failure }: Operation): Promise<void> {
  await tx.query(sql`
    update operation
    set status = ${status}, ended_at = ${endedAt}, error_code = ${failure?.code ?? null},
        error_message = ${failure?.message ?? null}
    where id = ${id} and status = 'pending'`)
}

/** When the next pending operation is due, if there is one. Index `operation_due`. */
export async function nextDueAt(db: Queryable): Promise<Date | undefined> {
  const [row] = await db.query<{ dueAt: Date }>(sql`
    select due_at as "dueAt" from operation where status = 'pending' order by due_at limit 1`)
  return row?.dueAt
}

/** Removes up to `limit` operations that can't be read any more; returns how many. Index `operation_ended_at`. */
export async function purgeOperations(tx: Tx, limit: number, now: Date): Promise<number> {
  const rows = await tx.query(sql`
    delete from operation where id in (
      select id from operation where ended_at <= ${new Date(now.getTime() - OPERATION_RETENTION_MS)}
      order by ended_at limit ${limit} for update skip locked
    ) returning id`)
  return rows.length
}

interface OperationRow {
  id: string
  kind: OperationKind
  resourceId: string
  actor: string
  status: OperationStatus
  createdAt: Date
  startsAt: Date
  dueAt: Date
  endedAt: Date | null
  searchId: string | null
  e164: string | null
  calling: CapabilityType | null
  sms: CapabilityType | null
  errorCode: string | null
  errorMessage: string | null
}

const columns = join(
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
    sql`e164`,
    sql`calling`,
    sql`sms`,
    sql`error_code as "errorCode"`,
    sql`error_message as "errorMessage"`,
  ],
  ', ',
)

const toOperation = (row: OperationRow): Operation => ({
  id: row.id,
  resourceId: row.resourceId,
  actor: row.actor,
  subject: toSubject(row),
  status: row.status,
  createdAt: row.createdAt,
  startsAt: row.startsAt,
  dueAt: row.dueAt,
  endedAt: row.endedAt,
  failure: toFailure(row),
})

const toFailure = ({ errorCode, errorMessage }: OperationRow): OperationFailure | null =>
  errorCode === null || errorMessage === null ? null : { code: errorCode, message: errorMessage }

function toSubject({ kind, searchId, e164, calling, sms }: OperationRow): OperationSubject {
  if ((kind === 'search' || kind === 'purchase') && searchId !== null) return { kind, searchId }
  if (kind === 'release' && e164 !== null) return { kind, e164 }
  if (kind === 'capabilities' && e164 !== null) {
    return { kind, e164, capabilities: { ...(calling && { calling }), ...(sms && { sms }) } }
  }
  throw new Error(`Operation of kind ${kind} without its subject`)
}

/** The statements of operations that call out: claim, record. An operation with a stage left is due at `due_at`. */
import { sql, type Queryable, type Tx } from '../db/db.js'
import type { CallOut } from './call-out.js'
import type { Operation } from './operation.js'
import { operationColumns, toOperation, type OperationRow } from './store.js'

/**
 * Claims up to `limit` operations whose next call is due. After a crash they are due again at `until`, when the claim
 * ends: first try, retry and recovery are this one statement. Index `operation_call_due`.
 */
export async function claimCalls(
  tx: Tx,
  claim: { by: string; until: Date; limit: number },
  now: Date,
): Promise<Operation[]> {
  const rows = await tx.query<OperationRow>(sql`
    with due as materialized (
      select resource_id, id from operation
      where stage is not null and waits_for is null and due_at <= ${now}
      order by due_at limit ${claim.limit} for update skip locked
    )
    update operation
    set claimed_by = ${claim.by}, due_at = ${claim.until}, attempts = attempts + 1,
        starts_at = case when starts_at is null or starts_at > ${now} then ${now}::timestamptz else starts_at end,
        -- When its stage was first tried.
        verdict = jsonb_build_object('since', ${now.toISOString()}::text) || coalesce(verdict, '{}')
    where (resource_id, id) in (select resource_id, id from due)
    returning ${operationColumns}`)
  return rows.map(toOperation)
}

/** Locks an operation whose call was claimed, if the claim still holds and the call has not been recorded. */
export async function lockClaimed(
  tx: Tx,
  { resourceId, id, callOut }: Operation,
  by: string,
): Promise<Operation | undefined> {
  const [row] = await tx.query<OperationRow>(sql`
    select ${operationColumns} from operation
    where resource_id = ${resourceId} and id = ${id} and claimed_by = ${by}
      and stage = ${callOut?.stage ?? null} and attempts = ${callOut?.attempts ?? null}
    for update`)
  return row && toOperation(row)
}

/** Stores the next call and when it is due; null: none is left. */
export async function saveCall(
  tx: Tx,
  { resourceId, id }: Operation,
  callOut: CallOut | null,
  dueAt: Date,
): Promise<void> {
  await tx.query(sql`
    update operation
    set stage = ${callOut?.stage ?? null}, attempts = ${callOut?.attempts ?? 0},
        last_error = ${callOut?.lastError ?? null},
        verdict = ${callOut === null ? null : JSON.stringify(callOut.verdict)}::jsonb, claimed_by = null,
        due_at = ${dueAt}
    where resource_id = ${resourceId} and id = ${id}`)
}

/** When the next call is due, if there is one. Index `operation_call_due`. */
export async function nextCallDueAt(db: Queryable): Promise<Date | undefined> {
  const [row] = await db.query<{ dueAt: Date }>(sql`
    select due_at as "dueAt" from operation
    where stage is not null and waits_for is null order by due_at limit 1`)
  return row?.dueAt
}

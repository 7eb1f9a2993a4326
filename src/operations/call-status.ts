/** The state of the calls to billing and fulfilment, for `linebook status` and `GET /status`. */
import { sql, type Queryable } from '../db/db.js'
import type { CallStage } from './call-out.js'

/** The purchases that wait for one call. */
export interface WaitingForCall {
  stage: CallStage
  count: number
  /** The one that has waited longest, since it was first tried or due. */
  oldest: { operationId: string; resource: string; since: Date }
  /** The latest error of the oldest one that has an error. */
  lastError: string | null
  /** When the first of them is tried next; while one is being tried, when that has to have ended. */
  nextAttemptAt: Date
}

interface Row extends Omit<WaitingForCall, 'oldest'> {
  operationId: string
  resource: string
  since: Date
}

/**
 * The purchases that wait for a call, by stage; not those that wait for a delay, polls or a person. Index
 * `operation_call_due`.
 */
export async function statusOfCalls(db: Queryable, now: Date): Promise<WaitingForCall[]> {
  const rows = await db.query<Row>(sql`
    select stage, count(*) as count, min(since) as since, min(due_at) as "nextAttemptAt",
           (array_agg(id order by since, id))[1] as "operationId", (array_agg(name order by since, id))[1] as resource,
           (array_agg(last_error order by since, id) filter (where last_error is not null))[1] as "lastError"
    from (
      select o.id, r.name, o.stage, o.due_at, o.last_error, coalesce((o.verdict ->> 'since')::timestamptz, o.due_at) as since
      from operation o join resource r on r.id = o.resource_id
      where o.stage is not null and o.waits_for is null and (o.starts_at is not null or o.due_at <= ${now})
    ) as waiting
    group by stage
    order by array_position(array['billing', 'fulfilment', 'undo-fulfilment', 'undo-billing'], stage)`)
  return rows.map(({ stage, count, operationId, resource, since, lastError, nextAttemptAt }) => ({
    stage,
    count,
    oldest: { operationId, resource, since },
    lastError,
    nextAttemptAt,
  }))
}

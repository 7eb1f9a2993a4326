import { sql, type Queryable, type Tx } from '../../db/db.js'
import type { Refusal } from './job.js'
import { storable } from './store.js'

/** How many rows go into one statement. */
const BATCH = 5_000
const MAX_VALUE_CHARS = 200
const MAX_REASON_CHARS = 1_000

/** Stores the rows that a job has refused, in this order. */
export async function insertRefusals(tx: Tx, jobId: string, refusals: readonly Refusal[]): Promise<void> {
  for (let start = 0; start < refusals.length; start += BATCH) {
    const batch = refusals.slice(start, start + BATCH)
    await tx.query(sql`
      insert into job_refusal (job_id, position, line, field, value, reason)
      select ${jobId}::uuid, ${start}::integer + n, line, field, value, reason
      from unnest(
        ${batch.map(({ line }) => line)}::bigint[], ${batch.map(({ field }) => field)}::text[],
        ${batch.map(({ value }) => storable(value.slice(0, MAX_VALUE_CHARS)))}::text[],
        ${batch.map(({ reason }) => storable(reason.slice(0, MAX_REASON_CHARS)))}::text[]
      ) with ordinality as refused (line, field, value, reason, n)`)
  }
}

/** The refused rows of a job, batch by batch in their order. */
export async function* readRefusals(db: Queryable, jobId: string): AsyncGenerator<Refusal[]> {
  for (let after = 0; ; after += BATCH) {
    const rows = await selectRefusalsAfter(db, jobId, after, BATCH)
    if (rows.length > 0) yield rows
    if (rows.length < BATCH) return
  }
}

/** Up to `limit` refused rows of a job after the first `after`. Positions count from 1, without gaps. Primary key. */
export const selectRefusalsAfter = (db: Queryable, jobId: string, after: number, limit: number): Promise<Refusal[]> =>
  db.query<Refusal>(sql`
    select line, field, value, reason from job_refusal
    where job_id = ${jobId} and position > ${after} order by position limit ${limit}`)

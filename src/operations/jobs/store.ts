import { join, sql, type Queryable, type Sql, type Tx } from '../../db/db.js'
import { CLAIM_MS, MAX_ATTEMPTS, type Job, type JobError, type JobProgress, type JobState } from './job.js'

/** A job as it is stored. */
export interface StoredJob extends Job {
  spool: string | null
  claimedBy: string | null
  claimedUntil: Date | null
  attempts: number
}

export interface NewJob {
  id: string
  kind: string
  state: 'receiving' | 'queued'
  createdBy: string
  createdAt: Date
  input: object
  unit: string
  spool: string | null
  claim: { by: string; until: Date } | null
}

export const claimEnd = (now: Date): Date => new Date(now.getTime() + CLAIM_MS)

export async function insertJob(db: Queryable, job: NewJob): Promise<StoredJob> {
  const [row] = await db.query<JobRow>(sql`
    insert into job (id, kind, state, created_by, created_at, input, unit, spool, claimed_by, claimed_until)
    values (${job.id}, ${job.kind}, ${job.state}, ${job.createdBy}, ${job.createdAt}, ${asJson(job.input)}::jsonb,
            ${job.unit}, ${job.spool}, ${job.claim?.by ?? null}, ${job.claim?.until ?? null})
    returning ${columns}`)
  return toJob(row as JobRow)
}

/** Queues a job whose file has come in; undefined when it has ended meanwhile. */
export async function queueReceived(db: Queryable, id: string, by: string): Promise<StoredJob | undefined> {
  const [row] = await db.query<JobRow>(sql`
    update job set state = 'queued' where id = ${id} and state = 'receiving' and claimed_by = ${by}
    returning ${columns}`)
  return row && toJob(row)
}

/**
 * Claims the job that has waited longest, among those that need nothing from another process. Index `job_live`.
 * @param kinds those that the process knows
 */
export async function claimNextJob(
  db: Queryable,
  claim: { by: string; until: Date; kinds: readonly string[] },
  at: Date,
): Promise<StoredJob | undefined> {
  const [row] = await db.query<JobRow>(sql`
    with next as materialized (
      select id from job
      where ended_at is null and state = 'queued' and kind = any(${claim.kinds}::text[])
        and (claimed_by is null or claimed_by = ${claim.by})
      order by created_at, id limit 1 for update skip locked
    )
    update job
    set state = 'running', claimed_by = ${claim.by}, claimed_until = ${claim.until}, started_at = ${at},
        attempts = attempts + 1, progress_done = 0
    where id in (select id from next)
    returning ${columns}`)
  return row && toJob(row)
}

export interface JobEnd {
  state: Extract<JobState, 'succeeded' | 'failed' | 'cancelled'>
  at: Date
  progress: Pick<JobProgress, 'done' | 'total'>
  refused: number
  result?: object | null
  error?: JobError | null
  cancelRequested?: Job['cancelRequested']
}

/**
 * Ends a running job while its claim holds. Returns whether it did.
 * @param unlessCancelled not when its cancellation was requested, since its work can still be rolled back
 */
export async function endRun(
  db: Queryable,
  id: string,
  by: string,
  end: JobEnd,
  { unlessCancelled = false } = {},
): Promise<boolean> {
  const { state, at, progress, refused, result, error, cancelRequested } = end
  const rows = await db.query(sql`
    update job
    set state = ${state}, ended_at = ${at}, spool = null, claimed_by = null, claimed_until = null,
        progress_done = ${progress.done}, progress_total = ${progress.total}, refused = ${refused},
        result = ${asJson(result)}::jsonb, error = ${asJson(error)}::jsonb,
        cancel_requested_at = coalesce(cancel_requested_at, ${cancelRequested?.at ?? null}::timestamptz),
        cancel_requested_by = coalesce(cancel_requested_by, ${cancelRequested?.by ?? null}::text)
    where id = ${id} and state = 'running' and claimed_by = ${by}
      and (cancel_requested_at is null or not ${unlessCancelled}::boolean)
    returning id`)
  return rows.length > 0
}

/** Requeues a running job before its end; the process that claims it next starts it again. */
export async function requeueRun(db: Queryable, id: string, by: string): Promise<void> {
  await db.query(sql`
    update job
    set state = 'queued', attempts = attempts - 1,
        claimed_by = case when spool is not null then claimed_by end,
        claimed_until = case when spool is not null then claimed_until end
    where id = ${id} and state = 'running' and claimed_by = ${by}`)
}

/**
 * Ends a job that no process runs, if it hasn't changed since it was read. Returns it then.
 * @param isLost its claim must not have been renewed either
 */
export async function endIdle(
  db: Queryable,
  job: StoredJob,
  end: Pick<JobEnd, 'state' | 'at' | 'error' | 'cancelRequested'>,
  { isLost = false } = {},
): Promise<StoredJob | undefined> {
  const [row] = await db.query<JobRow>(sql`
    update job
    set state = ${end.state}, ended_at = ${end.at}, spool = null, claimed_by = null, claimed_until = null,
        error = ${asJson(end.error)}::jsonb,
        cancel_requested_at = coalesce(cancel_requested_at, ${end.cancelRequested?.at ?? null}::timestamptz),
        cancel_requested_by = coalesce(cancel_requested_by, ${end.cancelRequested?.by ?? null}::text)
    where ${standsAs(job)} ${isLost ? sql`and claimed_until = ${job.claimedUntil}` : sql``}
    returning ${columns}`)
  return row && toJob(row)
}

const standsAs = ({ id, state, claimedBy }: StoredJob): Sql => sql`
  id = ${id} and state = ${state} and claimed_by is not distinct from ${claimedBy}::uuid`

/** Asks the process that runs a job to end it. Returns the job, unless it has ended or waits. */
export async function markCancelled(
  db: Queryable,
  id: string,
  request: { at: Date; by: string },
): Promise<StoredJob | undefined> {
  const [row] = await db.query<JobRow>(sql`
    update job
    set cancel_requested_at = coalesce(cancel_requested_at, ${request.at}::timestamptz),
        cancel_requested_by = coalesce(cancel_requested_by, ${request.by}::text)
    where id = ${id} and state = 'running'
    returning ${columns}`)
  return row && toJob(row)
}

/** Renews the claims on jobs, and stores the progress of runs. Returns the jobs still claimed, with cancellations. */
export function renewClaims(
  db: Queryable,
  { by, until, ids }: { by: string; until: Date; ids: readonly string[] },
  runs: readonly { id: string; progress: JobProgress; refused: number }[],
): Promise<{ id: string; cancelRequestedAt: Date | null; cancelRequestedBy: string | null }[]> {
  return db.query(sql`
    update job as j
    set claimed_until = ${until}, progress_done = coalesce(r.done, j.progress_done),
        progress_total = coalesce(r.total, j.progress_total), refused = coalesce(r.refused, j.refused)
    from unnest(${ids}::uuid[]) as own (id)
    left join unnest(
      ${runs.map(({ id }) => id)}::uuid[], ${runs.map(({ progress }) => progress.done)}::bigint[],
      ${runs.map(({ progress }) => progress.total)}::bigint[], ${runs.map(({ refused }) => refused)}::bigint[]
    ) as r (id, done, total, refused) on r.id = own.id
    where j.id = own.id and j.claimed_by = ${by} and j.ended_at is null
    returning j.id, j.cancel_requested_at as "cancelRequestedAt", j.cancel_requested_by as "cancelRequestedBy"`)
}

/** Ends the claims of a process that stops. */
export async function releaseClaims(db: Queryable, by: string, now: Date): Promise<void> {
  await db.query(sql`update job set claimed_until = ${now} where claimed_by = ${by} and ended_at is null`)
}

/**
 * Jobs whose claim has run out. Index `job_live`.
 * @param alone no other process can be alive, so all other claims count as run out
 */
export async function findLost(
  db: Queryable,
  { by, own, alone, limit }: { by: string; own: readonly string[]; alone: boolean; limit: number },
  now: Date,
): Promise<StoredJob[]> {
  const rows = await db.query<JobRow>(sql`
    select ${columns} from job
    where ended_at is null and claimed_by is not null and not id = any(${own}::uuid[])
      and (claimed_until <= ${now} or (${alone}::boolean and claimed_by <> ${by}))
    order by created_at, id limit ${limit}`)
  return rows.map(toJob)
}

/** Queues a lost job again, if it hasn't changed since it was read. */
export async function takeOver(
  db: Queryable,
  job: StoredJob,
  claim: { by: string; until: Date } | null,
): Promise<boolean> {
  const rows = await db.query(sql`
    update job set state = 'queued', claimed_by = ${claim?.by ?? null}, claimed_until = ${claim?.until ?? null}
    where ${standsAs(job)} and claimed_until = ${job.claimedUntil}
    returning id`)
  return rows.length > 0
}

export async function findJob(db: Queryable, id: string): Promise<StoredJob | undefined> {
  const [row] = await db.query<JobRow>(sql`select ${columns} from job where id = ${id}`)
  return row && toJob(row)
}

export async function countWaiting(db: Queryable): Promise<number> {
  const [row] = await db.query<{ count: number }>(sql`
    select count(*) as count from job where ended_at is null and state in ('receiving', 'queued')`)
  return row?.count ?? 0
}

/** Which of these jobs have not ended. */
export async function findLive(db: Queryable, ids: readonly string[]): Promise<string[]> {
  const rows = await db.query<{ id: string }>(sql`
    select id from job where id = any(${ids}::uuid[]) and ended_at is null`)
  return rows.map(({ id }) => id)
}

export interface JobFilter {
  /** Any of these; all when left out. */
  kinds?: readonly string[] | undefined
  states?: readonly JobState[] | undefined
}

/** Jobs, newest first. Index `job_order`. */
export async function selectJobs(
  db: Queryable,
  { kinds, states }: JobFilter,
  { after, limit }: { after?: { createdAt: Date; id: string } | undefined; limit: number },
): Promise<StoredJob[]> {
  const conditions = [
    sql`true`,
    ...(kinds ? [sql`kind = any(${kinds}::text[])`] : []),
    ...(states ? [sql`state = any(${states}::text[])`] : []),
    ...(after ? [sql`(created_at, id) < (${after.createdAt}::timestamptz, ${after.id}::uuid)`] : []),
  ]
  const rows = await db.query<JobRow>(sql`
    select ${columns} from job where ${join(conditions, ' and ')} order by created_at desc, id desc limit ${limit}`)
  return rows.map(toJob)
}

/**
 * Removes up to `limit` jobs that ended before `before`, with their refusals. Returns how many. Index `job_ended_at`.
 */
export async function purgeJobs(tx: Tx, limit: number, before: Date): Promise<number> {
  const rows = await tx.query(sql`
    delete from job where id in (
      select id from job where ended_at <= ${before} order by ended_at limit ${limit} for update skip locked
    ) returning id`)
  return rows.length
}

/** A job without the columns that only processes need. */
export function asJob({ spool: _, claimedBy: __, claimedUntil: ___, attempts: ____, ...job }: StoredJob): Job {
  return job
}

export const hasAttemptsLeft = ({ attempts }: StoredJob): boolean => attempts < MAX_ATTEMPTS

/** Neither text nor JSON takes a NUL, and what clients send may hold any. */
export const storable = (text: string): string => text.replaceAll('\0', '\ufffd')

const asJson = (value: object | null | undefined): string | null =>
  value === null || value === undefined
    ? null
    : JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'string' ? storable(inner) : inner))

interface JobRow extends Omit<StoredJob, 'progress' | 'cancelRequested'> {
  unit: string
  done: number
  total: number | null
  cancelRequestedAt: Date | null
  cancelRequestedBy: string | null
}

const columns = sql`
  id, kind, state, created_by as "createdBy", created_at as "createdAt", started_at as "startedAt",
  ended_at as "endedAt", input, spool, claimed_by as "claimedBy", claimed_until as "claimedUntil", attempts, unit,
  progress_done as done, progress_total as total, result, error, refused,
  cancel_requested_at as "cancelRequestedAt", cancel_requested_by as "cancelRequestedBy"`

function toJob({ unit, done, total, cancelRequestedAt, cancelRequestedBy, ...row }: JobRow): StoredJob {
  return {
    ...row,
    progress: { done, total, unit },
    cancelRequested:
      cancelRequestedAt === null || cancelRequestedBy === null
        ? null
        : { at: cancelRequestedAt, by: cancelRequestedBy },
  }
}

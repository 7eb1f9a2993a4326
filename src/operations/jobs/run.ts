/** Runs jobs: claim → work → record. An error on the way ends the job as failed, never silently. */
import type { Tx } from '../../db/db.js'
import { isUnavailable } from '../../db/failures.js'
import { DomainError } from '../../errors.js'
import type { JobsDeps } from './deps.js'
import { JobFailed, JobStopped, type JobContext, type JobError, type JobKind } from './job.js'
import type { OwnRun } from './own-jobs.js'
import { insertRefusals } from './refusal-store.js'
import { isSpooledHere, removeSpooled } from './spool.js'
import { asJob, claimEnd, claimNextJob, endRun, findJob, requeueRun, type JobEnd, type StoredJob } from './store.js'

/** The result of one run of the task, which claims one job. */
export interface JobRun {
  claimed: number
  done: number
  failed: number
  /** Cancelled, or left for another run. */
  skipped: number
  more: boolean
}

const NOTHING: JobRun = { claimed: 0, done: 0, failed: 0, skipped: 0, more: false }

/** Runs the job that has waited longest, to its end. */
export async function runNextJob(deps: JobsDeps): Promise<JobRun> {
  const { db, clock, realClock, kinds, own } = deps
  if (own.isStopping) return NOTHING
  const claim = { by: own.processId, until: claimEnd(realClock.now()), kinds: [...kinds.keys()] }
  const job = await claimNextJob(db, claim, clock.now())
  const kind = job && kinds.get(job.kind)
  if (!job || !kind) return NOTHING
  const run = own.begin(asJob(job))
  try {
    const outcome = await carryOut(deps, kind, job, run)
    const kept = await record(deps, job, run, outcome)
    if (kept !== 'requeued') own.forgetFile(job.id)
    if (kept === 'ended' && job.spool !== null) await removeSpooled(job.spool)
    const isOver = kept === 'ended'
    return {
      claimed: 1,
      done: isOver && outcome.state === 'succeeded' ? 1 : 0,
      failed: isOver && outcome.state === 'failed' ? 1 : 0,
      skipped: isOver && (outcome.state === 'succeeded' || outcome.state === 'failed') ? 0 : 1,
      more: !own.isStopping,
    }
  } catch (error) {
    // Its claim is no longer renewed, so that it counts as lost, and is found, when the claim has run out.
    own.forgetFile(job.id)
    throw error
  } finally {
    own.end(job.id)
  }
}

type Outcome =
  | { state: 'succeeded'; result: object; isCommitted: boolean }
  | { state: 'failed'; error: JobError; result: object | null }
  | { state: 'cancelled' }
  | { state: 'stopped' }
  | { state: 'lost' }

async function carryOut(deps: JobsDeps, kind: JobKind, job: StoredJob, run: OwnRun): Promise<Outcome> {
  let isCommitted = false
  const context: JobContext = {
    job: asJob(job),
    input: job.input,
    file: job.spool,
    signal: run.signal,
    progress: (done, total) => run.moveTo(done, total),
    refuse: (refusal) => run.refuse(refusal),
    startAgain: () => run.startAgain(),
    commit: async (tx, result) => {
      await commit(deps, tx, job, run, result)
      isCommitted = true
    },
  }
  try {
    if (job.spool !== null && !(await isSpooledHere(job.spool))) throw fileGone()
    const result = await kind.run(context)
    return { state: 'succeeded', result, isCommitted }
  } catch (error) {
    return failureOf(deps, job, error)
  }
}

function failureOf({ logger }: JobsDeps, job: StoredJob, error: unknown): Outcome {
  if (error instanceof JobStopped) {
    return { state: error.why === 'stopping' ? 'stopped' : error.why === 'cancelled' ? 'cancelled' : 'lost' }
  }
  if (error instanceof JobFailed) return { state: 'failed', error: error.error, result: error.result }
  if (error instanceof DomainError) {
    return { state: 'failed', error: { code: error.kind, message: error.message }, result: null }
  }
  // Nothing can be recorded; the claim runs out, and the job is claimed again.
  if (isUnavailable(error)) throw error
  logger.error({ err: error, job: job.id, kind: job.kind }, 'job failed')
  const message = 'Linebook met an internal error; its log has the details.'
  return { state: 'failed', error: { code: 'internal-error', message }, result: null }
}

/** Stores the success in the transaction of the work, which fails unless the job is still this run's to end. */
async function commit(deps: JobsDeps, tx: Tx, job: StoredJob, run: OwnRun, result: object): Promise<void> {
  run.signal.throwIfAborted()
  run.isCommitting = true
  try {
    await insertRefusals(tx, job.id, run.refusals())
    const end = endOf(deps, run, { state: 'succeeded', result })
    if (await endRun(tx, job.id, deps.own.processId, end, { unlessCancelled: true })) return
    const stored = await findJob(tx, job.id)
    throw new JobStopped(stored?.claimedBy === deps.own.processId ? 'cancelled' : 'claim-lost')
  } catch (error) {
    run.isCommitting = false
    throw error
  }
}

async function record(
  deps: JobsDeps,
  job: StoredJob,
  run: OwnRun,
  outcome: Outcome,
): Promise<'ended' | 'requeued' | 'lost'> {
  const by = deps.own.processId
  switch (outcome.state) {
    case 'lost':
      return 'lost'
    case 'stopped':
      await requeueRun(deps.db, job.id, by)
      return 'requeued'
    case 'succeeded':
      return outcome.isCommitted || (await store(deps, job, run, outcome)) ? 'ended' : 'lost'
    case 'failed':
    case 'cancelled':
      return (await store(deps, job, run, outcome)) ? 'ended' : 'lost'
  }
}

/** Ends the job outside of its work's transaction, with the rows it refused. */
const store = (
  deps: JobsDeps,
  job: StoredJob,
  run: OwnRun,
  end: Pick<JobEnd, 'state' | 'result' | 'error'>,
): Promise<boolean> =>
  deps.db.transaction(async (tx) => {
    const ended = await endRun(tx, job.id, deps.own.processId, endOf(deps, run, end))
    if (ended) await insertRefusals(tx, job.id, run.refusals())
    return ended
  })

const endOf = ({ clock }: JobsDeps, run: OwnRun, end: Pick<JobEnd, 'state' | 'result' | 'error'>): JobEnd => ({
  ...end,
  at: clock.now(),
  progress: run.progress,
  refused: run.refused,
  cancelRequested: run.cancelRequested,
})

const fileGone = (): JobFailed =>
  new JobFailed({ code: 'file-gone', message: 'The process that had its file is gone. Send the file again.' })

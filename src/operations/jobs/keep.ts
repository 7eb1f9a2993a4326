/**
 * Keeps jobs alive: a process renews its claims, and takes over those of processes that are gone. An embedded database
 * has one process, so its claims are never contested.
 */
import type { JobsDeps } from './deps.js'
import { CLAIM_MS, type JobError } from './job.js'
import { isSpooledHere, removeSpooled, spooledJobs, spoolFile } from './spool.js'
import {
  claimEnd,
  endIdle,
  findLive,
  findLost,
  hasAttemptsLeft,
  releaseClaims,
  renewClaims,
  takeOver,
  type StoredJob,
} from './store.js'

/** How long the process that has a job's file may be away before another one ends the job. */
const FILE_GRACE_MS = 10 * CLAIM_MS
/** How many lost jobs one run handles. */
const LOST_PER_RUN = 100

/** Renews this process's claims, stores the progress of its runs, and finds those that were cancelled elsewhere. */
export async function renewOwn({ db, own, realClock }: JobsDeps): Promise<number> {
  const ids = own.ids
  if (ids.length === 0 || db.engine === 'pglite') return 0
  const runs = own.runs
  const claim = { by: own.processId, until: claimEnd(realClock.now()), ids }
  const kept = new Map((await renewClaims(db, claim, runs)).map((row) => [row.id, row]))
  for (const run of runs) {
    const row = kept.get(run.id)
    if (row === undefined) run.stop('claim-lost')
    else if (row.cancelRequestedAt !== null) {
      run.cancel({ at: row.cancelRequestedAt, by: row.cancelRequestedBy ?? '' })
    }
  }
  const running = new Set(runs.map(({ id }) => id))
  for (const id of ids) if (!kept.has(id) && !running.has(id)) own.forgetFile(id)
  return kept.size
}

/**
 * Handles jobs whose process is gone: queues those that can start again here, and ends the others as failed. Returns
 * how many of each.
 */
export async function takeOverLost(deps: JobsDeps): Promise<{ resumed: number; ended: number }> {
  const { db, own, realClock } = deps
  const counts = { resumed: 0, ended: 0 }
  // A job that waits behind this process's own transaction is not lost.
  if (db.engine === 'pglite' && own.runs.length > 0) return counts
  const scope = { by: own.processId, own: own.ids, alone: db.engine === 'pglite', limit: LOST_PER_RUN }
  for (const job of await findLost(db, scope, realClock.now())) {
    const done = await settleLost(deps, job)
    if (done !== undefined) counts[done]++
  }
  if (counts.resumed > 0) deps.nudge()
  return counts
}

async function settleLost(
  deps: JobsDeps,
  job: StoredJob,
): Promise<keyof Awaited<ReturnType<typeof takeOverLost>> | undefined> {
  const { db, own, clock, realClock, logger } = deps
  const end = async (state: 'failed' | 'cancelled', error?: JobError): Promise<'ended' | undefined> => {
    const ended = await endIdle(db, job, { state, at: clock.now(), error: error ?? null }, { isLost: true })
    if (!ended) return undefined
    logger.warn({ job: job.id, kind: job.kind, error }, 'job of a process that is gone ended')
    if (job.spool !== null) await removeSpooled(spoolFile(deps.spoolFolder, job.id))
    return 'ended'
  }
  const kind = deps.kinds.get(job.kind)
  // The kind belongs to a newer program, which will handle the job.
  if (kind === undefined) return undefined
  if (job.cancelRequested !== null) return end('cancelled')
  if (job.state === 'receiving') return end('failed', RECEIVER_GONE)
  if (job.state === 'running' && !kind.resumable) return end('failed', INTERRUPTED)
  if (!hasAttemptsLeft(job)) return end('failed', GIVEN_UP)
  if (job.spool === null) return (await takeOver(db, job, null)) ? 'resumed' : undefined
  if (await isSpooledHere(job.spool)) {
    own.keepFile(job.id)
    const claim = { by: own.processId, until: claimEnd(realClock.now()) }
    if (await takeOver(db, job, claim)) return 'resumed'
    own.forgetFile(job.id)
    return undefined
  }
  const awayMs = realClock.now().getTime() - (job.claimedUntil?.getTime() ?? 0)
  return db.engine === 'pglite' || awayMs >= FILE_GRACE_MS ? end('failed', FILE_GONE) : undefined
}

/** Removes files whose jobs have ended. A job is stored before its file is made. */
export async function removeLeftovers({ db, spoolFolder }: JobsDeps): Promise<number> {
  const ids = await spooledJobs(spoolFolder)
  if (ids.length === 0) return 0
  const live = new Set(await findLive(db, ids))
  const left = ids.filter((id) => !live.has(id))
  for (const id of left) await removeSpooled(spoolFile(spoolFolder, id))
  return left.length
}

/** Releases this process's claims when it stops, so that the next process need not wait for them to run out. */
export async function releaseOwn({ db, own, realClock }: JobsDeps): Promise<void> {
  if (own.ids.length > 0) await releaseClaims(db, own.processId, realClock.now())
}

const RECEIVER_GONE: JobError = {
  code: 'upload-broken',
  message: 'The process that was receiving its file is gone. Send the file again.',
}
const FILE_GONE: JobError = {
  code: 'file-gone',
  message: 'The process that had its file is gone. Send the file again.',
}
const INTERRUPTED: JobError = { code: 'interrupted', message: 'The process that ran it is gone.' }
const GIVEN_UP: JobError = { code: 'given-up', message: 'Its process ended each time that it was run.' }

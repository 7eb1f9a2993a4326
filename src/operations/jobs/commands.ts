/** The commands of the Operator API for jobs: start, read, list, cancel. */
import type { Readable } from 'node:stream'
import type { Queryable } from '../../db/db.js'
import { DomainError, invalidInput, notFound } from '../../errors.js'
import { isUuid, newId } from '../../ids.js'
import type { JobsDeps } from './deps.js'
import { MAX_WAITING_JOBS, type Job, type JobKind, type JobRequest, type Refusal } from './job.js'
import { readRefusals, selectRefusalsAfter } from './refusal-store.js'
import { removeSpooled, spoolBody, spoolFile } from './spool.js'
import {
  asJob,
  claimEnd,
  countWaiting,
  endIdle,
  findJob,
  insertJob,
  markCancelled,
  queueReceived,
  selectJobs,
  type JobFilter,
  type StoredJob,
} from './store.js'

/** Queues a job that has no file. Throws what its kind's check throws, 'too-many-requests'. */
export async function createJob(deps: JobsDeps, request: JobRequest): Promise<Job> {
  const queue = await prepareJob(deps, request)
  const job = await queue(deps.db)
  deps.nudge()
  return job
}

/**
 * Like `createJob`, for a job that is queued in a transaction: the check, which may query the database, comes before
 * the transaction, and the nudge after it.
 */
export async function prepareJob(deps: JobsDeps, request: JobRequest): Promise<(db: Queryable) => Promise<Job>> {
  const { kind, input } = await checked(deps, request)
  return async (db) => {
    await requireRoom(db)
    const job = { ...begun(deps, kind, request), input, state: 'queued' as const, spool: null, claim: null }
    return asJob(await insertJob(db, job))
  }
}

/**
 * Receives the file of a job and queues the job. It exists, as 'receiving', before the first byte, and ends as failed
 * when the body breaks off. Throws as `createJob` and `spoolBody` do, and 'state-conflict' when it is cancelled
 * meanwhile.
 */
export async function receiveJob(
  deps: JobsDeps,
  request: JobRequest,
  body: Readable,
  { maxBytes }: { maxBytes: number },
): Promise<Job> {
  const { db, own, realClock } = deps
  const { kind, input } = await checked(deps, request)
  await requireRoom(db)
  const id = newId()
  const spool = spoolFile(deps.spoolFolder, id)
  const signal = own.keepFile(id)
  try {
    const claim = { by: own.processId, until: claimEnd(realClock.now()) }
    const receiving = await insertJob(db, {
      ...begun(deps, kind, request),
      id,
      input,
      state: 'receiving',
      spool,
      claim,
    })
    try {
      await spoolBody(body, spool, { maxBytes, signal })
    } catch (error) {
      await endIdle(db, receiving, { state: 'failed', at: deps.clock.now(), error: brokenOff(error) })
      throw signal.aborted ? cancelledMeanwhile(id) : error
    }
    const queued = await queueReceived(db, id, own.processId)
    if (!queued) throw cancelledMeanwhile(id)
    deps.nudge()
    return asJob(queued)
  } catch (error) {
    own.forgetFile(id)
    await removeSpooled(spool)
    throw error
  }
}

/** A job, with the progress of its run if that is in this process. Throws 'not-found'. */
export async function readJob({ db, own }: JobsDeps, id: string): Promise<Job> {
  const running = own.run(id)
  return running ? running.shown() : asJob(await requireJob(db, id))
}

/** A page of jobs, newest first; `next` is the start of the next page. */
export async function listJobs(
  { db, own }: JobsDeps,
  filter: JobFilter,
  page: { after?: { createdAt: Date; id: string } | undefined; limit: number },
): Promise<{ items: Job[]; next: { createdAt: Date; id: string } | null }> {
  const rows = await selectJobs(db, filter, { ...page, limit: page.limit + 1 })
  const items = rows.slice(0, page.limit)
  const last = items.at(-1)
  return {
    items: items.map((job) => own.shown(asJob(job))),
    next: rows.length > page.limit && last ? { createdAt: last.createdAt, id: last.id } : null,
  }
}

/** The rows that a job has refused so far, batch by batch in the order of their lines. Throws 'not-found'. */
export async function* refusalsOf({ db, own }: JobsDeps, id: string): AsyncGenerator<Refusal[]> {
  const running = own.run(id)
  if (running) {
    yield running.refusals()
    return
  }
  await requireJob(db, id)
  yield* readRefusals(db, id)
}

/** A page of the rows that a job has refused so far, after the first `after` of them. */
export async function selectRefusals(
  { db, own }: JobsDeps,
  id: string,
  { after, limit }: { after: number; limit: number },
): Promise<Refusal[]> {
  const running = own.run(id)
  return running ? running.refusals().slice(after, after + limit) : selectRefusalsAfter(db, id, after, limit)
}

/**
 * Cancels a waiting job, and requests the end of a running one, which ends unless its work is committed first. A job
 * that works in several transactions keeps what it has done. Throws 'not-found', 'state-conflict' for a job that has
 * ended.
 */
export async function requestCancel(deps: JobsDeps, id: string, by: string): Promise<Job> {
  const { db, own, clock } = deps
  const request = { at: clock.now(), by }
  const running = own.run(id)
  if (running) {
    if (running.isCommitting) throw tooLate(id)
    running.cancel(request)
    // An embedded database would answer only when the job's transaction is over; the run stores it at its end.
    if (db.engine === 'postgres') await markCancelled(db, id, request)
    return running.shown()
  }
  // If the job no longer is as it was read, it was claimed meanwhile or has ended: read it again.
  for (;;) {
    const job = await requireJob(db, id)
    if (job.endedAt !== null) throw tooLate(id)
    const cancelled =
      job.state === 'running'
        ? await markCancelled(db, id, request)
        : await endIdle(db, job, { state: 'cancelled', at: request.at, cancelRequested: request })
    if (cancelled?.state === 'running') own.run(id)?.cancel(request)
    if (cancelled?.state === 'cancelled') await forgetSpooled(deps, job)
    if (cancelled) return own.shown(asJob(cancelled))
  }
}

async function forgetSpooled({ own }: JobsDeps, { id, spool, claimedBy }: StoredJob): Promise<void> {
  own.forgetFile(id)
  if (spool !== null && claimedBy === own.processId) await removeSpooled(spool)
}

async function checked({ kinds }: JobsDeps, request: JobRequest): Promise<{ kind: JobKind; input: object }> {
  const kind = kinds.get(request.kind)
  if (kind === undefined) throw invalidInput(`There is no job of kind ${request.kind}.`, 'kind')
  return { kind, input: kind.check ? await kind.check(request.input) : request.input }
}

async function requireRoom(db: Queryable): Promise<void> {
  const waiting = await countWaiting(db)
  if (waiting < MAX_WAITING_JOBS) return
  throw new DomainError('too-many-requests', `${waiting} jobs wait already. Try again when some of them have ended.`, {
    retryAfterSeconds: 60,
  })
}

const begun = ({ clock }: JobsDeps, kind: JobKind, { createdBy }: JobRequest) => ({
  id: newId(),
  kind: kind.name,
  unit: kind.unit,
  createdBy,
  createdAt: clock.now(),
})

async function requireJob(db: Queryable, id: string): Promise<StoredJob> {
  const job = isUuid(id) ? await findJob(db, id) : undefined
  if (!job) throw notFound(`There is no job ${id.slice(0, 40)}.`)
  return job
}

const brokenOff = (error: unknown) => ({
  code: error instanceof DomainError ? error.kind : 'upload-broken',
  message: error instanceof DomainError ? error.message : 'The file broke off before its end.',
})

const tooLate = (id: string): DomainError =>
  new DomainError('state-conflict', `The job ${id} has ended already, or is just being committed.`)

const cancelledMeanwhile = (id: string): DomainError =>
  new DomainError('state-conflict', `The job ${id} was cancelled while its file came in.`)

import type { ProvisioningDeps } from '../accounts/deps.js'
import { later } from '../clock.js'
import { sweepFreed } from '../ledger/holds.js'
import { nextCallDueAt } from '../operations/call-store.js'
import type { JobsDeps } from '../operations/jobs/deps.js'
import { JOB_RETENTION_MS } from '../operations/jobs/job.js'
import { removeLeftovers, renewOwn, takeOverLost } from '../operations/jobs/keep.js'
import { runNextJob } from '../operations/jobs/run.js'
import { purgeJobs } from '../operations/jobs/store.js'
import { nextDueAt, purgeOperations } from '../operations/store.js'
import { makeDueCalls } from '../phone-numbers/execution/call-out.js'
import { carryOutNextDue } from '../phone-numbers/execution/carry-out.js'
import type { PhoneNumbersDeps } from '../phone-numbers/model/deps.js'
import { purgeReservations } from '../phone-numbers/model/reservation-store.js'
import { purgeSearches } from '../phone-numbers/model/search-store.js'
import { purgeRemembered } from '../http/repeatable/store.js'
import { reconcile } from '../reconcile/reconcile.js'
import { nextDueAt as nextSyncDueAt, purgeAttempts } from '../sync/claims.js'
import type { SyncService } from '../sync/sync.js'
import type { Job } from './worker.js'

const OPERATIONS_PER_RUN = 100
const OPERATIONS_INTERVAL_MS = 1_000
const SWEEP_LIMIT = 1_000
const SWEEP_INTERVAL_MS = 30_000
/** How long the log of what backends were asked is kept. */
const ATTEMPTS_KEPT_MS = 90 * 24 * 60 * 60_000
/** Writes wake the reconciler of their own process; this is for what another process left behind. */
const RECONCILE_INTERVAL_MS = 5_000
/** A slow call of one run doesn't keep the next from starting. */
const RECONCILE_LANES = 4
/** Acceptance wakes the worker of its own process; this is for what another process left behind. */
const CALLS_INTERVAL_MS = 5_000
const CALL_LANES = 4
/** Beginning one wakes the worker of its own process; this is for what another process left behind. */
const RUN_JOBS_INTERVAL_MS = 5_000
/** A small part of how long a claim lasts, and how old the progress is that other processes see. */
const KEEP_JOBS_INTERVAL_MS = 5_000

/** Carries out operations whose delay is over. */
export const operationsJob = (deps: PhoneNumbersDeps): Job => ({
  name: 'carry out operations',
  intervalMs: OPERATIONS_INTERVAL_MS,
  async runOnce() {
    let done = 0
    while (done < OPERATIONS_PER_RUN && (await carryOutNextDue(deps))) done++
    return { done, more: done === OPERATIONS_PER_RUN }
  },
  nextDueAt: () => nextDueAt(deps.db),
})

/** Makes the calls of purchases to other systems that are due. */
export const callsJob = (deps: PhoneNumbersDeps): Job => ({
  name: 'call billing and provisioning',
  intervalMs: CALLS_INTERVAL_MS,
  lanes: CALL_LANES,
  runOnce: () => makeDueCalls(deps),
  nextDueAt: () => nextCallDueAt(deps.db),
})

/** Makes one service's backend agree with what is stored. */
export const reconcileJob = (deps: ProvisioningDeps, service: SyncService): Job => ({
  name: `reconcile ${service}`,
  intervalMs: RECONCILE_INTERVAL_MS,
  lanes: RECONCILE_LANES,
  async runOnce() {
    const { confirmed, refused, more } = await reconcile(deps, service)
    return { done: confirmed + refused, more }
  },
  nextDueAt: async () => {
    const notBefore = service === 'dns' ? undefined : deps.backends[service]?.unavailable()?.until
    const dueAt = await nextSyncDueAt(deps.db, service)
    return dueAt && notBefore && notBefore > dueAt ? notBefore : dueAt
  },
})

/** Runs durable jobs, one after the other. */
export const runJobsJob = (deps: JobsDeps): Job => ({
  name: 'run jobs',
  intervalMs: RUN_JOBS_INTERVAL_MS,
  runOnce: () => runNextJob(deps),
})

/** Keeps this process's claims on jobs, and takes over those of processes that are gone. */
export function keepJobsJob(deps: JobsDeps): Job {
  let isCleared = false
  return {
    name: 'keep jobs',
    intervalMs: KEEP_JOBS_INTERVAL_MS,
    async runOnce() {
      const renewed = await renewOwn(deps)
      const { resumed, ended } = await takeOverLost(deps)
      if (!isCleared) await removeLeftovers(deps)
      isCleared = true
      return { done: renewed + resumed + ended, more: false }
    },
  }
}

/** Writes down what time has done to holds and quarantines, and removes what can't be read any more. */
export const sweepJob = ({ db, clock }: Pick<PhoneNumbersDeps, 'db' | 'clock'>): Job => ({
  name: 'sweep',
  intervalMs: SWEEP_INTERVAL_MS,
  async runOnce() {
    const now = clock.now()
    const counts = [
      await db.transaction((tx) => sweepFreed(tx, SWEEP_LIMIT, now)),
      await db.transaction((tx) => purgeOperations(tx, SWEEP_LIMIT, now)),
      await db.transaction((tx) => purgeSearches(tx, SWEEP_LIMIT, now)),
      await db.transaction((tx) => purgeReservations(tx, SWEEP_LIMIT, now)),
      await db.transaction((tx) => purgeRemembered(tx, SWEEP_LIMIT, now)),
      await db.transaction((tx) => purgeAttempts(tx, SWEEP_LIMIT, later(now, -ATTEMPTS_KEPT_MS))),
      await db.transaction((tx) => purgeJobs(tx, SWEEP_LIMIT, later(now, -JOB_RETENTION_MS))),
    ]
    return { done: counts.reduce((sum, count) => sum + count, 0), more: counts.includes(SWEEP_LIMIT) }
  },
})

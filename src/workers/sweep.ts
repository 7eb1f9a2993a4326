import { later, type Clock } from '../clock.js'
import type { Db, Tx } from '../db/db.js'
import { purgeRemembered } from '../http/repeatable/store.js'
import { sweepFreed } from '../ledger/holds.js'
import { JOB_RETENTION_MS } from '../operations/jobs/job.js'
import { purgeJobs } from '../operations/jobs/store.js'
import { purgeOperations } from '../operations/store.js'
import { purgeReservations } from '../phone-numbers/model/reservation-store.js'
import { purgeSearches } from '../phone-numbers/model/search-store.js'
import { purgeAttempts } from '../sync/claims.js'
import type { Task } from './worker.js'

const LIMIT = 1_000
const INTERVAL_MS = 30_000
/** How long the log of calls to backends is kept. */
const ATTEMPTS_KEPT_MS = 90 * 24 * 60 * 60_000

/** Stores the end of holds and quarantines whose time is over, and deletes what can't be read any more. */
export const sweepTask = ({ db, clock }: { db: Db; clock: Clock }): Task => ({
  name: 'sweep',
  intervalMs: INTERVAL_MS,
  async runOnce() {
    const now = clock.now()
    const counts: number[] = []
    for (const sweep of SWEEPS) counts.push(await db.transaction((tx) => sweep(tx, now)))
    const swept = counts.reduce((sum, count) => sum + count, 0)
    return { claimed: swept, done: swept, failed: 0, skipped: 0, more: counts.includes(LIMIT) }
  },
})

/** Each one handles a batch in its own transaction and returns how many it found. */
const SWEEPS: readonly ((tx: Tx, now: Date) => Promise<number>)[] = [
  (tx, now) => sweepFreed(tx, LIMIT, now),
  (tx, now) => purgeOperations(tx, LIMIT, now),
  (tx, now) => purgeSearches(tx, LIMIT, now),
  (tx, now) => purgeReservations(tx, LIMIT, now),
  (tx, now) => purgeRemembered(tx, LIMIT, now),
  (tx, now) => purgeAttempts(tx, LIMIT, later(now, -ATTEMPTS_KEPT_MS)),
  (tx, now) => purgeJobs(tx, LIMIT, later(now, -JOB_RETENTION_MS)),
]

import { sweepFreed } from '../ledger/store.js'
import { nextDueAt, purgeOperations } from '../operations/store.js'
import { carryOutNextDue } from '../phone-numbers/commands/carry-out.js'
import type { PhoneNumbersDeps } from '../phone-numbers/deps.js'
import { purgeSearches } from '../phone-numbers/store.js'
import type { Job } from './worker.js'

const OPERATIONS_PER_RUN = 100
const OPERATIONS_INTERVAL_MS = 1_000
const SWEEP_LIMIT = 1_000
const SWEEP_INTERVAL_MS = 30_000

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
    ]
    return { done: counts.reduce((sum, count) => sum + count, 0), more: counts.includes(SWEEP_LIMIT) }
  },
})

import { nextDueAt } from '../operations/store.js'
import { carryOutDue, carryOutNextDue, type OperationKey } from '../phone-numbers/execution/carry-out.js'
import type { PhoneNumbersDeps } from '../phone-numbers/model/deps.js'
import type { Task } from './worker.js'

const PER_RUN = 100
const INTERVAL_MS = 1_000

/** Carries out operations whose delay is over. */
export const operationsTask = (deps: PhoneNumbersDeps): Task<OperationKey> => ({
  name: 'operations',
  intervalMs: INTERVAL_MS,
  async runOnce(only) {
    const report = { claimed: 0, done: 0, failed: 0, skipped: 0 }
    const next = only?.values()
    for (;;) {
      const key = next?.next().value
      if (report.claimed === PER_RUN || (next && key === undefined)) break
      const operation = key ? await carryOutDue(deps, key) : await carryOutNextDue(deps)
      if (operation === undefined && !next) break
      if (operation === undefined) continue
      report.claimed++
      report[operation.status === 'failed' ? 'failed' : 'done']++
    }
    return { ...report, more: only === undefined && report.claimed === PER_RUN }
  },
  nextDueAt: () => nextDueAt(deps.db),
})

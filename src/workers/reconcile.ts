import type { ProvisioningDeps } from '../accounts/deps.js'
import { reconcile } from '../reconcile/reconcile.js'
import { nextDueAt } from '../sync/claims.js'
import type { SyncService } from '../sync/sync.js'
import type { Task } from './worker.js'

/** Writes wake the reconciler of their own process; the timer finds what another process left behind. */
const INTERVAL_MS = 5_000
/** Several runs at once, so that a slow call of one doesn't keep the next from starting. */
const LANES = 4

/** Makes one service's backend agree with what is stored. Its keys are those of items. */
export const reconcileTask = (deps: ProvisioningDeps, service: SyncService): Task<string> => ({
  name: `reconcile-${service}`,
  intervalMs: INTERVAL_MS,
  lanes: LANES,
  async runOnce(only) {
    const { claimed, refused, unfinished, more } = await reconcile(deps, service, only)
    // Done items are those that the backend confirmed, and those that were verified and had not drifted.
    return { claimed, done: claimed - refused - unfinished, failed: refused, skipped: unfinished, more }
  },
  nextDueAt: async () => {
    const notBefore = service === 'dns' ? undefined : deps.backends[service]?.unavailable()?.until
    const dueAt = await nextDueAt(deps.db, service)
    return dueAt && notBefore && notBefore > dueAt ? notBefore : dueAt
  },
})

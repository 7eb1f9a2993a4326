import { requeueFailed } from '../../accounts/commands/requeue.js'
import { statusOfCalls } from '../../operations/call-status.js'
import { getSync, listSyncItems, requeueSync } from '../contract/sync.js'
import type { OperatorDeps, WorkerStanding } from '../deps.js'
import { keyOfItem, selectSyncItems, type SyncItem } from '../reads/sync-items.js'
import { nextKey } from '../reads/window.js'
import { nextAttempt } from '../status/next-attempt.js'
import { servicesOf, statusOfBackends } from '../status/status.js'
import { statusView } from '../status/views.js'
import { by, list, route, type Route } from '../wire/route.js'

export const syncRoutes = ({ db, clock, provisioning, workers }: OperatorDeps): Route[] => [
  route(getSync, async () => {
    const now = clock.now()
    const services = await statusOfBackends(db, { services: servicesOf(provisioning), now })
    const status = statusView(services, now, await statusOfCalls(db, now))
    return { body: { ...status, workers: workers().map(workerView) } }
  }),
  route(listSyncItems, async ({ query: { status = 'failed', service, kind } }) =>
    list<SyncItem>({
      page: async ({ limit, after }) => {
        const filter = { status, services: service, kinds: kind }
        const window = await selectSyncItems(db, filter, { now: clock.now(), limit, after })
        return { items: window.found, next: nextKey(window, limit, keyOfItem) }
      },
      view: (item) => itemView(item, clock.now()),
      columns: ITEM_COLUMNS,
    }),
  ),
  // Not in the transaction that remembers the response: it may be everything that failed in an outage. A repeat after a
  // crash does what is left.
  route(requeueSync, async ({ body, who }) => {
    const result = await requeueFailed(provisioning, body, by(who, requeueSync))
    provisioning.nudge(result.services.map(({ service }) => service))
    return { body: result }
  }),
]

const workerView = ({ lastRunAt, lastError, ...worker }: WorkerStanding) => ({
  name: worker.name,
  runs: worker.runs,
  running: worker.running,
  claimed: worker.claimed,
  done: worker.done,
  failed: worker.failed,
  skipped: worker.skipped,
  lastRunAt: lastRunAt && lastRunAt.toISOString(),
  lastDurationMs: worker.lastDurationMs,
  lastError: lastError && { at: lastError.at.toISOString(), message: lastError.message },
})

const ITEM_COLUMNS = [
  'service',
  'kind',
  'key',
  'account',
  'goal',
  'status',
  'since',
  'attempts',
  'lastAttemptAt',
  'lastError.code',
  'lastError.message',
  'ticket',
  'next.at',
  'next.why',
]

function itemView(item: SyncItem, now: Date) {
  const { refusal, lastError, lastAttemptAt } = item
  const next = nextAttempt(item, now)
  return {
    service: item.service,
    kind: item.kind,
    key: item.key,
    account: item.account,
    goal: item.goal,
    status: item.status,
    since: (item.pendingSince ?? item.changedAt).toISOString(),
    attempts: item.attempts,
    lastAttemptAt: lastAttemptAt && lastAttemptAt.toISOString(),
    lastError: refusal
      ? { code: refusal.code, message: refusal.message }
      : lastError === null
        ? null
        : { code: null, message: lastError },
    ticket: item.ticket,
    next: next ? { at: next.at.toISOString(), why: next.why } : null,
  }
}

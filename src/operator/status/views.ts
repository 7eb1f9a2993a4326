/**
 * The JSON that shows an operator the state of the sync: what `GET /status` and its companions answer and what the
 * command line prints with `--json`. Times are ISO 8601, UTC.
 */
import type { Requeued } from '../../accounts/commands/requeue.js'
import type { ServiceKey } from '../../backends/port/services.js'
import type { NumberState } from '../../ledger/number.js'
import type { WaitingForCall } from '../../operations/call-status.js'
import type { SyncService, SyncStatus } from '../../sync/sync.js'
import type { Item, ServiceAtWork, ServiceStatus, SyncError } from './status.js'
import type { LedgerStanding, ServiceStanding, Timeline, TimelineEntry } from './timeline.js'

export interface StatusJson {
  at: string
  services: ServiceStatusJson[]
  /** The purchases of the Phone Numbers API that wait for billing or provisioning, by what is to be called. */
  purchases: WaitingForCallJson[]
}

export interface WaitingForCallJson extends Omit<WaitingForCall, 'oldest' | 'nextAttemptAt'> {
  oldest: { operationId: string; resource: string; since: string; ageSeconds: number }
  nextAttemptAt: string
}

export interface ServiceStatusJson {
  service: SyncService
  backend: string
  /** Whether the backend is being called; 'unknown' to a process that calls none. */
  circuit: 'closed' | 'unknown' | { openUntil: string; reason: string }
  pending: {
    count: number
    due: number
    claimed: number
    waiting: number
    dueSince: string | null
    nextAttemptAt: string | null
    oldest: { item: Item; since: string; ageSeconds: number } | null
  }
  failed: {
    count: number
    /** The largest groups; not necessarily all. */
    refusals: {
      kind: Item['kind']
      goal: 'present' | 'absent'
      code: string
      count: number
      since: string
      latest: { item: Item; at: string; message: string }
    }[]
  }
  lastError: { item: Item; at: string; code: string | null; message: string } | null
}

/** The body of `POST /status:requeue`: commands/requeue.ts's `Requeue`. */
export type RequeuedJson = Requeued

export interface TimelineJson {
  at: string
  e164: string
  /** Null when it is not in the ledger, or no longer. */
  ledger: LedgerJson | null
  onAccount: {
    account: string
    services: ServiceKey[]
    modifiedAt: string
    /** Since when it is being taken off. */
    leavingSince: string | null
  } | null
  sync: ServiceStandingJson[]
  /** Oldest first. */
  entries: TimelineEntryJson[]
  /** Whether older entries were left out. */
  cut: boolean
}

export interface LedgerJson extends Omit<LedgerStanding, 'freeAt'> {
  /** When it becomes available by itself; null when it doesn't, or when a purchase of it is under way. */
  freeAt: string | null
}

export interface ServiceStandingJson {
  service: SyncService
  goal: 'present' | 'absent'
  status: SyncStatus
  generation: number
  confirmedGeneration: number
  attempts: number
  pendingSince: string | null
  lastAttemptAt: string | null
  /** The refusal, or why the last attempt has to be repeated. */
  lastError: { code: string | null; message: string } | null
  ticket: string | null
  /** What the backend may hold of it. */
  placed: { tenantId: string; stage: string } | null
  next: { at: string; why: string } | null
  heldBack: { reason: string; until: string | null } | null
}

export type TimelineEntryJson =
  | {
      kind: 'history'
      at: string
      event: string
      fromState: NumberState | null
      toState: NumberState | null
      actor: string
      reason: string
    }
  | {
      kind: 'attempt'
      at: string
      service: SyncService
      step: string
      generation: number
      outcome: 'done' | 'refused' | 'later'
      code: string | null
      message: string | null
    }

export const statusView = (
  services: readonly ServiceStatus[],
  now: Date,
  purchases: readonly WaitingForCall[] = [],
): StatusJson => ({
  at: now.toISOString(),
  services: services.map((service) => serviceView(service, now)),
  purchases: purchases.map((waiting) => purchasesView(waiting, now)),
})

const purchasesView = ({ oldest, nextAttemptAt, ...waiting }: WaitingForCall, now: Date): WaitingForCallJson => ({
  ...waiting,
  oldest: { ...oldest, since: oldest.since.toISOString(), ageSeconds: ageSeconds(oldest.since, now) },
  nextAttemptAt: nextAttemptAt.toISOString(),
})

const ageSeconds = (since: Date, now: Date): number =>
  Math.max(0, Math.floor((now.getTime() - since.getTime()) / 1_000))

const serviceView = (service: ServiceStatus, now: Date): ServiceStatusJson => ({
  service: service.code,
  backend: service.backend,
  circuit: circuitView(service, now),
  pending: {
    count: service.pending,
    due: service.due,
    claimed: service.claimed,
    waiting: service.waiting,
    dueSince: iso(service.dueSince),
    nextAttemptAt: iso(service.nextAttemptAt),
    oldest: service.oldest && {
      item: service.oldest.item,
      since: service.oldest.since.toISOString(),
      ageSeconds: ageSeconds(service.oldest.since, now),
    },
  },
  failed: {
    count: service.failed,
    refusals: service.refusals.map(({ since, latest, ...refusals }) => ({
      ...refusals,
      since: since.toISOString(),
      latest: { ...latest, at: latest.at.toISOString() },
    })),
  },
  lastError: service.lastError && errorView(service.lastError),
})

function circuitView({ unavailable }: ServiceAtWork, now: Date): ServiceStatusJson['circuit'] {
  if (unavailable === 'unknown') return 'unknown'
  if (unavailable === undefined || unavailable.until <= now) return 'closed'
  return { openUntil: unavailable.until.toISOString(), reason: unavailable.reason }
}

const errorView = (error: SyncError) => ({ ...error, at: error.at.toISOString() })

export const timelineView = (timeline: Timeline, now: Date): TimelineJson => ({
  at: now.toISOString(),
  e164: timeline.e164,
  ledger: timeline.ledger && {
    ...timeline.ledger,
    freeAt: timeline.ledger.freeAt instanceof Date ? timeline.ledger.freeAt.toISOString() : null,
  },
  onAccount: timeline.onAccount && {
    ...timeline.onAccount,
    modifiedAt: timeline.onAccount.modifiedAt.toISOString(),
    leavingSince: iso(timeline.onAccount.leavingSince),
  },
  sync: timeline.sync.map(standingView),
  entries: timeline.entries.map(entryView),
  cut: timeline.cut,
})

const standingView = (standing: ServiceStanding): ServiceStandingJson => ({
  service: standing.service,
  goal: standing.goal,
  status: standing.status,
  generation: standing.generation,
  confirmedGeneration: standing.confirmedGeneration,
  attempts: standing.attempts,
  pendingSince: iso(standing.pendingSince),
  lastAttemptAt: iso(standing.lastAttemptAt),
  lastError: lastErrorOf(standing),
  ticket: standing.ticket,
  placed: standing.placed,
  next: standing.next && { at: standing.next.at.toISOString(), why: standing.next.why },
  heldBack: standing.heldBack && { reason: standing.heldBack.reason, until: iso(standing.heldBack.until) },
})

function lastErrorOf({ refusal, lastError }: ServiceStanding): ServiceStandingJson['lastError'] {
  if (refusal) return { code: refusal.code, message: refusal.message }
  return lastError === null ? null : { code: null, message: lastError }
}

const entryView = (entry: TimelineEntry): TimelineEntryJson => ({ ...entry, at: entry.at.toISOString() })

const iso = (date: Date | null): string | null => date && date.toISOString()

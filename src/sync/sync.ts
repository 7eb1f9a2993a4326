/**
 * How a thing stands with its backends. Desired against confirmed, per thing and service: see
 * `migrations/0002-accounts-and-sync.sql`, table `sync`, and docs/architecture.md, "Sync".
 */
import type { ServiceCode } from '../backends/port/backend.js'
import type { BackendFault } from '../backends/port/call.js'

export const syncKinds = ['account', 'number', 'consent', 'subdomain'] as const
export type SyncKind = (typeof syncKinds)[number]

/** A backend, or the DNS zone. */
export type SyncService = ServiceCode | 'dns'

export type SyncStatus = 'pending' | 'synced' | 'failed'

/** What a backend last told about a number. */
export interface Observed {
  assignmentStatus?: string
  acquiredCapabilities?: readonly string[]
  availableCapabilities?: readonly string[]
}

/** How a thing stands with all its backends, as clients see it. */
export interface SyncState {
  status: SyncStatus
  errors: BackendFault[]
  /** By service, of numbers. */
  observed: Partial<Record<SyncService, Observed>>
  /** When the oldest of what is observed was. */
  observedAt: Date | null
}

/**
 * What a backend may hold of a number because we asked it to; written down before it is asked. `uploaded`: it may be
 * assigned to a user; `leaving`: the same, and it has to go before it is anywhere again, this tenant included;
 * `unassigned`: it only has to be released; `released`: it may only come back by a command that was lost on the way.
 */
export interface Placed {
  tenantId: string
  stage: 'uploaded' | 'leaving' | 'unassigned' | 'released'
}

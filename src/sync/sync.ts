/**
 * The sync state of items: desired against confirmed, per item and service. See
 * `migrations/0002-accounts-and-sync.sql`, table `sync`, and docs/architecture.md, "Sync".
 */
import type { ServiceCode } from '../backends/port/backend.js'
import type { BackendFault } from '../backends/port/call.js'

export const syncKinds = ['account', 'number', 'consent', 'subdomain'] as const
export type SyncKind = (typeof syncKinds)[number]

/** A backend, or the DNS zone. */
export type SyncService = ServiceCode | 'dns'

export type SyncStatus = 'pending' | 'synced' | 'failed'

/** What a backend last reported about a number. */
export interface Observed {
  assignmentStatus?: string
  acquiredCapabilities?: readonly string[]
  availableCapabilities?: readonly string[]
}

/** The sync state of an item with all its backends, as clients see it. */
export interface SyncState {
  status: SyncStatus
  errors: BackendFault[]
  /** By service, of numbers. */
  observed: Partial<Record<SyncService, Observed>>
  /** The time of the oldest observation. */
  observedAt: Date | null
}

/**
 * What a backend may hold of a number because of our commands; stored before each command is sent. `uploaded`: it may
 * be assigned to a user; `leaving`: the same, and it has to be released before it is uploaded again, even to this
 * tenant; `unassigned`: it only has to be released; `released`: only a lost command can bring it back.
 */
export interface Placed {
  tenantId: string
  stage: 'uploaded' | 'leaving' | 'unassigned' | 'released'
}

import type { Attribution } from '../auth/changes.js'
import type { Backends, ServiceCode } from '../backends/port/backend.js'
import type { Zone } from '../backends/port/zone.js'
import type { Clock } from '../clock.js'
import type { Db } from '../db/db.js'
import type { Cause } from '../ledger/history.js'
import type { PolicyOf } from '../ledger/policy.js'
import type { Logger } from '../log.js'
import type { SyncService } from '../sync/sync.js'
import type { NumberRules } from './account-number.js'
import type { Regions } from './subdomain.js'

/** The dependencies of the commands about accounts. */
export interface ProvisioningDeps {
  db: Db
  clock: Clock
  logger: Logger
  /** By service; a service without one is only recorded here. */
  backends: Backends
  /** Returns a signal that aborts when a client that starts reading now has waited long enough for backends. */
  readDeadline(): AbortSignal
  /** False in a process that runs no reconcilers: it can't know how calls to backends go. */
  callsBackends: boolean
  zone: Zone
  regions: Regions
  rules: NumberRules
  /** The rules of each number. */
  policyOf: PolicyOf
  /** The status shown for a synced number before its backend has reported one (contract 5.8). */
  initialAssignmentStatus: string
  /** How long a confirmed item counts as correct before it is verified again. */
  verifyIntervalMs: number
  /** Wakes the reconciler of a service; called after a write has been committed. */
  nudge(services: Iterable<SyncService>): void
}

/**
 * Refuses a write whose conditions don't hold. It is called with what is stored, or undefined when nothing is, before
 * the body is checked.
 */
export type Precondition<Stored> = (current: Stored | undefined) => void

export const causeOf = ({ clock }: Pick<ProvisioningDeps, 'clock'>, { actor, reason }: Attribution): Cause => ({
  at: clock.now(),
  actor,
  reason,
})

/** The services that have a backend; what is left over from others doesn't count. */
export const activeServices = ({ backends }: Pick<ProvisioningDeps, 'backends'>): ServiceCode[] =>
  Object.keys(backends) as ServiceCode[]

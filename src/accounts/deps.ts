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

/** What the commands of this API work with. */
export interface ProvisioningDeps {
  db: Db
  clock: Clock
  logger: Logger
  /** By service; those without one are recorded here only. */
  backends: Backends
  /** Aborted when a client who reads from now on has waited long enough for backends. */
  readDeadline(): AbortSignal
  /** False in a process that runs no reconcilers: it can't know how calls to backends go. */
  callsBackends: boolean
  zone: Zone
  regions: Regions
  rules: NumberRules
  /** The rules of each number. */
  policyOf: PolicyOf
  /** What a synced number is said to be before its backend has said it (contract 5.8). */
  initialAssignmentStatus: string
  /** How long a confirmed thing is believed before its backend is asked again. */
  verifyIntervalMs: number
  /** Wakes the reconciler of a service; called after a write has been committed. */
  nudge(services: Iterable<SyncService>): void
}

/** Who asks for a change, and by which operation; what the history of a number says. */
export interface Caller {
  actor: string
  reason: string
}

/**
 * Refuses a write that its sender wanted only under conditions that don't hold; called with what is stored, or undefined
 * when nothing is, before the body is judged.
 */
export type Precondition<Stored> = (current: Stored | undefined) => void

export const causeOf = ({ clock }: Pick<ProvisioningDeps, 'clock'>, { actor, reason }: Caller): Cause => ({
  at: clock.now(),
  actor,
  reason,
})

/** The services that have a backend: what is left over of others doesn't count. */
export const activeServices = ({ backends }: Pick<ProvisioningDeps, 'backends'>): ServiceCode[] =>
  Object.keys(backends) as ServiceCode[]

/**
 * The port behind which the systems stand that carry a service: Operator Connect, Teams Phone Mobile, Zoom and so on.
 *
 * A backend is driven by the reconciler from what is stored: it is told what should be, again and again until it has
 * taken it, and every command is safe to repeat. Calls take many things at once and answer for each, in the order of
 * the request, because real backends take 200 to 1,000 numbers in one. A backend whose work takes longer than a call
 * answers `later` with a ticket, and is given the ticket again when the reconciler comes back.
 *
 * A call rejects with a `BackendError` only when nothing is known about any of its items (no connection, no answer in
 * time, an answer that can't be read); whatever is known of single items is an outcome.
 */
import type { CommandItem, Outcome } from './call.js'
import type { TeamsPart } from './teams.js'

export const serviceCodes = ['oc', 'tpm', 'dr', 'zoom', 'aocp'] as const
/** Which service, as errors name it in their `target`. */
export type ServiceCode = (typeof serviceCodes)[number]

export interface TenantSettings extends CommandItem {
  tenantId: string
  /** The operator's name for the customer. */
  accountName: string
  enabled: boolean
  syncEnabled: boolean
}

/** The settings of one number at a Teams service; empty for services that have none. */
export interface NumberConfiguration {
  usage?: string
  choosableCapabilities?: readonly string[]
  additionalUsages?: readonly string[]
  civicAddressId?: string
  locationId?: string
  allowTenantAddressUpdate?: boolean
  displayedCountryCode?: string
}

export interface NumberUpload extends CommandItem {
  e164: string
  configuration: NumberConfiguration
  /** Whether the operator said that the number is in use; absent when it said nothing. */
  assignmentStatus?: string
}

export interface NumberCommand extends CommandItem {
  e164: string
}

/** A number as the backend has it. Absent parts are parts that the backend doesn't tell. */
export interface BackendNumber {
  e164: string
  tenantId: string
  configuration?: NumberConfiguration
  assignmentStatus?: string
  acquiredCapabilities?: readonly string[]
  availableCapabilities?: readonly string[]
}

/** What every backend does: seven methods. One that has no Teams tenants implements nothing more. */
export interface Backend {
  /** Which of the members of this port it is, for `linebook status`. */
  readonly name: string
  /** Most items that one call takes. */
  readonly batchSize: number
  /** How many calls may be under way at once. */
  readonly concurrency: number
  /** No longer than this until a call resolves or rejects, so that a claim outlives the calls made under it. */
  readonly timeoutMs: number
  /** What it knows of Teams tenants; a backend without this part is never asked. */
  readonly teams?: TeamsPart

  /** Undefined when it takes calls; otherwise why not and when it will again (a circuit that has opened). */
  unavailable(): { reason: string; until: Date } | undefined
  /** Makes customers known. A backend that keeps none answers `done` for each. */
  upsertTenants(tenants: readonly TenantSettings[]): Promise<Outcome[]>
  /** Makes numbers known under a tenant. One that is there already is brought to what is said. */
  uploadNumbers(tenantId: string, numbers: readonly NumberUpload[]): Promise<Outcome<BackendNumber>[]>
  /** Changes numbers that are there; uploads those that are not. */
  updateNumbers(tenantId: string, numbers: readonly NumberUpload[]): Promise<Outcome<BackendNumber>[]>
  /** Takes numbers from the users they are assigned to. One that has none, or isn't there, is done. */
  unassignNumbers(tenantId: string, numbers: readonly NumberCommand[]): Promise<Outcome[]>
  /** Takes unassigned numbers from the tenant. One that isn't there is done. */
  releaseNumbers(tenantId: string, numbers: readonly NumberCommand[]): Promise<Outcome[]>
  /** The numbers that are there, in any order; those missing are left out. */
  getNumbers(tenantId: string, e164s: readonly string[]): Promise<BackendNumber[]>
}

/** The backends by service; a service without one (`none`) is recorded here only. */
export type Backends = Readonly<Partial<Record<ServiceCode, Backend>>>

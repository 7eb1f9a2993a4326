/**
 * The port to the systems that carry a service: Operator Connect, Teams Phone Mobile, Zoom and so on.
 *
 * The reconciler drives a backend from what is stored: it sends the desired state again and again until the backend has
 * accepted it, and every command is safe to repeat. A call takes many items and returns an outcome for each, in the
 * order of the request, because real backends take 200 to 1,000 numbers at once. A backend whose work takes longer than
 * a call answers `later` with a ticket, and gets the ticket back when the reconciler calls again.
 *
 * A call rejects with a `BackendError` only when nothing is known about any of its items (no connection, no response in
 * time, a response that can't be read); anything known about single items is an outcome.
 */
import type { CommandItem, Outcome } from './call.js'
import type { TeamsPart } from './teams.js'

export const serviceCodes = ['oc', 'tpm', 'dr', 'zoom', 'aocp'] as const
/** A service, as errors name it in their `target`. */
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
  /** Whether the number is in use, according to the operator; absent when the operator gave none. */
  assignmentStatus?: string
}

export interface NumberCommand extends CommandItem {
  e164: string
}

/** A number as the backend has it, without the parts that the backend doesn't report. */
export interface BackendNumber {
  e164: string
  tenantId: string
  configuration?: NumberConfiguration
  assignmentStatus?: string
  acquiredCapabilities?: readonly string[]
  availableCapabilities?: readonly string[]
}

/** The seven methods of every backend. One without Teams tenants implements nothing more. */
export interface Backend {
  /** The kind of backend, for `linebook status`. */
  readonly name: string
  /** The most items that one call takes. */
  readonly batchSize: number
  /** How many calls may be under way at once. */
  readonly concurrency: number
  /** A call resolves or rejects within this time, so that a claim outlives the calls made under it. */
  readonly timeoutMs: number
  /** The Teams part; a backend without it is never asked about Teams tenants. */
  readonly teams?: TeamsPart

  /** Undefined when the backend takes calls; otherwise why not, and until when (a circuit that has opened). */
  unavailable(): { reason: string; until: Date } | undefined
  /** Creates or updates customers. A backend that keeps none returns `done` for each. */
  upsertTenants(tenants: readonly TenantSettings[]): Promise<Outcome[]>
  /** Uploads numbers under a tenant; updates those that are there already. */
  uploadNumbers(tenantId: string, numbers: readonly NumberUpload[]): Promise<Outcome<BackendNumber>[]>
  /** Updates numbers that are there; uploads those that are not. */
  updateNumbers(tenantId: string, numbers: readonly NumberUpload[]): Promise<Outcome<BackendNumber>[]>
  /** Takes numbers from the users they are assigned to. One that has none, or isn't there, is done. */
  unassignNumbers(tenantId: string, numbers: readonly NumberCommand[]): Promise<Outcome[]>
  /** Takes unassigned numbers from the tenant. One that isn't there is done. */
  releaseNumbers(tenantId: string, numbers: readonly NumberCommand[]): Promise<Outcome[]>
  /** The numbers that are there, in any order; those missing are left out. */
  getNumbers(tenantId: string, e164s: readonly string[]): Promise<BackendNumber[]>
}

/** The backends by service; a service without one (`none`) is only recorded here. */
export type Backends = Readonly<Partial<Record<ServiceCode, Backend>>>

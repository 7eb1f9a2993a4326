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
export const serviceCodes = ['oc', 'tpm', 'dr', 'zoom', 'aocp'] as const
/** Which service, as errors name it in their `target`. */
export type ServiceCode = (typeof serviceCodes)[number]

/** An error in the backend's own words; it reaches clients unchanged. `target` defaults to the service. */
export interface BackendFault {
  code: string
  message: string
  target?: string
}

/** What became of one item of a call. */
export type Outcome<Value = undefined> =
  | { kind: 'done'; value: Value }
  /** The backend won't, however often it is asked. */
  | { kind: 'refused'; fault: BackendFault }
  /** Not yet: throttled, busy, or a job under way (`ticket`). Asked again after `afterMs`, or by back-off. */
  | { kind: 'later'; reason: string; afterMs?: number; ticket?: string }

/** What goes along with each item of a command that changes something. */
export interface CommandItem {
  /** The same for each repeat of one command: a backend that has acted on it answers without acting twice. */
  idempotencyKey: string
  /** Rises with each command about the same thing: a backend drops one that arrives after a higher one. */
  sequence: number
  /** From the `later` outcome of the attempt before. */
  ticket?: string
}

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

export interface Contact {
  fullName: string
  email: string
  telephoneNumber?: string
  companyName?: string
  companySize?: string
}

/** A customer's wish to be served by this operator. The operator's answer to it is the relationship. */
export interface Consent {
  id: string
  tenantId: string
  operatorId?: string
  status: string
  consentedOn?: Date
  lastModifiedOn?: Date
  consentedCountries: readonly string[]
  contacts: readonly Contact[]
  relationship: Relationship
}

export interface Relationship {
  status?: string
  comment?: string
  lastModifiedOn?: Date
}

export interface RelationshipChange extends CommandItem {
  tenantId: string
  /** Null: cleared. */
  status: string | null
  comment: string | null
}

export interface Location {
  id: string
  civicAddressId: string
  description?: string
  additionalInfo?: string
  isDefault?: boolean
  elin?: string
}

export interface CivicAddress {
  id: string
  country?: string
  houseNumber?: string
  houseNumberSuffix?: string
  preDirectional?: string
  streetName?: string
  streetSuffix?: string
  postDirectional?: string
  stateOrProvince?: string
  countyOrDistrict?: string
  cityOrTown?: string
  cityOrTownAlias?: string
  postalOrZipCode?: string
  description?: string
  companyName?: string
  companyId?: string
  defaultLocationId: string
  validationStatus?: 'notValidated' | 'validated'
  tenantId?: string
  partnerId?: string
  locations?: readonly Location[]
  latitude?: string
  longitude?: string
}

export interface CapabilityPlan {
  name: string
  usage: string
  offerTypes?: readonly string[]
  mandatoryCapabilities?: readonly string[]
  choosableCapabilities?: readonly string[]
  supportsTollFree: boolean
}

export interface Backend {
  /** Which of the members of this port it is, for `linebook status`. */
  readonly name: 'simulated' | 'http'
  /** Most items that one call takes. */
  readonly batchSize: number
  /** How many calls may be under way at once. */
  readonly concurrency: number
  /** No longer than this until a call resolves or rejects, so that a claim outlives the calls made under it. */
  readonly timeoutMs: number
  /** Undefined when it takes calls; otherwise why not and when it will again (a circuit that has opened). */
  unavailable(): { reason: string; until: Date } | undefined

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

  listConsents(): Promise<Consent[]>
  /** `tenantId` in any letter case. */
  getConsent(tenantId: string): Promise<Consent | undefined>
  updateCustomerRelationships(changes: readonly RelationshipChange[]): Promise<Outcome[]>

  listCivicAddresses(tenantId: string): Promise<CivicAddress[]>
  getCivicAddress(tenantId: string, id: string): Promise<CivicAddress | undefined>
  listCapabilityPlans(tenantId: string): Promise<CapabilityPlan[]>
  /** What each number can have, in the backend's order; numbers that are not there are left out. */
  getAvailableCapabilities(
    tenantId: string,
    e164s: readonly string[],
  ): Promise<{ e164: string; availableCapabilities: readonly string[] }[]>
}

/** A call of which nothing is known: the backend may have acted on it or not. */
export class BackendError extends Error {
  override readonly name = 'BackendError'
  /** In the backend's words where it used any (a 503 with a body); otherwise ours. */
  readonly fault: BackendFault
  /** How long the backend asked to be left alone. */
  readonly afterMs: number | undefined
  /** Whether the call may have been acted on: false when it never left (no connection, an open circuit). */
  readonly mayHaveActed: boolean

  constructor(fault: BackendFault, details: { afterMs?: number; mayHaveActed: boolean; cause?: unknown }) {
    super(fault.message, details.cause === undefined ? undefined : { cause: details.cause })
    this.fault = fault
    this.afterMs = details.afterMs
    this.mayHaveActed = details.mayHaveActed
  }
}

/** The backends by service; a service without one (`none`) is recorded here only. */
export type Backends = Readonly<Partial<Record<ServiceCode, Backend>>>

/**
 * The part of a backend that knows Teams tenants: their requests to the operator, their civic addresses, and the
 * capabilities that their numbers can have. Only the backends of Operator Connect and Teams Phone Mobile have it.
 */
import type { CommandItem, Outcome } from './call.js'

/** A read ends early when its `signal` aborts, because the client has stopped waiting. */
export interface TeamsPart {
  listConsents(signal?: AbortSignal): Promise<Consent[]>
  /** `tenantId` in any letter case. */
  getConsent(tenantId: string, signal?: AbortSignal): Promise<Consent | undefined>
  updateCustomerRelationships(changes: readonly RelationshipChange[]): Promise<Outcome[]>

  listCivicAddresses(tenantId: string, signal?: AbortSignal): Promise<CivicAddress[]>
  getCivicAddress(tenantId: string, id: string, signal?: AbortSignal): Promise<CivicAddress | undefined>
  listCapabilityPlans(tenantId: string, signal?: AbortSignal): Promise<CapabilityPlan[]>
  /** The capabilities that each number can have, in the backend's order; numbers that are not there are left out. */
  getAvailableCapabilities(
    tenantId: string,
    e164s: readonly string[],
    signal?: AbortSignal,
  ): Promise<{ e164: string; availableCapabilities: readonly string[] }[]>
}

export interface Contact {
  fullName: string
  email: string
  telephoneNumber?: string
  companyName?: string
  companySize?: string
}

/** A customer's request to be served by this operator. The operator's response to it is the relationship. */
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

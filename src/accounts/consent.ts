/** Requests for information: customers ask, through a backend, to be served by this operator. */
import type { Consent, Relationship } from '../backends/port/teams.js'
import { DomainError, invalidInput } from '../errors.js'
import type { SyncState } from '../sync/sync.js'

export interface RequestForInformation {
  consent: Consent
  /** The account of the same Teams tenant; the first by name if there are several. */
  accountName?: string
  /** Whether the backend has the operator's response. */
  sync: SyncState
  /** The operator's latest response, even if the backend doesn't show it yet. */
  relationship: Relationship
  /** When any part of this last changed. */
  changedAt: Date
}

/** A change of the operator's response. Null clears a property; one that is left out stays as it is. */
export interface RelationshipPatch {
  status?: string | null
  comment?: string | null
}

/**
 * The error for a tenant without a request. The tenant is searched for first, since documented samples use names for
 * tenants; only when it isn't found does it matter that it is not a GUID.
 */
export const rfiNotFound = (tenantId: string): DomainError =>
  GUID.test(tenantId)
    ? new DomainError('consent-not-found', `There is no request for information of tenant ${tenantId}.`, {
        target: 'tenantId',
      })
    : invalidInput(`tenantId must be a GUID, not ${JSON.stringify(tenantId.slice(0, 100))}.`, 'tenantId')
const GUID = /^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$/

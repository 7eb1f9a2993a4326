/** Requests for information: customers that ask, through a backend, to be served by this operator. */
import type { Consent, Relationship } from '../backends/port/teams.js'
import { DomainError, invalidInput } from '../errors.js'
import type { SyncState } from '../sync/sync.js'

export interface RequestForInformation {
  consent: Consent
  /** The account of the same Teams tenant; the first by name if there are several. */
  accountName?: string
  /** How far the operator's answer has got on its way to the backend. */
  sync: SyncState
  /** The operator's answer as it is to be shown: what it said last, even if the backend doesn't say so yet. */
  relationship: Relationship
  /** When anything of this last changed. */
  changedAt: Date
}

/** What is to change of the operator's answer. Null clears; what is left out stays as it is. */
export interface RelationshipPatch {
  status?: string | null
  comment?: string | null
}

/**
 * What to throw for a tenant that has no request. Tenants are looked up first, because documented samples call them by
 * names; only then does it matter that it is no GUID.
 */
export const rfiNotFound = (tenantId: string): DomainError =>
  GUID.test(tenantId)
    ? new DomainError('consent-not-found', `There is no request for information of tenant ${tenantId}.`, {
        target: 'tenantId',
      })
    : invalidInput(`tenantId must be a GUID, not ${JSON.stringify(tenantId.slice(0, 100))}.`, 'tenantId')
const GUID = /^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$/

/** A number on an account, and the rules for the services it may use. Pure. */
import type { NumberConfiguration } from '../backends/port/backend.js'
import { serviceKeys, services, type ServiceKey } from '../backends/port/services.js'
import { DomainError } from '../errors.js'
import type { SyncState } from '../sync/sync.js'
import type { Account, AccountSettings, NumberCounts } from './account.js'

export interface TeamsConfiguration extends NumberConfiguration {
  usage: string
  choosableCapabilities: string[]
  allowTenantAddressUpdate: boolean
}

export interface NumberService {
  enabled: boolean
  /** Teams services only. */
  assignmentStatus?: string
  /** Teams services only. */
  configuration?: TeamsConfiguration
}

/** The part of a number that a client can write, with defaults filled in. */
export interface NumberDetails {
  serviceDetails: Partial<Record<ServiceKey, NumberService>>
  configuration?: { customSipHeader?: string }
}

export interface NumberToPut {
  e164: string
  details: NumberDetails
}

export interface AccountNumber extends NumberToPut {
  account: Account
  modifiedAt: Date
  sync: SyncState
  /** When anything that clients see of it last changed. */
  changedAt: Date
}

export interface NumberRules {
  /** Allows at most one of the services that route calls (contract 5.4). */
  exclusiveServices: boolean
  /** Refuses a custom SIP header when no enabled service can carry one (contract 5.6). */
  rejectUnsupportedSipHeader: boolean
}

export const isEnabled = (details: NumberDetails, key: ServiceKey): boolean =>
  details.serviceDetails[key]?.enabled === true

/** Everything about a number that breaks the rules of this account; empty when it may be put. */
export function numberFaults(account: AccountSettings, { details }: NumberToPut, rules: NumberRules): DomainError[] {
  const enabled = serviceKeys.filter((key) => isEnabled(details, key))
  const faults = enabled
    .filter((key) => account.services[key]?.enabled !== true)
    .map(
      (key) =>
        new DomainError(
          'service-not-enabled',
          `Account ${account.name} does not have ${key} enabled; enable it there first.`,
          { target: `serviceDetails.${key}` },
        ),
    )
  const exclusive = enabled.filter((key) => !services[key].combines)
  if (rules.exclusiveServices && exclusive.length > 1) {
    faults.push(
      new DomainError(
        'conflicting-services',
        `A number can have one of ${exclusive.join(', ')} enabled, not ${exclusive.length}: a call is routed to one.`,
        { target: 'serviceDetails' },
      ),
    )
  }
  const header = details.configuration?.customSipHeader
  if (
    rules.rejectUnsupportedSipHeader &&
    header !== undefined &&
    enabled.length > 0 &&
    !enabled.some((key) => services[key].sipHeader)
  ) {
    faults.push(
      new DomainError(
        'sip-header-not-supported',
        `None of the services enabled (${enabled.join(', ')}) supports a custom SIP header; leave it out.`,
        { target: 'configuration.customSipHeader' },
      ),
    )
  }
  return faults
}

export const noCounts = (): NumberCounts => ({
  total: 0,
  teamsOperatorConnect: 0,
  teamsPhoneMobile: 0,
  teamsDirectRouting: 0,
  zoomPhoneCloudPeering: 0,
  azureOperatorCallProtection: 0,
})

/** Adds `by` (1 or -1) to `counts` for a number and for each service that it uses. */
export function countNumber(counts: NumberCounts, details: NumberDetails, by: 1 | -1): void {
  counts.total += by
  for (const key of serviceKeys) if (isEnabled(details, key)) counts[key] += by
}

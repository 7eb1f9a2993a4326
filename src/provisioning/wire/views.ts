/**
 * Turns domain values into the shapes of api-versions 2024. Absent values are left out, never null, except
 * `serviceProvisioningErrors`.
 */
import {
  passesOn,
  type AccountService,
  type AccountWithStatus,
  type DirectRoutingConfiguration,
} from '../../accounts/account.js'
import type { AccountNumber, NumberService } from '../../accounts/account-number.js'
import type { RequestForInformation } from '../../accounts/consent.js'
import type { SubdomainStatus } from '../../accounts/subdomain.js'
import type { ServiceCode } from '../../backends/port/backend.js'
import { services, type ServiceKey } from '../../backends/port/services.js'
import type { CapabilityPlan, CivicAddress } from '../../backends/port/teams.js'
import type { Observed, SyncState } from '../../sync/sync.js'
import * as models from '../contract/models.js'
import { shaped } from '../contract/shaped.js'
import type { Version2024 } from '../contract/versions.js'

/** Without errors, the documentation has null and the examples of the preview have an empty list. */
const provisioningState = ({ status, errors }: SyncState, version: Version2024) => ({
  serviceProvisioningStatus: status,
  serviceProvisioningErrors: errors.length === 0 && version === '2024-02-29' ? null : errors,
})

export function accountView(
  account: AccountWithStatus,
  subdomainStatus: SubdomainStatus,
  version: Version2024,
): models.Account {
  const { name, correlationId, teamsTenantId, sync, counts } = account
  const { teamsDirectRouting, azureOperatorCallProtection } = account.services
  const view = (key: ServiceKey) => {
    const service = account.services[key]
    return service && shaped(models.AccountService, accountService(service, counts[key]))
  }
  return shaped(models.Account, {
    ...provisioningState(sync, version),
    name,
    correlationId,
    serviceDetails: shaped(models.AccountServiceDetails, {
      teamsTenantId,
      teamsOperatorConnect: view('teamsOperatorConnect'),
      teamsDirectRouting:
        teamsDirectRouting &&
        shaped(models.TeamsDirectRoutingAccountService, {
          ...accountService(teamsDirectRouting, counts.teamsDirectRouting),
          configuration: teamsDirectRouting.configuration && directRoutingView(teamsDirectRouting.configuration),
          subdomainStatus,
        }),
      teamsPhoneMobile: view('teamsPhoneMobile'),
      zoomPhoneCloudPeering: view('zoomPhoneCloudPeering'),
      azureOperatorCallProtection:
        azureOperatorCallProtection &&
        shaped(models.CallProtectionAccountService, {
          enabled: azureOperatorCallProtection.enabled,
          numberCount: counts.azureOperatorCallProtection,
        }),
    }),
  })
}

const accountService = ({ syncEnabled = false, enabled }: AccountService, numberCount: number) => ({
  syncEnabled,
  enabled,
  numberCount,
})

const directRoutingView = (configuration: DirectRoutingConfiguration) =>
  shaped(models.TeamsDirectRoutingAccountConfig, {
    ...configuration,
    subdomainTokens: shaped(models.SubdomainTokens, configuration.subdomainTokens),
  })

export interface NumberViewRules {
  /** The services that have a backend. */
  backends: readonly ServiceCode[]
  /** The status shown for a number before its backend has reported one (contract 5.8). */
  initialAssignmentStatus: string
}

export function numberView(number: AccountNumber, version: Version2024, rules: NumberViewRules): models.Number {
  const { e164, account, details, sync } = number
  const teams = (key: ServiceKey) => {
    const service = details.serviceDetails[key]
    return service && teamsService(service, observedOf(number, key, rules), rules)
  }
  const other = (key: ServiceKey) => {
    const service = details.serviceDetails[key]
    return service && shaped(models.NumberService, service)
  }
  return shaped(models.Number, {
    ...provisioningState(sync, version),
    telephoneNumber: e164,
    accountName: account.name,
    serviceDetails: shaped(models.NumberServiceDetails, {
      teamsOperatorConnect: teams('teamsOperatorConnect'),
      teamsPhoneMobile: teams('teamsPhoneMobile'),
      teamsDirectRouting: other('teamsDirectRouting'),
      zoomPhoneCloudPeering: other('zoomPhoneCloudPeering'),
      azureOperatorCallProtection: other('azureOperatorCallProtection'),
    }),
    configuration: details.configuration && shaped(models.NumberConfiguration, details.configuration),
  })
}

/** A backend's report about a number; undefined when the number isn't passed on, and only the client's values count. */
function observedOf(
  { account, details, sync }: AccountNumber,
  key: ServiceKey,
  { backends }: NumberViewRules,
): Observed | undefined {
  const { code } = services[key]
  const isPassedOn = details.serviceDetails[key]?.enabled === true && passesOn(account, key) && backends.includes(code)
  return isPassedOn ? (sync.observed[code] ?? {}) : undefined
}

function teamsService(
  { enabled, assignmentStatus, configuration }: NumberService,
  observed: Observed | undefined,
  { initialAssignmentStatus }: NumberViewRules,
) {
  const { acquiredCapabilities, availableCapabilities } = observed ?? {}
  return shaped(models.TeamsNumberService, {
    enabled,
    assignmentStatus: observed?.assignmentStatus ?? assignmentStatus ?? (observed && initialAssignmentStatus),
    configuration:
      configuration &&
      shaped(models.TeamsNumberConfiguration, { ...configuration, acquiredCapabilities, availableCapabilities }),
  })
}

export function consentView(
  { consent, accountName, sync, relationship }: RequestForInformation,
  version: Version2024,
): models.RequestForInformation {
  const customerRelationship = shaped(models.CustomerRelationship, {
    ...relationship,
    lastModifiedOn: dateTime(relationship.lastModifiedOn),
  })
  return shaped(models.RequestForInformation, {
    ...provisioningState(sync, version),
    id: consent.id,
    tenantId: consent.tenantId,
    accountName,
    productContext: 'teams',
    operatorId: consent.operatorId,
    status: consent.status,
    consentedOn: dateTime(consent.consentedOn),
    lastModifiedOn: dateTime(consent.lastModifiedOn),
    consentedCountries: consent.consentedCountries,
    contacts: consent.contacts.map((contact) => shaped(models.ContactDetails, contact)),
    customerRelationship: Object.keys(customerRelationship).length > 0 ? customerRelationship : undefined,
  })
}

export const civicAddressView = (address: CivicAddress): models.CivicAddress =>
  shaped(models.CivicAddress, {
    ...address,
    locations: address.locations?.map((location) => shaped(models.Location, location)),
  })

export const capabilityPlansView = (plans: readonly CapabilityPlan[]): models.TeamsCapabilityPlans => ({
  capabilityPlans: plans.map((plan) => shaped(models.TeamsCapabilityPlan, plan)),
})

export const availableCapabilitiesView = (
  availableCapabilities: readonly string[],
): models.TeamsAvailableCapabilities => shaped(models.TeamsAvailableCapabilities, { availableCapabilities })

/** RFC 3339 in UTC, with milliseconds. */
const dateTime = (date: Date | undefined): string | undefined => date?.toISOString()

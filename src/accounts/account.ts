/**
 * An operator's customer, and the rules for its settings. Pure; the rules for its numbers are in `account-number.ts`.
 */
import { serviceKeys, services, type ServiceKey } from '../backends/port/services.js'
import { DomainError } from '../errors.js'
import type { SyncState } from '../sync/sync.js'

export interface SubdomainTokens {
  region1Token: string
  region2Token: string
}

export interface DirectRoutingConfiguration {
  callScreening: boolean
  subdomain: string
  subdomainTokens: SubdomainTokens
}

export interface AccountService {
  /** Whether its numbers are synced to the service's backend; Call Protection has no such switch. */
  syncEnabled?: boolean
  enabled: boolean
  /** Direct Routing only. */
  configuration?: DirectRoutingConfiguration
}

/** The part of an account that a client can write, with defaults filled in. */
export interface AccountSettings {
  name: string
  correlationId: string | null
  teamsTenantId: string | null
  services: Partial<Record<ServiceKey, AccountService>>
}

export interface Account extends AccountSettings {
  id: string
  modifiedAt: Date
}

/** How many numbers of an account have each service on. */
export type NumberCounts = Record<ServiceKey, number> & { total: number }

export interface AccountWithStatus extends Account {
  sync: SyncState
  counts: NumberCounts
  /** When anything that clients see of it last changed. */
  changedAt: Date
}

/**
 * Whether an account's use of a service is synced to the backend: always for Call Protection, by its switch otherwise
 * (contract 5.1). Whether the service has a backend at all is configuration and checked elsewhere.
 */
export const passesOn = (account: Pick<AccountSettings, 'services'>, key: ServiceKey): boolean => {
  const service = account.services[key]
  return service !== undefined && service.enabled && (service.syncEnabled ?? key === 'azureOperatorCallProtection')
}

/** The tenant under which a backend knows an account's numbers: the Teams tenant, or the account for other services. */
export const tenantAt = (account: AccountSettings, key: ServiceKey): string =>
  (services[key].teams ? account.teamsTenantId : null) ?? account.name

const sameTenant = (a: string | null, b: string | null): boolean => a?.toLowerCase() === b?.toLowerCase()

/**
 * Throws when an account can't be put as `wanted`: 'tenant-required', 'tenant-in-use' or 'service-in-use', in one error
 * with every place that is wrong.
 * @param before the stored account with the counts of its numbers; undefined when it is new
 */
export function checkAccount(
  wanted: AccountSettings,
  before: { account: AccountSettings; counts: NumberCounts } | undefined,
): void {
  const untenanted = serviceKeys.filter(
    (key) => services[key].teams && passesOn(wanted, key) && wanted.teamsTenantId === null,
  )
  if (untenanted.length > 0) {
    throw new DomainError(
      'tenant-required',
      `${untenanted.join(' and ')} with syncEnabled needs serviceDetails.teamsTenantId, the customer's Teams tenant.`,
      { target: 'serviceDetails.teamsTenantId' },
    )
  }
  if (before === undefined) return
  const { account, counts } = before
  const teamsNumbers = counts.teamsOperatorConnect + counts.teamsPhoneMobile
  if (!sameTenant(account.teamsTenantId, wanted.teamsTenantId) && teamsNumbers > 0) {
    throw new DomainError(
      'tenant-in-use',
      `The Teams tenant of account ${wanted.name} can't change while ${teamsNumbers} of its numbers use Operator ` +
        'Connect or Teams Phone Mobile. Delete those numbers, or switch the services off on them, first.',
      { target: 'serviceDetails.teamsTenantId' },
    )
  }
  const faults = serviceKeys
    .filter((key) => counts[key] > 0 && wanted.services[key]?.enabled !== true)
    .map(
      (key) =>
        new DomainError('service-in-use', `${counts[key]} numbers of account ${wanted.name} have ${key} enabled.`, {
          target: `serviceDetails.${key}`,
        }),
    )
  if (faults.length > 0) {
    throw new DomainError(
      'service-in-use',
      `${faults.map(({ message }) => message).join(' ')} Switch it off on the numbers first.`,
      { faults, ...(faults[0]?.target !== undefined && { target: faults[0].target }) },
    )
  }
}

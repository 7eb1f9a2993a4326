/** Asking a backend something while a client waits (contract 5.12, 5.13). */
import type { ServiceCode } from '../../backends/port/backend.js'
import { BackendError } from '../../backends/port/call.js'
import type { TeamsPart } from '../../backends/port/teams.js'
import { services, type ServiceKey } from '../../backends/port/services.js'
import { DomainError } from '../../errors.js'
import type { Account } from '../account.js'
import type { ProvisioningDeps } from '../deps.js'

/** What the backend answers. Throws 'backend-failed' with the backend's own words when it doesn't. */
export async function ask<Answer>(code: ServiceCode, asking: Promise<Answer>): Promise<Answer> {
  try {
    return await asking
  } catch (error) {
    if (!(error instanceof BackendError)) throw error
    throw new DomainError('backend-failed', 'The backend of the service did not answer the question. Try again.', {
      target: code,
      said: error.fault,
      cause: error,
    })
  }
}

const teamsKeys: readonly ServiceKey[] = ['teamsOperatorConnect', 'teamsPhoneMobile']

export interface TeamsService {
  code: ServiceCode
  key: ServiceKey
  tenantId: string
  /** Undefined: the service is recorded here only, or its backend knows no tenants; there is nobody to ask. */
  teams: TeamsPart | undefined
}

/** The Teams services that an account has on, with its tenant. Throws 'tenant-required' when it has none. */
export function teamsServicesOf({ backends }: ProvisioningDeps, account: Account): [TeamsService, ...TeamsService[]] {
  const { teamsTenantId: tenantId } = account
  const [first, ...others] = teamsKeys.filter((key) => account.services[key]?.enabled === true)
  if (tenantId === null || first === undefined) {
    throw new DomainError(
      'tenant-required',
      `Account ${account.name} needs a teamsTenantId and Operator Connect or Teams Phone Mobile enabled for this.`,
      { target: 'accountName' },
    )
  }
  const service = (key: ServiceKey): TeamsService => {
    const { code } = services[key]
    return { code, key, tenantId, teams: backends[code]?.teams }
  }
  return [service(first), ...others.map(service)]
}

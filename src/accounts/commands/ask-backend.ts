/** Queries backends while a client waits (contract 5.12, 5.13). */
import type { ServiceCode } from '../../backends/port/backend.js'
import { BackendError } from '../../backends/port/call.js'
import { services, type ServiceKey } from '../../backends/port/services.js'
import type { TeamsPart } from '../../backends/port/teams.js'
import { DomainError } from '../../errors.js'
import type { Account } from '../account.js'
import type { ProvisioningDeps } from '../deps.js'

/** How long a client that reads waits for backends. Their own time-outs, for work in the background, are longer. */
export const READ_TIMEOUT_MS = 5_000

type Asking = Pick<ProvisioningDeps, 'readDeadline'>

/**
 * Queries the backends of several services side by side and returns their results in the order of the services. Throws
 * 'backend-failed', with the backend's own message, for the first one that fails or doesn't respond in time.
 */
export async function askEach<Service extends { code: ServiceCode }, Result>(
  { readDeadline }: Asking,
  asked: readonly Service[],
  question: (service: Service, signal: AbortSignal) => Promise<Result>,
): Promise<Result[]> {
  const signal = readDeadline()
  const ended = await Promise.allSettled(asked.map((service) => inTime(signal, question(service, signal))))
  return ended.map((end, index) => {
    if (end.status === 'fulfilled') return end.value
    throw failureOf(asked[index] as Service, end.reason)
  })
}

/** Queries the backend of one service. Throws as askEach. */
export async function ask<Service extends { code: ServiceCode }, Result>(
  deps: Asking,
  asked: Service,
  question: (service: Service, signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const [result] = await askEach(deps, [asked], question)
  return result as Result
}

/** Settles as the call does, or rejects with a BackendError once the signal aborts, even if the backend ignores it. */
export const inTime = <Result>(signal: AbortSignal, call: Promise<Result>): Promise<Result> =>
  new Promise((resolve, reject) => {
    const giveUp = (): void => {
      const fault = { code: 'Timeout', message: `No answer came within ${READ_TIMEOUT_MS} ms.` }
      reject(new BackendError(fault, { mayHaveActed: true }))
    }
    if (signal.aborted) giveUp()
    else signal.addEventListener('abort', giveUp, { once: true })
    call.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
  })

function failureOf({ code }: { code: ServiceCode }, error: unknown): unknown {
  if (!(error instanceof BackendError)) return error
  return new DomainError('backend-failed', 'The backend of the service did not answer the question. Try again.', {
    target: code,
    said: error.fault,
    cause: error,
  })
}

const teamsKeys: readonly ServiceKey[] = ['teamsOperatorConnect', 'teamsPhoneMobile']

export interface TeamsService {
  code: ServiceCode
  key: ServiceKey
  tenantId: string
  /** Undefined when there is no one to query: the service is only recorded here, or its backend has no tenants. */
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

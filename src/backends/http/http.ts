/** The backend that speaks docs/backend-protocol.md to a system of the operator's. */
import type { Clock } from '../../clock.js'
import type { Backend, BackendNumber, ServiceCode } from '../port/backend.js'
import { isTeams } from '../port/services.js'
import { callsOver, nothing, type ValueOf } from './calls.js'
import { BREAKER_LIMITS, type BreakerLimits } from './circuit-breaker.js'
import { httpTeams } from './teams.js'
import { Transport, type HttpAuth } from './transport.js'
import { readNumber, wireCommand, wireUpload } from './wire.js'

export interface HttpOptions {
  service: ServiceCode
  url: string
  clock: Clock
  auth?: HttpAuth
  /** Sent with every call in addition to the protocol's headers. */
  headers?: Readonly<Record<string, string>>
  timeoutMs?: number
  batchSize?: number
  concurrency?: number
  breaker?: BreakerLimits
  fetch?: typeof fetch
}

export const HTTP_DEFAULTS = { timeoutMs: 30_000, batchSize: 200, concurrency: 4 }

export function createHttpBackend(options: HttpOptions): Backend {
  const { service, clock, headers = {}, auth, breaker = BREAKER_LIMITS } = options
  const { timeoutMs, batchSize, concurrency } = { ...HTTP_DEFAULTS, ...options }
  const transport = new Transport({
    url: options.url.replace(/\/+$/, ''),
    timeoutMs,
    auth,
    headers: { ...headers, 'Linebook-Service': service },
    clock,
    breaker,
    fetch: options.fetch ?? fetch,
  })
  const calls = callsOver(transport)
  const { command, read } = calls
  return {
    name: 'http',
    batchSize,
    concurrency,
    timeoutMs,
    ...(isTeams(service) && { teams: httpTeams(calls) }),
    unavailable: () => transport.unavailable(),

    upsertTenants: (tenants) => command('upsertTenants', tenants, { items: tenants }, nothing),
    uploadNumbers: (tenantId, numbers) =>
      command('uploadNumbers', numbers, { tenantId, items: numbers.map(wireUpload) }, aNumber),
    updateNumbers: (tenantId, numbers) =>
      command('updateNumbers', numbers, { tenantId, items: numbers.map(wireUpload) }, aNumber),
    unassignNumbers: (tenantId, numbers) =>
      command('unassignNumbers', numbers, { tenantId, items: numbers.map(wireCommand) }, nothing),
    releaseNumbers: (tenantId, numbers) =>
      command('releaseNumbers', numbers, { tenantId, items: numbers.map(wireCommand) }, nothing),
    getNumbers: async (tenantId, e164s) =>
      (await read('getNumbers', { body: { tenantId, telephoneNumbers: e164s } })).numbers.map(readNumber),
  }
}

const aNumber: ValueOf<BackendNumber> = (number) => number && { value: readNumber(number) }

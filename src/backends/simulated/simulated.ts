/**
 * The backend without a real system behind it: it behaves as the original did, keeps its own world, and misbehaves on
 * request, so that an emulator, a demonstration or a test has a backend for every service.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../clock.js'
import type {
  Backend,
  BackendNumber,
  NumberCommand,
  NumberUpload,
  ServiceCode,
  TenantSettings,
} from '../port/backend.js'
import type { Outcome } from '../port/call.js'
import { isTeams } from '../port/services.js'
import { runCommand, runRead, type CallDeps } from './calls.js'
import { simulatedControl, type SimulatedControl } from './control.js'
import type { Documents, Ref } from './documents.js'
import type { CommandMethod, SimulatedSettings } from './misbehaviour.js'
import { numberAct, sameTenant, reportNumber, type HeldNumber, type NumberDocument } from './numbers.js'
import type { Remembered } from './receive.js'
import type { Seed } from './seed.js'
import { simulatedTeams, type NumbersOf } from './teams.js'
import { addressesNow, addressesRef, plansNow, plansRef } from './world.js'

export interface SimulatedOptions {
  service: ServiceCode
  documents: Documents
  clock: Clock
  seed: Seed
  /** The operator in consents that don't name one. */
  operatorId?: string
  /** The behaviour until its control changes it. */
  settings?: Partial<SimulatedSettings>
  /** Waits for a latency. */
  wait?: (ms: number) => Promise<void>
  timeoutMs?: number
  batchSize?: number
  concurrency?: number
}

export interface SimulatedBackend extends Backend {
  readonly name: 'simulated'
  /** For people and tests, to inspect it and make it misbehave. */
  readonly control: SimulatedControl
}

/** A tenant as the backend received it. */
export type TenantDocument = Remembered & { tenant?: Omit<TenantSettings, 'idempotencyKey' | 'sequence' | 'ticket'> }

const DEFAULTS = {
  operatorId: 'operatorIdString',
  settings: { strict: false, assignOnUpload: true },
  timeoutMs: 10_000,
  batchSize: 500,
  concurrency: 4,
}

export const isSimulated = (backend: Backend | undefined): backend is SimulatedBackend => backend?.name === 'simulated'

export const numberRef = (service: ServiceCode, e164: string): Ref => ({ scope: service, kind: 'number', key: e164 })
const tenantRef = (service: ServiceCode, tenantId: string): Ref => ({
  scope: service,
  kind: 'tenant',
  key: tenantId.toLowerCase(),
})

export function createSimulatedBackend(options: SimulatedOptions): SimulatedBackend {
  const { service, documents, clock, seed } = options
  const { operatorId, timeoutMs, batchSize, concurrency } = { ...DEFAULTS, ...options }
  const wait = options.wait ?? ((ms) => sleep(ms))
  const settings = { ...DEFAULTS.settings, ...options.settings }
  const deps: CallDeps = { service, documents, clock, settings, wait, timeoutMs }

  const commandNumbers = <Value>(
    method: CommandMethod,
    tenantId: string,
    items: readonly (NumberUpload | NumberCommand)[],
    report: (e164: string, number: HeldNumber | undefined, plans: ReturnType<typeof plansNow>) => Value,
  ): Promise<Outcome<Value>[]> =>
    runCommand<NumberDocument, NumberUpload | NumberCommand, Value>(deps, {
      method,
      tenantId,
      items,
      keyOf: ({ e164 }) => e164,
      refOf: ({ e164 }) => numberRef(service, e164),
      around: [plansRef(service, tenantId), addressesRef(tenantId)],
      rules: ([planContent, addressContent], now) => {
        const plans = plansNow(seed, service, planContent)
        const addresses = addressesNow(seed, tenantId, addressContent)
        return {
          act: numberAct({ service, tenantId, settings: now, plans, addresses }),
          value: ({ e164 }, { number }) => report(e164, number, plans),
        }
      },
    })

  const upload = (method: CommandMethod) => (tenantId: string, numbers: readonly NumberUpload[]) =>
    commandNumbers<BackendNumber>(method, tenantId, numbers, (e164, number, plans) =>
      number ? reportNumber(e164, number, { service, plans }) : { e164, tenantId },
    )

  /** Those of the numbers that the tenant has. */
  const readNumbers: NumbersOf = (method, tenantId, e164s) =>
    runRead(
      deps,
      { method, tenantId, keys: e164s },
      [plansRef(service, tenantId), ...e164s.map((e164) => numberRef(service, e164))],
      ([planContent, ...contents]) => ({
        plans: plansNow(seed, service, planContent),
        numbers: e164s.flatMap((e164, index) => {
          const number = (contents[index] as NumberDocument | undefined)?.number
          return number && sameTenant(number.tenantId, tenantId) ? [{ e164, number }] : []
        }),
      }),
    )

  return {
    name: 'simulated',
    batchSize,
    concurrency,
    timeoutMs,
    control: simulatedControl({ service, documents, seed, operatorId, settings }),
    ...(isTeams(service) && { teams: simulatedTeams({ ...deps, seed, operatorId, numbersOf: readNumbers }) }),
    unavailable: () => undefined,

    upsertTenants: (tenants) =>
      runCommand<TenantDocument, TenantSettings, undefined>(deps, {
        method: 'upsertTenants',
        items: tenants,
        keyOf: ({ tenantId }) => tenantId,
        refOf: ({ tenantId }) => tenantRef(service, tenantId),
        around: [],
        rules: () => ({ act: putTenant, value: () => undefined }),
      }),

    uploadNumbers: upload('uploadNumbers'),
    updateNumbers: upload('updateNumbers'),
    unassignNumbers: (tenantId, numbers) => commandNumbers('unassignNumbers', tenantId, numbers, () => undefined),
    releaseNumbers: (tenantId, numbers) => commandNumbers('releaseNumbers', tenantId, numbers, () => undefined),
    getNumbers: async (tenantId, e164s) => {
      const { plans, numbers } = await readNumbers('getNumbers', tenantId, e164s)
      return numbers.map(({ e164, number }) => reportNumber(e164, number, { service, plans }))
    },
  }
}

const putTenant = (
  document: TenantDocument,
  _method: CommandMethod,
  { tenantId, accountName, enabled, syncEnabled }: TenantSettings,
): { acted: boolean } => {
  document.tenant = { tenantId, accountName, enabled, syncEnabled }
  return { acted: true }
}

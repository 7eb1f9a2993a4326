/** An operator with backends behind it, without the API in front: for tests of what happens after a write. */
import type { AccountService } from '../../../src/accounts/account.js'
import { deleteAccount } from '../../../src/accounts/commands/delete-account.js'
import { deleteNumbers } from '../../../src/accounts/commands/delete-numbers.js'
import { putAccount } from '../../../src/accounts/commands/put-account.js'
import { putNumbers } from '../../../src/accounts/commands/put-numbers.js'
import type { ProvisioningDeps } from '../../../src/accounts/deps.js'
import { StoredZone } from '../../../src/backends/dns/stored-zone.js'
import { serviceCodes, type ServiceCode } from '../../../src/backends/port/backend.js'
import type { ServiceKey } from '../../../src/backends/port/services.js'
import { MemoryDocuments } from '../../../src/backends/simulated/memory-documents.js'
import { readSeed } from '../../../src/backends/simulated/seed.js'
import { createSimulatedBackend, type SimulatedBackend } from '../../../src/backends/simulated/simulated.js'
import { ManualClock } from '../../../src/clock.js'
import { policyFrom } from '../../../src/compose/parts/policy.js'
import type { Db } from '../../../src/db/db.js'
import { createLogger } from '../../../src/log.js'
import { reconcile } from '../../../src/reconcile/reconcile.js'
import type { SyncService } from '../../../src/sync/sync.js'

export const START = new Date('2026-03-01T12:00:00.000Z')
export const caller = { actor: 'client:crm', reason: 'put number' }

export interface Operator {
  deps: ProvisioningDeps
  clock: ManualClock
  /** Every service has one. */
  backends: Record<ServiceCode, SimulatedBackend>
  putAccount(name: string, services?: Partial<Record<ServiceKey, AccountService>>): Promise<void>
  putNumbers(accountName: string, e164s: string[], keys?: ServiceKey[]): Promise<void>
  deleteNumbers(accountName: string, e164s: string[]): Promise<void>
  deleteAccount(name: string): Promise<void>
  /** Runs the reconciler of a service until it finds nothing that is due. */
  sync(service?: SyncService): Promise<void>
}

const USAGE = { usage: 'FirstPartyAppAssignment', choosableCapabilities: [], allowTenantAddressUpdate: true }
const always = (): void => {}

export function anOperator(db: Db): Operator {
  const clock = new ManualClock(START)
  const documents = new MemoryDocuments()
  const backends = Object.fromEntries(
    serviceCodes.map((service) => [
      service,
      createSimulatedBackend({
        service,
        documents,
        clock,
        seed: readSeed(),
        // Latency passes on the clock of the test.
        wait: async (ms) => clock.advance(ms),
      }),
    ]),
  ) as Record<ServiceCode, SimulatedBackend>
  const deps: ProvisioningDeps = {
    db,
    clock,
    logger: createLogger('fatal'),
    backends,
    callsBackends: true,
    readDeadline: () => new AbortController().signal,
    zone: new StoredZone(db),
    regions: { baseDomain: 'voice.example', pattern: '1r<n>', count: 2, enforceLength: false },
    rules: { exclusiveServices: false, rejectUnsupportedSipHeader: false },
    policyOf: policyFrom({
      quarantineMs: 60_000,
      searchHoldMs: 60_000,
      reservationHoldMs: 60_000,
      reservationMaxMs: 60_000,
    }),
    initialAssignmentStatus: 'assigned',
    verifyIntervalMs: 3_600_000,
    nudge: always,
  }
  return {
    deps,
    clock,
    backends,
    putAccount: async (name, services = { teamsOperatorConnect: { enabled: true, syncEnabled: true } }) => {
      const wanted = { name, correlationId: null, teamsTenantId: `${name}TenantId`, services }
      await db.transaction((tx) => putAccount(deps, tx, caller, { name, precondition: always, read: () => wanted }))
    },
    putNumbers: async (accountName, e164s, keys = ['teamsOperatorConnect']) => {
      const numbers = e164s.map((e164) => ({
        e164,
        details: {
          serviceDetails: Object.fromEntries(keys.map((key) => [key, { enabled: true, configuration: USAGE }])),
        },
      }))
      await db.transaction((tx) => putNumbers(deps, tx, caller, { accountName, e164s, read: () => numbers }))
    },
    deleteNumbers: async (accountName, e164s) => {
      const by = { ...caller, reason: 'delete numbers' }
      await db.transaction((tx) => deleteNumbers(deps, tx, by, { accountName, read: () => e164s }))
    },
    deleteAccount: async (name) => {
      const wanted = { name, deleteNumbers: true, precondition: always }
      await db.transaction((tx) => deleteAccount(deps, tx, caller, wanted))
    },
    sync: async (service = 'oc') => {
      while ((await reconcile(deps, service)).claimed > 0);
    },
  }
}

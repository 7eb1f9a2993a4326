/** Several processes on one PostgreSQL: they share the work, never touch one number at once, and never block each other. */
import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { deleteNumbers } from '../../src/accounts/commands/delete-numbers.js'
import { putNumbers } from '../../src/accounts/commands/put-numbers.js'
import type { ProvisioningDeps } from '../../src/accounts/deps.js'
import { MemoryDocuments } from '../../src/backends/simulated/memory-documents.js'
import { readSeed } from '../../src/backends/simulated/seed.js'
import { createSimulatedBackend } from '../../src/backends/simulated/simulated.js'
import { sql, type Db } from '../../src/db/db.js'
import { openPostgres } from '../../src/db/postgres.js'
import { DomainError } from '../../src/errors.js'
import { createLogger } from '../../src/log.js'
import { reconcile } from '../../src/reconcile/reconcile.js'
import { anOperator, caller } from '../behaviour/provisioning/an-operator.js'
import { expectStoredWhole } from '../behaviour/provisioning/watched-operator.js'
import { openTestPostgres } from '../fixtures/database.js'
import { WatchedBackend } from '../fixtures/watched-backend.js'

const PROCESSES = 3
const WRITERS = 4
const WRITES = 50
const NUMBERS = 2_000
const BATCH = 50

let db: Db & { url: string }
const pools: Db[] = []
const deadlocks: string[] = []
beforeAll(async () => {
  db = await openTestPostgres()
  const pool = { connectionString: db.url, poolSize: 4, logger: createLogger('warn') }
  for (let opened = 0; opened < PROCESSES; opened++) pools.push(notingDeadlocks(await openPostgres(pool)))
})
afterAll(async () => {
  for (const pool of pools) await pool.close()
  await db.close()
})

const e164s = Array.from({ length: NUMBERS }, (_, index) => `+1206556${String(index).padStart(4, '0')}`)
const accounts = ['contoso', 'fabrikam'] as const

it('reconcilers beside each other and beside writers bring a backend to what is stored, number by number', async () => {
  const operator = anOperator(db)
  for (const account of accounts) await operator.putAccount(account)
  const documents = new MemoryDocuments()
  const { clock } = operator
  // Each call takes a few turns of the event loop, so that others come in between; every second item waits once.
  const backend = createSimulatedBackend({
    service: 'oc',
    documents,
    clock,
    seed: readSeed(),
    wait: async () => void (await turn()),
    batchSize: 40,
  })
  await backend.control.misbehave('latency', { ms: 1 })
  await backend.control.misbehave('partial', { afterMs: 0, times: 40 })
  const watched = new WatchedBackend(backend)
  const depsOn = (on: Db): ProvisioningDeps => ({ ...operator.deps, db: on, backends: { oc: watched.backend } })

  let isWriting = true
  const claimedBy = pools.map(() => 0)
  const runs = pools.map(async (pool, index) => {
    const deps = depsOn(pool)
    // A last run that begins after the last write, or there is nothing to prove.
    for (let idle = 0; isWriting || idle < 3;) {
      const { claimed } = await reconcile(deps, 'oc')
      claimedBy[index] = (claimedBy[index] ?? 0) + claimed
      idle = claimed > 0 || isWriting ? 0 : idle + 1
      if (claimed === 0) await turn()
    }
  })
  // On and on until each process has had its share, however unevenly the machine gives them turns.
  const writes = Array.from({ length: WRITERS }, async (_, writer) => {
    for (let write = 0; write < WRITES || claimedBy.includes(0); write++)
      await writeSome(depsOn(pools[writer % PROCESSES] as Db), write * WRITERS + writer)
  })
  await Promise.all(writes)
  isWriting = false
  await Promise.all(runs)
  // What the backend has put off.
  for (let claimed = 1; claimed > 0;) {
    clock.advance(60_000)
    claimed = (await reconcile(depsOn(pools[0] as Db), 'oc')).claimed
  }

  expect(watched.faults).toEqual([])
  await expectStoredWhole(db)
  const wanted = await db.query<{ e164: string; tenant: string; usage: string }>(sql`
    select n.e164, a.teams_tenant_id as tenant, n.details #>> '{serviceDetails,teamsOperatorConnect,configuration,usage}' as usage
    from account_number n join account a on a.id = n.account_id
    where n.details #> '{serviceDetails,teamsOperatorConnect,enabled}' = 'true'::jsonb order by n.e164`)
  const { numbers } = await backend.control.numbers({ limit: NUMBERS })
  expect(numbers.length).toBeGreaterThan(BATCH)
  expect(
    numbers.map(({ e164, tenantId, configuration }) => ({ e164, tenant: tenantId, usage: configuration?.usage })),
  ).toEqual(wanted)
  const [rows] = await db.query(sql`
    select count(*) as rows, count(*) filter (where pending_since is not null or refusal is not null or claimed_by is not null) as unrested
    from sync where kind = 'number'`)
  expect(rows).toEqual({ rows: wanted.length, unrested: 0 })
  expect(deadlocks).toEqual([])
})

/** A batch of numbers put on an account, in one usage or another or without the service, or taken off. */
async function writeSome(deps: ProvisioningDeps, seed: number): Promise<void> {
  const random = (below: number, salt: number): number => (Math.imul(seed * 31 + salt, 2_654_435_761) >>> 8) % below
  const start = random(NUMBERS, 1)
  const stride = 1 + random(7, 2)
  const chosen = [
    ...new Set(Array.from({ length: BATCH }, (_, index) => e164s[(start + index * stride) % NUMBERS] as string)),
  ]
  // In whatever order the client has them.
  if (random(2, 3) === 1) chosen.reverse()
  const accountName = accounts[random(2, 4)] as string
  try {
    if (random(3, 5) === 0) {
      await deps.db.transaction((tx) => deleteNumbers(deps, tx, caller, { accountName, read: () => chosen }))
      return
    }
    const numbers = chosen.map((e164, index) => {
      const usage = random(2, 6) === 0 ? 'FirstPartyAppAssignment' : 'CallingUserAssignment'
      const configuration = { usage, choosableCapabilities: [], allowTenantAddressUpdate: true }
      return {
        e164,
        details: { serviceDetails: { teamsOperatorConnect: { enabled: index % 5 !== 0, configuration } } },
      }
    })
    await deps.db.transaction((tx) => putNumbers(deps, tx, caller, { accountName, e164s: chosen, read: () => numbers }))
  } catch (error) {
    // On the other account: that one was first.
    if (!(error instanceof DomainError && error.kind === 'number-in-use')) throw error
  }
}

/**
 * Notes where transactions were given up as deadlocked before they were run again. Rows of the ledger don't count:
 * numbers that leave it and are entered again at the same moment have no order in which everybody could lock them.
 */
function notingDeadlocks(db: Db): Db {
  return {
    ...db,
    transaction: (work) =>
      db.transaction((tx) =>
        work(tx).catch((error: unknown) => {
          const { code, where = '' } = error as { code?: string; where?: string }
          if (code === '40P01' && !where.includes('relation "number"')) deadlocks.push(where)
          throw error
        }),
      ),
  }
}

/** A process that dies between any two steps: another one finishes what it began, and nothing happens twice. */
import { describe, expect } from 'vitest'
import { AnnouncedConsents, find, patchConsent } from '../../../src/accounts/commands/consents.js'
import { putAccount } from '../../../src/accounts/commands/put-account.js'
import { sql, type Db } from '../../../src/db/db.js'
import { claimWork, reconcile, record } from '../../../src/reconcile/reconcile.js'
import type { SyncService } from '../../../src/sync/sync.js'
import { it } from '../../fixtures/test.js'
import { caller } from './an-operator.js'
import {
  aWatchedOperator,
  expectAtRest,
  expectOneEffectEach,
  expectStoredWhole,
  MINUTE,
  SECOND,
  type WatchedOperator,
} from './watched-operator.js'

const e164 = '+12065550100'
let operator: WatchedOperator
it.beforeEach(async ({ db }) => {
  operator = aWatchedOperator(db)
  await operator.putAccount('contoso')
  await operator.putAccount('fabrikam')
  await operator.runAll()
})

/** What a process gets done of one run before it dies. */
const deaths = ['after claiming', 'after the call', 'after recording'] as const

describe.each(deaths)('a process that dies %s', (death) => {
  it('has its upload finished by another', async ({ db }) => {
    await operator.put('contoso', e164)
    expect(await dieAtEachStep(db, death)).toEqual(['upload'])
    await operator.settle()
    await expectAtRest(db, operator, new Map([[e164, { account: 'contoso', usage: 'FirstPartyAppAssignment' }]]))
    await expectOneEffectEach(operator)
    expect(await effects()).toEqual(['uploadNumbers'])
  })

  it('has its update finished by another', async ({ db }) => {
    await operator.put('contoso', e164)
    await operator.runAll()
    await operator.put('contoso', e164, 'CallingUserAssignment')
    expect(await dieAtEachStep(db, death)).toEqual(['update'])
    await operator.settle()
    await expectAtRest(db, operator, new Map([[e164, { account: 'contoso', usage: 'CallingUserAssignment' }]]))
    expect(await effects()).toEqual(['uploadNumbers', 'updateNumbers'])
  })

  it('has its unassigning and releasing finished by another', async ({ db }) => {
    await operator.put('contoso', e164)
    await operator.runAll()
    await operator.deleteNumbers('contoso', [e164])
    expect((await dieAtEachStep(db, death)).slice(0, 2)).toEqual(['unassign', 'release'])
    await operator.settle()
    await expectAtRest(db, operator, new Map())
    expect(await effects()).toEqual(['uploadNumbers', 'unassignNumbers', 'releaseNumbers'])
  })

  it('has a number moved to another tenant by another', async ({ db }) => {
    await operator.put('contoso', e164)
    await operator.runAll()
    await operator.deleteNumbers('contoso', [e164])
    await operator.put('fabrikam', e164)
    await dieAtEachStep(db, death)
    await operator.settle()
    await expectAtRest(db, operator, new Map([[e164, { account: 'fabrikam', usage: 'FirstPartyAppAssignment' }]]))
    expect(await effects()).toEqual(['uploadNumbers', 'unassignNumbers', 'releaseNumbers', 'uploadNumbers'])
  })

  it('has a customer made known by another', async ({ db }) => {
    await operator.switchSync('contoso', false)
    expect(await dieAtEachStep(db, death)).toEqual(['tenant'])
    await operator.settle()
    const { tenants } = await operator.backends.oc.control.tenants({ limit: 9 })
    expect(tenants).toMatchObject([{ accountName: 'contoso', syncEnabled: false }, { accountName: 'fabrikam' }])
    expect(await rest(db, 'account')).toEqual([])
    expect(operator.watched.faults).toEqual([])
  })

  it('has an answer to a request for information given by another', async ({ db }) => {
    const deps = { ...operator.deps, announced: new AnnouncedConsents(operator.deps) }
    const announced = await find(deps, 'contosoTenantId')
    await db.transaction((tx) =>
      patchConsent(deps, tx, caller, announced, {
        precondition: () => {},
        read: () => ({ status: 'Agreement signed' }),
      }),
    )
    expect(await dieAtEachStep(db, death)).toEqual(['relationship'])
    await operator.settle()
    const [consent] = await operator.backends.oc.control.consents()
    expect(consent?.relationship).toMatchObject({ status: 'Agreement signed', comment: 'example comment' })
    expect(await rest(db, 'consent')).toEqual([])
    expect(operator.watched.faults).toEqual([])
  })

  it('has its DNS records set and taken out by another', async ({ db }) => {
    const names = ['contoso.1r1.voice.example', 'contoso.1r2.voice.example']
    const values = async () => [...(await operator.deps.zone.lookupTxt(names)).values()].flat()
    const finish = async () => {
      await runUntil(death, 'dns')
      operator.clock.advance(MINUTE)
      await operator.sync('dns')
    }
    await putSubdomain(db, true)
    await finish()
    expect(await values()).toEqual(['one', 'two'])
    await putSubdomain(db, false)
    await finish()
    expect(await values()).toEqual([])
    expect(await db.query(sql`select key from sync where kind = 'subdomain'`)).toEqual([])
  })
})

it('a process that only seemed dead records nothing once another has taken over', async ({ db }) => {
  await operator.put('contoso', e164)
  const work = await claimWork(operator.deps, 'oc')
  const results = await work?.calls[0]?.run()
  operator.clock.advance(40 * SECOND)
  const successor = await claimWork(operator.deps, 'oc')
  if (!work || !results || !successor) throw new Error('Nothing was due.')
  expect(await record(operator.deps, work.claim, results)).toEqual([])
  expect(await operator.status('contoso', e164)).toMatchObject({ status: 'pending' })
  for (const call of successor.calls) await record(operator.deps, successor.claim, await call.run())
  expect(await operator.status('contoso', e164)).toMatchObject({ status: 'synced' })
  await operator.settle()
  await expectAtRest(db, operator, new Map([[e164, { account: 'contoso', usage: 'FirstPartyAppAssignment' }]]))
})

it('what a dead process may have sent is looked at once more before a number leaves the ledger', async ({ db }) => {
  await operator.put('contoso', e164)
  // Its call is still on the way.
  const work = await claimWork(operator.deps, 'oc')
  await operator.deleteNumbers('contoso', [e164])
  operator.clock.advance(40 * SECOND)
  await operator.runAll()
  await expectStoredWhole(db)
  expect(await db.query(sql`select state from number`)).toEqual([{ state: 'assigned' }])
  // It arrives after all, at a backend that looks neither at keys nor at sequences.
  await operator.backends.oc.control.reset()
  await work?.calls[0]?.run()
  expect(Object.keys(await operator.there())).toEqual([e164])
  await operator.settle()
  expect(await operator.there()).toEqual({})
  expect(await db.query(sql`select key from sync where kind = 'number'`)).toEqual([])
  expect(await db.query(sql`select state from number`)).toEqual([])
})

it('a run whose record fails leaves its claims to run out, and the calls beside it are recorded', async ({ db }) => {
  const many = Array.from({ length: 4 }, (_, index) => `+1206555010${index}`)
  await operator.putNumbers('contoso', many.slice(0, 2))
  await operator.putNumbers('fabrikam', many.slice(2))
  const transaction = operator.deps.db.transaction.bind(operator.deps.db)
  let transactions = 0
  // The first is the claim, the second the record of the first call.
  const failing = {
    ...operator.deps,
    db: {
      ...operator.deps.db,
      transaction: ((work) =>
        ++transactions === 2 ? Promise.reject(new Error('away')) : transaction(work)) as typeof transaction,
    },
  }
  await expect(reconcile(failing, 'oc')).rejects.toThrow('away')
  const statuses = await db.query<{ pending: boolean }>(
    sql`select pending_since is not null as pending from sync where kind = 'number' order by key`,
  )
  expect(statuses.filter(({ pending }) => pending)).toHaveLength(2)
  operator.clock.advance(40 * SECOND)
  await operator.settle()
  expect(Object.keys(await operator.there()).sort()).toEqual(many)
  await expectOneEffectEach(operator)
})

/** The commands about numbers that changed something at the backend. */
async function effects(): Promise<string[]> {
  const calls = await operator.backends.oc.control.calls({ limit: 1_000 })
  return calls.flatMap(({ method, items }) => items.flatMap(({ acted, key }) => (acted && key === e164 ? method : [])))
}

/** What has not come to rest. */
const rest = (db: Db, kind: string) =>
  db.query(sql`
    select key from sync
    where kind = ${kind} and (pending_since is not null or refusal is not null or unsure or claimed_by is not null)`)

async function putSubdomain(db: Db, enabled: boolean): Promise<void> {
  const teamsDirectRouting = {
    enabled,
    syncEnabled: true,
    configuration: {
      callScreening: true,
      subdomain: 'Contoso',
      subdomainTokens: { region1Token: 'one', region2Token: 'two' },
    },
  }
  const wanted = { name: 'contoso', correlationId: null, teamsTenantId: null, services: { teamsDirectRouting } }
  await db.transaction((tx) =>
    putAccount(operator.deps, tx, caller, { name: 'contoso', precondition: () => {}, read: () => wanted }),
  )
}

type Death = (typeof deaths)[number]

async function runUntil(death: Death, service: SyncService = 'oc'): Promise<string[]> {
  const work = await claimWork(operator.deps, service)
  if (!work) throw new Error('Nothing is due.')
  const steps = work.calls.map(({ step }) => step)
  if (death === 'after claiming') return steps
  for (const call of work.calls) {
    const results = await call.run()
    if (death === 'after recording') await record(operator.deps, work.claim, results)
  }
  return steps
}

/** The claim of the dead process runs out, and another one takes over. */
async function takeOver(): Promise<void> {
  expect((await operator.run()).claimed).toBe(0)
  operator.clock.advance(40 * SECOND)
}

/** Has the next step of the number end so, each time, until nothing is left to do. Returns the steps. */
async function dieAtEachStep(db: Db, death: Death): Promise<string[]> {
  const steps: string[] = []
  for (;;) {
    const [pending] = await db.query(
      sql`select from sync where pending_since is not null and next_attempt_at <= ${operator.clock.now()}`,
    )
    if (!pending) return steps
    steps.push(...(await runUntil(death)))
    if (death === 'after recording') continue
    await takeOver()
    const { claimed } = await operator.run()
    expect(claimed).toBe(1)
  }
}

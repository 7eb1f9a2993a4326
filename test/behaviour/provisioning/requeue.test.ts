import { beforeEach, describe, expect } from 'vitest'
import { requeueFailed, type Requeue } from '../../../src/accounts/commands/requeue.js'
import { later } from '../../../src/clock.js'
import { sql, type Db } from '../../../src/db/db.js'
import { findNumbers } from '../../../src/ledger/reads.js'
import { BY_TEST } from '../../fixtures/service.js'
import { it } from '../../fixtures/test.js'
import { anOperator, START, type Operator } from './an-operator.js'

const [first, second, third] = ['+12065550100', '+12065550101', '+12065550102'] as const
const refusal = { code: 'NoPlan', message: 'There is no plan.' }
let operator: Operator
it.beforeEach(async ({ db }) => {
  operator = anOperator(db)
  await operator.putAccount('contoso')
  await operator.sync()
})
const nothing = { services: [], untouched: [] }

describe('requeuing', () => {
  it('has refused numbers told again, from the first attempt on, and they get there', async ({ db }) => {
    await refuse('uploadNumbers')
    await operator.putNumbers('contoso', [first, second])
    await operator.sync()
    expect(await rows(db)).toMatchObject([{ status: 'failed' }, { status: 'failed' }])
    await behave()
    operator.clock.advance(60_000)
    expect(await requeue()).toEqual({ services: [{ service: 'oc', failed: 2, waiting: 0 }], untouched: [] })
    expect(await rows(db)).toMatchObject([
      { key: first, goal: 'present', status: 'pending', attempts: 0 },
      { key: second, goal: 'present', status: 'pending', attempts: 0 },
    ])
    expect(await db.query(sql`select distinct pending_since from sync where kind = 'number'`)).toEqual([
      { pending_since: later(START, 60_000) },
    ])
    await operator.sync()
    expect(await rows(db)).toMatchObject([{ status: 'synced' }, { status: 'synced' }])
    expect(await there()).toEqual([first, second])
  })

  it('is a new command: a backend that remembers its refusal is not given the old one again', async () => {
    await refuse('uploadNumbers')
    await operator.putNumbers('contoso', [first])
    await operator.sync()
    await requeue()
    await operator.sync()
    const calls = await operator.backends.oc.control.calls({ limit: 100 })
    const keys = calls.flatMap(({ method, items }) =>
      method === 'uploadNumbers' ? items.map(({ idempotencyKey }) => idempotencyKey) : [],
    )
    expect(keys).toHaveLength(2)
    expect(new Set(keys).size).toBe(2)
  })

  it('leaves alone what is synced, and what is pending', async ({ db }) => {
    await operator.putNumbers('contoso', [first])
    await operator.sync()
    await operator.putNumbers('contoso', [second])
    const before = await rows(db)
    expect(await requeue()).toEqual(nothing)
    expect(await rows(db)).toEqual(before)
  })

  it('takes accounts too, and only the service, kind or numbers that are asked for', async () => {
    await operator.putAccount('fabrikam', {
      teamsOperatorConnect: { enabled: true, syncEnabled: true },
      zoomPhoneCloudPeering: { enabled: true, syncEnabled: true },
    })
    await operator.sync()
    await operator.sync('zoom')
    const { oc, zoom } = operator.backends
    for (const { control } of [oc, zoom]) await control.misbehave('refuse', refusal)
    await operator.putAccount('contoso')
    await operator.putNumbers('fabrikam', [first, second], ['teamsOperatorConnect', 'zoomPhoneCloudPeering'])
    await operator.sync()
    await operator.sync('zoom')
    const oneOf = (service: string, failed = 1) => ({ services: [{ service, failed, waiting: 0 }], untouched: [] })
    expect(await requeue({ service: 'tpm' })).toEqual(nothing)
    expect(await requeue({ service: 'zoom', numbers: [first] })).toEqual(oneOf('zoom'))
    expect(await requeue({ kind: 'account' })).toEqual(oneOf('oc'))
    expect(await requeue({ service: 'oc' })).toEqual(oneOf('oc', 2))
    expect(await requeue()).toEqual(oneOf('zoom'))
    expect(await requeue()).toEqual(nothing)
  })

  it('tells of the numbers asked for those that nothing was done about, and how they stand', async () => {
    await operator.putNumbers('contoso', [first])
    await operator.sync()
    await refuse('uploadNumbers')
    await operator.putNumbers('contoso', [second])
    await operator.sync()
    expect(await requeue({ numbers: [first, second, third] })).toEqual({
      services: [{ service: 'oc', failed: 1, waiting: 0 }],
      untouched: [
        { e164: first, services: [{ service: 'oc', status: 'synced' }] },
        { e164: third, services: [] },
      ],
    })
  })

  it.each([
    [{ numbers: ['12065550100'] }, 'numbers'],
    [{ numbers: Array.from({ length: 1_001 }, (_, i) => `+1206555${1000 + i}`) }, 'numbers'],
    [{ numbers: [first], kind: 'account' as const }, 'kind'],
  ])('refuses what names no numbers, or too many: %o', async (wanted, target) => {
    await expect(requeue(wanted)).rejects.toMatchObject({ kind: 'invalid-input', target })
  })

  it('goes on batch by batch until all are due', async ({ db }) => {
    await db.query(sql`
      insert into sync (kind, key, service, goal, generation, refusal, next_attempt_at, changed_at)
      select 'consent', 'tenant' || i, 'oc', 'present', nextval('sync_generation'), '[{"code": "E", "message": "no"}]',
             ${START}, ${START}
      from generate_series(1, 2500) as i`)
    expect(await requeue()).toMatchObject({ services: [{ service: 'oc', failed: 2_500 }] })
    expect(new Set((await rows(db, 'consent')).map(({ status }) => status))).toEqual(new Set(['pending']))
  })
})

describe('a number that its backend would not release', () => {
  beforeEach(() => refusedRelease(first))

  it('is back on its account, and requeuing tells it as present instead of releasing it', async ({ db }) => {
    expect(await rows(db)).toMatchObject([{ goal: 'absent', status: 'failed' }])
    await requeue()
    expect(await rows(db)).toMatchObject([{ goal: 'present', status: 'pending' }])
    await operator.sync()
    expect(await rows(db)).toMatchObject([{ goal: 'present', status: 'synced' }])
    expect(await there()).toEqual([first])
    expect(await findNumbers(db, [first])).toMatchObject([{ state: 'assigned' }])
  })

  it('is released when its deletion is repeated instead', async ({ db }) => {
    await operator.deleteNumbers('contoso', [first])
    await operator.sync()
    expect(await rows(db)).toEqual([])
    expect(await there()).toEqual([])
    expect(await findNumbers(db, [first])).toEqual([])
  })
})

it('a number whose service was switched off, which the backend refused, is still taken from that backend', async ({
  db,
}) => {
  await operator.putNumbers('contoso', [first])
  await operator.sync()
  await refuse('releaseNumbers')
  await operator.putNumbers('contoso', [first], [])
  await operator.sync()
  expect(await rows(db)).toMatchObject([{ goal: 'absent', status: 'failed' }])
  await behave()
  await requeue()
  await operator.sync()
  expect(await there()).toEqual([])
  expect(await findNumbers(db, [first])).toMatchObject([{ state: 'assigned' }])
})

it('a number whose account is gone is released again, and leaves then', async ({ db }) => {
  await operator.putNumbers('contoso', [first])
  await operator.sync()
  await refuse('releaseNumbers')
  await operator.deleteAccount('contoso')
  await operator.sync()
  expect(await rows(db)).toMatchObject([{ goal: 'absent', status: 'failed' }])
  expect(await findNumbers(db, [first])).toMatchObject([{ state: 'assigned' }])
  await behave()
  expect(await requeue()).toMatchObject({ services: [{ service: 'oc', failed: 1 }] })
  await operator.sync()
  expect(await there()).toEqual([])
  expect(await findNumbers(db, [first])).toEqual([])
  expect(await db.query(sql`select name from account`)).toEqual([])
})

describe('requeuing what waits', () => {
  const MINUTE = 60_000

  it('makes due at once what waits because of an error, and nothing unless asked', async () => {
    await operator.backends.oc.control.misbehave('unavailable', { afterMs: 10 * MINUTE })
    await operator.putNumbers('contoso', [first, second])
    await operator.sync()
    await behave()
    await operator.sync()
    expect(await there()).toEqual([])
    expect(await requeue()).toEqual(nothing)
    expect(await requeue({ waiting: true, numbers: [first] })).toEqual({
      services: [{ service: 'oc', failed: 0, waiting: 1 }],
      untouched: [],
    })
    await operator.sync()
    expect(await there()).toEqual([first])
    expect(await requeue({ waiting: true })).toMatchObject({ services: [{ service: 'oc', failed: 0, waiting: 1 }] })
    await operator.sync()
    expect(await there()).toEqual([first, second])
  })

  it('leaves alone what is being told just now', async ({ db }) => {
    await operator.putNumbers('contoso', [first])
    await db.query(sql`
      update sync set claimed_by = gen_random_uuid(), claimed_until = ${later(START, MINUTE)}, attempts = 2,
                      next_attempt_at = ${later(START, MINUTE)}, last_error = 'busy', last_attempt_at = ${START}
      where kind = 'number'`)
    expect(await requeue({ waiting: true })).toEqual(nothing)
  })

  it('does not hurry the look at a number that a lost command may yet bring back', async ({ db }) => {
    await operator.backends.oc.control.misbehave('timeout-after-success', { methods: ['uploadNumbers'], times: 1 })
    await operator.putNumbers('contoso', [first])
    await operator.sync()
    await operator.deleteNumbers('contoso', [first])
    await operator.sync()
    const before = await rows(db)
    expect(before).toMatchObject([{ goal: 'absent', status: 'pending' }])
    expect(await requeue({ waiting: true })).toEqual(nothing)
    expect(await rows(db)).toEqual(before)
  })
})

const requeue = (wanted: Requeue = {}) => requeueFailed(operator.deps, wanted, BY_TEST)

interface Row {
  key: string
  service: string
  goal: string
  status: string
  attempts: number
}
const rows = (db: Db, kind = 'number') =>
  db.query<Row>(sql`
    select key, service, goal, attempts,
           case when refusal is not null then 'failed' when pending_since is not null then 'pending' else 'synced' end
             as status
    from sync where kind = ${kind} order by key, service`)

/** What the backend has. */
const there = async (): Promise<string[]> =>
  (await operator.backends.oc.control.numbers({ limit: 100 })).numbers.map(({ e164 }) => e164)

const refuse = (...methods: ('uploadNumbers' | 'releaseNumbers' | 'updateNumbers' | 'upsertTenants')[]) =>
  operator.backends.oc.control.misbehave('refuse', { ...refusal, methods })
const behave = () => operator.backends.oc.control.behave()

/** A number whose deletion the backend has refused. */
async function refusedRelease(e164: string): Promise<void> {
  await operator.putNumbers('contoso', [e164])
  await operator.sync()
  await refuse('releaseNumbers')
  await operator.deleteNumbers('contoso', [e164])
  await operator.sync()
  await behave()
}

import { describe, expect } from 'vitest'
import { later } from '../../../src/clock.js'
import { sql, type Db } from '../../../src/db/db.js'
import {
  servicesOf,
  statusOfBackends,
  type ServiceAtWork,
  type ServiceStatus,
} from '../../../src/operator/status/status.js'
import { statusView } from '../../../src/operator/status/views.js'
import type { SyncService } from '../../../src/sync/sync.js'
import { it } from '../../fixtures/test.js'
import { anOperator, START, type Operator } from './an-operator.js'

const numbers = ['+12065550100', '+12065550101', '+12065550102', '+12065550103']
let operator: Operator
it.beforeEach(async ({ db }) => {
  operator = anOperator(db)
  await operator.putAccount('contoso')
  await operator.sync()
})

describe('the status of the backends', () => {
  it('names every service with its backend, the zone included', async ({ db }) => {
    expect(await status(db)).toMatchObject([
      { code: 'oc', backend: 'simulated' },
      { code: 'tpm', backend: 'simulated' },
      { code: 'dr', backend: 'simulated' },
      { code: 'zoom', backend: 'simulated' },
      { code: 'aocp', backend: 'simulated' },
      { code: 'dns', backend: 'built-in' },
    ])
    expect(servicesOf({ ...operator.deps, backends: {} })[0]).toEqual({ code: 'oc', backend: 'none' })
  })

  it('is nothing to do once everything has been told', async ({ db }) => {
    await operator.putNumbers('contoso', numbers)
    await operator.sync()
    for (const service of await status(db)) expect(service).toMatchObject(nothing)
  })

  it('counts what is due, and tells what has been so for longest', async ({ db }) => {
    await operator.putNumbers('contoso', numbers.slice(0, 1))
    operator.clock.advance(90_000)
    await operator.putNumbers('contoso', numbers.slice(1, 3))
    expect(await of(db, 'oc')).toMatchObject({
      ...nothing,
      pending: 3,
      due: 3,
      dueSince: START,
      oldest: { item: { kind: 'number', key: numbers[0], account: 'contoso' }, since: START },
    })
    expect(await of(db, 'tpm')).toMatchObject(nothing)
  })

  it('tells what waits after an error: when it is tried next, and the newest error with what it came from', async ({
    db,
  }) => {
    await operator.putNumbers('contoso', numbers.slice(0, 2))
    await operator.backends.oc.control.misbehave('unavailable', { afterMs: 20_000, keys: [numbers[0] as string] })
    await operator.sync()
    operator.clock.advance(5_000)
    await operator.putNumbers('contoso', numbers.slice(2))
    expect(await of(db, 'oc')).toMatchObject({
      pending: 4,
      due: 2,
      waiting: 2,
      nextAttemptAt: later(START, 20_000),
      failed: 0,
      lastError: { item: { kind: 'number', account: 'contoso' }, at: START, message: expect.stringMatching(/\w/) },
    })
  })

  it('counts apart what is being told just now, until the claim of a process that died is over', async ({ db }) => {
    await operator.putNumbers('contoso', numbers)
    await db.query(sql`
      update sync set claimed_by = gen_random_uuid(), claimed_until = ${later(START, 40_000)},
                      next_attempt_at = ${later(START, 40_000)}
      where kind = 'number' and key = any(${numbers.slice(0, 3)}::text[])`)
    expect(await of(db, 'oc')).toMatchObject({ pending: 4, due: 1, claimed: 3, waiting: 0, nextAttemptAt: null })
    operator.clock.advance(40_000)
    expect(await of(db, 'oc')).toMatchObject({ pending: 4, due: 4, claimed: 0, waiting: 0 })
  })

  it('groups what was refused by what it was and why, the largest group first, with the newest of each', async ({
    db,
  }) => {
    const { control } = operator.backends.oc
    await operator.putNumbers('contoso', numbers.slice(0, 1))
    await control.misbehave('refuse', { code: 'Blocked', message: 'Not this one.', times: 1 })
    await operator.sync()
    operator.clock.advance(60_000)
    await operator.putNumbers('contoso', numbers.slice(1))
    await control.misbehave('refuse', { code: 'NoPlan', message: 'There is no plan.', times: 3 })
    await operator.sync()
    operator.clock.advance(60_000)
    const item = (key: string | undefined) => ({ kind: 'number', key, account: 'contoso' })
    expect(await of(db, 'oc')).toMatchObject({
      ...nothing,
      failed: 4,
      refusals: [
        {
          kind: 'number',
          goal: 'present',
          code: 'NoPlan',
          count: 3,
          since: later(START, 60_000),
          latest: { item: item(numbers[1]), at: later(START, 60_000), message: 'There is no plan.' },
        },
        { code: 'Blocked', count: 1, since: START, latest: { item: item(numbers[0]), message: 'Not this one.' } },
      ],
      lastError: { item: item(numbers[1]), at: later(START, 60_000), code: 'NoPlan', message: 'There is no plan.' },
    })
  })

  it('tells a few groups of refusals when there are many, and counts them all', async ({ db }) => {
    await db.query(sql`
      update sync
      set refusal = jsonb_build_array(jsonb_build_object('code', 'E', 'message', 'no')), pending_since = null
      where kind = 'account'`)
    await db.query(sql`
      insert into sync (kind, key, service, goal, generation, refusal, next_attempt_at, changed_at)
      select 'number', '+1206555' || 1000 + i, 'oc', 'present', 1,
             jsonb_build_array(jsonb_build_object('code', 'E' || i % 20, 'message', 'no')), ${START}, ${START}
      from generate_series(1, 100) as i`)
    const { failed, refusals } = await of(db, 'oc')
    expect(failed).toBe(101)
    expect(refusals.map(({ count }) => count)).toEqual([5, 5, 5, 5, 5])
  })

  it('no longer tells an error that has been mended since', async ({ db }) => {
    await operator.putNumbers('contoso', numbers)
    await operator.backends.oc.control.misbehave('throttle', { afterMs: 1_000, times: 1 })
    await operator.sync()
    expect((await of(db, 'oc')).lastError).not.toBeNull()
    operator.clock.advance(1_000)
    await operator.sync()
    expect(await of(db, 'oc')).toMatchObject(nothing)
  })
})

describe('its JSON', () => {
  it('tells ages in seconds and times in ISO 8601', async ({ db }) => {
    await operator.putNumbers('contoso', numbers)
    operator.clock.advance(90_500)
    const view = statusView(await status(db), operator.clock.now())
    expect(view).toMatchObject({
      at: '2026-03-01T12:01:30.500Z',
      services: [
        {
          service: 'oc',
          backend: 'simulated',
          circuit: 'closed',
          pending: { count: 4, due: 4, oldest: { since: '2026-03-01T12:00:00.000Z', ageSeconds: 90 } },
          failed: { count: 0, refusals: [] },
          lastError: null,
        },
        ...Array.from({ length: 5 }, () => ({ pending: { count: 0, oldest: null } })),
      ],
    })
    expect(JSON.parse(JSON.stringify(view))).toEqual(view)
  })

  it.for([
    [
      { unavailable: { reason: 'No answer.', until: later(START, 1) } },
      { openUntil: '2026-03-01T12:00:00.001Z', reason: 'No answer.' },
    ],
    [{ unavailable: { reason: 'No answer.', until: START } }, 'closed'],
    [{ unavailable: 'unknown' as const }, 'unknown'],
    [{}, 'closed'],
  ] as const)('tells of %o whether the backend is called: %o', async ([state, circuit], { db }) => {
    const [service] = statusView(await status(db, [{ code: 'oc', backend: 'http', ...state }]), START).services
    expect(service?.circuit).toEqual(circuit)
  })
})

const status = (db: Db, services: readonly ServiceAtWork[] = servicesOf(operator.deps)) =>
  statusOfBackends(db, { services, now: operator.clock.now() })
const of = async (db: Db, code: SyncService): Promise<ServiceStatus> =>
  (await status(db)).find((service) => service.code === code) as ServiceStatus

const nothing = {
  pending: 0,
  due: 0,
  claimed: 0,
  waiting: 0,
  dueSince: null,
  nextAttemptAt: null,
  oldest: null,
  failed: 0,
  refusals: [],
  lastError: null,
}

import { beforeEach, describe, expect } from 'vitest'
import { requeueFailed } from '../../../src/accounts/commands/requeue.js'
import { later } from '../../../src/clock.js'
import { sql, type Db } from '../../../src/db/db.js'
import { newId } from '../../../src/ids.js'
import { holdAny } from '../../../src/ledger/holds.js'
import { retireNumbers } from '../../../src/ledger/retirement.js'
import { servicesOf } from '../../../src/operator/status/status.js'
import { MOST_LINES, timelineOf, type Timeline } from '../../../src/operator/status/timeline.js'
import { timelineView } from '../../../src/operator/status/views.js'
import { BY_TEST } from '../../fixtures/service.js'
import { enterStock } from '../../fixtures/stock.js'
import { it } from '../../fixtures/test.js'
import { anOperator, START, type Operator } from './an-operator.js'

const e164 = '+12065550100'
let operator: Operator
it.beforeEach(async ({ db }) => {
  operator = anOperator(db)
  await operator.putAccount('contoso')
  await operator.sync()
})

describe('the story of a number', () => {
  it('tells who put it where, and each attempt to tell its backend with the answer', async ({ db }) => {
    await enterStock(db, { count: 1 })
    await db.query(sql`update number_history set at = ${later(START, -1_000)}`)
    await control().misbehave('throttle', { afterMs: 2_000, times: 1 })
    await operator.putNumbers('contoso', [e164])
    await operator.sync()
    operator.clock.advance(2_000)
    await operator.sync()
    operator.clock.advance(60_000)
    await control().misbehave('refuse', { code: 'Bad', message: 'Not so.' })
    await operator.putNumbers('contoso', [e164])
    await operator.sync()
    expect(await told(db)).toEqual([
      'operator: enter',
      'client:crm: assign',
      'oc: upload later',
      'oc: upload done',
      'client:crm: configure',
      'oc: update refused Bad',
    ])
    const { entries } = await timeline(db)
    expect(entries.map(({ at }) => at)).toEqual([
      later(START, -1_000),
      START,
      START,
      later(START, 2_000),
      later(START, 62_000),
      later(START, 62_000),
    ])
    expect(entries[5]).toMatchObject({ message: 'Not so.', generation: expect.any(Number) })
  })

  it('tells it to the end: taken off, unassigned, released, out of the ledger', async ({ db }) => {
    await operator.putNumbers('contoso', [e164])
    await operator.sync()
    operator.clock.advance(1_000)
    await operator.deleteNumbers('contoso', [e164])
    await operator.sync()
    expect(await told(db)).toEqual([
      'client:crm: assign',
      'oc: upload done',
      'client:crm: withdraw',
      'oc: unassign done',
      'oc: release done',
      'system: unassign',
    ])
    expect(await timeline(db)).toMatchObject({ ledger: null, onAccount: null, sync: [], cut: false })
  })

  it('is told of a number that has left the ledger, but not of one that was never heard of', async ({ db }) => {
    expect(await timelineOf(db, '+12065550199', { now: START })).toBeUndefined()
  })

  it('keeps its order although a clock was ahead', async ({ db }) => {
    await enterStock(db, { count: 1 })
    await db.query(sql`update number_history set at = ${later(START, 3_600_000)}`)
    await operator.putNumbers('contoso', [e164])
    await operator.sync()
    operator.clock.advance(1_000)
    await operator.putNumbers('contoso', [e164])
    await operator.sync()
    expect(await told(db)).toEqual([
      'operator: enter',
      'client:crm: assign',
      'oc: upload done',
      'client:crm: configure',
      'oc: update done',
    ])
  })

  it('leaves out the oldest entries of a very long one, and says so', async ({ db }) => {
    await operator.putNumbers('contoso', [e164])
    await db.query(sql`
      insert into sync_attempt (kind, key, service, generation, step, at, outcome, message)
      select 'number', ${e164}, 'oc', 1, 'upload', ${START}::timestamptz + i * interval '1 second', 'later', 'try ' || i
      from generate_series(1, ${MOST_LINES + 10}) as i`)
    const { entries, cut } = await timeline(db)
    expect(cut).toBe(true)
    expect(entries).toHaveLength(MOST_LINES + 1)
    expect(entries.at(-1)).toMatchObject({ message: `try ${MOST_LINES + 10}` })
    expect(entries[1]).toMatchObject({ message: 'try 11' })
  })
})

describe('where a number stands', () => {
  it('in the ledger: its place, and the account that it is on', async ({ db }) => {
    await enterStock(db, { count: 1 })
    await operator.putNumbers('contoso', [e164])
    expect(await timeline(db)).toMatchObject({
      ledger: {
        state: 'assigned',
        account: 'contoso',
        resource: null,
        place: { countryCode: 'US', numberType: 'geographic', areaCode: '206', locality: 'Seattle' },
      },
      onAccount: { account: 'contoso', services: ['teamsOperatorConnect'], modifiedAt: START, leavingSince: null },
    })
  })

  it('in the ledger: who holds it, until the hold is over', async ({ db }) => {
    await enterStock(db, { count: 1 })
    const resourceId = newId()
    await db.query(sql`
      insert into resource (id, name, primary_key_sealed, secondary_key_sealed, created_at)
      values (${resourceId}, 'fabrikam', '', '', ${START})`)
    const wanted = { pool: '', countryCode: 'US', numberType: 'geographic', areaCode: '206', quantity: 1 } as const
    const hold = { holdId: newId(), resourceId, until: later(START, 1_000) }
    await db.transaction((tx) => holdAny(tx, wanted, hold, { at: START, actor: 'resource:fabrikam', reason: 'search' }))
    expect((await timeline(db)).ledger).toMatchObject({ state: 'held', resource: 'fabrikam', freeAt: hold.until })
    operator.clock.advance(1_000)
    expect((await timeline(db)).ledger).toMatchObject({ state: 'available', resource: null, freeAt: null })
  })

  it('in the ledger: that it rests for buyers only, having left an account', async ({ db }) => {
    await enterStock(db, { count: 1 })
    await operator.putNumbers('contoso', [e164])
    await operator.deleteNumbers('contoso', [e164])
    expect(await timeline(db)).toMatchObject({
      ledger: { state: 'quarantined', leftAccount: true, account: null, freeAt: later(START, 60_000) },
      onAccount: null,
    })
    await db.transaction((tx) => retireNumbers(tx, [e164], { at: START, actor: 'operator', reason: 'test' }))
    expect((await timeline(db)).ledger).toMatchObject({ state: 'retired', leftAccount: false })
  })

  it('on its way out: since when, while its backend has not let go of it', async ({ db }) => {
    await operator.putNumbers('contoso', [e164])
    await operator.sync()
    operator.clock.advance(1_000)
    await operator.deleteNumbers('contoso', [e164])
    expect(await timeline(db)).toMatchObject({
      ledger: { state: 'assigned', account: 'contoso', place: null },
      onAccount: { account: 'contoso', leavingSince: later(START, 1_000) },
      sync: [{ service: 'oc', goal: 'absent', status: 'pending' }],
    })
  })
})

describe('when its backend is next told, and why', () => {
  const next = async (db: Db) => (await timeline(db)).sync[0]?.next
  beforeEach(() => operator.putNumbers('contoso', [e164]))

  it('at once, because it never was', async ({ db }) => {
    expect(await next(db)).toEqual({ at: START, why: 'first try' })
  })

  it('after a while, because the last attempt failed', async ({ db }) => {
    await control().misbehave('throttle', { afterMs: 20_000 })
    await operator.sync()
    operator.clock.advance(20_000)
    await operator.sync()
    const why: unknown = expect.stringMatching(/^retry 2 after: \S/)
    expect(await next(db)).toEqual({ at: later(START, 40_000), why })
    expect((await timeline(db)).sync).toMatchObject([{ attempts: 2, status: 'pending', heldBack: null }])
  })

  it('when a job is asked after', async ({ db }) => {
    await control().misbehave('job', { polls: 3, afterMs: 5_000 })
    await operator.sync()
    const ticket = (await timeline(db)).sync[0]?.ticket as string
    expect(ticket).toMatch(/\S/)
    expect(await next(db)).toMatchObject({ at: later(START, 5_000), why: expect.stringContaining(`job ${ticket}`) })
  })

  it('when another process may take over, because an attempt is under way', async ({ db }) => {
    const until = later(START, 40_000)
    await db.query(sql`
      update sync set claimed_by = gen_random_uuid(), claimed_until = ${until}, next_attempt_at = ${until}, attempts = 1
      where kind = 'number'`)
    expect(await next(db)).toEqual({ at: until, why: expect.stringMatching(/^an attempt is under way/) })
    operator.clock.advance(40_000)
    expect(await next(db)).toEqual({ at: until, why: expect.stringMatching(/process .* died/) })
  })

  it('at once, for the next step of taking it away', async ({ db }) => {
    await operator.sync()
    operator.clock.advance(1_000)
    await operator.deleteNumbers('contoso', [e164])
    operator.clock.advance(1_000)
    await control().misbehave('latency', { ms: 0 })
    await db.query(sql`
      update sync set placed = jsonb_set(placed, '{stage}', '"unassigned"'), last_attempt_at = ${operator.clock.now()}
      where kind = 'number'`)
    expect(await next(db)).toMatchObject({ why: 'next step' })
  })

  it('soon, because a command was lost that may yet bring it back', async ({ db }) => {
    await control().misbehave('timeout-after-success', { methods: ['uploadNumbers'], times: 1 })
    await operator.sync()
    await operator.deleteNumbers('contoso', [e164])
    await operator.sync()
    expect(await next(db)).toEqual({ at: later(START, 30_000), why: 'looks again because a command was lost' })
  })

  it('much later, because it has been told, when it is compared again', async ({ db }) => {
    await operator.sync()
    expect(await next(db)).toEqual({ at: later(START, 3_600_000), why: 'compared with the backend again' })
  })

  it('not at all, because it was refused; and at once when it is requeued', async ({ db }) => {
    await control().misbehave('refuse', { code: 'Bad', message: 'Not so.' })
    await operator.sync()
    expect(await timeline(db)).toMatchObject({
      sync: [{ status: 'failed', next: null, refusal: { code: 'Bad', message: 'Not so.' } }],
    })
    operator.clock.advance(1_000)
    await requeueFailed(operator.deps, { numbers: [e164] }, BY_TEST)
    expect(await next(db)).toEqual({ at: later(START, 1_000), why: 'first try' })
  })

  it('although it is due, not while the backend takes no calls, or when there is none', async ({ db }) => {
    const until = later(START, 1_000)
    const heldBack = async (service: object) =>
      (await timelineOf(db, e164, { now: START, services: [{ code: 'oc', backend: 'http', ...service }] }))?.sync[0]
        ?.heldBack
    expect(await heldBack({ unavailable: { reason: 'No answer.', until } })).toEqual({ reason: 'No answer.', until })
    expect(await heldBack({ unavailable: { reason: 'No answer.', until: START } })).toBeNull()
    expect(await heldBack({ backend: 'none' })).toEqual({ reason: expect.stringMatching(/no backend/), until: null })
    expect(await heldBack({ unavailable: 'unknown' })).toBeNull()
  })
})

it('its JSON has the same, with times in ISO 8601', async ({ db }) => {
  await enterStock(db, { count: 1 })
  await operator.putNumbers('contoso', [e164])
  await control().misbehave('refuse', { code: 'Bad', message: 'Not so.' })
  await operator.sync()
  const view = timelineView(await timeline(db), operator.clock.now())
  expect(view).toMatchObject({
    at: '2026-03-01T12:00:00.000Z',
    e164,
    ledger: { state: 'assigned', account: 'contoso', freeAt: null, place: { areaCode: '206' } },
    onAccount: { account: 'contoso', leavingSince: null },
    sync: [
      {
        service: 'oc',
        status: 'failed',
        lastError: { code: 'Bad', message: 'Not so.' },
        placed: { tenantId: 'contosoTenantId', stage: 'uploaded' },
        next: null,
        lastAttemptAt: '2026-03-01T12:00:00.000Z',
      },
    ],
  })
  expect(view.entries).toHaveLength(3)
  expect(JSON.parse(JSON.stringify(view))).toEqual(view)
})

const timeline = (db: Db) =>
  timelineOf(db, e164, { now: operator.clock.now(), services: servicesOf(operator.deps) }) as Promise<Timeline>
const told = async (db: Db): Promise<string[]> =>
  (await timeline(db)).entries.map((entry) =>
    entry.kind === 'history'
      ? `${entry.actor}: ${entry.event}`
      : `${entry.service}: ${entry.step} ${entry.outcome}${entry.code === null ? '' : ` ${entry.code}`}`,
  )
const control = () => operator.backends.oc.control

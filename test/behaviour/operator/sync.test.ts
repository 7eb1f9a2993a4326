/** What backends are told, through the Operator API. */
import { afterAll, beforeEach, expect, it } from 'vitest'
import { sql, type Tx } from '../../../src/db/db.js'
import { operatorConnect } from '../../fixtures/accounts.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { anOperator } from '../../fixtures/operator.js'
import { operatorApiOf, type OperatorApi } from '../../fixtures/operator-api.js'
import { createTestService, TEST_START, type TestService } from '../../fixtures/service.js'

const db = await openTestDatabase()
afterAll(() => db.close())
let service: TestService
let api: OperatorApi
const numbers = ['+12065550100', '+12065550101', '+12065550102'] as const
beforeEach(async () => {
  service = await createTestService(db)
  api = await operatorApiOf(service)
  const operator = await anOperator(service)
  await operator.put('/accounts/contoso', { serviceDetails: operatorConnect() })
  for (const e164 of numbers) {
    const answer = await operator.put(`/accounts/contoso/numbers/${e164}`, {
      serviceDetails: { teamsOperatorConnect: { enabled: true } },
    })
    expect(answer.statusCode, answer.body).toBeLessThan(300)
  }
})

/** As if the backend had refused them. */
const refuse = (...e164s: string[]) =>
  db.query(sql`
    update sync set refusal = '[{"code": "NoPlan", "message": "There is no plan."}]', pending_since = null
    where kind = 'number' and key = any(${e164s}::text[])`)

interface Page {
  items: { key: string; kind: string; status: string }[]
  next: string | null
}
async function items(query: string): Promise<string[]> {
  const answer = await api.get(`/sync/items${query}`)
  expect(answer.statusCode, answer.body).toBe(200)
  return answer.json<Page>().items.map(({ key }) => key)
}

it('tells how the backends stand as GET /status does', async () => {
  await refuse(numbers[0])
  const { services, at } = (await api.get('/sync')).json<{ services: object[]; at: string }>()
  expect(at).toBe(TEST_START.toISOString())
  expect(services[0]).toMatchObject({ service: 'oc', failed: { count: 1, refusals: [{ code: 'NoPlan' }] } })
  const admin = await operatorApiOf(service)
  const status = await service.server.inject({ url: '/status', headers: { authorization: `Bearer ${admin.token}` } })
  expect({ services }).toEqual({ services: status.json<{ services: object[] }>().services })
})

it('tells what the workers of this process have done, beside what GET /status tells', async () => {
  const { registry } = service.wiring
  const before = (await api.get('/sync')).json<{ workers: { name: string }[] }>().workers
  expect(before.map(({ name }) => name)).toEqual(registry.reports().map(({ name }) => name))
  const [{ name } = { name: '' }] = before
  expect(before[0]).toMatchObject({ runs: 0, running: 0, lastRunAt: null, lastError: null })
  await registry.record(name, () => Promise.resolve({ claimed: 3, done: 1, failed: 1, skipped: 1, more: false }))
  await expect(registry.record(name, () => Promise.reject(new Error('no luck')))).rejects.toThrow()
  const { workers } = (await api.get('/sync')).json<{ workers: object[] }>()
  expect(workers[0]).toEqual({
    name,
    runs: 2,
    running: 0,
    claimed: 3,
    done: 1,
    failed: 1,
    skipped: 1,
    lastRunAt: TEST_START.toISOString(),
    lastDurationMs: expect.any(Number) as number,
    lastError: { at: TEST_START.toISOString(), message: 'no luck' },
  })
  const status = await service.server.inject({ url: '/status', headers: { authorization: `Bearer ${api.token}` } })
  expect(Object.keys(status.json<object>())).toEqual(['at', 'services', 'purchases'])
})

it('lists what was refused, what is pending and what waits, page by page', async () => {
  await refuse(numbers[0], numbers[1])
  await db.query(sql`
    update sync set next_attempt_at = ${new Date(TEST_START.getTime() + 60_000)}, attempts = 1, last_error = 'busy',
                    last_attempt_at = ${TEST_START}
    where kind = 'number' and key = ${numbers[2]}`)
  expect(await items('')).toEqual(numbers.slice(0, 2))
  expect(await items('?status=pending&kind=number&service=oc')).toEqual([numbers[2]])
  expect(await items('?status=waiting')).toEqual([numbers[2]])
  expect(await items('?status=failed&service=tpm')).toEqual([])
  const first: Page & { items: object[] } = (await api.get('/sync/items?limit=1')).json()
  expect(first.items).toMatchObject([
    {
      service: 'oc',
      kind: 'number',
      account: 'contoso',
      goal: 'present',
      status: 'failed',
      lastError: { code: 'NoPlan', message: 'There is no plan.' },
      next: null,
    },
  ])
  expect(await items(`?limit=1&cursor=${first.next}`)).toEqual([numbers[1]])
  const { items: waiting } = (await api.get('/sync/items?status=waiting')).json<Page>()
  expect(waiting).toMatchObject([
    { status: 'pending', next: { at: '2026-03-01T12:01:00.000Z', why: 'retry 1 after: busy' } },
  ])
})

it('has what was refused tried again, once for a repeated request', async () => {
  await refuse(...numbers)
  const send = (key: string, body?: object) => api.post('/sync:requeue', body, { 'idempotency-key': `"${key}"` })
  const first = await send('one', { service: 'oc', numbers: [numbers[0], numbers[2]] })
  expect(first.statusCode, first.body).toBe(200)
  expect(first.json()).toEqual({ services: [{ service: 'oc', failed: 2, waiting: 0 }], untouched: [] })
  expect(await items('')).toEqual([numbers[1]])
  await refuse(numbers[0])
  expect((await send('one', { service: 'oc', numbers: [numbers[0], numbers[2]] })).json()).toEqual(first.json())
  expect(await items('')).toEqual([numbers[0], numbers[1]])
  expect((await send('two')).json()).toMatchObject({ services: [{ service: 'oc', failed: 2 }] })
  expect((await send('three', { numbers: ['12'] })).json()).toMatchObject({ code: 'invalid-input' })
})

it('says in the history of a number who had it tried again, and repeats that once', async () => {
  await refuse(numbers[0], numbers[1])
  const send = () => api.post('/sync:requeue', { numbers: [numbers[0]] }, { 'idempotency-key': 'history' })
  await send()
  await send()
  const requeues = async (e164: string) => {
    interface Line {
      event?: string
      actor?: string
    }
    const { entries } = (await api.get(`/numbers/${e164}/timeline`)).json<{ entries: Line[] }>()
    return entries.filter(({ event }) => event === 'requeue')
  }
  expect(await requeues(numbers[0])).toMatchObject([
    { actor: 'client:linebook-admin', reason: 'Sync_Requeue', fromState: 'assigned', toState: 'assigned' },
  ])
  expect(await requeues(numbers[1])).toEqual([])
})

it('goes on where a requeue broke off, when the request is repeated', async () => {
  await db.query(sql`
    insert into sync (kind, key, service, goal, generation, refusal, next_attempt_at, changed_at)
    select 'consent', 'tenant' || i, 'oc', 'present', nextval('sync_generation'), '[{"code": "E", "message": "no"}]',
           ${TEST_START}, ${TEST_START}
    from generate_series(1, 1500) as i`)
  const { transaction } = db
  let batches = 0
  // The second batch finds the database gone.
  const broken = (work: (tx: Tx) => Promise<unknown>) =>
    transaction.call(db, async (tx) => {
      const result = await work(tx)
      if (Array.isArray((result as { due?: unknown }).due) && ++batches === 2) throw new Error('gone')
      return result
    })
  const send = () => api.post('/sync:requeue', {}, { 'idempotency-key': 'again' })
  db.transaction = broken as typeof transaction
  try {
    expect((await send()).statusCode).toBe(500)
  } finally {
    db.transaction = transaction
  }
  expect(batches).toBe(2)
  const repeated = await send()
  expect(repeated.json(), repeated.body).toEqual({
    services: [{ service: 'oc', failed: 500, waiting: 0 }],
    untouched: [],
  })
  expect((await send()).json()).toEqual(repeated.json())
})

it('lets nobody requeue who may only read', async () => {
  const answer = await (await operatorApiOf(service, 'Read')).post('/sync:requeue')
  expect(answer.json()).toMatchObject({ status: 403, code: 'role-missing' })
})

/** What one resource has and does, through the Operator API. */
import { afterAll, beforeEach, expect, it } from 'vitest'
import { sql } from '../../../src/db/db.js'
import { PURCHASE, search } from '../../fixtures/buying.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { operatorApiOf, type OperatorApi } from '../../fixtures/operator-api.js'
import { reserve } from '../../fixtures/reserving.js'
import { createTestService, TEST_START, type TestClient, type TestService } from '../../fixtures/service.js'
import { enterStock } from '../../fixtures/stock.js'

const db = await openTestDatabase()
afterAll(() => db.close())
const HOUR_MS = 60 * 60_000
let service: TestService
let api: OperatorApi
let one: TestClient
let two: TestClient
beforeEach(async () => {
  service = await createTestService(db, { LINEBOOK_PURCHASE_DELAY_MS: '5000' })
  api = await operatorApiOf(service, 'Read')
  await enterStock(db, { count: 30 })
  one = await service.client('one')
  two = await service.client('two')
})

interface Hold {
  id: string
  kind: string
  numbers: number
  expires: string | null
  createdAt: string
  actor: string | null
}
interface Page<Item> {
  items: Item[]
  next: string | null
}

/** All pages of a list, one after the other. */
async function every<Item>(path: string, limit = 100): Promise<Item[]> {
  const seen: Item[] = []
  for (let next: string | null = ''; next !== null;) {
    const answer = await api.get(`${path}?limit=${limit}${next && `&cursor=${next}`}`)
    expect(answer.statusCode, answer.body).toBe(200)
    const page = answer.json<Page<Item>>()
    seen.push(...page.items)
    next = page.next
  }
  return seen
}
const held = (name: string, limit?: number) => every<Hold>(`/resources/${name}/holds`, limit)

it('lists what holds numbers for a resource now: purchases under way, searches, reservations', async () => {
  const reservation = await reserve(one, ['+12065550128', '+12065550129'])
  service.clock.advance(1_000)
  const first = await search(one, { quantity: 2 })
  service.clock.advance(1_000)
  const second = await search(one)
  const bought = await search(one, { quantity: 3 })
  await one.send('POST', PURCHASE, { body: { searchId: bought.searchId } })
  await search(two)
  const holds = await held('one')
  expect(holds).toMatchObject([
    { id: bought.searchId, kind: 'search', numbers: 3, expires: null, actor: 'resource:one' },
    { id: first.searchId, kind: 'search', numbers: 2, createdAt: new Date(TEST_START.getTime() + 1_000).toISOString() },
    { id: second.searchId, kind: 'search', numbers: 1, actor: 'resource:one' },
    { id: reservation.id, kind: 'reservation', numbers: 2, createdAt: TEST_START.toISOString(), actor: 'resource:one' },
  ])
  expect(await held('one', 1)).toEqual(holds)
  const stored = await db.query<{ free_at: Date }>(sql`select free_at from number where hold_id = ${first.searchId}`)
  expect(holds[1]?.expires).toBe(stored[0]?.free_at.toISOString())
  expect(await held('two')).toMatchObject([{ kind: 'search', numbers: 1 }])
})

it('does not list what holds nothing any more: ended by time, bought, emptied', async () => {
  const reservation = await reserve(one, ['+12065550128'])
  const { searchId } = await search(one)
  await reservation.drop()
  expect((await held('one')).map(({ id }) => id)).toEqual([searchId])
  service.clock.advance(HOUR_MS)
  expect(await held('one')).toEqual([])
})

it('lists a reservation that is being purchased, and none that has been', async () => {
  const reservation = await reserve(one, ['+12065550128', '+12065550129'])
  await reservation.purchase({})
  const shown = { id: reservation.id, kind: 'reservation', numbers: 2, expires: null }
  expect(await held('one')).toMatchObject([shown])
  await db.query(sql`update operation set status = 'succeeded', ended_at = now()`)
  await db.query(sql`update reservation set state = 'completed'`)
  expect(await held('one')).toEqual([])
})

it('lists the operations and numbers of a resource as the lists of all do', async () => {
  const { phoneNumbers } = await search(one, { quantity: 2 })
  await search(two)
  expect(await every('/resources/one/operations')).toMatchObject([{ kind: 'search', resource: 'one' }])
  const numbers = await every<{ e164: string }>('/resources/one/numbers')
  expect(numbers.map(({ e164 }) => e164)).toEqual([...phoneNumbers].sort())
  expect(numbers).toEqual((await api.get('/numbers?resource=one')).json<Page<object>>().items)
  expect((await api.get('/resources/one/numbers?state=owned')).json()).toMatchObject({ items: [] })
  expect((await api.get('/resources/one/numbers?resource=two')).json()).toMatchObject({ code: 'invalid-input' })
})

it.each(['holds', 'operations', 'numbers'])(
  '%s: streams the list, and refuses a resource that is none',
  async (what) => {
    await search(one)
    const csv = await api.get(`/resources/one/${what}`, { accept: 'text/csv' })
    expect(csv.headers['content-type']).toContain('text/csv')
    expect(csv.body.trimEnd().split('\r\n')).toHaveLength(2)
    const lines = await api.get(`/resources/one/${what}`, { accept: 'application/x-ndjson' })
    expect(lines.body.trimEnd().split('\n')).toHaveLength(1)
    for (const name of ['nowhere', '%00', '💥']) {
      const answer = await api.get(`/resources/${encodeURI(name)}/${what}`)
      expect(answer.json(), answer.body).toMatchObject({ status: 404, code: 'not-found' })
    }
  },
)

/** Requests that clients send again because the response was lost: with one effect, and with the first response. */
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { addResource } from '../../../src/auth/resources.js'
import { newId } from '../../../src/ids.js'
import { listHistory } from '../../../src/ledger/reads.js'
import { aSearch, buy, buyOne, PURCHASE, search, US } from '../../fixtures/buying.js'
import { openTestDatabase } from '../../fixtures/database.js'
import {
  BY_TEST,
  createClient,
  createTestService,
  minutes,
  type TestClient,
  type TestService,
} from '../../fixtures/service.js'
import { enterStock } from '../../fixtures/stock.js'

const db = await openTestDatabase()
afterAll(() => db.close())

let service: TestService
let buyer: TestClient
beforeEach(async () => {
  service = await createTestService(db)
  buyer = await service.client()
})

interface Sent {
  body?: unknown
  id?: string
  as?: TestClient
}
const send = (method: string, target: string, { body, id = newId(), as = buyer }: Sent = {}) =>
  as.send(method, target, { body, headers: { 'x-ms-client-request-id': id } })

/** Sends a request and, a second later and so signed anew, the same again. */
async function twice(method: string, target: string, body?: unknown) {
  const id = newId()
  const first = await send(method, target, { body, id })
  service.clock.advance(1_000)
  const again = await send(method, target, { body, id: id.toUpperCase() })
  expect([first.statusCode, again.statusCode]).toEqual([202, 202])
  expect(again.headers['operation-id']).toBe(first.headers['operation-id'])
  expect(again.body).toBe(first.body)
  return first
}
const eventsOf = async (e164: string) => (await listHistory(db, e164)).map(({ event }) => event)

describe('a request sent again under a new signature', () => {
  it('has its first response and no second effect: search, capability change, release', async () => {
    await enterStock(db, { count: 5 })
    const found = await twice('POST', `${US}/:search`, aSearch())
    const { searchId, phoneNumbers } = found.json<{ searchId: string; phoneNumbers: [string] }>()
    await twice('POST', PURCHASE, { searchId })
    await twice('PATCH', `/phoneNumbers/${phoneNumbers[0]}/capabilities`, { sms: 'inbound' })
    await twice('DELETE', `/phoneNumbers/${phoneNumbers[0]}`)
    expect(await eventsOf(phoneNumbers[0])).toEqual(['enter', 'hold', 'purchase', 'configure', 'release'])
    expect((await search(buyer, { quantity: 9 })).phoneNumbers).toHaveLength(5)
  })

  it('holds the last number once: the second time is no OutOfStock', async () => {
    const [last] = await enterStock(db, { count: 1 })
    const found = await twice('POST', `${US}/:search`, aSearch())
    expect(found.json()).toMatchObject({ phoneNumbers: [last], error: 'NoError' })
  })

  it('is the same with the other key of the resource', async () => {
    await enterStock(db, { count: 2 })
    const id = newId()
    const host = 'two-keys.example.test'
    const { primary, secondary } = await addResource(service.store, { name: 'two-keys', hosts: [host] }, BY_TEST)
    const searchWith = (key: string) => {
      const as = createClient(service.server, service.clock, { name: 'two-keys', key, host })
      return send('POST', `${US}/:search`, { body: aSearch(), id, as })
    }
    const first = await searchWith(primary)
    expect((await searchWith(secondary)).body).toBe(first.body)
  })

  it('is another request with another body, target or resource', async () => {
    const stock = await enterStock(db, { count: 20 })
    const id = newId()
    const other = await service.client('other', ['other.example.test'])
    const sent = [
      await send('POST', `${US}/:search`, { body: aSearch(), id }),
      await send('POST', `${US}/:search`, { body: aSearch({ quantity: 2 }), id }),
      await send('POST', `${US}/:search?x=1`, { body: aSearch(), id }),
      await send('POST', `${US}/:search`, { body: aSearch(), id, as: other }),
    ]
    expect(new Set(sent.map(({ headers }) => headers['search-id'])).size).toBe(sent.length)
    expect((await search(buyer, { quantity: stock.length })).phoneNumbers).toHaveLength(stock.length - 5)
  })

  it('is another request ten minutes later', async () => {
    await enterStock(db, { count: 3 })
    const id = newId()
    const searchId = async () =>
      (await send('POST', `${US}/:search`, { body: aSearch(), id })).headers['search-id'] as string
    const first = await searchId()
    service.clock.advance(minutes(10) - 1)
    expect(await searchId()).toBe(first)
    service.clock.advance(1)
    const second = await searchId()
    expect(second).not.toBe(first)
    service.clock.advance(minutes(10) - 1)
    expect(await searchId()).toBe(second)
    service.clock.advance(1)
    expect(new Set([first, second, await searchId()]).size).toBe(3)
  })

  it('ten minutes later releases a number that was bought anew, and finds none that was not', async () => {
    const [e164] = await enterStock(db, { count: 1 })
    await buy(buyer)
    const id = newId()
    const target = `/phoneNumbers/${e164}`
    await send('DELETE', target, { id })
    service.clock.advance(minutes(10))
    expect((await send('DELETE', target, { id })).statusCode).toBe(404)
    expect(await buyOne(buyer)).toBe(e164)
    expect((await send('DELETE', target, { id })).statusCode).toBe(202)
    expect((await eventsOf(e164 as string)).filter((event) => event === 'release')).toHaveLength(2)
  })
})

describe('a request sent again with an id that is no UUID', () => {
  const searchId = async (id: string) =>
    (await send('POST', `${US}/:search`, { body: aSearch(), id })).headers['search-id'] as string

  it('is the same one under the same signature', async () => {
    await enterStock(db, { count: 5 })
    expect(await searchId('shop')).toBe(await searchId('shop'))
  })

  it('is another one under a new signature', async () => {
    await enterStock(db, { count: 5 })
    const first = await searchId('shop')
    service.clock.advance(1_000)
    expect(await searchId('shop')).not.toBe(first)
  })
})

describe('a request that merely looks like another', () => {
  it('is one of its own', async () => {
    await enterStock(db, { count: 5 })
    const one = () => send('POST', `${US}/:search`, { body: aSearch() })
    expect((await one()).headers['search-id']).not.toBe((await one()).headers['search-id'])
    const plain = () => buyer.send('POST', `${US}/:search`, { body: aSearch() })
    expect((await plain()).headers['search-id']).not.toBe((await plain()).headers['search-id'])
  })
})

/** Operations that take time: what clients see of them, by the clock, and when their effect comes. */
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { sql } from '../../../src/db/db.js'
import { operationsTask } from '../../../src/workers/operations.js'
import { sweepTask } from '../../../src/workers/sweep.js'
import { aSearch, PURCHASE, US } from '../../fixtures/buying.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { createTestService, type TestClient, type TestService } from '../../fixtures/service.js'
import { enterStock } from '../../fixtures/stock.js'

const db = await openTestDatabase()
afterAll(() => db.close())

const DELAY_MS = 1_000
let service: TestService
let buyer: TestClient
let stock: string[]

beforeEach(async () => {
  service = await createTestService(db, {
    LINEBOOK_SEARCH_DELAY_MS: `${DELAY_MS}`,
    LINEBOOK_PURCHASE_DELAY_MS: `${DELAY_MS}`,
    LINEBOOK_RELEASE_DELAY_MS: `${DELAY_MS}`,
    LINEBOOK_CAPABILITIES_DELAY_MS: `${DELAY_MS}`,
  })
  buyer = await service.client()
  stock = await enterStock(db, { count: 2 })
})

const begin = async (method: string, target: string, body?: unknown): Promise<string> => {
  const answer = await buyer.send(method, target, { body })
  expect(answer.statusCode).toBe(202)
  return answer.headers['operation-id'] as string
}
const poll = async (id: string) =>
  (await buyer.send('GET', `/phoneNumbers/operations/${id}`)).json<{ status: string; lastActionDateTime: string }>()
const statusOf = async (id: string) => (await poll(id)).status
const finish = async (id: string) => {
  service.clock.advance(DELAY_MS)
  expect(await statusOf(id)).toBe('succeeded')
}
const searchIdOf = (id: string) => id.slice('search_'.length)

const searched = async (quantity = 1) => {
  const id = await begin('POST', `${US}/:search`, aSearch({ quantity }))
  await finish(id)
  return searchIdOf(id)
}
const owned = async () => {
  await finish(await begin('POST', PURCHASE, { searchId: await searched(1) }))
  const list = await buyer.send('GET', '/phoneNumbers')
  return list.json<{ phoneNumbers: { phoneNumber: string }[] }>().phoneNumbers[0]?.phoneNumber as string
}

describe('an operation with a delay', () => {
  it('shows notStarted, running and succeeded in turn, never backwards', async () => {
    const answer = await buyer.send('POST', `${US}/:search`, { body: aSearch() })
    expect(answer.body).toBe('')
    const id = answer.headers['operation-id'] as string
    const seen: string[] = []
    for (let i = 0; i <= 4; i++) {
      seen.push(await statusOf(id))
      service.clock.advance(DELAY_MS / 4)
    }
    expect(seen).toEqual(['notStarted', 'notStarted', 'running', 'running', 'succeeded'])
  })

  it('is carried out by the worker when nobody polls', async () => {
    const id = await begin('POST', `${US}/:search`, aSearch())
    const task = service.task(operationsTask)
    expect(await task.runOnce()).toMatchObject({ claimed: 0, more: false })
    expect(await task.nextDueAt?.()).toEqual(new Date(service.clock.now().getTime() + DELAY_MS))
    service.clock.advance(DELAY_MS)
    expect(await task.runOnce()).toMatchObject({ claimed: 1, more: false })
    expect(await task.nextDueAt?.()).toBeUndefined()
    expect(await statusOf(id)).toBe('succeeded')
  })

  it('outlives the process that accepted it', async () => {
    const id = await begin('POST', `${US}/:search`, aSearch())
    service.clock.advance(DELAY_MS)
    const replica = service.replicaOn(db)
    const answer = await replica.sameClient(buyer).send('GET', `/phoneNumbers/operations/${id}`)
    expect(answer.json()).toMatchObject({ status: 'succeeded' })
    await replica.close()
  })
})

describe('a search that runs', () => {
  it('has no result yet and can not be purchased', async () => {
    const id = await begin('POST', `${US}/:search`, aSearch())
    const result = await buyer.send('GET', `/availablePhoneNumbers/searchResults/${searchIdOf(id)}`)
    expect(result.json()).toMatchObject({ error: { code: 'NotFound', target: 'searchid' } })
    const purchase = await buyer.send('POST', PURCHASE, { body: { searchId: searchIdOf(id) } })
    expect([purchase.statusCode, purchase.json()]).toMatchObject([400, { error: { code: 'BadRequest' } }])
  })

  it('holds numbers only when it ends, until the time counted from its acceptance', async () => {
    const accepted = service.clock.now()
    const searchId = await searched()
    const result = await buyer.send('GET', `/availablePhoneNumbers/searchResults/${searchId}`)
    expect(Date.parse(result.json<{ searchExpiresBy: string }>().searchExpiresBy)).toBe(accepted.getTime() + 900_000)
  })

  it('can be cancelled until it ends: it fails as canceled and holds nothing', async () => {
    const id = await begin('POST', `${US}/:search`, aSearch())
    service.clock.advance(DELAY_MS - 1)
    expect((await buyer.send('DELETE', `/phoneNumbers/operations/${id}`)).statusCode).toBe(204)
    service.clock.advance(1)
    expect(await poll(id)).toMatchObject({ status: 'failed', error: { code: 'OperationCanceled' } })
    expect(await service.task(operationsTask).runOnce()).toMatchObject({ claimed: 0, more: false })
    expect(await db.query(sql`select from number where state = 'held'`)).toEqual([])
  })
})

describe('a purchase that runs', () => {
  it('leaves the numbers unowned until it ends, and gets them even when the hold ends before', async () => {
    const searchId = await searched(2)
    service.clock.advance(15 * 60_000 - DELAY_MS - 1)
    const id = await begin('POST', PURCHASE, { searchId })
    expect((await buyer.send('GET', '/phoneNumbers')).json()).toEqual({ phoneNumbers: [] })
    service.clock.advance(DELAY_MS - 1)
    expect(await statusOf(id)).toBe('running')
    const stranger = await service.client('stranger')
    const other = await stranger.send('POST', `${US}/:search`, { body: aSearch() })
    service.clock.advance(1)
    await service.task(operationsTask).runOnce()
    expect(await statusOf(id)).toBe('succeeded')
    service.clock.advance(DELAY_MS)
    const otherResult = await stranger.send(
      'GET',
      `/phoneNumbers/operations/${other.headers['operation-id'] as string}`,
    )
    expect(otherResult.json()).toMatchObject({ status: 'failed', error: { code: 'OutOfStock' } })
    const list = await buyer.send('GET', '/phoneNumbers')
    expect(list.json<{ phoneNumbers: object[] }>().phoneNumbers).toHaveLength(2)
  })

  it('is the same operation when asked for again', async () => {
    const searchId = await searched()
    const id = await begin('POST', PURCHASE, { searchId })
    expect(await begin('POST', PURCHASE, { searchId })).toBe(id)
    await finish(id)
    expect(await begin('POST', PURCHASE, { searchId })).toBe(id)
  })

  it('can be cancelled until it starts; the hold then lasts as long as it did, and can be purchased again', async () => {
    const searchId = await searched(2)
    const id = await begin('POST', PURCHASE, { searchId })
    await buyer.send('DELETE', `/phoneNumbers/operations/${id}`)
    expect(await poll(id)).toMatchObject({ status: 'failed', error: { code: 'OperationCanceled' } })
    const [held] = await db.query<{ freeAt: Date }>(sql`select free_at as "freeAt" from number where state = 'held'`)
    const result = await buyer.send('GET', `/availablePhoneNumbers/searchResults/${searchId}`)
    expect(Date.parse(result.json<{ searchExpiresBy: string }>().searchExpiresBy)).toBe(held?.freeAt.getTime())
    await finish(await begin('POST', PURCHASE, { searchId }))
  })

  it('goes on when it is cancelled after its start', async () => {
    const id = await begin('POST', PURCHASE, { searchId: await searched() })
    service.clock.advance(DELAY_MS / 2)
    expect((await buyer.send('DELETE', `/phoneNumbers/operations/${id}`)).statusCode).toBe(204)
    expect(await statusOf(id)).toBe('running')
    service.clock.advance(DELAY_MS / 2)
    expect(await statusOf(id)).toBe('succeeded')
  })
})

describe('a number with an operation that runs', () => {
  it('shows its old capabilities until the change has succeeded', async () => {
    const e164 = await owned()
    const id = await begin('PATCH', `/phoneNumbers/${e164}/capabilities`, { sms: 'inbound' })
    const read = async () => (await buyer.send('GET', `/phoneNumbers/${e164}`)).json<{ capabilities: object }>()
    expect((await read()).capabilities).toEqual({ calling: 'inbound', sms: 'none' })
    await finish(id)
    expect((await read()).capabilities).toEqual({ calling: 'inbound', sms: 'inbound' })
  })

  it('stays listed until its release has succeeded, and takes no second operation', async () => {
    const e164 = await owned()
    const id = await begin('DELETE', `/phoneNumbers/${e164}`)
    expect((await buyer.send('GET', `/phoneNumbers/${e164}`)).statusCode).toBe(200)
    for (const [method, target, body] of [
      ['DELETE', `/phoneNumbers/${e164}`, undefined],
      ['PATCH', `/phoneNumbers/${e164}/capabilities`, { sms: 'inbound' }],
    ] as const) {
      const answer = await buyer.send(method, target, { body })
      expect([answer.statusCode, answer.json()]).toMatchObject([
        409,
        { error: { code: 'Conflict', target: 'phonenumber' } },
      ])
    }
    await finish(id)
    expect((await buyer.send('GET', `/phoneNumbers/${e164}`)).statusCode).toBe(404)
  })

  it('keeps its number when a release is cancelled before its start', async () => {
    const e164 = await owned()
    const id = await begin('DELETE', `/phoneNumbers/${e164}`)
    await buyer.send('DELETE', `/phoneNumbers/operations/${id}`)
    service.clock.advance(DELAY_MS)
    await service.task(operationsTask).runOnce()
    expect((await buyer.send('GET', `/phoneNumbers/${e164}`)).statusCode).toBe(200)
    await finish(await begin('DELETE', `/phoneNumbers/${e164}`))
  })
})

describe('an operation that can not be carried out', () => {
  it('ends as failed and gives its numbers back, instead of staying open and holding up others', async () => {
    const searchId = await searched(1)
    const broken = await begin('POST', PURCHASE, { searchId })
    await db.query(sql`update search set calling = 'by no rule' where id = ${searchId}`)
    const good = await begin('POST', `${US}/:search`, aSearch())
    service.clock.advance(DELAY_MS)
    expect(await service.task(operationsTask).runOnce()).toMatchObject({ claimed: 2, more: false })
    expect(await poll(broken)).toMatchObject({ status: 'failed', error: { code: 'PurchaseFailed' } })
    expect(await statusOf(good)).toBe('succeeded')
    const result = await buyer.send('GET', `/availablePhoneNumbers/searchResults/${searchId}`)
    expect(result.json()).toMatchObject({ error: 'PurchaseFailed', errorCode: 1011 })
    expect(await db.query(sql`select from number where state = 'available'`)).toHaveLength(stock.length - 1)
  })
})

describe('what has ended', () => {
  it('can be read for a day and is then forgotten and swept', async () => {
    const id = await begin('POST', `${US}/:search`, aSearch())
    await finish(id)
    service.clock.advance(24 * 60 * 60_000 - 1)
    expect(await statusOf(id)).toBe('succeeded')
    service.clock.advance(1)
    const gone = await buyer.send('GET', `/phoneNumbers/operations/${id}`)
    expect([gone.statusCode, gone.json()]).toEqual([
      404,
      { error: { code: 'NotFound', message: `Input operationId ${id} cannot be found.`, target: 'operationid' } },
    ])
    service.clock.advance(15 * 60_000)
    expect((await service.task(sweepTask).runOnce()).done).toBe(3)
    for (const table of [sql`select from operation`, sql`select from search`]) expect(await db.query(table)).toEqual([])
  })
})

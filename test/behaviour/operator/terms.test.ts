/** What a person sets on a running emulator about buyers, so that each refusal has a cause that can be set. */
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { buy, PURCHASE, search } from '../../fixtures/buying.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { anEmulator, type Emulator } from '../../fixtures/emulator.js'
import { countIn, expectPurchaseFails, expectSearchFails } from '../../fixtures/failing.js'
import { createTestService, type TestClient, type TestService } from '../../fixtures/service.js'
import { enterStock } from '../../fixtures/stock.js'

const db = await openTestDatabase()
afterAll(() => db.close())

let service: TestService
let emulator: Emulator
let buyer: TestClient
afterEach(() => service.close())
beforeEach(async () => {
  service = await createTestService(db)
  emulator = await anEmulator(service)
  buyer = await service.client()
  await enterStock(db)
})

const setTerms = (body: unknown) => emulator.send('PATCH', '/resources/buyer/terms', body)
const address = { line: '1 Main Street', city: 'Dublin', postalCode: 'D02 X285' }

describe('the terms of a resource', () => {
  it('are set one by one, and shown', async () => {
    await setTerms({ numberLimit: 5 })
    await setTerms({ entitledTo: ['us', 'IE:tollFree', 'US'], addresses: { IE: address, US: address } })
    const { status, body } = await setTerms({ addresses: { US: null } })
    expect(status).toBe(200)
    expect(body).toEqual({
      name: 'buyer',
      pool: '',
      numberLimit: 5,
      entitledTo: ['IE:tollFree', 'US'],
      addresses: { IE: address },
      wallets: [],
      numbers: { owned: 0, underWay: 0 },
    })
    await setTerms({ numberLimit: null, entitledTo: null })
    expect((await emulator.send('GET', '/resources/buyer/terms')).body).toMatchObject({
      numberLimit: null,
      entitledTo: null,
      addresses: { IE: address },
    })
  })

  it('count at once, in searches that follow', async () => {
    expect(await buy(buyer)).toHaveLength(1)
    await setTerms({ numberLimit: 1 })
    await expectSearchFails(buyer, db, { error: 'NotEnoughLicenses', errorCode: 1005 })
    await setTerms({ numberLimit: null, entitledTo: [] })
    await expectSearchFails(buyer, db, { error: 'AuthorizationDenied', errorCode: 1001 })
    await setTerms({ entitledTo: null })
    expect(await buy(buyer)).toHaveLength(1)
  })

  it.each([
    [{ numberLimit: -1 }, 'numberLimit'],
    [{ numberLimit: 1.5 }, 'numberLimit'],
    [{ entitledTo: ['US:tollfree'] }, 'US:tollFree:application'],
    [{ entitledTo: 'US' }, 'entitledTo'],
    [{ addresses: { ie: address } }, 'addresses'],
    [{ addresses: { IE: { ...address, line: 1 } } }, 'addresses.IE'],
    [{ limit: 1 }, 'limit'],
    ['[]', 'body'],
    ['{', 'JSON'],
  ])('are refused as a whole: %o', async (body, place) => {
    const answer = await setTerms(body)
    expect(answer.status).toBe(400)
    expect(JSON.stringify(answer.body)).toContain(place)
  })

  it('are of a resource that there is', async () => {
    for (const name of ['nobody', '%00', 'Local', 'a%2Fb']) {
      expect((await emulator.send('PATCH', `/resources/${name}/terms`, {})).status).toBe(404)
      expect((await emulator.send('GET', `/resources/${name}/wallets`)).status).toBe(404)
    }
  })
})

describe('wallets', () => {
  const credit = (body: unknown) => emulator.send('POST', '/resources/buyer/wallets', body)

  it('are filled, charged and shown', async () => {
    expect(await credit({ amount: '2.5', currency: 'usd', note: 'first' })).toMatchObject({
      status: 200,
      body: { currency: 'USD', balance: '2.50' },
    })
    await buy(buyer, 2)
    const { searchId } = await search(buyer)
    await expectPurchaseFails(buyer, db, searchId, { error: 'NotEnoughCredit', errorCode: 1007 })
    const { body } = await emulator.send('GET', '/resources/buyer/wallets?limit=1')
    expect(body).toEqual({
      wallets: [
        expect.objectContaining({
          resourceName: 'buyer',
          balance: '0.50',
          entries: [expect.objectContaining({ kind: 'purchase', amount: '-2.00', numbers: 2 })],
        }),
      ],
    })
    expect((await emulator.send('GET', '/wallets')).body).toMatchObject({ wallets: [{ balance: '0.50', entries: [] }] })
  })

  it('are charged for a month of the clock that was moved', async () => {
    await credit({ amount: '5', currency: 'USD' })
    await buy(buyer, 2)
    service.clock.advance(40 * 24 * 60 * 60_000)
    const charged = { month: '2026-04', charged: [{ currency: 'USD', wallets: 1, numbers: 2, amount: '2.00' }] }
    expect((await emulator.send('POST', '/charge-month')).body).toMatchObject(charged)
    expect((await emulator.send('POST', '/charge-month', { month: '2026-04' })).body).toMatchObject({
      chargedBefore: 1,
    })
    expect((await emulator.send('POST', '/charge-month', { month: '2026-05' })).status).toBe(400)
  })

  it.each([
    [{ amount: 1, currency: 'USD' }, 400],
    [{ amount: 'x', currency: 'USD' }, 400],
    [{ amount: '1', currency: 'US' }, 400],
    [{ amount: '1' }, 400],
    [{ amount: '-1', currency: 'USD' }, 409],
    [{ amount: '1', currency: 'USD', note: '\u0000' }, 400],
    [undefined, 400],
  ])('take no %o', async (body, status) => {
    expect((await credit(body)).status).toBe(status)
  })

  it.each(['limit=x', 'limit=1001', 'limit=1&limit=2', 'after=1'])('are not shown by ?%s', async (query) => {
    expect((await emulator.send('GET', `/resources/buyer/wallets?${query}`)).status).toBe(400)
  })
})

describe('stock', () => {
  it('that is held can be retired, so that a purchase gets a part', async () => {
    const { searchId, phoneNumbers } = await search(buyer, { quantity: 2 })
    const gone = phoneNumbers.slice(0, 1)
    expect((await emulator.send('POST', '/stock/retire', { phoneNumbers: gone })).status).toBe(409)
    expect((await emulator.send('POST', '/stock/retire', { phoneNumbers: gone, evenHeld: true })).status).toBe(204)
    await buyer.send('POST', PURCHASE, { body: { searchId } })
    expect([await countIn(db, 'owned'), await countIn(db, 'retired')]).toEqual([1, 1])
    expect((await emulator.send('POST', '/stock/restore', { phoneNumbers: gone })).status).toBe(204)
    expect(await countIn(db, 'retired')).toBe(0)
    expect((await emulator.send('POST', '/stock/retire', { phoneNumbers: ['+12'] })).status).toBe(409)
    expect((await emulator.send('POST', '/stock/retire', { phoneNumbers: ['x'] })).status).toBe(400)
  })
})

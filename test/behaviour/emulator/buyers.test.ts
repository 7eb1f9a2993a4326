/** What a person sets on a running emulator about buyers, so that each refusal has a cause that can be set. */
import { describe, expect } from 'vitest'
import { buy, PURCHASE, search } from '../../fixtures/buying.js'
import type { Emulator } from '../../fixtures/emulator.js'
import { countIn, expectPurchaseFails, expectSearchFails } from '../../fixtures/failing.js'
import { enterStock } from '../../fixtures/stock.js'
import { it } from '../../fixtures/test.js'

// The buyer is there, whether or not a test sends anything as it.
it.beforeEach(({ db, buyer: _ }) => enterStock(db))

const address = { line: '1 Main Street', city: 'Dublin', postalCode: 'D02 X285' }

describe('the terms of a resource', () => {
  it('are set one by one, and shown', async ({ emulator }) => {
    await setTerms(emulator, { numberLimit: 5 })
    await setTerms(emulator, { entitledTo: ['us', 'IE:tollFree', 'US'], addresses: { IE: address, US: address } })
    const { status, body } = await setTerms(emulator, { addresses: { US: null } })
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
    await setTerms(emulator, { numberLimit: null, entitledTo: null })
    expect((await emulator.send('GET', '/resources/buyer/terms')).body).toMatchObject({
      numberLimit: null,
      entitledTo: null,
      addresses: { IE: address },
    })
  })

  it('count at once, in searches that follow', async ({ db, buyer, emulator }) => {
    expect(await buy(buyer)).toHaveLength(1)
    await setTerms(emulator, { numberLimit: 1 })
    await expectSearchFails(buyer, db, { error: 'NotEnoughLicenses', errorCode: 1005 })
    await setTerms(emulator, { numberLimit: null, entitledTo: [] })
    await expectSearchFails(buyer, db, { error: 'AuthorizationDenied', errorCode: 1001 })
    await setTerms(emulator, { entitledTo: null })
    expect(await buy(buyer)).toHaveLength(1)
  })

  it.for([
    [{ numberLimit: -1 }, 'numberLimit'],
    [{ numberLimit: 1.5 }, 'numberLimit'],
    [{ entitledTo: ['US:tollfree'] }, 'US:tollFree:application'],
    [{ entitledTo: 'US' }, 'entitledTo'],
    [{ addresses: { ie: address } }, 'addresses'],
    [{ addresses: { IE: { ...address, line: 1 } } }, 'addresses.IE'],
    [{ limit: 1 }, 'limit'],
    ['[]', 'body'],
    ['{', 'JSON'],
  ] as const)('are refused as a whole: %o', async ([body, place], { emulator }) => {
    const answer = await setTerms(emulator, body)
    expect(answer.status).toBe(400)
    expect(JSON.stringify(answer.body)).toContain(place)
  })

  it('are of a resource that there is', async ({ emulator }) => {
    for (const name of ['nobody', '%00', 'Local', 'a%2Fb']) {
      expect((await emulator.send('PATCH', `/resources/${name}/terms`, {})).status).toBe(404)
      expect((await emulator.send('GET', `/resources/${name}/wallets`)).status).toBe(404)
    }
  })
})

describe('wallets', () => {
  const credit = (emulator: Emulator, body: unknown) => emulator.send('POST', '/resources/buyer/wallets', body)

  it('are filled, charged and shown', async ({ db, buyer, emulator }) => {
    expect(await credit(emulator, { amount: '2.5', currency: 'usd', note: 'first' })).toMatchObject({
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

  it('are charged for a month of the clock that was moved', async ({ service, buyer, emulator }) => {
    await credit(emulator, { amount: '5', currency: 'USD' })
    await buy(buyer, 2)
    service.clock.advance(40 * 24 * 60 * 60_000)
    const charged = { month: '2026-04', charged: [{ currency: 'USD', wallets: 1, numbers: 2, amount: '2.00' }] }
    expect((await emulator.send('POST', '/charge-month')).body).toMatchObject(charged)
    expect((await emulator.send('POST', '/charge-month', { month: '2026-04' })).body).toMatchObject({
      chargedBefore: 1,
    })
    expect((await emulator.send('POST', '/charge-month', { month: '2026-05' })).status).toBe(400)
  })

  it.for([
    [{ amount: 1, currency: 'USD' }, 400],
    [{ amount: 'x', currency: 'USD' }, 400],
    [{ amount: '1', currency: 'US' }, 400],
    [{ amount: '1' }, 400],
    [{ amount: '-1', currency: 'USD' }, 409],
    [{ amount: '1', currency: 'USD', note: '\u0000' }, 400],
    [undefined, 400],
  ] as const)('take no %o', async ([body, status], { emulator }) => {
    expect((await credit(emulator, body)).status).toBe(status)
  })

  it.for(['limit=x', 'limit=1001', 'limit=1&limit=2', 'after=1'] as const)(
    'are not shown by ?%s',
    async (query, { emulator }) => {
      expect((await emulator.send('GET', `/resources/buyer/wallets?${query}`)).status).toBe(400)
    },
  )
})

describe('stock', () => {
  it('that is held can be retired, so that a purchase gets a part', async ({ db, buyer, emulator }) => {
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

const setTerms = (emulator: Emulator, body: unknown) => emulator.send('PATCH', '/resources/buyer/terms', body)

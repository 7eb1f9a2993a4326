/** Wallets, as purchases meet them: what is charged, what comes back, and what is refused. */
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { newId } from '../../../src/ids.js'
import { retire } from '../../../src/ledger/commands.js'
import { operationsTask } from '../../../src/workers/operations.js'
import { sweepTask } from '../../../src/workers/sweep.js'
import { aSearch, buy, PURCHASE, search, US } from '../../fixtures/buying.js'
import { anOffering, writeCatalogue } from '../../fixtures/catalogue.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { countIn, expectPurchaseFails, operation, searchResult } from '../../fixtures/failing.js'
import { balanceOf, expectSoundJournals, fund, journalOf } from '../../fixtures/money.js'
import { reservationOf, reserve } from '../../fixtures/reserving.js'
import { createTestService, minutes, TEST_START, type TestClient, type TestService } from '../../fixtures/service.js'
import { enterStock, tollFree } from '../../fixtures/stock.js'

const db = await openTestDatabase()
afterEach(() => expectSoundJournals(db))
afterAll(() => db.close())

const STOCK = 10
const DELAY_MS = 1_000

async function aService(env: Record<string, string> = {}): Promise<{ service: TestService; buyer: TestClient }> {
  const service = await createTestService(db, env)
  await enterStock(db, { count: STOCK })
  return { service, buyer: await service.client() }
}

const purchase = async (buyer: TestClient, searchId: string): Promise<string> => {
  const answer = await buyer.send('POST', PURCHASE, { body: { searchId } })
  expect(answer.statusCode).toBe(202)
  return answer.headers['operation-id'] as string
}
const retireHeld = (e164s: readonly string[]) =>
  db.transaction((tx) =>
    retire(tx, [...e164s], { at: TEST_START, actor: 'operator', reason: 'test' }, { evenHeld: true }),
  )
const amounts = async (buyer: TestClient) => (await journalOf(db, buyer)).map(({ kind, amount }) => [kind, amount])

describe('a purchase of a resource with a wallet', () => {
  it('is charged the first month of each number, and the journal says for what', async () => {
    const { service, buyer } = await aService()
    await fund(service, buyer, '10')
    const { searchId } = await search(buyer, { quantity: 3 })
    expect(await balanceOf(db, buyer)).toBe(100_000n)
    const id = await purchase(buyer, searchId)
    expect(await journalOf(db, buyer)).toMatchObject([
      { kind: 'credit', amount: '10.0000', balance: '10.0000', numbers: 0, reference: 'test' },
      { kind: 'purchase', amount: '-3.0000', balance: '7.0000', numbers: 3, reference: id },
    ])
  })

  it('may use up the wallet to the last digit', async () => {
    const catalogue = await writeCatalogue([anOffering({ cost: { amount: '0.3333', currencyCode: 'USD' } })])
    const { service, buyer } = await aService({ LINEBOOK_CATALOGUE_FILE: catalogue })
    await fund(service, buyer, '0.9999')
    await buy(buyer, 3)
    expect(await balanceOf(db, buyer)).toBe(0n)
  })

  it('is charged once, however often it is asked for', async () => {
    const { service, buyer } = await aService()
    await fund(service, buyer, '10')
    const { searchId } = await search(buyer, { quantity: 2 })
    for (let times = 0; times < 3; times++) await purchase(buyer, searchId)
    expect(await balanceOf(db, buyer)).toBe(80_000n)
  })

  it('costs nothing when the price is nothing', async () => {
    const catalogue = await writeCatalogue([anOffering({ cost: { amount: '0', currencyCode: 'USD' } })])
    const { service, buyer } = await aService({ LINEBOOK_CATALOGUE_FILE: catalogue })
    await fund(service, buyer, '0')
    await buy(buyer, 2)
    expect(await journalOf(db, buyer)).toEqual([])
  })
})

describe('a purchase without money', () => {
  const noWallet = { error: 'NoWallet', errorCode: 1006 }
  const noCredit = { error: 'NotEnoughCredit', errorCode: 1007 }

  it('is free for a resource without any wallet, unless wallets are required', async () => {
    const { buyer } = await aService()
    expect(await buy(buyer, 2)).toHaveLength(2)
    const required = await aService({ LINEBOOK_WALLET_REQUIRED: 'on' })
    const { searchId } = await search(required.buyer)
    await expectPurchaseFails(required.buyer, db, searchId, {
      ...noWallet,
      says: 'no wallet in USD',
      details: 'linebook wallet credit buyer <amount> USD',
    })
    expect(await countIn(db, 'available')).toBe(STOCK)
  })

  it('is refused to a resource that has wallets in other currencies only, which are named', async () => {
    const { service, buyer } = await aService()
    await fund(service, buyer, '100', 'EUR')
    await fund(service, buyer, '100', 'GBP')
    const { searchId } = await search(buyer)
    await expectPurchaseFails(buyer, db, searchId, { ...noWallet, details: 'It has wallets in EUR, GBP.' })
    expect(await balanceOf(db, buyer, 'EUR')).toBe(1_000_000n)
  })

  it('has its first response when the very same request is sent again, also late in the life of its search', async () => {
    const { service, buyer } = await aService({ LINEBOOK_WALLET_REQUIRED: 'on' })
    const { searchId } = await search(buyer)
    const headers = { 'x-ms-client-request-id': newId() }
    service.clock.advance(minutes(14))
    const first = await buyer.send('POST', PURCHASE, { body: { searchId }, headers })
    service.clock.advance(1_000)
    const again = await buyer.send('POST', PURCHASE, { body: { searchId }, headers })
    expect([first.statusCode, again.statusCode]).toEqual([202, 202])
    expect(again.headers['operation-id']).toBe(first.headers['operation-id'])
    const other = await buyer.send('POST', PURCHASE, { body: { searchId } })
    expect([other.statusCode, other.json()]).toMatchObject([400, { error: { code: 'BadRequest' } }])
  })

  it('is refused when the wallet has too little, all of it; the largest quantity that it has enough for is told', async () => {
    const { service, buyer } = await aService()
    await fund(service, buyer, '2.99')
    const { searchId } = await search(buyer, { quantity: 3 })
    const shown = await expectPurchaseFails(buyer, db, searchId, {
      ...noCredit,
      says: 'costs 3.00 USD and the wallet has 2.99',
      details: 'enough for 2 of these numbers',
    })
    expect(shown.details).toMatchObject([{ code: 'LargestQuantity', target: 'quantity' }])
    expect([await countIn(db, 'available'), await balanceOf(db, buyer)]).toEqual([STOCK, 29_900n])
    expect(await amounts(buyer)).toEqual([['credit', '2.9900']])
  })

  it('is refused from an empty wallet', async () => {
    const { service, buyer } = await aService()
    await fund(service, buyer, '0')
    const { searchId } = await search(buyer)
    await expectPurchaseFails(buyer, db, searchId, { ...noCredit, details: 'not enough for any' })
  })

  it('can be made after the wallet is filled, with a new search', async () => {
    const { service, buyer } = await aService()
    await fund(service, buyer, '0')
    const { searchId } = await search(buyer)
    await purchase(buyer, searchId)
    await fund(service, buyer, '1')
    const again = await buyer.send('POST', PURCHASE, { body: { searchId } })
    expect(again.statusCode).toBe(400)
    expect(await buy(buyer)).toHaveLength(1)
    expect(await balanceOf(db, buyer)).toBe(0n)
  })
})

describe('what was charged comes back', () => {
  const delayed = { LINEBOOK_PURCHASE_DELAY_MS: String(DELAY_MS) }

  it('for numbers that were gone when the purchase came', async () => {
    const { service, buyer } = await aService()
    await fund(service, buyer, '10')
    const { searchId, phoneNumbers } = await search(buyer, { quantity: 3 })
    await retireHeld(phoneNumbers.slice(0, 1))
    const id = await purchase(buyer, searchId)
    expect(await operation(buyer, id)).toMatchObject({ error: { code: 'NumbersPartiallyAcquired' } })
    expect(await journalOf(db, buyer)).toMatchObject([
      { kind: 'credit' },
      { kind: 'purchase', amount: '-3.0000', numbers: 3, reference: id },
      { kind: 'refund', amount: '1.0000', numbers: 1, balance: '8.0000', reference: id },
    ])
  })

  it('altogether when they are all gone', async () => {
    const { service, buyer } = await aService(delayed)
    await fund(service, buyer, '10')
    const { searchId, phoneNumbers } = await search(buyer, { quantity: 2 })
    await purchase(buyer, searchId)
    await retireHeld(phoneNumbers)
    service.clock.advance(DELAY_MS)
    await service.task(operationsTask).runOnce()
    expect(await searchResult(buyer, searchId)).toMatchObject({ error: 'AllNumbersNotAcquired' })
    expect(await balanceOf(db, buyer)).toBe(100_000n)
  })

  it('when the purchase is called off, and is charged again when it is made after all', async () => {
    const { service, buyer } = await aService(delayed)
    await fund(service, buyer, '10')
    const { searchId } = await search(buyer, { quantity: 2 })
    for (let times = 0; times < 3; times++) {
      const id = await purchase(buyer, searchId)
      expect(await balanceOf(db, buyer)).toBe(80_000n)
      await buyer.send('DELETE', `/phoneNumbers/operations/${id}`)
      expect(await balanceOf(db, buyer)).toBe(100_000n)
      // Called off twice: given back once.
      await buyer.send('DELETE', `/phoneNumbers/operations/${id}`)
      expect(await balanceOf(db, buyer)).toBe(100_000n)
    }
    const id = await purchase(buyer, searchId)
    service.clock.advance(DELAY_MS)
    expect(await operation(buyer, id)).toMatchObject({ status: 'succeeded' })
    expect(await balanceOf(db, buyer)).toBe(80_000n)
  })

  it('not when it is called off too late', async () => {
    const { service, buyer } = await aService(delayed)
    await fund(service, buyer, '10')
    const { searchId } = await search(buyer)
    const id = await purchase(buyer, searchId)
    service.clock.advance(DELAY_MS / 2)
    await buyer.send('DELETE', `/phoneNumbers/operations/${id}`)
    service.clock.advance(DELAY_MS / 2)
    expect(await operation(buyer, id)).toMatchObject({ status: 'succeeded' })
    expect(await balanceOf(db, buyer)).toBe(90_000n)
  })

  it('to nobody who was not charged, though a wallet was made meanwhile', async () => {
    const { service, buyer } = await aService(delayed)
    const { searchId } = await search(buyer)
    const id = await purchase(buyer, searchId)
    await fund(service, buyer, '5')
    await buyer.send('DELETE', `/phoneNumbers/operations/${id}`)
    expect(await amounts(buyer)).toEqual([['credit', '5.0000']])
  })
})

describe('a reservation in two currencies', () => {
  const anExpensiveOffering = anOffering({
    phoneNumberType: 'tollFree',
    cost: { amount: '2.00', currencyCode: 'EUR' },
  })

  async function reserved(): Promise<{ service: TestService; buyer: TestClient; e164s: string[]; id: string }> {
    const LINEBOOK_CATALOGUE_FILE = await writeCatalogue([anOffering(), anExpensiveOffering])
    const service = await createTestService(db, { LINEBOOK_CATALOGUE_FILE })
    const buyer = await service.client()
    const geographic = await enterStock(db, { count: 2 })
    const free = await enterStock(db, { count: 2, place: tollFree, from: '+18885550100' })
    const e164s = [...geographic, ...free]
    const { id } = await reserve(buyer, e164s)
    return { service, buyer, e164s, id }
  }
  const purchaseReservation = async (buyer: TestClient, id: string): Promise<string> => {
    const answer = await reservationOf(buyer, id).purchase({})
    expect(answer.statusCode).toBe(202)
    return answer.headers['operation-id'] as string
  }

  it('is charged in both', async () => {
    const { service, buyer, id } = await reserved()
    await fund(service, buyer, '2')
    await fund(service, buyer, '4', 'EUR')
    const done = await purchaseReservation(buyer, id)
    expect(await operation(buyer, done)).toMatchObject({ status: 'succeeded' })
    expect([await balanceOf(db, buyer), await balanceOf(db, buyer, 'EUR')]).toEqual([0n, 0n])
  })

  it('is charged in none when one has too little', async () => {
    const { service, buyer, id } = await reserved()
    await fund(service, buyer, '1.50')
    await fund(service, buyer, '4', 'EUR')
    const failed = await purchaseReservation(buyer, id)
    expect(await operation(buyer, failed)).toMatchObject({
      status: 'failed',
      error: {
        code: 'NotEnoughCredit',
        details: [{ message: expect.stringContaining('enough for 1 of these numbers') }],
      },
    })
    expect([await balanceOf(db, buyer), await balanceOf(db, buyer, 'EUR')]).toEqual([15_000n, 40_000n])
    expect([await countIn(db, 'held'), await countIn(db, 'owned')]).toEqual([0, 0])
  })

  it('gives back each number that was gone in its own currency', async () => {
    const { service, buyer, e164s, id } = await reserved()
    await fund(service, buyer, '10')
    await fund(service, buyer, '10', 'EUR')
    await retireHeld([e164s[0] ?? '', e164s[2] ?? ''])
    const partial = await purchaseReservation(buyer, id)
    expect(await operation(buyer, partial)).toMatchObject({ error: { code: 'NumbersPartiallyAcquired' } })
    expect([await balanceOf(db, buyer), await balanceOf(db, buyer, 'EUR')]).toEqual([90_000n, 80_000n])
  })

  it('whose id was used before, long ago, gives back nothing of what was charged then', async () => {
    const { service, buyer, e164s, id } = await reserved()
    await fund(service, buyer, '2')
    await fund(service, buyer, '10', 'EUR')
    await purchaseReservation(buyer, id)
    service.clock.advance(40 * 24 * 60 * 60_000)
    await service.task(sweepTask).runOnce()
    await reserve(buyer, await enterStock(db, { count: 1, from: '+12065550180' }), id)
    const refused = await purchaseReservation(buyer, id)
    expect(await operation(buyer, refused)).toMatchObject({ error: { code: 'NotEnoughCredit' } })
    expect([await balanceOf(db, buyer), await balanceOf(db, buyer, 'EUR')]).toEqual([0n, 60_000n])
    expect(await countIn(db, 'owned')).toBe(e164s.length)
  })
})

it('a search costs nothing, and does not look at money', async () => {
  const { service, buyer } = await aService({ LINEBOOK_WALLET_REQUIRED: 'on' })
  await fund(service, buyer, '0')
  const answer = await buyer.send('POST', `${US}/:search`, { body: aSearch({ quantity: 5 }) })
  expect(answer.json()).toMatchObject({ error: 'NoError' })
})

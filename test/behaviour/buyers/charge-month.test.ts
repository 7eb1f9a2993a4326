import { describe, expect } from 'vitest'
import { chargeMonth } from '../../../src/buyers/wallet/charge-month.js'
import { sql } from '../../../src/db/db.js'
import { aSearch, buy, PURCHASE, search, US } from '../../fixtures/buying.js'
import { operation } from '../../fixtures/failing.js'
import { balanceOf, fund, journalOf } from '../../fixtures/money.js'
import { TEST_START, type TestService } from '../../fixtures/service.js'
import { enterStock, tollFree } from '../../fixtures/stock.js'
import { it } from '../../fixtures/test.js'

it.beforeEach(async ({ db }) => {
  await enterStock(db, { count: 50 })
})
const NOTHING = { charged: [], chargedBefore: 0, belowZero: [], withoutWallet: [] }

describe('the charge for a month', () => {
  it('is for what was purchased before the month began; the purchase has paid for its own month', async ({
    db,
    service,
    buyer,
  }) => {
    await fund(service, buyer, '20')
    await buy(buyer, 2)
    expect(await charge(service)).toEqual({ ...NOTHING, month: '2026-03' })
    goTo(service, '2026-03-31T23:59:59.999Z')
    await buy(buyer, 1)
    goTo(service, '2026-04-01T00:00:00.000Z')
    await buy(buyer, 4)
    expect(await charge(service)).toEqual({
      ...NOTHING,
      month: '2026-04',
      charged: [{ currency: 'USD', wallets: 1, numbers: 3, amount: '3.00' }],
    })
    expect((await journalOf(db, buyer)).at(-1)).toMatchObject({
      kind: 'month',
      amount: '-3.0000',
      balance: '10.0000',
      numbers: 3,
      reference: '2026-04',
    })
  })

  it('is taken once, however often it is asked for', async ({ db, service, buyer }) => {
    await fund(service, buyer, '20')
    await buy(buyer, 2)
    goTo(service, '2026-04-10T00:00:00.000Z')
    await charge(service)
    expect(await charge(service, '2026-04')).toEqual({ ...NOTHING, month: '2026-04', chargedBefore: 1 })
    expect(await balanceOf(db, buyer)).toBe(160_000n)
    goTo(service, '2026-05-01T00:00:00.000Z')
    expect(await charge(service)).toMatchObject({ charged: [{ numbers: 2 }], chargedBefore: 0 })
  })

  it('can be made up for later, month by month, of what is still owned', async ({ service, buyer }) => {
    await fund(service, buyer, '20')
    const [first] = await buy(buyer, 2)
    goTo(service, '2026-06-15T00:00:00.000Z')
    await buyer.send('DELETE', `/phoneNumbers/${first}`)
    for (const month of ['2026-04', '2026-05', '2026-06']) {
      expect(await charge(service, month), month).toMatchObject({ charged: [{ numbers: 1, amount: '1.00' }] })
    }
    expect(await charge(service, '2026-03')).toEqual({ ...NOTHING, month: '2026-03' })
  })

  it('is at the price that each number was bought for, and in its currency', async ({ db, service, buyer }) => {
    await enterStock(db, { from: '+18885550100', count: 3, place: tollFree })
    await fund(service, buyer, '20')
    await buy(buyer, 2)
    const body = aSearch({ phoneNumberType: 'tollFree', quantity: 3 })
    const { searchId } = (await buyer.send('POST', `${US}/:search`, { body })).json<{ searchId: string }>()
    await buyer.send('POST', PURCHASE, { body: { searchId } })
    await db.query(sql`update number set price_currency = 'EUR' where e164 = '+18885550100'`)
    await fund(service, buyer, '7', 'EUR')
    goTo(service, '2026-04-01T00:00:00.000Z')
    expect((await charge(service)).charged).toEqual([
      { currency: 'EUR', wallets: 1, numbers: 1, amount: '2.00' },
      { currency: 'USD', wallets: 1, numbers: 4, amount: '6.00' },
    ])
    expect(await balanceOf(db, buyer, 'EUR')).toBe(50_000n)
  })

  it('may take a wallet below zero, from which nothing can be purchased then', async ({ service, buyer }) => {
    await fund(service, buyer, '3')
    await buy(buyer, 3)
    goTo(service, '2026-04-01T00:00:00.000Z')
    expect(await charge(service)).toMatchObject({
      charged: [{ amount: '3.00' }],
      belowZero: [{ resourceName: 'buyer', currency: 'USD', balance: '-3.00' }],
    })
    const { searchId } = await search(buyer)
    await buyer.send('POST', PURCHASE, { body: { searchId } })
    expect(await operation(buyer, `purchase_${searchId}`)).toMatchObject({
      error: {
        code: 'NotEnoughCredit',
        message: expect.stringContaining('has -3.00'),
        details: [{ message: expect.stringContaining('not enough for any') }],
      },
    })
    // Filling it in parts is no correction, and below zero it may stay meanwhile.
    expect(await fund(service, buyer, '1')).toBe('-2.00')
    await expect(fund(service, buyer, '-1')).rejects.toThrow("can't take")
    await fund(service, buyer, '3')
    expect(await buy(buyer)).toHaveLength(1)
  })

  it('is not taken from resources without a wallet in the currency, which are told; with one they are charged', async ({
    service,
    buyer,
  }) => {
    await buy(buyer, 2)
    await fund(service, buyer, '5', 'EUR')
    goTo(service, '2026-04-01T00:00:00.000Z')
    const owed = { resourceName: 'buyer', currency: 'USD', numbers: 2, amount: '2.00' }
    expect(await charge(service)).toEqual({ ...NOTHING, month: '2026-04', withoutWallet: [owed] })
    await fund(service, buyer, '5')
    expect(await charge(service)).toMatchObject({ charged: [{ amount: '2.00' }], withoutWallet: [] })
  })

  it('reaches every resource, however many there are', async ({ db, service }) => {
    const buyers = await Promise.all(
      Array.from({ length: 120 }, (_, i) => service.client(`b${i}`, [`b${i}.example.test`])),
    )
    const owners = buyers.filter((_, i) => i % 3 === 0)
    for (const owner of owners) {
      await fund(service, owner, '2')
      await buy(owner)
    }
    goTo(service, '2026-04-01T00:00:00.000Z')
    expect((await charge(service)).charged).toEqual([{ currency: 'USD', wallets: 40, numbers: 40, amount: '40.00' }])
    for (const owner of owners) expect(await balanceOf(db, owner)).toBe(0n)
  })

  it('ends between two batches when it is stopped, and charges the rest when it is run again', async ({ service }) => {
    for (let count = 0; count < 60; count++) {
      const owner = await service.client(`b${count}`, [`b${count}.example.test`])
      if (count % 6 === 0) await fund(service, owner, '2')
      if (count % 6 === 0) await buy(owner)
    }
    goTo(service, '2026-04-01T00:00:00.000Z')
    const stopping = new AbortController()
    const stopped = chargeMonth(
      service.store,
      { actor: 'operator' },
      { signal: stopping.signal, onProgress: () => stopping.abort(new Error('stopped')) },
    )
    await expect(stopped).rejects.toThrow('stopped')
    const { charged, chargedBefore } = await charge(service)
    const wallets = charged[0]?.wallets ?? 0
    expect(wallets).toBeGreaterThan(0)
    expect(chargedBefore).toBeGreaterThan(0)
    expect(wallets + chargedBefore).toBe(10)
  })

  it.for(['2026-04', '2027-01', '9999-12'] as const)(
    'is refused for %s, which has not begun',
    async (month, { service }) => {
      await expect(charge(service, month)).rejects.toThrow('has not begun')
    },
  )

  it.for(['', '2026', '2026-13', '2026-3', '2026-03-01', '0000-01', 'March'] as const)(
    'is refused for "%s", which is no month',
    (month, { service }) => expect(charge(service, month)).rejects.toThrow('is no month; a good one is 2026-03'),
  )

  it('is refused twice by the database itself', async ({ db, service, buyer }) => {
    await fund(service, buyer, '5')
    await buy(buyer)
    goTo(service, '2026-04-01T00:00:00.000Z')
    await charge(service)
    await expect(
      db.query(sql`
        insert into wallet_entry (resource_id, currency, at, kind, amount, balance, actor, reference)
        select resource_id, currency, ${TEST_START}::timestamptz, 'month', -1, 0, 'x', '2026-04' from wallet`),
    ).rejects.toThrow('wallet_entry_month')
  })
})

/** TEST_START is in March. */
const goTo = (service: TestService, instant: string) =>
  service.clock.advance(Date.parse(instant) - service.clock.now().getTime())
const charge = (service: TestService, month?: string) => chargeMonth(service.store, { month, actor: 'operator' })

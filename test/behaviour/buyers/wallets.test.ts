import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { showWallets } from '../../../src/buyers/wallets.js'
import { buy } from '../../fixtures/buying.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { balanceOf, expectSoundJournals, fund, journalOf } from '../../fixtures/money.js'
import { createTestService, TEST_START, type TestClient, type TestService } from '../../fixtures/service.js'
import { enterStock } from '../../fixtures/stock.js'

const db = await openTestDatabase()
let service: TestService
let buyer: TestClient
beforeEach(async () => {
  service = await createTestService(db)
  buyer = await service.client()
})
afterEach(() => expectSoundJournals(db))
afterAll(() => db.close())

describe('a wallet', () => {
  it('is made by its first credit, one for each currency', async () => {
    expect(await fund(service, buyer, '10')).toBe('10.00')
    expect(await fund(service, buyer, '0.0001')).toBe('10.0001')
    expect(await fund(service, buyer, '5', 'eur')).toBe('5.00')
    expect(await showWallets(db, buyer.name, 10)).toMatchObject([
      { currency: 'EUR', balance: '5.00' },
      { currency: 'USD', balance: '10.0001' },
    ])
  })

  it('may be made empty, without a line in its journal', async () => {
    expect(await fund(service, buyer, '0')).toBe('0.00')
    expect(await balanceOf(db, buyer)).toBe(0n)
    expect(await journalOf(db, buyer)).toEqual([])
  })

  it('can be corrected down to nothing, not below', async () => {
    await fund(service, buyer, '10')
    expect(await fund(service, buyer, '-4.5')).toBe('5.50')
    await expect(fund(service, buyer, '-5.51')).rejects.toThrow('The wallet has 5.50 USD')
    expect(await fund(service, buyer, '-5.50')).toBe('0.00')
    await expect(fund(service, buyer, '-0.0001', 'EUR')).rejects.toThrow('There is no wallet')
    expect(await balanceOf(db, buyer, 'EUR')).toBeUndefined()
  })

  it('keeps up to 14 digits, and says so instead of breaking', async () => {
    await fund(service, buyer, '99999999999999.9999')
    await expect(fund(service, buyer, '0.0001')).rejects.toThrow('more than a wallet can keep')
    expect(await fund(service, buyer, '-0.9999')).toBe('99999999999999.00')
  })

  it.each([
    ['ten', 'USD'],
    ['1.00001', 'USD'],
    ['1e3', 'USD'],
    ['1', 'dollars'],
    ['1', 'U$'],
  ])('takes no %s %s', async (amount, currency) => {
    await expect(fund(service, buyer, amount, currency)).rejects.toThrow(/is no (amount|currency)/)
  })

  it('tells its latest lines, newest first', async () => {
    await enterStock(db)
    await fund(service, buyer, '10')
    await buy(buyer, 2)
    await buy(buyer)
    const [wallet] = await showWallets(db, buyer.name, 2)
    expect(wallet).toMatchObject({
      balance: '7.00',
      entries: [
        { kind: 'purchase', amount: '-1.00', balance: '7.00', numbers: 1, actor: 'resource:buyer', at: TEST_START },
        { kind: 'purchase', amount: '-2.00', balance: '8.00', numbers: 2 },
      ],
    })
  })
})

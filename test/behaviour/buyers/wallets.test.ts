import { describe, expect } from 'vitest'
import { showWallets } from '../../../src/buyers/wallets.js'
import { buy } from '../../fixtures/buying.js'
import { balanceOf, fund, journalOf } from '../../fixtures/money.js'
import { TEST_START } from '../../fixtures/service.js'
import { enterStock } from '../../fixtures/stock.js'
import { it } from '../../fixtures/test.js'

describe('a wallet', () => {
  it('is made by its first credit, one for each currency', async ({ db, service, buyer }) => {
    expect(await fund(service, buyer, '10')).toBe('10.00')
    expect(await fund(service, buyer, '0.0001')).toBe('10.0001')
    expect(await fund(service, buyer, '5', 'eur')).toBe('5.00')
    expect(await showWallets(db, buyer.name, 10)).toMatchObject([
      { currency: 'EUR', balance: '5.00' },
      { currency: 'USD', balance: '10.0001' },
    ])
  })

  it('may be made empty, without a line in its journal', async ({ db, service, buyer }) => {
    expect(await fund(service, buyer, '0')).toBe('0.00')
    expect(await balanceOf(db, buyer)).toBe(0n)
    expect(await journalOf(db, buyer)).toEqual([])
  })

  it('can be corrected down to nothing, not below', async ({ db, service, buyer }) => {
    await fund(service, buyer, '10')
    expect(await fund(service, buyer, '-4.5')).toBe('5.50')
    await expect(fund(service, buyer, '-5.51')).rejects.toThrow('The wallet has 5.50 USD')
    expect(await fund(service, buyer, '-5.50')).toBe('0.00')
    await expect(fund(service, buyer, '-0.0001', 'EUR')).rejects.toThrow('There is no wallet')
    expect(await balanceOf(db, buyer, 'EUR')).toBeUndefined()
  })

  it('keeps up to 14 digits, and says so instead of breaking', async ({ service, buyer }) => {
    await fund(service, buyer, '99999999999999.9999')
    await expect(fund(service, buyer, '0.0001')).rejects.toThrow('more than a wallet can keep')
    expect(await fund(service, buyer, '-0.9999')).toBe('99999999999999.00')
  })

  it.for([
    ['ten', 'USD'],
    ['1.00001', 'USD'],
    ['1e3', 'USD'],
    ['1', 'dollars'],
    ['1', 'U$'],
  ] as const)('takes no %s %s', async ([amount, currency], { service, buyer }) => {
    await expect(fund(service, buyer, amount, currency)).rejects.toThrow(/is no (amount|currency)/)
  })

  it('tells its latest lines, newest first', async ({ db, service, buyer }) => {
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

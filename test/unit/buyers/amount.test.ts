import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { amountOf, formatAmount, parseAmount } from '../../../src/buyers/wallet/amount.js'

const MOST = 999_999_999_999_999_999n
const anAmount = fc.bigInt({ min: -MOST, max: MOST })

describe('an amount', () => {
  it.each([
    ['2', 20_000n],
    ['-0.5', -5_000n],
    ['12.3456', 123_456n],
    ['0.0001', 1n],
    ['00.10', 1_000n],
    ['99999999999999.9999', MOST],
  ])('is read from "%s"', (text, value) => {
    expect(parseAmount(text)).toBe(value)
  })

  it.each(['', '-', '.5', '5.', '1.23456', '1,5', '1e3', '+1', ' 1', '1\n', '0x1', '１', '999999999999999', '--1'])(
    'is not "%s"',
    (text) => {
      expect(parseAmount(text)).toBeUndefined()
      expect(() => amountOf(text)).toThrow('amount')
    },
  )

  it.each([
    [20_000n, '2.00'],
    [-5_000n, '-0.50'],
    [50n, '0.0050'],
    [1n, '0.0001'],
    [12_300n, '1.23'],
    [12_310n, '1.2310'],
    [0n, '0.00'],
  ])('%s is written %s', (value, text) => {
    expect(formatAmount(value)).toBe(text)
  })

  it('is the same after it was written and read', () => {
    fc.assert(
      fc.property(anAmount, (value) => {
        expect(parseAmount(formatAmount(value))).toBe(value)
      }),
    )
  })

  it('written by the database, with any number of noughts behind the point, is the same', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.integer({ min: 1, max: 4 }), (units, digits) => {
        expect(parseAmount(`${units}.${'0'.repeat(digits)}`)).toBe(parseAmount(String(units)))
      }),
    )
  })

  it('adds up to the last digit, in any order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -999_999, max: 999_999 }), { maxLength: 200 }), (tenThousandths) => {
        const texts = tenThousandths.map((value) => formatAmount(BigInt(value)))
        const sum = (of: readonly string[]) => of.map(amountOf).reduce((a, b) => a + b, 0n)
        expect(sum(texts)).toBe(BigInt(tenThousandths.reduce((a, b) => a + b, 0)))
        expect(sum(texts.toReversed())).toBe(sum(texts))
      }),
    )
  })
})

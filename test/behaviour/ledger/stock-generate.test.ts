import { describe, expect } from 'vitest'
import { ManualClock } from '../../../src/clock.js'
import { sql, type Db } from '../../../src/db/db.js'
import { SetupError } from '../../../src/errors.js'
import { findNumbers, listHistory } from '../../../src/ledger/reads.js'
import { generateStock, type GeneratedRange } from '../../../src/ledger/stock/generate.js'
import { reportStock } from '../../../src/ledger/stock/report.js'
import { enterStock } from '../../fixtures/stock.js'
import { it } from '../../fixtures/test.js'

const NOW = new Date('2026-03-01T12:00:00.000Z')
const clock = new ManualClock(NOW)

describe('a generated range', () => {
  it('enters consecutive numbers, deriving what is not given', async ({ db }) => {
    expect(await generate(db, '+12065550100', 100)).toEqual({ entered: 100, known: 0 })
    expect((await reportStock(db, NOW)).stock).toEqual([
      { countryCode: 'US', phoneNumberType: 'geographic', areaCode: '206', states: { available: 100 } },
    ])
    expect(await findNumbers(db, ['+12065550100', '+12065550199', '+12065550200'])).toHaveLength(2)
    expect(await listHistory(db, '+12065550199')).toMatchObject([
      { at: NOW, event: 'enter', toState: 'available', actor: 'operator', reason: 'stock generate' },
    ])
  })

  it('is of the place that is given', async ({ db }) => {
    const given = { countryCode: 'us', phoneNumberType: 'TollFree', areaCode: '10' }
    expect(await generate(db, '+9991000000', 12_000, given)).toEqual({ entered: 12_000, known: 0 })
    expect((await reportStock(db, NOW)).stock).toEqual([
      { countryCode: 'US', phoneNumberType: 'tollFree', areaCode: '10', states: { available: 12_000 } },
    ])
  })

  it('changes nothing about numbers that are there already', async ({ db }) => {
    const given = { locality: 'Seattle', administrativeDivision: 'WA' }
    await enterStock(db, { count: 10 })
    expect(await generate(db, '+12065550105', 10, given)).toEqual({ entered: 5, known: 5 })
    expect(await generate(db, '+12065550105', 10, given)).toEqual({ entered: 0, known: 10 })
  })

  it('is refused as a whole when some of its numbers are in stock with another place', async ({ db }) => {
    await enterStock(db, { count: 10 })
    await expect(generate(db, '+12065550106', 10, { locality: 'Tacoma' })).rejects.toThrow(
      new SetupError(
        'Nothing was entered: +12065550106 is in stock as US geographic 206 (Seattle, WA) already, ' +
          '+12065550107 is in stock as US geographic 206 (Seattle, WA) already, ' +
          '+12065550108 is in stock as US geographic 206 (Seattle, WA) already, and others are too.',
      ),
    )
    expect(await countNumbers(db)).toBe(10)
  })

  it.for([
    ['+12069999998', 5, {}, '+12070000002: the number does not tell its country: give countryCode'],
    ['+12069999990', 2_000_100, {}, 'The range is not of one place: its first number is US geographic 206, '],
    ['+441481256780', 4_000_000, { areaCode: '1' }, 'The range is not of one place'],
    [
      '+9999999990',
      11,
      { countryCode: 'US', phoneNumberType: 'mobile', areaCode: '9' },
      'There are no 11 numbers from',
    ],
    ['+442079460000', 10, {}, '+442079460000: the number does not tell its area code: give areaCode.'],
    ['12065550100', 10, {}, 'phoneNumber "12065550100" is not an E.164 number'],
  ] as const)('%s, %i numbers, %j, is refused with the reason', async ([from, count, given, reason], { db }) => {
    await expect(generate(db, from, count, given)).rejects.toThrow(SetupError)
    await expect(generate(db, from, count, given)).rejects.toThrow(reason)
    expect(await countNumbers(db)).toBe(0)
  })
})

const generate = (db: Db, phoneNumber: string, count: number, given: Partial<GeneratedRange> = {}) =>
  generateStock(
    { db, clock },
    {
      phoneNumber,
      count,
      countryCode: '',
      phoneNumberType: '',
      areaCode: '',
      locality: '',
      administrativeDivision: '',
      ...given,
    },
  )

const countNumbers = async (db: Db) => (await db.query<{ n: number }>(sql`select count(*) as n from number`))[0]?.n

import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { later, ManualClock } from '../../../src/clock.js'
import { newId } from '../../../src/ids.js'
import { assignNumbers, unassignNumbers } from '../../../src/ledger/assignment.js'
import { retire } from '../../../src/ledger/commands.js'
import type { Cause } from '../../../src/ledger/history.js'
import { holdAny } from '../../../src/ledger/holds.js'
import type { NumberState } from '../../../src/ledger/number.js'
import { purchaseHeld } from '../../../src/ledger/sales.js'
import { exportStock } from '../../../src/ledger/stock/export.js'
import { reportStock } from '../../../src/ledger/stock/report.js'
import { openTestDatabase, truncate } from '../../fixtures/database.js'
import { enterStock, onTerms, seattle, tollFree, terms } from '../../fixtures/stock.js'

const db = await openTestDatabase()
afterAll(() => db.close())

const NOW = new Date('2026-03-01T12:00:00.000Z')
const HOLD_MS = 60_000
const QUARANTINE_MS = 3_600_000
const account = newId()
const NEVER_STOCK = '+12065559999'
const clock = new ManualClock(NOW)
const cause: Cause = { at: NOW, actor: 'operator', reason: 'test' }

/** Ten numbers in Seattle in every state, one toll-free number, and one that never was stock. */
let held: string[]
let owned: string[]
beforeEach(async () => {
  await truncate(db)
  const [assigned = '', rested = '', retired = ''] = await enterStock(db, { count: 10 })
  await enterStock(db, { from: '+18885550100', count: 1, place: tollFree })
  const wanted = { pool: '', countryCode: 'US', numberType: 'geographic' as const, areaCode: '206' }
  const hold = () => ({ holdId: newId(), resourceId: newId(), until: later(NOW, HOLD_MS) })
  await db.transaction(async (tx) => {
    await assignNumbers(tx, account, [assigned, rested, NEVER_STOCK], cause)
    await unassignNumbers(tx, account, [{ e164: rested, freeAt: later(NOW, QUARANTINE_MS) }], cause)
    await retire(tx, [retired], cause)
    held = await holdAny(tx, { ...wanted, quantity: 2 }, hold(), cause)
    const bought = hold()
    owned = await holdAny(tx, { ...wanted, quantity: 1 }, bought, cause)
    await purchaseHeld(tx, bought, onTerms(owned, terms), cause)
  })
})

describe('a report', () => {
  it('counts numbers by country, type, area code and state, with those that never were stock apart', async () => {
    expect(await reportStock(db, clock.now())).toEqual({
      stock: [
        {
          countryCode: 'US',
          phoneNumberType: 'geographic',
          areaCode: '206',
          states: { available: 4, held: 2, owned: 1, assigned: 1, quarantined: 1, retired: 1 },
        },
        { countryCode: 'US', phoneNumberType: 'tollFree', areaCode: '888', states: { available: 1 } },
      ],
      neverStock: { assigned: 1 },
    })
  })

  it('counts holds and quarantines whose time is over as available, swept or not', async () => {
    const statesAt = async (ms: number) => (await reportStock(db, later(NOW, ms))).stock[0]?.states
    expect(await statesAt(HOLD_MS - 1)).toMatchObject({ available: 4, held: 2, quarantined: 1 })
    expect(await statesAt(HOLD_MS)).toEqual({ available: 6, owned: 1, assigned: 1, quarantined: 1, retired: 1 })
    expect(await statesAt(QUARANTINE_MS)).toEqual({ available: 7, owned: 1, assigned: 1, retired: 1 })
  })

  it('takes places of one area code together', async () => {
    await enterStock(db, { from: '+12065550150', count: 5, place: { ...seattle, locality: 'Burien' } })
    expect((await reportStock(db, NOW)).stock[0]?.states.available).toBe(9)
  })

  it('counts the stock that a resource has to itself apart, after the shared one', async () => {
    await enterStock(db, { from: '+99912060000001', count: 3, pool: 'apart' })
    const { stock } = await reportStock(db, NOW)
    expect(stock.map(({ pool }) => pool)).toEqual([undefined, undefined, 'apart'])
    expect(stock[2]).toMatchObject({ countryCode: 'US', areaCode: '206', states: { available: 3 } })
  })

  it('of an empty ledger is empty', async () => {
    await truncate(db)
    expect(await reportStock(db, NOW)).toEqual({ stock: [], neverStock: {} })
  })
})

describe('an export', () => {
  interface Wanted {
    at?: Date
    state?: NumberState
    pageSize?: number
    pool?: string
  }
  const linesOf = async ({ at = NOW, state, pageSize, pool }: Wanted = {}) => {
    const pieces: string[] = []
    for await (const piece of exportStock(db, at, state, pageSize, pool)) pieces.push(piece)
    const [headings, ...lines] = pieces.join('').split('\n').slice(0, -1)
    expect(headings).toBe('phoneNumber,countryCode,phoneNumberType,areaCode,locality,administrativeDivision')
    return lines
  }
  const numbersOf = async (options?: Parameters<typeof linesOf>[0]) =>
    (await linesOf(options)).map((line) => line.split(',')[0])

  it('has all the stock in the order of numbers, and nothing that never was stock', async () => {
    const lines = await linesOf()
    expect(lines).toHaveLength(11)
    expect(lines[0]).toBe('+12065550100,US,geographic,206,Seattle,WA')
    expect(lines.at(-1)).toBe('+18885550100,US,tollFree,888,,')
    expect(lines).toEqual(lines.toSorted())
    expect(lines.join()).not.toContain(NEVER_STOCK)
  })

  it('has each number once, however it is paged', async () => {
    const whole = await linesOf()
    for (const pageSize of [1, 3, 11, 12]) expect(await linesOf({ pageSize })).toEqual(whole)
  })

  it('is of the shared stock, or of the one that a resource has to itself', async () => {
    const whole = await linesOf()
    await enterStock(db, { from: '+99912060000001', count: 3, pool: 'apart' })
    expect(await linesOf()).toEqual(whole)
    for (const pageSize of [1, 100]) {
      expect(await numbersOf({ pool: 'apart', pageSize })).toEqual([
        '+99912060000001',
        '+99912060000002',
        '+99912060000003',
      ])
      expect(await numbersOf({ pool: 'unknown', pageSize })).toEqual([])
    }
  })

  it('can be of one state, the one that counts', async () => {
    for (const pageSize of [2, 100]) {
      expect(await numbersOf({ state: 'held', pageSize })).toEqual(held)
      expect(await numbersOf({ state: 'owned', pageSize })).toEqual(owned)
      expect(await numbersOf({ state: 'assigned', pageSize })).toEqual(['+12065550100'])
      expect(await numbersOf({ state: 'available', pageSize })).toHaveLength(5)
      const at = later(NOW, HOLD_MS)
      expect(await numbersOf({ state: 'held', pageSize, at })).toEqual([])
      expect(await numbersOf({ state: 'available', pageSize, at })).toEqual(expect.arrayContaining(held))
    }
  })
})

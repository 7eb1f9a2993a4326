import { describe, expect } from 'vitest'
import { later } from '../../../src/clock.js'
import type { Tx, Db } from '../../../src/db/db.js'
import { newId } from '../../../src/ids.js'
import { assignNumbers, unassignNumbers } from '../../../src/ledger/assignment.js'
import { restore, retire } from '../../../src/ledger/commands.js'
import type { Cause } from '../../../src/ledger/history.js'
import { cancelHold, holdAny, sweepFreed, type WantedNumbers } from '../../../src/ledger/holds.js'
import { findNumbers, listHistory } from '../../../src/ledger/reads.js'
import { purchaseHeld } from '../../../src/ledger/sales.js'
import { enterStock, onTerms, seattle, tollFree, terms } from '../../fixtures/stock.js'
import { it } from '../../fixtures/test.js'

const NOW = new Date('2026-03-01T12:00:00.000Z')
const HOLD_MS = 60_000
const buyer = { id: newId() }

describe('a hold', () => {
  it('takes as many numbers as asked for, each once', async ({ db }) => {
    const stock = await enterStock(db, { count: 50 })
    const held = await holdNumbers(db, { quantity: 20 })
    expect(new Set(held).size).toBe(20)
    expect(stock).toEqual(expect.arrayContaining(held))
  })

  it('takes what is left when there is less', async ({ db }) => {
    await enterStock(db, { count: 3 })
    expect(await holdNumbers(db, { quantity: 10 })).toHaveLength(3)
    expect(await holdNumbers(db, { quantity: 10 })).toEqual([])
  })

  it('keeps to country, type and area code', async ({ db }) => {
    await enterStock(db, { count: 5 })
    await enterStock(db, { from: '+18885550100', count: 5, place: tollFree })
    await enterStock(db, {
      from: '+14255550100',
      count: 5,
      place: { ...seattle, areaCode: '425', locality: 'Redmond' },
    })
    expect(await holdNumbers(db, { areaCode: '425', quantity: 9 })).toHaveLength(5)
    expect(await holdNumbers(db, { numberType: 'tollFree', quantity: 9 })).toHaveLength(5)
    expect(await holdNumbers(db, { countryCode: 'CA', quantity: 9 })).toEqual([])
    expect(await holdNumbers(db, { quantity: 9 })).toHaveLength(5)
  })

  it('reaches over all places of an area code, and over all places when no area is named', async ({ db }) => {
    await enterStock(db, { count: 2 })
    await enterStock(db, { from: '+12065550150', count: 2, place: { ...seattle, locality: 'Burien' } })
    await enterStock(db, {
      from: '+14255550100',
      count: 2,
      place: { ...seattle, areaCode: '425', locality: 'Redmond' },
    })
    expect(await holdNumbers(db, { areaCode: '206', quantity: 3 })).toHaveLength(3)
    expect(await holdNumbers(db, { quantity: 9 })).toHaveLength(3)
  })

  it('does not hand the stock out in order', async ({ db }) => {
    const stock = await enterStock(db, { count: 60 })
    const order: string[] = []
    for (let i = 0; i < 12; i++) order.push(...(await holdNumbers(db, {})))
    expect(order).not.toEqual(stock.slice(0, 12))
  })

  it('counts as free from the instant of its expiry on, without anybody having swept', async ({ db }) => {
    await enterStock(db, { count: 1 })
    const holdId = newId()
    const [e164] = await holdNumbers(db, {}, { holdId })
    expect(await holdNumbers(db, {}, { at: later(NOW, HOLD_MS - 1) })).toEqual([])
    expect(await holdNumbers(db, {}, { at: later(NOW, HOLD_MS) })).toEqual([e164])
    expect((await listHistory(db, e164 as string)).map(({ event }) => event)).toEqual([
      'enter',
      'hold',
      'expire',
      'hold',
    ])
  })

  it('can be purchased in its last millisecond and not after it', async ({ db }) => {
    await enterStock(db, { count: 2 })
    const buy = async (holdId: string, expected: string[], at: Date) =>
      db.transaction((tx) => purchaseHeld(tx, { holdId, resourceId: buyer.id }, onTerms(expected, terms), causeAt(at)))
    const [first, second] = [newId(), newId()]
    const one = await holdNumbers(db, {}, { holdId: first })
    const two = await holdNumbers(db, {}, { holdId: second })
    expect(await buy(first, one, later(NOW, HOLD_MS - 1))).toEqual(one)
    expect(await buy(second, two, later(NOW, HOLD_MS))).toEqual([])
    expect(await findNumbers(db, one)).toMatchObject([{ state: 'owned' }])
    expect(await findNumbers(db, two)).toMatchObject([{ state: 'held' }])
  })

  it('that is cancelled frees its numbers at once, and only its own', async ({ db }) => {
    await enterStock(db, { count: 2 })
    const holdId = newId()
    const held = await holdNumbers(db, {}, { holdId })
    const other = await holdNumbers(db, {})
    await db.transaction((tx) => cancelHold(tx, holdId, causeAt(NOW)))
    expect(await holdNumbers(db, { quantity: 2 })).toEqual(held)
    expect(await findNumbers(db, other)).toMatchObject([{ state: 'held' }])
  })
})

describe('sweeping', () => {
  it('writes down what has expired, in bounded batches, and leaves the rest', async ({ db }) => {
    await enterStock(db, { count: 5 })
    await holdNumbers(db, { quantity: 3 })
    const alive = await holdNumbers(db, { quantity: 2 }, { at: later(NOW, 1) })
    const at = later(NOW, HOLD_MS)
    expect(await db.transaction((tx) => sweepFreed(tx, 2, at))).toBe(2)
    expect(await db.transaction((tx) => sweepFreed(tx, 2, at))).toBe(1)
    expect(await db.transaction((tx) => sweepFreed(tx, 2, at))).toBe(0)
    expect(await findNumbers(db, alive)).toMatchObject([{ state: 'held' }, { state: 'held' }])
  })
})

describe('an account', () => {
  const accountId = newId()
  const put = (db: Db, account: string, e164s: string[]) =>
    db.transaction((tx) => assignNumbers(tx, account, e164s, causeAt(NOW)))

  it('gets numbers from stock and new ones alike; a repeat is noted and leaves them there', async ({ db }) => {
    const [e164] = await enterStock(db, { count: 1 })
    await put(db, accountId, [e164 as string, '+123451'])
    await put(db, accountId, [e164 as string, '+123451'])
    expect(await findNumbers(db, [e164 as string, '+123451'])).toMatchObject([{ accountId }, { accountId }])
    expect((await listHistory(db, e164 as string)).map(({ event }) => event)).toEqual(['enter', 'assign', 'configure'])
  })

  it("does not get a number that is somebody else's", async ({ db }) => {
    await enterStock(db, { count: 2 })
    const [held] = await holdNumbers(db, {})
    expect(await put(db, accountId, [held as string, '+123451'])).toEqual(['+123451'])
    expect(await findNumbers(db, [held as string])).toMatchObject([{ state: 'held', accountId: null }])
  })

  it('keeps its numbers from being sold', async ({ db }) => {
    const [e164] = await enterStock(db, { count: 1 })
    await put(db, accountId, [e164 as string])
    expect(await holdNumbers(db, {})).toEqual([])
    expect(await put(db, newId(), [e164 as string])).toEqual([])
  })

  it('gives stock back into quarantine', async ({ db }) => {
    const [e164] = await enterStock(db, { count: 1 })
    await put(db, accountId, [e164 as string])
    await db.transaction((tx) =>
      unassignNumbers(tx, accountId, [{ e164: e164 as string, freeAt: later(NOW, HOLD_MS) }], causeAt(NOW)),
    )
    expect(await holdNumbers(db, {}, { at: later(NOW, HOLD_MS - 1) })).toEqual([])
    expect(await holdNumbers(db, {}, { at: later(NOW, HOLD_MS) })).toEqual([e164])
  })
})

describe('an operator', () => {
  const run = (db: Db, command: typeof retire, e164s: string[]) =>
    db.transaction((tx) => command(tx, e164s, causeAt(NOW)))

  it('takes free numbers out of service and puts them back, and may say so twice', async ({ db }) => {
    const stock = await enterStock(db, { count: 2 })
    await run(db, retire, stock)
    await run(db, retire, stock)
    expect(await holdNumbers(db, {})).toEqual([])
    await run(db, restore, stock)
    await run(db, restore, stock)
    expect(await holdNumbers(db, { quantity: 2 })).toHaveLength(2)
  })

  it('is told which numbers are in use or unknown, and nothing is retired then', async ({ db }) => {
    const stock = await enterStock(db, { count: 2 })
    const [held] = await holdNumbers(db, {})
    await expect(run(db, retire, [...stock, '+123451'])).rejects.toMatchObject({
      message: `Numbers that can't be retired: ${held} (held), +123451 (not in the ledger).`,
    })
    expect((await findNumbers(db, stock)).map(({ state }) => state).sort()).toEqual(['available', 'held'])
  })

  it('is told what is no number', async ({ db }) => {
    await expect(run(db, retire, ['12065550100'])).rejects.toMatchObject({ kind: 'invalid-input' })
  })
})

const causeAt = (at: Date): Cause => ({ at, actor: 'resource:buyer', reason: 'test' })

const holdNumbers = (
  db: Db,
  wanted: Partial<WantedNumbers>,
  { at = NOW, holdId = newId() }: { at?: Date; holdId?: string } = {},
): Promise<string[]> =>
  db.transaction((tx: Tx) =>
    holdAny(
      tx,
      { pool: '', countryCode: 'US', numberType: 'geographic', areaCode: undefined, quantity: 1, ...wanted },
      { holdId, resourceId: buyer.id, until: later(at, HOLD_MS) },
      causeAt(at),
    ),
  )

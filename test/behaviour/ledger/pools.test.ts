import { describe, expect } from 'vitest'
import { later } from '../../../src/clock.js'
import type { Db } from '../../../src/db/db.js'
import { newId } from '../../../src/ids.js'
import { holdAny } from '../../../src/ledger/holds.js'
import {
  countFree,
  hasLocalities,
  listAreaCodes,
  listLocalities,
  nearestAreaCodes,
} from '../../../src/ledger/places.js'
import { sampleAvailable } from '../../../src/ledger/sample.js'
import { enterStock, seattle } from '../../fixtures/stock.js'
import { it } from '../../fixtures/test.js'

const NOW = new Date('2026-03-01T12:00:00.000Z')
const page = { skip: 0, limit: 100 }

describe('a resource with a pool of its own', () => {
  const shared = { pool: '', from: '+12065550100', place: seattle }
  const own = { pool: 'own', from: '+12065550500', place: seattle }
  const elsewhere = { pool: 'own', from: '+15095550100', place: inArea('509', { locality: 'Pasco' }) }

  it.for([
    ['sees its stock and no other', own, [own, elsewhere]],
    ['is not seen by those who share', shared, [shared]],
  ] as const)('%s', async ([_, { pool }, visible], { db }) => {
    for (const stock of [shared, own, elsewhere]) await enterStock(db, { ...stock, count: 5 })
    const sampled = await sampleAvailable(db, { ...kindIn(pool), prefixes: [] }, 25, NOW)
    expect(new Set(sampled.map((e164) => e164.slice(0, 9)))).toEqual(
      new Set(visible.map(({ from }) => from.slice(0, 9))),
    )
    expect(sampled).toHaveLength(5 * visible.length)
    const areaFilter = { ...kindIn(pool), locality: undefined, administrativeDivision: undefined }
    expect(await listAreaCodes(db, areaFilter, page, NOW)).toEqual(visible.map(({ place }) => place.areaCode))
    const filter = { ...kindIn(pool), administrativeDivision: undefined }
    expect((await listLocalities(db, filter, page, NOW)).map(({ locality }) => locality).sort()).toEqual(
      visible.map(({ place }) => place.locality).sort(),
    )
    expect(await countFree(db, kindIn(pool), 100, NOW)).toBe(5 * visible.length)
  })

  it.for([
    ['can hold its stock and no other', own],
    ['keeps others from holding its stock', shared],
  ] as const)('%s, with an area code and without', async ([_, { pool, from }], { db }) => {
    for (const stock of [shared, own]) await enterStock(db, { ...stock, count: 5 })
    expect((await hold(db, pool, '206', { quantity: 3 })).every((e164) => e164.startsWith(from.slice(0, 10)))).toBe(
      true,
    )
    expect((await hold(db, pool, undefined)).every((e164) => e164.startsWith(from.slice(0, 10)))).toBe(true)
    expect([await hold(db, pool, '206'), await hold(db, pool, undefined)]).toEqual([[], []])
    expect(await countFree(db, kindIn(pool === '' ? 'own' : ''), 100, NOW)).toBe(5)
  })

  it('may be one of which there is nothing', async ({ db }) => {
    await enterStock(db)
    expect(await hold(db, 'empty', undefined)).toEqual([])
    expect(await sampleAvailable(db, { ...kindIn('empty'), prefixes: ['1'] }, 25, NOW)).toEqual([])
    expect(await hasLocalities(db, kindIn('empty'))).toBe(false)
    expect(await hasLocalities(db, kindIn(''))).toBe(true)
    expect(await nearestAreaCodes(db, { ...kindIn('empty'), areaCode: '207' }, 5, NOW)).toEqual([])
  })
})

describe('the nearest area codes', () => {
  it.beforeEach(async ({ db }) => {
    await enterStock(db, { from: '+12065550100', count: 1, place: inArea('206') })
    await enterStock(db, { from: '+15645550100', count: 1, place: inArea('564') })
    await enterStock(db, { from: '+15095550100', count: 1, place: inArea('509', { locality: 'Pasco' }) })
    await enterStock(db, { from: '+14255550100', count: 1, place: inArea('425', { locality: 'Redmond' }) })
    await enterStock(db, {
      from: '+12075550100',
      count: 1,
      place: inArea('207', { administrativeDivision: 'ME', locality: 'Bangor' }),
    })
    await enterStock(db, {
      from: '+12125550100',
      count: 1,
      place: inArea('212', { administrativeDivision: 'NY', locality: 'Seattle' }),
    })
  })
  const nearest = (db: Db, areaCode: string, limit = 10, now = NOW) =>
    nearestAreaCodes(db, { ...kindIn(''), areaCode }, limit, now)

  it('are those of the same locality, then of the same division, then by number', async ({ db }) => {
    expect(await nearest(db, '206')).toEqual(['564', '425', '509', '207', '212'])
    expect(await nearest(db, '206', 2)).toEqual(['564', '425'])
  })

  it('of an area code without a place are by number', async ({ db }) => {
    expect(await nearest(db, '208')).toEqual(['207', '206', '212', '425', '509', '564'])
    expect(await nearest(db, '99999999', 1)).toEqual(['564'])
  })

  it('are only those that have stock, and again those that time has freed', async ({ db }) => {
    await hold(db, '', '564')
    expect(await nearest(db, '206', 2)).toEqual(['425', '509'])
    expect(await nearest(db, '206', 2, later(NOW, 60_000))).toEqual(['564', '425'])
  })
})

describe('the count of free numbers', () => {
  it('ends where it is told to, and counts what time has freed', async ({ db }) => {
    await enterStock(db, { count: 10 })
    await enterStock(db, { from: '+14255550100', count: 10, place: inArea('425', { locality: 'Redmond' }) })
    const count = (atMost: number, now = NOW) => countFree(db, kindIn(''), atMost, now)
    expect([await count(4), await count(100)]).toEqual([4, 20])
    await hold(db, '', '206', { quantity: 7 })
    expect([await count(12), await count(100)]).toEqual([12, 13])
    expect(await count(100, later(NOW, 60_000))).toBe(20)
  })
})

const kindIn = (pool: string) => ({ pool, countryCode: 'US', numberType: 'geographic' }) as const
const hold = (
  db: Db,
  pool: string,
  areaCode: string | undefined,
  { quantity = 100, until = later(NOW, 60_000) } = {},
) =>
  db.transaction((tx) =>
    holdAny(
      tx,
      { ...kindIn(pool), areaCode, quantity },
      { holdId: newId(), resourceId: newId(), until },
      { at: NOW, actor: 'resource:buyer', reason: 'test' },
    ),
  )
const inArea = (areaCode: string, place: Partial<typeof seattle> = {}) => ({ ...seattle, areaCode, ...place })

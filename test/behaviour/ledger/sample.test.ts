/** The sample behind a browse, against what a plain look at every number says it may show. */
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { later } from '../../../src/clock.js'
import { sql, type Db } from '../../../src/db/db.js'
import { newId } from '../../../src/ids.js'
import { numberStates, numberTypes, type NumberState, type NumberType } from '../../../src/ledger/number.js'
import { sampleAvailable, type SampledStock } from '../../../src/ledger/sample.js'
import { truncate } from '../../fixtures/database.js'
import { enterStock, seattle } from '../../fixtures/stock.js'
import { it } from '../../fixtures/test.js'

const NOW = new Date('2026-03-01T12:00:00.000Z')
const SIZE = 25
const everything: SampledStock = { pool: '', countryCode: 'US', numberType: 'geographic', prefixes: [] }

describe('a sample', () => {
  it('is of as many areas as it has numbers, wherever stock is wide enough', async ({ db }) => {
    await enterAreas(db, 40, 30)
    for (const prefixes of [[], ['1'], ['12']]) {
      expect(new Set((await sample(db, { prefixes })).map(areaOf)).size).toBe(SIZE)
    }
  })

  it('is of all areas, with as many of each as can be, where there are fewer', async ({ db }) => {
    await enterAreas(db, 5, 30)
    await enterStock(db, { from: '+13105550000', count: 2, place: { ...seattle, areaCode: '310' } })
    for (const prefixes of [[], ['1']]) {
      const counts = new Map<string, number>()
      for (const e164 of await sample(db, { prefixes })) counts.set(areaOf(e164), (counts.get(areaOf(e164)) ?? 0) + 1)
      expect(counts.get('310')).toBe(2)
      expect(['201', '202', '203', '204', '205'].map((area) => counts.get(area)).sort()).toEqual([4, 4, 5, 5, 5])
    }
  })

  it('is another one each time', async ({ db }) => {
    await enterAreas(db, 40, 30)
    for (const prefixes of [[], ['1'], ['1201', '1202']]) {
      expect(new Set(await sample(db, { prefixes }))).not.toEqual(new Set(await sample(db, { prefixes })))
    }
  })

  it('does not show an area in order', async ({ db }) => {
    await enterAreas(db, 1, 5_000)
    for (const prefixes of [[], ['1201'], ['12015553']]) {
      const shown = await sample(db, { prefixes })
      expect(shown).not.toEqual([...shown].sort())
      const subscribers = shown.map(subscriberOf)
      expect(Math.max(...subscribers) - Math.min(...subscribers)).toBeGreaterThan(4 * SIZE)
    }
  })

  it('comes to show every number', async ({ db }) => {
    const stock = await enterStock(db, { count: 60 })
    for (const prefixes of [[], ['1206'], ['120655501']]) {
      const seen = new Set<string>()
      for (let i = 0; i < 100 && seen.size < stock.length; i++) {
        for (const e164 of await sample(db, { prefixes })) seen.add(e164)
      }
      expect([...seen].sort()).toEqual(stock)
    }
  })

  it('by a whole number shows that number', async ({ db }) => {
    await enterStock(db, { count: 60 })
    expect(await sample(db, { prefixes: ['12065550123'] })).toEqual(['+12065550123'])
    expect(await sample(db, { prefixes: ['120655501234'] })).toEqual([])
  })

  it('shows a number once, however many prefixes it has', async ({ db }) => {
    const stock = await enterStock(db, { count: 10 })
    expect((await sample(db, { prefixes: ['1206', '1', '1206', '12065550105'] })).sort()).toEqual(stock)
  })
})

interface Entry {
  area: number
  subscriber: number
  numberType: NumberType
  pool: string
  state: NumberState
  /** For those that time frees: whether it has. */
  isFreed: boolean
}

const entry: fc.Arbitrary<Entry> = fc.record({
  area: fc.integer({ min: 0, max: 3 }),
  subscriber: fc.integer({ min: 0, max: 199 }),
  numberType: fc.constantFrom(...numberTypes.slice(0, 2)),
  pool: fc.constantFrom('', 'own'),
  state: fc.oneof({ weight: 3, arbitrary: fc.constant('available' as const) }, fc.constantFrom(...numberStates)),
  isFreed: fc.boolean(),
})

const e164Of = ({ area, subscriber }: Entry): string => `+1206${area}${String(subscriber).padStart(3, '0')}`
const isFree = ({ state, isFreed }: Entry): boolean =>
  state === 'available' || ((state === 'held' || state === 'quarantined') && isFreed)

async function enterEntries(db: Db, entries: Entry[]): Promise<void> {
  await truncate(db)
  for (const each of entries) {
    const { area, numberType, pool, state, isFreed } = each
    const place = { ...seattle, numberType, areaCode: `206${area}` }
    await enterStock(db, { from: e164Of(each), count: 1, place, pool })
    const freeAt = state === 'held' || state === 'quarantined' ? later(NOW, isFreed ? 0 : 1) : null
    const owned = state === 'owned' ? NOW : null
    await db.query(sql`
      update number
      set state = ${state}, free_at = ${freeAt},
          hold_id = ${state === 'held' ? newId() : null},
          resource_id = ${state === 'held' || state === 'owned' ? newId() : null},
          account_id = ${state === 'assigned' ? newId() : null},
          purchased_at = ${owned}, purchase_order = ${owned && 1}, assignment_type = ${owned && 'person'},
          calling = ${owned && 'none'}, sms = ${owned && 'none'}, price_amount = ${owned && '1'},
          price_currency = ${owned && 'USD'}
      where e164 = ${e164Of(each)}`)
  }
}

const aPrefix = fc.oneof(
  fc.constantFrom('1', '1206', '12060', '120611', '9'),
  entry.map((each) => e164Of(each).slice(1)),
  entry.map((each) => e164Of(each).slice(1, 7)),
)

it('a sample is as large as it can be, of free numbers of the kind and pool asked for', async ({ db }) => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(entry, { selector: e164Of, maxLength: 60 }),
      fc.array(fc.array(aPrefix, { maxLength: 4 }), { minLength: 1, maxLength: 4 }),
      async (entries, prefixLists) => {
        await enterEntries(db, entries)
        for (const prefixes of prefixLists) {
          for (const pool of ['', 'own']) {
            const matching = entries
              .filter((each) => isFree(each) && each.numberType === 'geographic' && each.pool === pool)
              .map(e164Of)
              .filter((e164) => prefixes.length === 0 || prefixes.some((prefix) => e164.startsWith(`+${prefix}`)))
            const shown = await sample(db, { pool, prefixes })
            expect(matching).toEqual(expect.arrayContaining(shown))
            expect(new Set(shown).size).toBe(Math.min(SIZE, matching.length))
            expect(shown).toHaveLength(Math.min(SIZE, matching.length))
          }
        }
      },
    ),
    { numRuns: 25 },
  )
})

const sample = (db: Db, over: Partial<SampledStock> = {}, now = NOW): Promise<string[]> =>
  sampleAvailable(db, { ...everything, ...over }, SIZE, now)

const areaOf = (e164: string): string => e164.slice(2, 5)
const subscriberOf = (e164: string): number => Number(e164.slice(5))

/** Areas 201, 202, …, with `perArea` numbers each. */
async function enterAreas(db: Db, areas: number, perArea: number): Promise<void> {
  for (let area = 201; area < 201 + areas; area++) {
    const place = { ...seattle, areaCode: String(area), locality: `Town ${area}` }
    await enterStock(db, { from: `+1${area}5550000`, count: perArea, place })
  }
}

/** A filter as SQL against the same filter over items in memory, the oracle. */
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { sql, type Sql, type Db } from '../../../src/db/db.js'
import { compileFilter } from '../../../src/provisioning/filter/compile.js'
import type { FilterFields } from '../../../src/provisioning/filter/fields.js'
import { parseFilter } from '../../../src/provisioning/filter/parse.js'
import { filterPredicate, type ValueFields } from '../../fixtures/evaluate-filter.js'
import { filters, printFilter, things, type Thing } from '../../fixtures/filters.js'
import { it } from '../../fixtures/test.js'

const nothing: Thing = { text: null, guid: null, flag: null, amount: null, at: null }

it('the database chooses the same items as the oracle, whatever the filter and the items', async ({ db }) => {
  await fc.assert(
    fc.asyncProperty(filters, fc.array(things, { minLength: 1, maxLength: 12 }), async (filter, items) => {
      const text = printFilter(filter)
      expect(await chosenByDatabase(db, text, items)).toEqual(chosenInMemory(text, items))
    }),
    { numRuns: 1_000 },
  )
})

describe('what an absent value is', () => {
  const items: Thing[] = [
    nothing,
    { text: 'b', guid: 'B', flag: true, amount: 2, at: new Date('2024-02-29T12:00:00Z') },
  ]

  it.for([
    ["text eq 'b'", [1]],
    ["text ne 'b'", [0]],
    ["text ne 'c'", [0, 1]],
    ['text eq null', [0]],
    ['text ne null', [1]],
    ["text gt 'a'", [1]],
    ["text le 'z'", [1]],
    ['text ge null', []],
    ["not text eq 'b'", [0]],
    ["not (text gt 'a')", [0]],
    ["not contains(text,'b')", [0]],
    ["guid eq 'b'", [1]],
    ["startswith(guid,'b')", [1]],
    ['flag', [1]],
    ['not flag', [0]],
    ['flag eq false', []],
    ['flag ne false', [0, 1]],
    ['amount ge 2', [1]],
    ['not amount ge 2', [0]],
    ['at eq 2024-02-29T13:00:00+01:00', [1]],
    ['at lt 2024-02-29T12:00:00.001Z', [1]],
    ["text eq 'x' or not (amount gt 1 and flag)", [0]],
    ["not (text eq 'x' or amount gt 5)", [0, 1]],
  ] as const)('%s chooses %j', async ([text, expected], { db }) => {
    expect(await chosenByDatabase(db, text, items)).toEqual(expected)
    expect(chosenInMemory(text, items)).toEqual(expected)
  })
})

describe('a text in a filter', () => {
  const texts = [
    "'; drop table number; --",
    "' or '1'='1",
    "') or true --",
    '$1',
    '%',
    '_',
    'a%b_c\\d',
    '\\',
    '/* */',
    "O'Brien",
    '"quoted"',
    '${1}',
    '?',
    '\r\n\t',
    '+12065550100',
  ]
  const items: Thing[] = [...texts, 'bystander'].map((text) => ({ ...nothing, text }))

  it.for(texts.map((text, index) => [text, index] as const))('is only a text: %j', async ([text, index], { db }) => {
    const literal = `'${text.replaceAll("'", "''")}'`
    expect(await chosenByDatabase(db, `text eq ${literal}`, items)).toEqual([index])
    for (const test of ['startswith', 'endswith', 'contains']) {
      const filter = `${test}(text,${literal})`
      const chosen = await chosenByDatabase(db, filter, items)
      expect(chosen).toContain(index)
      expect(chosen).toEqual(chosenInMemory(filter, items))
      expect(chosen).not.toContain(texts.length)
    }
  })

  it('is in no statement but as a parameter', () => {
    const filter = parseFilter(
      "text eq 'secret' or contains(guid,'secret') or amount eq 4711 or at gt 2024-02-29T12:00:00Z",
    )
    expect(compileFilter(filter, fields).text).not.toMatch(/secret|4711|2024/)
  })
})

describe('an index serves', () => {
  const ofNumbers: FilterFields = { telephoneNumber: { type: 'string', sql: sql`n.e164` } }

  it.for([
    "telephoneNumber eq '+12065550100'",
    "telephoneNumber gt '+1206' and telephoneNumber le '+1207'",
    "startswith(telephoneNumber,'+1206')",
    "telephoneNumber eq '+12065550100' or telephoneNumber eq '+12065550101'",
  ] as const)('%s', async (text, { db }) => {
    const plan = await db.transaction(async (tx) => {
      await tx.query(sql`set local enable_seqscan = off`)
      return tx.query<{ 'QUERY PLAN': string }>(explained(compileFilter(parseFilter(text), ofNumbers)))
    })
    expect(plan.map((line) => line['QUERY PLAN']).join('\n')).toContain('Index Cond')
  })

  const explained = (condition: Sql): Sql => sql`explain select n.e164 from number n where ${condition}`
})

const fields: FilterFields = {
  text: { type: 'string', sql: sql`item.text` },
  guid: { type: 'guid', sql: sql`item.guid` },
  flag: { type: 'boolean', sql: sql`item.flag` },
  amount: { type: 'number', sql: sql`item.amount` },
  at: { type: 'dateTime', sql: sql`item.at` },
}
const values: ValueFields<Thing> = {
  text: { type: 'string', value: (thing) => thing.text },
  guid: { type: 'guid', value: (thing) => thing.guid },
  flag: { type: 'boolean', value: (thing) => thing.flag },
  amount: { type: 'number', value: (thing) => thing.amount },
  at: { type: 'dateTime', value: (thing) => thing.at },
}

/** The texts have a collation that orders them as people do, which a filter doesn't. */
async function chosenByDatabase(db: Db, filterText: string, items: readonly Thing[]): Promise<number[]> {
  const rows = JSON.stringify(items.map((item, index) => ({ index, ...item })))
  const chosen = await db.query<{ index: number }>(sql`
    select item.index
    from jsonb_to_recordset(${rows}::text::jsonb)
      as item (
        index integer, text text collate "und-x-icu", guid text collate "und-x-icu", flag boolean, amount double precision,
        at timestamptz
      )
    where ${compileFilter(parseFilter(filterText), fields)}
    order by item.index`)
  return chosen.map(({ index }) => index)
}

function chosenInMemory(filterText: string, items: readonly Thing[]): number[] {
  const chooses = filterPredicate(parseFilter(filterText), values)
  return items.flatMap((item, index) => (chooses(item) ? [index] : []))
}

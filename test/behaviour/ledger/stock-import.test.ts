import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../../../src/clock.js'
import { sql, type Db } from '../../../src/db/db.js'
import { SetupError } from '../../../src/errors.js'
import { newId } from '../../../src/ids.js'
import { assignNumbers } from '../../../src/ledger/assignment.js'
import { listHistory } from '../../../src/ledger/reads.js'
import { exportStock } from '../../../src/ledger/stock/export.js'
import { importStock, type BadLine, type ImportOutcome, type StockImport } from '../../../src/ledger/stock/import.js'
import { openTestDatabase, truncate } from '../../fixtures/database.js'
import { enterStock } from '../../fixtures/stock.js'

const db = await openTestDatabase()
const folder = await mkdtemp(join(tmpdir(), 'linebook-stock-'))
afterAll(async () => {
  await db.close()
  await rm(folder, { recursive: true })
})
beforeEach(() => truncate(db))

const NOW = new Date('2026-03-01T12:00:00.000Z')
const clock = new ManualClock(NOW)
const file = join(folder, 'numbers.csv')

type Result = ImportOutcome & { badLines: BadLine[] }

/** Imports a file of these contents. */
async function importText(
  text: string | Buffer,
  { on = db, ...wanted }: Partial<StockImport> & { on?: Db } = {},
): Promise<Result> {
  await writeFile(file, text)
  const badLines: BadLine[] = []
  const outcome = await importStock(
    { db: on, clock },
    { file, reason: 'stock import numbers.csv', skipBad: false, dryRun: false, ...wanted },
    { onBadLine: (bad) => badLines.push(bad) },
  )
  return { ...outcome, badLines }
}

const importLines = (lines: string[], wanted?: Partial<StockImport>): Promise<Result> =>
  importText([HEADINGS, ...lines, ''].join('\n'), wanted)

const HEADINGS = 'phoneNumber,countryCode,phoneNumberType,areaCode,locality,administrativeDivision'

interface Row {
  e164: string
  place: string
}

const stock = (): Promise<Row[]> =>
  db.query<Row>(sql`
    select e164, concat_ws(' ', country_code, number_type, area_code, locality, administrative_division) as place
    from number join place on place.id = place_id where state = 'available' order by e164`)

const countOf = async (table: 'number' | 'place' | 'number_history'): Promise<number> => {
  const [row] = await db.query<Record<typeof table, number>>(sql`
    select (select count(*) from number) as number, (select count(*) from place) as place,
           (select count(*) from number_history) as number_history`)
  return row?.[table] ?? -1
}

describe('an import', () => {
  it('enters numbers as available stock, deriving what their lines leave out', async () => {
    const outcome = await importLines([
      '+12065550100,US,geographic,206,Seattle,WA',
      '+12065550101,us,GEOGRAPHIC,206,Seattle,WA',
      '+18885550100,,,,,',
      '+442079460000,,,20,London,',
    ])
    expect(outcome).toEqual({ entered: 4, known: 0, bad: 0, kept: true, badLines: [] })
    expect(await stock()).toEqual([
      { e164: '+12065550100', place: 'US geographic 206 Seattle WA' },
      { e164: '+12065550101', place: 'US geographic 206 Seattle WA' },
      { e164: '+18885550100', place: expect.stringMatching(/^US tollFree 888 *$/) as string },
      { e164: '+442079460000', place: expect.stringMatching(/^GB geographic 20 London *$/) as string },
    ])
  })

  it('writes the first line of the history of each number', async () => {
    await importLines(['+12065550100,,,,,', '+12065550101,,,,,'])
    for (const e164 of ['+12065550100', '+12065550101']) {
      expect(await listHistory(db, e164)).toEqual([
        {
          at: NOW,
          event: 'enter',
          fromState: null,
          toState: 'available',
          actor: 'operator',
          reason: 'stock import numbers.csv',
        },
      ])
    }
  })

  it('keeps what numbers have in common once', async () => {
    await enterStock(db, { count: 1 })
    await importLines(['+12065550150,,,,Seattle,WA', '+12065550151,,,,Seattle,WA', '+12065550152,,,,Tacoma,WA'])
    expect(await countOf('place')).toBe(2)
  })

  it('changes nothing when it is repeated', async () => {
    const lines = ['+12065550100,,,,Seattle,WA', '+12065550101,,,,Seattle,WA']
    await importLines(lines)
    expect(await importLines(lines)).toMatchObject({ entered: 0, known: 2, bad: 0, kept: true })
    expect(await countOf('number_history')).toBe(2)
  })

  it('takes a file of more than one batch, and finds what stands twice across batches', async () => {
    const lines = Array.from({ length: 12_000 }, (_, i) => `+999${1_000_000 + i},US,geographic,1,,`)
    const again = ['+9991000000,US,geographic,1,,', '+9991000001,US,geographic,10,,']
    expect(await importLines([...lines, ...again], { skipBad: true })).toEqual({
      entered: 12_000,
      known: 1,
      bad: 1,
      kept: true,
      badLines: [{ line: 12_003, phoneNumber: '+9991000001', reason: 'is in stock as US geographic 1 already' }],
    })
    expect(await countOf('number_history')).toBe(12_000)
  })

  it('enters everything once when the database has the transaction run again', async () => {
    let startedAgain = 0
    const givingUpOnce: Db = {
      ...db,
      transaction: async (work) => {
        await expect(
          db.transaction(async (tx) => {
            await work(tx)
            throw new Error('deadlock')
          }),
        ).rejects.toThrow('deadlock')
        return db.transaction(work)
      },
    }
    await writeFile(file, `${HEADINGS}\n+12065550100,,,,,\nbad,,,,,\n`)
    const outcome = await importStock(
      { db: givingUpOnce, clock },
      { file, reason: 'test', skipBad: true, dryRun: false },
      { onBadLine: () => {}, onStartAgain: () => (startedAgain += 1) },
    )
    expect(outcome).toEqual({ entered: 1, known: 0, bad: 1, kept: true })
    expect(startedAgain).toBe(1)
    expect(await countOf('number_history')).toBe(1)
  })

  it('tells how far the file has been read', async () => {
    const text = `${HEADINGS}\n+12065550100,,,,,\n`
    await writeFile(file, text)
    const read: [number, number][] = []
    await importStock(
      { db, clock },
      { file, reason: 'test', skipBad: false, dryRun: false },
      { onBadLine: () => {}, onRead: (done, size) => read.push([done, size]) },
    )
    expect(read.at(-1)).toEqual([text.length, text.length])
  })
})

describe('bad lines', () => {
  const good = '+12065550100,US,geographic,206,Seattle,WA'

  it('are told with their line, their number and the reason', async () => {
    await enterStock(db, { count: 1, from: '+12065550180' })
    await db.transaction((tx) =>
      assignNumbers(tx, newId(), ['+12065550190'], { at: NOW, actor: 'test', reason: 'test' }),
    )
    const { badLines, bad } = await importLines([
      good,
      '+12065550100,US,geographic,206,Tacoma,WA',
      '2065550101,US,geographic,206,,',
      ',US,geographic,206,,',
      '+12065550102,USA,geographic,206,,',
      '+12065550103,GB,geographic,206,,',
      '+12065550104,US,voip,206,,',
      '+12065550105,US,geographic,2O6,,',
      '+12065550106,US,geographic,425,,',
      '+442079460000,,,,,',
      '+61491570156,,,4,,',
      `+12065550107,US,geographic,206,${'x'.repeat(201)},`,
      '+12065550108,US,geographic,206,"Sea\ttle",',
      '+12065550109,US,geographic',
      '+12065550110,US,geographic,206,,,',
      '+12065550180,US,geographic,206,Tacoma,WA',
      '+12065550190,US,geographic,206,,',
    ])
    const told = badLines.toSorted((a, b) => a.line - b.line).map((b) => `${b.line} ${b.phoneNumber} ${b.reason}`)
    expect(told).toEqual([
      '3 +12065550100 line 2 has it as US geographic 206 (Seattle, WA)',
      '4 2065550101 phoneNumber "2065550101" is not an E.164 number, e.g. +14255550100',
      '5  phoneNumber "" is not an E.164 number, e.g. +14255550100',
      '6 +12065550102 countryCode "USA" is not two letters, e.g. US',
      '7 +12065550103 countryCode GB is +44, which +12065550103 does not begin with',
      '8 +12065550104 phoneNumberType "voip" is none of geographic, tollFree, mobile',
      '9 +12065550105 areaCode "2O6" is not 1 to 8 digits, e.g. 425',
      '10 +12065550106 areaCode 425 is not what follows +1 in +12065550106',
      '11 +442079460000 the number does not tell its area code: give areaCode',
      '12 +61491570156 the number may be of AU or CC or CX: give countryCode',
      `13 +12065550107 locality "${'x'.repeat(40)}…" is longer than 200 characters`,
      '14 +12065550108 locality "Sea\\ttle" has control characters in it',
      '15 +12065550109 the line has 3 values and the first line has 6 headings',
      '16 +12065550110 the line has 7 values and the first line has 6 headings',
      '17 +12065550180 is in stock as US geographic 206 (Seattle, WA) already',
      '18 +12065550190 is in the ledger already, on an account and not as stock',
    ])
    expect(bad).toBe(16)
  })

  it('keep everything out', async () => {
    const outcome = await importLines([good, '+12065550101,,,,,', 'bad,,,,,'])
    expect(outcome).toMatchObject({ entered: 2, known: 0, bad: 1, kept: false })
    expect(await countOf('number')).toBe(0)
    expect(await countOf('number_history')).toBe(0)
    expect(await countOf('place')).toBe(0)
  })

  it('are left out where that is asked for', async () => {
    const outcome = await importLines([good, 'bad,,,,,', good.replace('0100', '0101')], { skipBad: true })
    expect(outcome).toMatchObject({ entered: 2, known: 0, bad: 1, kept: true })
    expect(await stock()).toHaveLength(2)
  })

  it('are counted by the lines of the file, whatever ends them and whatever is quoted', async () => {
    const lines = [HEADINGS, '', good, '+12065550101,,,,"two\r\nlines",', '', 'bad,,,,,', '"bad ""too""",,,,,']
    for (const end of ['\n', '\r\n', '\r']) {
      const { badLines } = await importText(`\ufeff${lines.join(end)}`)
      expect(badLines.map(({ line }) => line)).toEqual([4, 7, 8])
    }
  })
})

describe('a number that stands twice in a file', () => {
  it('counts as known when the rest is the same', async () => {
    const outcome = await importLines(['+12065550100,US,geographic,206,,', '+12065550100,,,,,'])
    expect(outcome).toMatchObject({ entered: 1, known: 1, bad: 0, kept: true })
  })

  it('is a bad line when the rest differs', async () => {
    const { badLines, kept } = await importLines(['+12065550100,,,,Seattle,', '+12065550100,,,,Tacoma,'])
    expect(badLines).toEqual([
      { line: 3, phoneNumber: '+12065550100', reason: 'line 2 has it as US geographic 206 (Seattle)' },
    ])
    expect(kept).toBe(false)
  })
})

describe('a dry run', () => {
  it('tells what would happen, with what the ledger has against it, and changes nothing', async () => {
    await enterStock(db, { count: 2 })
    const outcome = await importLines(
      ['+12065550100,,,,Seattle,WA', '+12065550101,,,,Tacoma,WA', '+12065550150,,,,Seattle,WA'],
      { dryRun: true },
    )
    expect(outcome).toMatchObject({ entered: 1, known: 1, bad: 1, kept: false })
    expect(outcome.badLines).toMatchObject([{ line: 3, phoneNumber: '+12065550101' }])
    expect(await countOf('number')).toBe(2)
    expect(await countOf('place')).toBe(1)
  })
})

describe('a file', () => {
  it('has its columns in any order, and only those it needs', async () => {
    await importText('locality,phoneNumber\nSeattle,+12065550100\n')
    expect(await stock()).toMatchObject([{ e164: '+12065550100', place: 'US geographic 206 Seattle ' }])
  })

  it('may begin with a byte order mark, end its lines either way, quote, pad and end without a line break', async () => {
    await importText(`\ufeff${HEADINGS}\r\n+12065550100, US ,geographic,206,"Seattle, ""Emerald City""",WA`)
    expect(await stock()).toEqual([{ e164: '+12065550100', place: 'US geographic 206 Seattle, "Emerald City" WA' }])
  })

  it('may have headings alone', async () => {
    expect(await importText(HEADINGS)).toMatchObject({ entered: 0, known: 0, bad: 0, kept: true })
  })

  it.each([
    ['', /numbers\.csv is empty; its first line names its columns: phoneNumber,countryCode,/],
    ['\n\n', /numbers\.csv is empty/],
    ['phoneNumber,city\n', /no such heading: "city"\. The headings are phoneNumber, countryCode, .*Division/],
    ['phoneNumber;areaCode\n', /no such heading: "phoneNumber;areaCode"\. .* separated by commas/],
    ['countryCode\nUS\n', /the heading phoneNumber is missing/],
    ['phoneNumber,areaCode,phoneNumber\n', /the heading phoneNumber is there twice/],
    [`${HEADINGS}\n+12065550100,,,,,\n+12065550101,,,,"Seattle,\n`, /line 3: a quote opened on it is never closed/],
    [`${HEADINGS}\n+12065550100,,,,Sea"ttle,\n`, /line 2: a quote stands where none can/],
    [`${HEADINGS}\n+12065550100,,,,"Sea"ttle,\n`, /line 2: a quote stands where none can/],
    [`${HEADINGS}\n+12065550100,,,,"${'\n'.repeat(20_000)}`, /line 2: it goes on for more than 10000 characters/],
  ])('%j is refused with a reason, and nothing is entered', async (text, reason) => {
    const refusal = await importText(text, { skipBad: true }).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(SetupError)
    expect((refusal as Error).message).toMatch(reason)
    expect(await countOf('number')).toBe(0)
  })

  it('of another encoding is refused line by line', async () => {
    const { badLines } = await importText(Buffer.from('phoneNumber,locality\n+12065550100,S\xe3o Paulo\n', 'latin1'))
    expect(badLines).toMatchObject([{ line: 2, reason: 'locality "S\ufffdo Paulo" is not UTF-8 text' }])
  })

  it('that is missing or a folder is named', async () => {
    const missing = join(folder, 'missing.csv')
    const wanted = { reason: 'test', skipBad: false, dryRun: false }
    const listener = { onBadLine: () => {} }
    await expect(importStock({ db, clock }, { ...wanted, file: missing }, listener)).rejects.toThrow(
      new SetupError(`${missing}: there is no such file.`),
    )
    await expect(importStock({ db, clock }, { ...wanted, file: folder }, listener)).rejects.toThrow(
      new SetupError(`${folder} is a folder, not a file.`),
    )
  })
})

describe('the stock that a resource has to itself', () => {
  it('is imported into like the shared one; a number is in one of them', async () => {
    await enterStock(db, { count: 1 })
    const line = '+99912060000001,US,geographic,206,Seattle,WA'
    expect(await importLines([line], { pool: 'apart' })).toMatchObject({ entered: 1, kept: true })
    expect(await importLines([line], { pool: 'apart' })).toMatchObject({ known: 1, kept: true })
    expect((await importLines([line])).badLines).toMatchObject([
      { reason: 'is in stock as US geographic 206 (Seattle, WA), of apart alone, already' },
    ])
    expect((await importLines(['+12065550100,,,,Seattle,WA'], { pool: 'apart' })).badLines).toMatchObject([
      { reason: 'is in stock as US geographic 206 (Seattle, WA) already' },
    ])
  })
})

describe('what an export writes', () => {
  it('is all known when it is imported', async () => {
    await enterStock(db, { count: 30 })
    await importLines(['+12065550150,,,,"Quoted ""town"", with comma",WA', '+442079460000,,,20,London,'])
    const pieces: string[] = []
    for await (const piece of exportStock(db, NOW)) pieces.push(piece)
    expect(await importText(pieces.join(''))).toMatchObject({ entered: 0, known: 32, bad: 0, kept: true })
  })
})

import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { runOnce } from '../postgres.js'
import { compare, interleave, median } from '../rounds.js'
import { runLinebook } from '../service.js'
import { addPlaces, COUNTRY, createMigratedDatabase } from '../stock.js'

const AREAS = 100
const PER_AREA = 10_000
const ROWS = AREAS * PER_AREA
const ROUNDS = 3

/** @param {import('../run.js').Bench} bench @returns {Promise<import('../table.js').Row[]>} */
export async function measure({ postgres, folder, note }) {
  const url = await createMigratedDatabase(await postgres(), 'stock_import')
  await addPlaces(url, AREAS)
  const places = await runOnce(url, 'select id, area_code as "areaCode" from place order by area_code')
  const csvFile = join(folder, 'stock.csv')
  const copyFile = join(folder, 'stock.copy')
  await writeLines(csvFile, csvLines(places))
  await writeLines(copyFile, copyLines(places))

  const memory = []
  const importing = async () => {
    const { ms, peakMemoryMb, output } = await runLinebook(['stock', 'import', csvFile], {
      DATABASE_URL: url,
      LINEBOOK_SEED_STOCK: 'off',
    })
    if (!output.includes(`${ROWS} entered`)) throw new Error(`Not all rows were imported:\n${output}`)
    memory.push(peakMemoryMb)
    return rate(ms)
  }
  const copying = async () => {
    const startedAt = performance.now()
    await runOnce(url, `copy number (e164, place_id, shuffle, state) from '${copyFile}'`)
    return rate(performance.now() - startedAt)
  }
  note(`${ROWS.toLocaleString('en')} rows, in the order of the numbers, each time into an empty table with its indexes`)
  const { ours, others } = await interleave(ROUNDS, { ours: importing, others: copying }, () => empty(url))
  const { ours: rows, other, ratio, spread } = compare(ours, others)
  return [
    {
      what: 'stock import: CSV read, checked, numbers and history written',
      ours: perSecond(rows),
      comparedWith: `COPY into the table of numbers alone, ${perSecond(other)}`,
      ratio,
      spread,
      aim: '≥ 0.25',
      met: ratio >= 0.25,
    },
    { what: '  most memory of the importing process', ours: `${median(memory).toFixed(0)} MB`, comparedWith: '' },
  ]
}

const rate = (ms) => ROWS / (ms / 1000)
const perSecond = (rows) => `${(rows / 1000).toFixed(0)}k rows/s`

async function empty(url) {
  await runOnce(url, 'truncate number, number_history')
  await runOnce(url, 'checkpoint')
}

const writeLines = (file, lines) => pipeline(Readable.from(lines), createWriteStream(file))

function* csvLines(places) {
  yield 'phoneNumber,countryCode,phoneNumberType,areaCode\n'
  for (const { areaCode } of places) {
    yield numbersOf(areaCode)
      .map((e164) => `${e164},${COUNTRY},geographic,${areaCode}\n`)
      .join('')
  }
}

function* copyLines(places) {
  for (const { id, areaCode } of places) {
    yield numbersOf(areaCode)
      .map((e164) => `${e164}\t${id}\t${Math.floor((Math.random() - 0.5) * 2 ** 32)}\tavailable\n`)
      .join('')
  }
}

/** Test numbers of an area: +999, the area code, seven digits. */
const numbersOf = (areaCode) =>
  Array.from({ length: PER_AREA }, (_, index) => `+999${areaCode}${String(index).padStart(7, '0')}`)

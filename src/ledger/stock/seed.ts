/** The fictional numbers of emulator mode. Sources of each range: data/README.md. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { sql, type Db } from '../../db/db.js'
import type { NumberType } from '../number.js'
import { refreshStatistics, StockEntry } from './enter.js'
import { numbersOf } from './ranges.js'

interface SeedRange {
  from: string
  count: number
  countryCode: string
  phoneNumberType: NumberType
  areaCode: string
  locality?: string
  administrativeDivision?: string
}

const SEED_FILE = fileURLToPath(new URL('../../../data/emulator-stock.json', import.meta.url))

/**
 * Fills an empty ledger with the fictional numbers; one that has numbers is left alone. Returns how many it entered.
 */
export async function seedStock(db: Db, now: Date): Promise<number> {
  const [present] = await db.query(sql`select from number limit 1`)
  if (present) return 0
  const { ranges } = JSON.parse(await readFile(SEED_FILE, 'utf8')) as { ranges: SeedRange[] }
  const numbers = ranges.flatMap((range) => [...numbersOf({ ...range, place: toPlace(range) })])
  const { entered } = await db.transaction((tx) =>
    new StockEntry(tx, { at: now, actor: 'system', reason: 'emulator stock' }).enter(numbers),
  )
  await db.query(refreshStatistics)
  return entered
}

const toPlace = ({ countryCode, phoneNumberType, areaCode, locality, administrativeDivision }: SeedRange) => ({
  countryCode,
  numberType: phoneNumberType,
  areaCode,
  administrativeDivision: administrativeDivision ?? '',
  locality: locality ?? '',
})

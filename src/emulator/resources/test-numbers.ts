/**
 * Numbers made up for the stock of one resource. A number is unique in the whole ledger, and the fictional ranges of
 * real countries are small and in the shared stock already. So these begin with 999, a calling code that no country
 * has: `+999`, calling code, area code and a serial number, fifteen digits together.
 */
import { randomInt } from 'node:crypto'
import { sql, type Tx } from '../../db/db.js'
import { invalidInput } from '../../errors.js'
import { callingCodeOf, TEST_CALLING_CODE } from '../../ledger/stock/derive.js'
import type { Place, StockNumber } from '../../ledger/stock/enter.js'
import { numbersOf } from '../../ledger/stock/ranges.js'

const MAX_DIGITS = 15
const TRIES = 50
/** The key of the lock that transactions searching for free numbers hold one after the other. */
const LOCK_KEY = 'linebook made-up numbers'

/**
 * Must be called before `madeUpNumbers`: concurrent searches would find the same numbers. Held until the transaction
 * ends.
 */
export async function lockMadeUpNumbers(tx: Tx): Promise<void> {
  await tx.query(sql`select pg_advisory_xact_lock(hashtextextended(${LOCK_KEY}, 0))`)
}

/**
 * Consecutive free numbers of a place, from a random point of its range, so that a number that was removed doesn't soon
 * come back for another resource. Throws 'invalid-input' naming `target`.
 */
export async function madeUpNumbers(tx: Tx, place: Place, quantity: number, target: string): Promise<StockNumber[]> {
  const callingCode = callingCodeOf(place.countryCode)
  if (callingCode === undefined) {
    throw invalidInput(`${place.countryCode} is no country with phone numbers.`, `${target}.countryCode`)
  }
  const prefix = `${TEST_CALLING_CODE}${callingCode}${place.areaCode}`
  const room = MAX_DIGITS > prefix.length ? 10 ** (MAX_DIGITS - prefix.length) : 0
  if (quantity <= room) {
    for (let tries = 0; tries < TRIES; tries++) {
      const serial = randomInt(room - quantity + 1)
      const from = `+${prefix}${String(serial).padStart(MAX_DIGITS - prefix.length, '0')}`
      const range = { from, count: quantity, place }
      if (await isFree(tx, from, quantity)) return [...numbersOf(range)]
    }
  }
  throw invalidInput(
    `There is no room for ${quantity} numbers more with the area code ${place.areaCode}: they would be +${prefix} and ` +
      `${Math.max(0, MAX_DIGITS - prefix.length)} digits. Give a shorter area code, or the phoneNumbers themselves.`,
    `${target}.quantity`,
  )
}

/** Primary key. */
async function isFree(tx: Tx, from: string, count: number): Promise<boolean> {
  const last = `+${Number(from.slice(1)) + count - 1}`
  const [taken] = await tx.query(sql`select from number where e164 between ${from} and ${last} limit 1`)
  return taken === undefined
}

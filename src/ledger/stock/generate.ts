import type { Clock } from '../../clock.js'
import type { Db, Tx } from '../../db/db.js'
import { SetupError } from '../../errors.js'
import { isE164 } from '../number.js'
import { PlaceFinder, type GivenNumber } from './derive.js'
import {
  describePlace,
  ENTRY_BATCH_SIZE,
  entryTransaction,
  placeKey,
  StockEntry,
  type Entered,
  type EntryRun,
  type Place,
  type StockNumber,
} from './enter.js'
import { differenceOf } from './import.js'
import { lastOf, numbersOf } from './ranges.js'

export interface GeneratedRange extends GivenNumber {
  /** How many consecutive numbers, `phoneNumber` being the first. */
  count: number
  /** The pool that the numbers join; the shared one when left out. */
  pool?: string | undefined
}

export interface GenerateRun extends EntryRun {
  onProgress?(done: number): void
  /** Called when all is entered and about to be committed. Its writes are committed too; an error undoes everything. */
  beforeCommit?(tx: Tx, outcome: Omit<Entered, 'differing'>): Promise<void>
}

/** Larger ranges are better entered as several, each in its own transaction. */
export const MAX_GENERATED = 10_000_000
const MAX_NAMED = 3

/**
 * Enters a range of consecutive numbers of one place, as a whole or not at all. Numbers that are there already with the
 * same place stay as they are. Throws a SetupError when the place isn't certain or differs within the range, when the
 * range is too long for its digits, when some of its numbers are in the ledger with another place, and as
 * `entryTransaction` does.
 */
export async function generateStock(
  { db, clock }: { db: Db; clock: Clock },
  range: GeneratedRange,
  { actor = 'operator', signal, onProgress, beforeCommit }: GenerateRun = {},
): Promise<Omit<Entered, 'differing'>> {
  const { phoneNumber: from, count } = range
  const numbers = { from, count, place: placeOfAll(range) }
  return entryTransaction(db, async (tx) => {
    const entry = new StockEntry(tx, { at: clock.now(), actor, reason: 'stock generate' }, range.pool)
    const totals = { entered: 0, known: 0 }
    for (const batch of inBatches(numbersOf(numbers))) {
      signal?.throwIfAborted()
      const { entered, known, differing } = await entry.enter(batch)
      if (differing.length > 0) {
        const named = differing.slice(0, MAX_NAMED).map((other) => `${other.e164} ${differenceOf(other)}`)
        const more = differing.length > MAX_NAMED ? ', and others are too' : ''
        throw new SetupError(`Nothing was entered: ${named.join(', ')}${more}.`)
      }
      totals.entered += entered
      totals.known += known
      onProgress?.(totals.entered + totals.known)
    }
    await beforeCommit?.(tx, totals)
    return totals
  })
}

/**
 * The place of a range. Consecutive numbers all have the same place, area code included, when the first and the last
 * have. Throws a SetupError when the place isn't certain.
 */
export function placeOfAll(range: GeneratedRange): Place {
  const finder = new PlaceFinder()
  const placeOf = (phoneNumber: string): Place => {
    const place = finder.placeOf({ ...range, phoneNumber })
    if (typeof place === 'string') throw new SetupError(`${isE164(phoneNumber) ? `${phoneNumber}: ` : ''}${place}.`)
    return place
  }
  const first = placeOf(range.phoneNumber)
  const lastNumber = lastOf(range.phoneNumber, range.count)
  const last = placeOf(lastNumber)
  if (placeKey(first) === placeKey(last)) return first
  throw new SetupError(
    `The range is not of one place: its first number is ${describePlace(first)}, ` +
      `its last, ${lastNumber}, is ${describePlace(last)}.`,
  )
}

function* inBatches(numbers: Iterable<StockNumber>): Generator<StockNumber[]> {
  let batch: StockNumber[] = []
  for (const number of numbers) {
    batch.push(number)
    if (batch.length < ENTRY_BATCH_SIZE) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

/**
 * Stock from a file of any size: read, checked and entered batch by batch in one transaction, so that a file is in the
 * ledger as a whole or not at all. While the database enters one batch the next is read and checked; there is never
 * more than two of them in memory. Bad lines are told as they are met.
 *
 * A number that stands twice needs no list of all numbers seen: within a batch it is found here, and across batches the
 * ledger knows it already.
 */
import type { Clock } from '../../clock.js'
import type { Db, Tx } from '../../db/db.js'
import { readStockFile, type ReadListener, type StockLine } from './csv.js'
import { PlaceFinder, type Problem } from './derive.js'
import {
  describePlace,
  ENTRY_BATCH_SIZE,
  entryTransaction,
  placeKey,
  StockEntry,
  type Differing,
  type EntryRun,
  type StockNumber,
} from './enter.js'

export interface StockImport extends EntryRun {
  file: string
  /** What messages call the file; its path when left out. */
  name?: string | undefined
  /** What the history of each number gives as the reason. */
  reason: string
  /** Enters what is good although lines are bad. */
  skipBad: boolean
  /** Does everything, then undoes it. */
  dryRun: boolean
  /** Whose stock the numbers become; the shared one when left out. */
  pool?: string | undefined
}

export interface ImportListener {
  /** @param given the line as it was read; left out of what only the ledger knew to be bad */
  onBadLine(bad: BadLine, given?: StockLine): void
  onRead?: ReadListener
  /** The database gave the transaction up to another one, and everything, bad lines too, comes once more. */
  onStartAgain?(): void
  /** All is entered, and about to be kept. What is written here is kept with it, and an error undoes both. */
  beforeCommit?(tx: Tx, outcome: ImportOutcome): Promise<void>
}

export interface BadLine {
  /** Where it begins in the file, from 1. */
  line: number
  /** As it was written. */
  phoneNumber: string
  reason: Problem
}

export interface ImportCounts {
  /** New numbers; in an import that was undone, those that would have been. */
  entered: number
  /** Numbers that were there already, in the ledger or earlier in the file, with the same place. */
  known: number
  bad: number
}

export interface ImportOutcome extends ImportCounts {
  /** Whether the new numbers are in the ledger now. */
  kept: boolean
}

/**
 * Imports a file. Unless `skipBad`, one bad line is enough for nothing to be entered, which is an outcome and no error.
 * Throws a SetupError when the file can't be read to its end as CSV with the headings of stock, and as
 * `entryTransaction` does; nothing is entered then.
 */
export async function importStock(
  { db, clock }: { db: Db; clock: Clock },
  wanted: StockImport,
  listener: ImportListener,
): Promise<ImportOutcome> {
  let isFirstTry = true
  try {
    const counts = await entryTransaction(db, async (tx) => {
      // The file is opened in here because this may run again.
      if (!isFirstTry) listener.onStartAgain?.()
      isFirstTry = false
      const entry = new StockEntry(
        tx,
        { at: clock.now(), actor: wanted.actor ?? 'operator', reason: wanted.reason },
        wanted.pool,
      )
      const counts = await new FileEntry(entry, listener).enterAll(wanted)
      if (wanted.dryRun || (counts.bad > 0 && !wanted.skipBad)) throw new Undone(counts)
      await listener.beforeCommit?.(tx, { ...counts, kept: true })
      return counts
    })
    return { ...counts, kept: true }
  } catch (error) {
    if (error instanceof Undone) return { ...error.counts, kept: false }
    throw error
  }
}

/** Thrown to have the transaction rolled back although all went well. */
class Undone extends Error {
  constructor(readonly counts: ImportCounts) {
    super('rolled back on purpose')
  }
}

/** One reading of a file. */
class FileEntry {
  readonly #entry: StockEntry
  readonly #listener: ImportListener
  readonly #finder = new PlaceFinder()
  readonly #counts: ImportCounts = { entered: 0, known: 0, bad: 0 }

  constructor(entry: StockEntry, listener: ImportListener) {
    this.#entry = entry
    this.#listener = listener
  }

  async enterAll({ file, name, signal }: StockImport): Promise<ImportCounts> {
    let underWay: Promise<void> = Promise.resolve()
    try {
      for await (const lines of readStockFile(file, ENTRY_BATCH_SIZE, this.#listener.onRead, name)) {
        signal?.throwIfAborted()
        const batch = this.#check(lines)
        await underWay
        underWay = this.#enter(batch)
        underWay.catch(() => {}) // awaited later; until then a failure is nobody's yet
      }
      await underWay
    } finally {
      // When reading fails, the statement under way must not outlive its transaction.
      await Promise.allSettled([underWay])
    }
    return this.#counts
  }

  /** The good lines of a batch, each number once. */
  #check(lines: StockLine[]): Map<string, CheckedLine> {
    const batch = new Map<string, CheckedLine>()
    for (const given of lines) {
      const { line, phoneNumber } = given
      const place = given.problem ?? this.#finder.placeOf(given)
      if (typeof place === 'string') {
        this.#tellBad(line, phoneNumber, place, given)
        continue
      }
      const earlier = batch.get(phoneNumber)
      if (earlier === undefined) batch.set(phoneNumber, { line, e164: phoneNumber, place })
      else if (placeKey(earlier.place) === placeKey(place)) this.#counts.known += 1
      else this.#tellBad(line, phoneNumber, `line ${earlier.line} has it as ${describePlace(earlier.place)}`, given)
    }
    return batch
  }

  async #enter(batch: Map<string, CheckedLine>): Promise<void> {
    if (batch.size === 0) return
    const { entered, known, differing } = await this.#entry.enter([...batch.values()])
    this.#counts.entered += entered
    this.#counts.known += known
    const told = differing.map((other) => ({ ...other, line: batch.get(other.e164)?.line ?? 0 }))
    told.sort((a, b) => a.line - b.line)
    for (const other of told) this.#tellBad(other.line, other.e164, differenceOf(other))
  }

  #tellBad(line: number, phoneNumber: string, reason: Problem, given?: StockLine): void {
    this.#counts.bad += 1
    this.#listener.onBadLine({ line, phoneNumber, reason }, given)
  }
}

interface CheckedLine extends StockNumber {
  line: number
}

/** Why a number can't be entered with the place wanted for it. */
export const differenceOf = ({ place }: Differing): Problem =>
  place === null
    ? 'is in the ledger already, on an account and not as stock'
    : `is in stock as ${describePlace(place)}${place.pool === '' ? '' : `, of ${place.pool} alone,`} already`

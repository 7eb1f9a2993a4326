/**
 * Imports stock from a file of any size: reads, checks and enters it batch by batch in one transaction, so that the
 * ledger has the whole file or none of it. While the database enters one batch the next is read and checked; there are
 * never more than two batches in memory. Bad lines are reported as they are found.
 *
 * Finding duplicates takes no list of all numbers seen: within a batch they are found here, and across batches the
 * ledger has the number already.
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
  /** The file's name in messages; its path when left out. */
  name?: string | undefined
  /** The reason in each number's history. */
  reason: string
  /** Enters the good lines even if others are bad. */
  skipBad: boolean
  /** Does everything, then rolls it back. */
  dryRun: boolean
  /** The pool that the numbers join; the shared one when left out. */
  pool?: string | undefined
}

export interface ImportListener {
  /** @param given the line as it was read; left out when only the ledger showed that it is bad */
  onBadLine(bad: BadLine, given?: StockLine): void
  onRead?: ReadListener
  /**
   * The database aborted the transaction in favour of another one; everything, bad lines too, is reported once more.
   */
  onStartAgain?(): void
  /** Called when all is entered and about to be committed. Its writes are committed too; an error undoes everything. */
  beforeCommit?(tx: Tx, outcome: ImportOutcome): Promise<void>
}

export interface BadLine {
  /** The line in the file where it begins, from 1. */
  line: number
  /** As it was written. */
  phoneNumber: string
  reason: Problem
}

export interface ImportCounts {
  /** New numbers; in an import that was rolled back, those that would have been new. */
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
 * Imports a file. Unless `skipBad` is set, one bad line means that nothing is entered, which is an outcome, not an
 * error. Throws a SetupError when the file can't be read to its end as CSV with the headings of stock, and as
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

/** Thrown to roll the transaction back although all went well. */
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
        underWay.catch(() => {}) // it is awaited later; until then a failure would count as unhandled
      }
      await underWay
    } finally {
      // When reading fails, the statement under way must not outlive its transaction.
      await Promise.allSettled([underWay])
    }
    return this.#counts
  }

  /** The good lines of a batch, each number once; reports the bad ones. */
  #check(lines: StockLine[]): Map<string, CheckedLine> {
    const batch = new Map<string, CheckedLine>()
    for (const given of lines) {
      const { line, phoneNumber } = given
      const place = given.problem ?? this.#finder.placeOf(given)
      if (typeof place === 'string') {
        this.#reportBad(line, phoneNumber, place, given)
        continue
      }
      const earlier = batch.get(phoneNumber)
      if (earlier === undefined) batch.set(phoneNumber, { line, e164: phoneNumber, place })
      else if (placeKey(earlier.place) === placeKey(place)) this.#counts.known += 1
      else this.#reportBad(line, phoneNumber, `line ${earlier.line} has it as ${describePlace(earlier.place)}`, given)
    }
    return batch
  }

  async #enter(batch: Map<string, CheckedLine>): Promise<void> {
    if (batch.size === 0) return
    const { entered, known, differing } = await this.#entry.enter([...batch.values()])
    this.#counts.entered += entered
    this.#counts.known += known
    const bad = differing.map((other) => ({ ...other, line: batch.get(other.e164)?.line ?? 0 }))
    bad.sort((a, b) => a.line - b.line)
    for (const other of bad) this.#reportBad(other.line, other.e164, differenceOf(other))
  }

  #reportBad(line: number, phoneNumber: string, reason: Problem, given?: StockLine): void {
    this.#counts.bad += 1
    this.#listener.onBadLine({ line, phoneNumber, reason }, given)
  }
}

interface CheckedLine extends StockNumber {
  line: number
}

/** Why a number can't be entered with the place given for it. */
export const differenceOf = ({ place }: Differing): Problem =>
  place === null
    ? 'is in the ledger already, on an account and not as stock'
    : `is in stock as ${describePlace(place)}${place.pool === '' ? '' : `, of ${place.pool} alone,`} already`

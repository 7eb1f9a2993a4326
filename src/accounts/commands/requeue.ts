import type { Attribution } from '../../auth/changes.js'
import type { Clock } from '../../clock.js'
import type { Db, Tx } from '../../db/db.js'
import { invalidInput } from '../../errors.js'
import { isE164 } from '../../ledger/number.js'
import type { Logger } from '../../log.js'
import {
  drawGeneration,
  findRefused,
  findStatuses,
  retryRefused,
  retryWaiting,
  type SyncKey,
  type Which,
} from '../../sync/refused.js'
import type { SyncKind, SyncService, SyncStatus } from '../../sync/sync.js'
import { noteChange } from '../changes.js'
import { causeOf } from '../deps.js'
import { lockInLedger } from '../number-store.js'

/** Selects what to try again; a property that is left out matches all. */
export interface Requeue {
  service?: SyncService | undefined
  kind?: SyncKind | undefined
  /** Only these numbers, E.164. */
  numbers?: readonly string[] | undefined
  /** Also items that wait for their next attempt because of an error. */
  waiting?: boolean | undefined
}

export interface Requeued {
  /** Services with items that are due again; their reconcilers have to be nudged. */
  services: { service: SyncService; failed: number; waiting: number }[]
  /** Those of the named numbers that have nothing due again, with their sync status. */
  untouched: { e164: string; services: { service: SyncService; status: SyncStatus }[] }[]
}

/** The most numbers that one call may name. */
export const MOST_NUMBERS = 1_000
/** How many items one transaction makes due: writers wait for no more than one batch. */
const BATCH = 1_000

/**
 * Makes items that backends have refused due again, as if they had just been written: attempts are counted anew. Items
 * that should be there are synced again; those that should go are released again, except numbers that came back because
 * they were not released: these are on their accounts, and synced as present. Items that are refused while this runs
 * are left for the next time. Run again after it broke off, it does the rest. Throws 'invalid-input'.
 */
export async function requeueFailed(
  { db, clock, logger }: { db: Db; clock: Clock; logger?: Logger },
  { service, kind, numbers, waiting = false }: Requeue,
  by: Attribution,
): Promise<Requeued> {
  checkNumbers(numbers, kind)
  const which: Which = { service, kind: numbers ? 'number' : kind, keys: numbers }
  const start = clock.now()
  const before = await db.transaction((tx) => drawGeneration(tx))
  const tally = new Tally()
  /** An item that was found is due again or has been written to, so the next batch doesn't find it. */
  const inBatches = async (what: 'failed' | 'waiting', batch: Batch): Promise<void> => {
    for (;;) {
      const { seen, due } = await db.transaction(async (tx) => {
        const did = await batch(tx)
        const change = { kind: 'requeue' as const, subject: what, items: did.due }
        if (did.due.length > 0) await noteChange({ logger }, tx, change, causeOf({ clock }, by))
        return did
      })
      tally.add(what, due)
      if (seen < BATCH) return
    }
  }
  await inBatches('failed', async (tx) => {
    const found = await findRefused(tx, which, before, BATCH)
    // The ledger's rows before those of sync, as writes take them: a number may be on its way off its account.
    const e164s = found.flatMap((item) => (item.kind === 'number' ? [item.key] : []))
    if (e164s.length > 0) await lockInLedger(tx, e164s)
    return { seen: found.length, due: found.length === 0 ? [] : await retryRefused(tx, found, clock.now()) }
  })
  if (waiting) {
    await inBatches('waiting', async (tx) => {
      const due = await retryWaiting(tx, which, clock.now(), start, BATCH)
      return { seen: due.length, due }
    })
  }
  const left = (numbers ?? []).filter((e164) => !tally.keys.has(e164))
  const statuses = left.length === 0 ? [] : await findStatuses(db, left)
  return {
    services: tally.services(),
    untouched: left.map((e164) => ({
      e164,
      services: statuses
        .filter(({ key }) => key === e164)
        .map(({ service: code, status }) => ({ service: code, status })),
    })),
  }
}

/** Makes a batch of the items that it finds due again, in the transaction. */
type Batch = (tx: Tx) => Promise<{ seen: number; due: readonly SyncKey[] }>

class Tally {
  readonly keys = new Set<string>()
  readonly #counts = new Map<SyncService, { failed: number; waiting: number }>()

  add(what: 'failed' | 'waiting', due: readonly SyncKey[]): void {
    for (const { service, key } of due) {
      const counts = this.#counts.get(service) ?? { failed: 0, waiting: 0 }
      counts[what]++
      this.#counts.set(service, counts)
      this.keys.add(key)
    }
  }

  services(): Requeued['services'] {
    return [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([service, counts]) => ({ service, ...counts }))
  }
}

function checkNumbers(numbers: readonly string[] | undefined, kind: SyncKind | undefined): void {
  if (numbers === undefined) return
  if (kind !== undefined && kind !== 'number') throw invalidInput(`Numbers are no ${kind}s; leave kind out.`, 'kind')
  if (numbers.length > MOST_NUMBERS) {
    throw invalidInput(`At most ${MOST_NUMBERS} numbers can be named at a time, not ${numbers.length}.`, 'numbers')
  }
  const bad = numbers.find((e164) => !isE164(e164))
  if (bad !== undefined) {
    throw invalidInput(`"${bad.slice(0, 40)}" is not an E.164 number, e.g. +14255550100.`, 'numbers')
  }
}

/**
 * Every change of an account, of its numbers, or of the operator's response to a request for information, and every
 * requeue, passes through `noteChange`, in the transaction that makes it: whatever follows such changes has this one
 * place.
 */
import type { BeforeAndAfter } from '../auth/changes.js'
import type { Relationship } from '../backends/port/teams.js'
import type { Tx } from '../db/db.js'
import { noteInHistory, type Cause } from '../ledger/history.js'
import type { Logger } from '../log.js'
import type { SyncKey } from '../sync/refused.js'
import type { AccountSettings, NumberCounts } from './account.js'
import { countNumber, noCounts, type NumberDetails } from './account-number.js'
import { addCounts } from './account-store.js'

export interface NumberChange extends BeforeAndAfter<NumberDetails> {
  e164: string
}

/** `subject` is the account's name, the account's id, the Teams tenant, or how the items stood. */
export type AccountChange =
  | ({ kind: 'account'; subject: string } & BeforeAndAfter<AccountSettings>)
  | { kind: 'numbers'; subject: string; numbers: readonly NumberChange[] }
  | ({ kind: 'consent'; subject: string } & BeforeAndAfter<Relationship>)
  | { kind: 'requeue'; subject: 'failed' | 'waiting'; items: readonly SyncKey[] }

/**
 * Records a change: updates the account's counts of numbers, adds a requeue to the history of its numbers, and writes a
 * line to the log.
 */
export async function noteChange(
  { logger }: { logger?: Logger | undefined },
  tx: Tx,
  change: AccountChange,
  cause: Cause,
): Promise<void> {
  const { kind, subject } = change
  const { at, actor, reason } = cause
  if (kind === 'numbers') await addCounts(tx, subject, countsAdded(change.numbers), at)
  if (kind === 'requeue') await noteInHistory(tx, numbersAmong(change.items), 'requeue', cause)
  const what =
    kind === 'numbers'
      ? { numbers: change.numbers.length }
      : kind === 'requeue'
        ? { items: change.items.length }
        : { event: eventOf(change) }
  // Logged before the commit: a transaction that runs again logs again, and one that fails has logged too.
  logger?.debug({ kind, subject, ...what, actor, reason }, 'change of accounts')
}

const eventOf = ({ before, after }: BeforeAndAfter<unknown>): 'create' | 'replace' | 'delete' =>
  before === undefined ? 'create' : after === undefined ? 'delete' : 'replace'

/** Each once, in their order: a number may be synced to several services. */
const numbersAmong = (items: readonly SyncKey[]): string[] =>
  [...new Set(items.flatMap(({ kind, key }) => (kind === 'number' ? [key] : [])))].sort()

function countsAdded(numbers: readonly NumberChange[]): NumberCounts {
  const counts = noCounts()
  for (const { before, after } of numbers) {
    if (before) countNumber(counts, before, -1)
    if (after) countNumber(counts, after, 1)
  }
  return counts
}

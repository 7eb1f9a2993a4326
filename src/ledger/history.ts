/**
 * The history of numbers. A statement that changes numbers also writes their lines of history, so that a number's
 * history is complete whatever else its transaction does. Only `historyOf`, a part of such statements, writes lines.
 * `change` is the statement of most changes.
 */
import { empty, sql, type Sql, type Tx } from '../db/db.js'
import type { NumberEvent, NumberState } from './number.js'

/** Who changes a number, when and why, as its line of history says. */
export interface Cause {
  at: Date
  /** `resource:{name}`, `account:{name}`, `operator` (the command line) or `system` (time). */
  actor: string
  /** The operation, search or command behind it, e.g. `purchase_{id}`. */
  reason: string
}

const byTime = (at: Date): Cause => ({ at, actor: 'system', reason: 'time' })

/**
 * The part of a statement that writes lines of history. Lines for holds and quarantines that had ended by time, and
 * were not yet recorded, come first.
 * @param lines a query of `e164, event, from_state, to_state`, in this order; null stands for "not in the ledger"
 * @param lapsed a query of `e164, was`: numbers whose stored state `was` had ended by itself
 */
export const historyOf = (lines: Sql, cause: Cause, lapsed?: Sql): Sql => sql`
      insert into number_history (e164, at, event, from_state, to_state, actor, reason)
      ${lapsed === undefined ? empty : sql`${linesOf(endedByTime(lapsed), byTime(cause.at))} union all`}
      ${linesOf(lines, cause)}`

/** The same for numbers that only time has changed. */
export const historyOfTime = (lapsed: Sql, at: Date): Sql => historyOf(endedByTime(lapsed), byTime(at))

/** A line for each of the numbers that is in the ledger, of something that left it as it was. */
export async function noteInHistory(tx: Tx, e164s: readonly string[], event: 'requeue', cause: Cause): Promise<void> {
  const lines = sql`select e164, ${event}, state, state from number where e164 = any(${e164s}::text[])`
  await tx.query(historyOf(lines, cause))
}

const linesOf = (lines: Sql, { at, actor, reason }: Cause): Sql => sql`
      select e164, ${at}::timestamptz, event, from_state, to_state, ${actor}, ${reason}
      from (${lines}) as line (e164, event, from_state, to_state)`

const endedByTime = (lapsed: Sql): Sql => sql`
      select e164, case was when 'held' then 'expire' else 'rest' end, was, 'available'
      from (${lapsed}) as lapsed (e164, was)`

/** Columns of `number` before a change: `was`, the stored state, and `state`, the one that counts. */
export const stateBefore = (at: Date): Sql =>
  sql`state as was, case when free_at <= ${at} then 'available' else state end as state`

/**
 * The rows that a change applies to: found by one index, then checked. Given all conditions at once, the planner may
 * use the index of a state instead, with statistics from before the sale began, and read all of it. `offset 0` is the
 * fence between the two: no condition is moved across it.
 */
export interface Which {
  found: Sql
  guard: Sql
}

/**
 * Changes rows already in the ledger and writes their history. The rows are locked before they are read, so that the
 * line of history gives the state that the change really started from. Returns the numbers, in order.
 */
export async function change(
  tx: Tx,
  event: NumberEvent,
  to: NumberState,
  cause: Cause,
  assignments: Sql,
  { found, guard }: Which,
): Promise<string[]> {
  const rows = await tx.query<{ e164: string }>(sql`
    with before as materialized (
      select e164, ${stateBefore(cause.at)}
      from (select * from number where ${found} order by e164 offset 0 for update) as n where ${guard}
    ), changed as (
      update number ${assignments} where e164 = any (array(select e164 from before))
    ), history as (
      ${historyOf(
        sql`select e164, ${event}, state, ${to} from before`,
        cause,
        sql`select e164, was from before where was <> state`,
      )}
    )
    select e164 from before order by e164`)
  return rows.map(({ e164 }) => e164)
}

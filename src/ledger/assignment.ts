/** Numbers on the accounts of an operator. */
import { sql, type Tx } from '../db/db.js'
import { change, historyOf, stateBefore, type Cause } from './history.js'
import { SHUFFLE_BITS, SHUFFLE_RANGE } from './places.js'

/**
 * Puts numbers on an account. A number comes from stock when it counts as available or rests after leaving an account,
 * and is newly entered when the ledger has never seen it; one that is on the account already is noted as configured.
 * Returns the numbers that are on the account now; the others belong to someone else. Writers of one number meet here,
 * on its row.
 */
export async function assignNumbers(tx: Tx, accountId: string, e164s: string[], cause: Cause): Promise<string[]> {
  const rows = await tx.query<{ e164: string }>(sql`
    with known as materialized (
      -- Every batch locks in the same order, so that two batches over the same numbers can't deadlock; and one by one,
      -- or a planner whose statistics are of an empty table reads all of a full one.
      select n.e164, ${stateBefore(cause.at)}
      from (select e164 from unnest(${e164s}::text[]) as w (e164) order by e164) as w
      cross join lateral (select * from number where number.e164 = w.e164 for update) as n
    ), put as (
      insert into number as n (e164, shuffle, state, account_id)
      select e164, ${SHUFFLE_RANGE.from} + floor(random() * ${SHUFFLE_BITS}::float8)::bigint, 'assigned', ${accountId}
      from (select e164 from unnest(${e164s}::text[]) as w (e164) left join known using (e164) order by e164) as wanted
      on conflict (e164) do update
      set state = 'assigned', account_id = excluded.account_id, hold_id = null, resource_id = null, free_at = null,
          left_account = false
      where n.state = 'available' or n.free_at <= ${cause.at} or n.left_account
        or (n.state = 'assigned' and n.account_id = excluded.account_id)
      returning n.e164, n.xmax = 0 as entered, n.place_id is not null as stock
    ), came_from as (
      select e164, case when entered then null
                        -- Neither known nor entered: another transaction has entered it since this statement began, as
                        -- stock or for this account.
                        else coalesce(known.state, case when stock then 'available' else 'assigned' end) end as state
      from put left join known using (e164)
    ), history as (
      ${historyOf(
        sql`select e164, case when state = 'assigned' then 'configure' else 'assign' end, state, 'assigned'
            from came_from`,
        cause,
        sql`select e164, was from put join known using (e164) where known.state <> known.was`,
      )}
    )
    select e164 from put`)
  return rows.map(({ e164 }) => e164)
}

/** Moves assigned numbers, withdrawn from their account, to another one. Returns the numbers it moved. */
export const moveAssigned = (tx: Tx, accountId: string, e164s: string[], cause: Cause): Promise<string[]> =>
  change(tx, 'assign', 'assigned', cause, sql`set account_id = ${accountId}`, {
    found: sql`e164 = any(${e164s}::text[])`,
    guard: sql`state = 'assigned'`,
  })

/** Records that numbers were taken off their account; they leave it once its backends have released them. */
export async function noteWithdrawn(tx: Tx, e164s: string[], cause: Cause): Promise<void> {
  await tx.query(
    historyOf(
      sql`select e164, 'withdraw', 'assigned', 'assigned'
          from number where e164 = any(${e164s}::text[]) and state = 'assigned'`,
      cause,
    ),
  )
}

/**
 * Takes numbers off an account: stock rests until `freeAt`, others leave the ledger. Returns the numbers it took off.
 */
export async function unassignNumbers(
  tx: Tx,
  accountId: string,
  numbers: readonly { e164: string; freeAt: Date }[],
  cause: Cause,
): Promise<string[]> {
  const rows = await tx.query<{ e164: string }>(sql`
    with assigned as materialized (
      -- One by one and in one order, as assignNumbers does.
      select n.e164, n.place_id is not null as stock, w.free_at
      from (
        select e164, free_at
        from unnest(${numbers.map(({ e164 }) => e164)}::text[],
                    ${numbers.map(({ freeAt }) => freeAt.toISOString())}::timestamptz[]) as w (e164, free_at)
        order by e164
      ) as w
      cross join lateral (select * from number where number.e164 = w.e164 offset 0 for update) as n
      where n.state = 'assigned' and n.account_id = ${accountId}
    ), rested as (
      update number set state = 'quarantined', account_id = null, free_at = assigned.free_at, left_account = true
      from assigned where number.e164 = assigned.e164 and assigned.stock
    ), left_ledger as (
      delete from number using assigned where number.e164 = assigned.e164 and not assigned.stock
    ), history as (
      ${historyOf(
        sql`select e164, 'unassign', 'assigned', case when stock then 'quarantined' end from assigned`,
        cause,
      )}
    )
    select e164 from assigned`)
  return rows.map(({ e164 }) => e164)
}

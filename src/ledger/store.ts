/**
 * The statements that change numbers; only `chosen.ts` and the entry of stock write to `number` too. Each is one that
 * guards the state it changes from, changes it, and writes the line of history in the same breath, so that a number's
 * story is complete whatever else its transaction does. Who may ask for what is decided in `commands.ts`.
 */
import { randomInt } from 'node:crypto'
import { sql, type Sql, type Tx } from '../db/db.js'
import type { Cause } from './history.js'
import { holdTaken, type Hold } from './holding.js'
import type { AssignmentType, Capabilities, NumberEvent, NumberState, NumberType, Price } from './number.js'

/** What a buyer looks for. */
export interface WantedNumbers {
  /** Only this pool's stock; '' is the one that all buyers share. */
  pool: string
  countryCode: string
  numberType: NumberType
  /** Any area when undefined. */
  areaCode: string | undefined
  quantity: number
}

export interface Terms extends Capabilities {
  assignmentType: AssignmentType
  price: Price
}

/** A number and the terms on which it is bought. */
export interface PurchaseLine extends Terms {
  e164: string
}

/** `shuffle` columns hold a random integer of this half-open range; a hold enters the ring at a random point of it. */
export const SHUFFLE_RANGE = { from: -(2 ** 31), to: 2 ** 31 }
const SHUFFLE_BITS = 2 ** 32

export const randomShuffle = (): number => randomInt(SHUFFLE_BITS) + SHUFFLE_RANGE.from

/**
 * Holds up to `wanted.quantity` numbers that count as available, in one statement, and returns those it got. Fewer
 * means that no more are free at this instant.
 *
 * Both the places and the numbers of a place are rings in random order, entered at a random point and followed once
 * round. Rows that another transaction is just taking are skipped, not waited for. Limits stand at every level and
 * nothing between them sorts, so rows are locked one by one until there are enough. Numbers whose hold or quarantine
 * time is over come after those that are plainly available. See docs/adr/0002-hold-in-one-statement.md.
 */
export async function holdAny(tx: Tx, wanted: WantedNumbers, hold: Hold, cause: Cause): Promise<string[]> {
  const { pool, countryCode, numberType, areaCode, quantity } = wanted
  const placeStart = randomShuffle()
  const numberStart = randomShuffle()
  const inPlaces = sql`pool = ${pool} and country_code = ${countryCode} and number_type = ${numberType}`
  const places =
    areaCode === undefined
      ? sql`
        (select id from place where ${inPlaces} and shuffle >= ${placeStart} order by shuffle)
        union all
        (select id from place where ${inPlaces} and shuffle < ${placeStart} order by shuffle)`
      : sql`select id from place where ${inPlaces} and area_code = ${areaCode}`
  const rows = await tx.query<{ e164: string }>(sql`
    with taken as materialized (
      select n.e164, n.state
      from (${places}) as p
      cross join lateral (
        select * from (
          select e164, state from number
          where place_id = p.id and state = 'available' and shuffle >= ${numberStart}
          order by shuffle limit ${quantity} for update skip locked
        ) as onwards
        union all
        select * from (
          select e164, state from number
          where place_id = p.id and state = 'available' and shuffle < ${numberStart}
          order by shuffle limit ${quantity} for update skip locked
        ) as wrapped
        union all
        select * from (
          select e164, state from number
          where place_id = p.id and free_at <= ${cause.at}
          order by free_at limit ${quantity} for update skip locked
        ) as freed
        limit ${quantity}
      ) as n
      limit ${quantity}
    ), ${holdTaken(hold, cause)}
    select e164 from held order by e164`)
  return rows.map(({ e164 }) => e164)
}

/**
 * Gives every number of a hold back. A hold whose time is over is left to `sweep`, or to whoever holds them next.
 * Returns the numbers freed.
 */
export const cancelHold = (tx: Tx, holdId: string, cause: Cause): Promise<string[]> =>
  change(
    tx,
    'cancel',
    'available',
    cause,
    sql`set state = 'available', hold_id = null, resource_id = null, free_at = null`,
    { found: sql`hold_id = ${holdId}`, guard: sql`state = 'held' and free_at > ${cause.at}` },
  )

/**
 * Makes a hold outlast its time because a purchase has been promised on it; `until` is Infinity then, and a finite
 * instant when the purchase is called off. Returns the numbers whose time was not over.
 */
export async function extendHold(tx: Tx, holdId: string, until: Date | 'infinity', now: Date): Promise<string[]> {
  const rows = await tx.query<{ e164: string }>(sql`
    update number set free_at = ${until}
    where e164 = any (array(
      select e164 from (select * from number where hold_id = ${holdId} order by e164 offset 0 for update) as n
      where state = 'held' and free_at > ${now}
    ))
    returning e164`)
  return rows.map(({ e164 }) => e164)
}

/** Turns those numbers of an unexpired hold that `lines` name into owned ones, each on its terms. Returns them. */
export function purchaseHeld(
  tx: Tx,
  hold: Omit<Hold, 'until'>,
  lines: readonly PurchaseLine[],
  cause: Cause,
): Promise<string[]> {
  const e164s = lines.map(({ e164 }) => e164)
  // What stands in these texts at the place that a number has in `e164s`.
  const at = (texts: string[]) => sql`(${texts}::text[])[array_position(${e164s}::text[], e164)]`
  return change(
    tx,
    'purchase',
    'owned',
    cause,
    sql`set state = 'owned', hold_id = null, free_at = null, purchased_at = ${cause.at},
            purchase_order = nextval('purchase_order'),
            assignment_type = ${at(lines.map(({ assignmentType }) => assignmentType))},
            calling = ${at(lines.map(({ calling }) => calling))}, sms = ${at(lines.map(({ sms }) => sms))},
            price_amount = ${at(lines.map(({ price }) => price.amount))}::numeric,
            price_currency = ${at(lines.map(({ price }) => price.currency))}`,
    {
      found: sql`hold_id = ${hold.holdId}`,
      guard: sql`resource_id = ${hold.resourceId} and state = 'held' and free_at > ${cause.at}
                 and e164 = any(${e164s}::text[])`,
    },
  )
}

/** Sets what an owned number can do; what is left out stays. Returns it, or nothing when the resource doesn't own it. */
export const configureOwned = (
  tx: Tx,
  owned: { e164: string; resourceId: string },
  { calling, sms }: Partial<Capabilities>,
  cause: Cause,
): Promise<string[]> =>
  change(
    tx,
    'configure',
    'owned',
    cause,
    sql`set calling = coalesce(${calling ?? null}, calling), sms = coalesce(${sms ?? null}, sms)`,
    isOwned(owned),
  )

/** Takes an owned number from its resource; it rests until `freeAt`. Returns it, or nothing when it isn't owned. */
export const releaseOwned = (
  tx: Tx,
  owned: { e164: string; resourceId: string },
  freeAt: Date,
  cause: Cause,
): Promise<string[]> =>
  change(
    tx,
    'release',
    'quarantined',
    cause,
    sql`set state = 'quarantined', free_at = ${freeAt}, resource_id = null, purchased_at = null, purchase_order = null,
            assignment_type = null, calling = null, sms = null, price_amount = null, price_currency = null`,
    isOwned(owned),
  )

const isOwned = ({ e164, resourceId }: { e164: string; resourceId: string }): Which => ({
  found: sql`e164 = ${e164}`,
  guard: sql`state = 'owned' and resource_id = ${resourceId}`,
})

/**
 * Puts numbers on an account: from stock when they count as available or rest after leaving an account, newly entered
 * when the ledger has never seen them; one that is on it already is noted as configured. Returns those that are on the
 * account now; the others are someone's. Writers of one number meet here, on its row.
 */
export async function assignNumbers(tx: Tx, accountId: string, e164s: string[], cause: Cause): Promise<string[]> {
  const rows = await tx.query<{ e164: string }>(sql`
    with known as materialized (
      -- In one order for everybody, so that two batches over the same numbers can't lock each other out; and one by one,
      -- or the planner, who last heard of an empty table, reads all of a full one.
      select n.e164, state as was, case when free_at <= ${cause.at} then 'available' else state end as state
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
                        -- Neither known nor entered: somebody else has entered it since this statement began, as stock
                        -- or for this account.
                        else coalesce(known.state, case when stock then 'available' else 'assigned' end) end as state
      from put left join known using (e164)
    ), told as (
      insert into number_history (e164, at, event, from_state, to_state, actor, reason)
      -- What time has done and nobody has written down yet comes first.
      select e164, ${cause.at}::timestamptz, case was when 'held' then 'expire' else 'rest' end, was, 'available',
             'system', 'time'
      from put join known using (e164) where known.state <> known.was
      union all
      select e164, ${cause.at}::timestamptz, case when state = 'assigned' then 'configure' else 'assign' end, state,
             'assigned', ${cause.actor}, ${cause.reason}
      from came_from
    )
    select e164 from put`)
  return rows.map(({ e164 }) => e164)
}

/** Puts assigned numbers on another account: for numbers withdrawn from theirs. Returns those that it moved. */
export const moveAssigned = (tx: Tx, accountId: string, e164s: string[], cause: Cause): Promise<string[]> =>
  change(tx, 'assign', 'assigned', cause, sql`set account_id = ${accountId}`, {
    found: sql`e164 = any(${e164s}::text[])`,
    guard: sql`state = 'assigned'`,
  })

/** Notes that numbers were taken off their account, which they leave when its backends have let go of them. */
export async function noteWithdrawn(tx: Tx, e164s: string[], cause: Cause): Promise<void> {
  await tx.query(sql`
    insert into number_history (e164, at, event, from_state, to_state, actor, reason)
    select e164, ${cause.at}::timestamptz, 'withdraw', 'assigned', 'assigned', ${cause.actor}, ${cause.reason}
    from number where e164 = any(${e164s}::text[]) and state = 'assigned'`)
}

/** Takes numbers off an account: stock rests until `freeAt`, others leave the ledger. Returns those that were on it. */
export async function unassignNumbers(
  tx: Tx,
  accountId: string,
  e164s: string[],
  freeAt: Date,
  cause: Cause,
): Promise<string[]> {
  const rows = await tx.query<{ e164: string }>(sql`
    with assigned as (
      select e164, place_id is not null as stock from number
      where e164 = any(${e164s}::text[]) and state = 'assigned' and account_id = ${accountId}
      order by e164 for update
    ), rested as (
      update number set state = 'quarantined', account_id = null, free_at = ${freeAt}, left_account = true
      from assigned where number.e164 = assigned.e164 and assigned.stock
    ), left_ledger as (
      delete from number using assigned where number.e164 = assigned.e164 and not assigned.stock
    ), told as (
      insert into number_history (e164, at, event, from_state, to_state, actor, reason)
      select e164, ${cause.at}::timestamptz, 'unassign', 'assigned', case when stock then 'quarantined' end,
             ${cause.actor}, ${cause.reason}
      from assigned
    )
    select e164 from assigned`)
  return rows.map(({ e164 }) => e164)
}

/**
 * Takes available or resting numbers out of service, and with `evenHeld` those on hold: who purchases the hold then
 * gets the rest of it. Returns those that it did.
 */
export const retireNumbers = (
  tx: Tx,
  e164s: string[],
  cause: Cause,
  { evenHeld = false }: { evenHeld?: boolean } = {},
): Promise<string[]> =>
  change(
    tx,
    'retire',
    'retired',
    cause,
    sql`set state = 'retired', hold_id = null, resource_id = null, free_at = null, left_account = false`,
    {
      found: sql`e164 = any(${e164s}::text[])`,
      guard: sql`state in ('available', 'quarantined') or (state = 'held' and ${evenHeld}) or free_at <= ${cause.at}`,
    },
  )

/** Puts retired or resting numbers back into stock at once. Returns those that it did. */
export const restoreNumbers = (tx: Tx, e164s: string[], cause: Cause): Promise<string[]> =>
  change(tx, 'restore', 'available', cause, sql`set state = 'available', free_at = null, left_account = false`, {
    found: sql`e164 = any(${e164s}::text[])`,
    guard: sql`state = 'retired' or (state = 'quarantined' and free_at > ${cause.at})`,
  })

/**
 * Writes down what time has already done: holds that ran out and quarantines that ended become plainly available.
 * Nothing depends on it; it keeps the index of free numbers complete and reports short. Returns how many, at most
 * `limit`.
 */
export async function sweepFreed(tx: Tx, limit: number, now: Date): Promise<number> {
  const rows = await tx.query<{ e164: string }>(sql`
    with over as (
      select n.e164, n.state from place p
      cross join lateral (
        select e164, state from number
        where place_id = p.id and free_at <= ${now}
        order by free_at limit ${limit} for update skip locked
      ) as n
      limit ${limit}
    ), freed as (
      update number
      set state = 'available', hold_id = null, resource_id = null, free_at = null, left_account = false
      where e164 = any (array(select e164 from over))
      returning e164
    ), told as (
      insert into number_history (e164, at, event, from_state, to_state, actor, reason)
      select e164, ${now}::timestamptz, case state when 'held' then 'expire' else 'rest' end, state,
             'available', 'system', 'time'
      from over
    )
    select e164 from freed`)
  return rows.length
}

/**
 * Which rows a change is for. They are found by one index and then looked at: the planner, given all conditions at
 * once, may take an index of a state instead, whose size it last heard of before the sale began, and read all of it.
 * `offset 0` is the fence between the two: no condition is moved across it.
 */
interface Which {
  found: Sql
  guard: Sql
}

/**
 * A change of rows already in the ledger, with its history. The rows are locked before they are read, so that the line
 * of history tells the state that the change really started from.
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
      select e164, state as was, case when free_at <= ${cause.at} then 'available' else state end as from_state
      from (select * from number where ${found} order by e164 offset 0 for update) as n where ${guard}
    ), changed as (
      update number ${assignments} where e164 = any (array(select e164 from before))
    ), told as (
      insert into number_history (e164, at, event, from_state, to_state, actor, reason)
      -- What time has done and nobody has written down yet comes first.
      select e164, ${cause.at}::timestamptz, case was when 'held' then 'expire' else 'rest' end, was, from_state,
             'system', 'time'
      from before where was <> from_state
      union all
      select e164, ${cause.at}::timestamptz, ${event}, from_state, ${to}, ${cause.actor}, ${cause.reason} from before
    )
    select e164 from before order by e164`)
  return rows.map(({ e164 }) => e164)
}

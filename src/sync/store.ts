/**
 * The statements by which accepted writes request sync. They run in the write's own transaction, so that every
 * acknowledged write is synced. `claims.ts` has the reconciler's side.
 */
import type { ServiceCode } from '../backends/port/backend.js'
import { sql, type Queryable, type Sql, type Tx } from '../db/db.js'
import type { Observed, SyncKind, SyncService } from './sync.js'

export interface SyncRequest {
  key: string
  service: SyncService
  accountId: string | null
}

/** Makes items due for sync: a new generation of each, whatever the result of the one before. */
export async function requestSync(tx: Tx, kind: SyncKind, requests: readonly SyncRequest[], at: Date): Promise<void> {
  if (requests.length === 0) return
  await tx.query(sql`
    insert into sync as s (kind, key, service, account_id, goal, generation, pending_since, next_attempt_at, changed_at)
    select ${kind}, r.key, r.service, r.account_id, 'present', nextval('sync_generation'), ${at}::timestamptz, ${at}::timestamptz,
           ${at}::timestamptz
    from unnest(
      ${requests.map(({ key }) => key)}::text[], ${requests.map(({ service }) => service)}::text[],
      ${requests.map(({ accountId }) => accountId)}::uuid[]
    ) as r (key, service, account_id)
    order by r.key, r.service
    on conflict (kind, key, service) do update
    set ${onAccount}, ${anew('present', at)}`)
}

/** An item that has left its account was observed under the tenant that it had there. */
const onAccount = sql`
  account_id = excluded.account_id,
  observed = case when s.goal = 'present' and s.account_id = excluded.account_id then s.observed end,
  observed_at = case when s.goal = 'present' and s.account_id = excluded.account_id then s.observed_at end`

/** Like requestSync, for all numbers of an account that use a service whose sync has just been switched on. */
export async function requestSyncOfNumbers(
  tx: Tx,
  accountId: string,
  { code, key }: { code: ServiceCode; key: string },
  at: Date,
): Promise<void> {
  await tx.query(sql`
    insert into sync as s (kind, key, service, account_id, goal, generation, pending_since, next_attempt_at, changed_at)
    select 'number', e164, ${code}, account_id, 'present', nextval('sync_generation'), ${at}::timestamptz, ${at}::timestamptz, ${at}::timestamptz
    from account_number
    where account_id = ${accountId} and removed_at is null
      and details #> array['serviceDetails', ${key}, 'enabled'] = 'true'::jsonb
    order by e164
    on conflict (kind, key, service) do update
    set ${onAccount}, ${anew('present', at)}`)
}

/**
 * Locks the sync rows of several items, for a write of several statements, in the order in which writes of a single
 * statement lock them.
 */
export async function lockSync(tx: Tx, kind: SyncKind, keys: readonly string[]): Promise<void> {
  await tx.query(sql`
    select key from sync where kind = ${kind} and key = any(${keys}::text[]) order by key, service for update`)
}

/**
 * Requests the release of items by their backends. An item that was never synced, and is not under a claim, needs no
 * release: its row is deleted. Returns the keys that a backend still has to release.
 * @param services those whose backends we sync; other backends keep what they have
 * @param only the services that have to release the items; all when left out
 */
export async function requestRelease(
  tx: Tx,
  kind: SyncKind,
  keys: readonly string[],
  services: readonly SyncService[],
  at: Date,
  only?: readonly SyncService[],
): Promise<Set<string>> {
  const rows = await tx.query<{ key: string }>(sql`
    with found as materialized (
      select key, service, coalesce(claimed_until > ${at}, false) as claimed,
             placed is not null or coalesce(claimed_until > ${at}, false) as held,
             service = any(${services}::text[]) or goal = 'absent' as ours
      from (select * from sync where kind = ${kind} and key = any(${keys}::text[])
              ${only === undefined ? sql`` : sql`and service = any(${only}::text[])`}
            order by key, service offset 0 for update) as s
    ), leaving as (
      update sync as s
      set ${anew('absent', at)},
          -- A requested release is carried out: a write that wants the item again meanwhile waits behind it.
          placed = case when s.placed ->> 'stage' = 'uploaded' then jsonb_set(s.placed, '{stage}', '"leaving"')
                        else s.placed end
      from found where s.kind = ${kind} and s.key = found.key and s.service = found.service and found.ours and found.held
      returning s.key
    ), settled as (
      update sync as s
      set confirmed_generation = generation, pending_since = null, refusal = null, verify_at = null, changed_at = ${at}
      from found where s.kind = ${kind} and s.key = found.key and s.service = found.service
        and found.claimed and not found.ours
    ), forgotten as (
      delete from sync as s
      using found where s.kind = ${kind} and s.key = found.key and s.service = found.service
        and not found.claimed and not (found.ours and found.held)
    )
    select key from leaving`)
  return new Set(rows.map(({ key }) => key))
}

/** Ends the sync of an account's numbers after it has been switched off; backends keep what they have. */
export async function settleNumbers(tx: Tx, accountId: string, service: ServiceCode, at: Date): Promise<void> {
  await tx.query(sql`
    with locked as materialized (
      select s.key from account_number as n join sync as s on s.key = n.e164
      where n.account_id = ${accountId} and n.removed_at is null
        and s.kind = 'number' and s.service = ${service} and (s.goal = 'present' or s.refusal is not null)
      order by s.key for update of s
    )
    update sync as s
    set confirmed_generation = generation, pending_since = null, refusal = null, verify_at = null, changed_at = ${at}
    from locked where s.kind = 'number' and s.key = locked.key and s.service = ${service}`)
}

/** A new generation of `sync s`. It is taken up once a claim that is held has run to its end. */
export const anew = (goal: 'present' | 'absent' | Sql, at: Date): Sql => sql`
  goal = ${goal}, generation = nextval('sync_generation'), refusal = null, attempts = 0, pending_since = ${at},
  next_attempt_at = case when s.claimed_until > ${at} then s.claimed_until else ${at} end,
  ticket = null, last_error = null, verify_at = null, changed_at = ${at}`

/**
 * The sync state of an item with its backends, as a lateral join: one row of (failed, pending, errors, observed,
 * observed_at, changed_at).
 * @param key an expression of the outer query
 * @param services those that have a backend: rows left over from others don't count
 */
export const syncStateOf = (kind: SyncKind, key: Sql, services: readonly SyncService[]): Sql => sql`
  lateral (
    select coalesce(bool_or(refusal is not null), false) as failed,
           coalesce(bool_or(pending_since is not null), false) as pending,
           jsonb_path_query_array(coalesce(jsonb_agg(refusal order by service) filter (where refusal is not null),
             '[]'), '$[*][*]') as errors,
           jsonb_object_agg(service, observed) filter (where observed is not null) as observed,
           min(observed_at) as observed_at,
           max(changed_at) as changed_at
    from sync where kind = ${kind} and key = ${key} and service = any(${services}::text[])
  ) as state`

export const statusOf = (): Sql =>
  sql`case when state.failed then 'failed' when state.pending then 'pending' else 'synced' end`

/** Stores what a backend has just reported about a number (undefined: not found), unless it was written to since. */
export async function noteObserved(
  db: Queryable,
  number: { e164: string; service: ServiceCode; generation: number },
  reported: Observed | undefined,
  { at, agrees }: { at: Date; agrees: boolean },
): Promise<void> {
  const observed = sql`coalesce(${reported === undefined ? null : JSON.stringify(reported)}::jsonb, observed)`
  await db.query(sql`
    update sync
    set observed = ${observed}, observed_at = ${at},
        changed_at = case when observed = ${observed} then changed_at else ${at} end,
        -- The reconciler verifies a number that has drifted next.
        verify_at = case when ${agrees}::boolean or claimed_by is not null then verify_at else ${at} end
    where kind = 'number' and key = ${number.e164} and service = ${number.service}
      and generation = ${number.generation} and confirmed_generation = generation`)
}

/** The generation of an item, if it exists and is neither pending nor refused. */
export async function readGeneration(
  db: Queryable,
  kind: SyncKind,
  key: string,
  service: SyncService,
): Promise<number | undefined> {
  const [row] = await db.query<{ generation: number }>(sql`
    select generation from sync
    where kind = ${kind} and key = ${key} and service = ${service} and confirmed_generation = generation`)
  return row?.generation
}

/** Labels whose records accounts no longer want but the zone may still have. Index `sync_due`. */
export const leavingLabels = (
  db: Queryable,
  accountIds: readonly string[],
): Promise<{ accountId: string; label: string }[]> =>
  db.query<{ accountId: string; label: string }>(sql`
    select account_id as "accountId", key as label from sync
    where service = 'dns' and pending_since is not null and goal = 'absent'
      and kind = 'subdomain' and account_id = any(${accountIds}::uuid[])`)

/** Deletes all rows of an item that never comes back. A claim under way finds nothing to record. */
export async function dropSync(tx: Tx, kind: SyncKind, key: string): Promise<void> {
  await tx.query(sql`delete from sync where kind = ${kind} and key = ${key}`)
}

/** Deletes the rows of an item that is no longer synced to some services. */
export async function forgetSync(tx: Tx, kind: SyncKind, key: string, services: readonly SyncService[]): Promise<void> {
  await tx.query(sql`
    delete from sync
    where kind = ${kind} and key = ${key} and service = any(${services}::text[]) and claimed_by is null`)
}

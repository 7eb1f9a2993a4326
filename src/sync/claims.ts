/**
 * The reconciler's statements for claims. The reconciler claims the items that are due, acts with no transaction open,
 * and records the outcome of each item whose claim it still holds. A claim moves the item's next attempt to the claim's
 * end, so that a process that dies leaves nothing behind: first try, retry and recovery are the same statement.
 */
import { later } from '../clock.js'
import { sql, type Queryable, type Sql, type Tx } from '../db/db.js'
import { newId } from '../ids.js'
import type { Placed, SyncKind, SyncService } from './sync.js'

export interface Claim {
  id: string
  service: SyncService
  at: Date
  until: Date
}

/** A claim outlives the calls made under it: a call that might not end in time is not begun. */
const CALLS_PER_CLAIM = 4

/** A claim for one run, whose calls take at most `timeoutMs` each. */
export const newClaim = <Service extends SyncService>(
  service: Service,
  at: Date,
  timeoutMs: number,
): Claim & { service: Service } => ({ id: newId(), service, at, until: later(at, timeoutMs * CALLS_PER_CLAIM) })

/** Whether a call begun now is sure to end under the claim. */
export const hasTimeFor = ({ until }: Claim, timeoutMs: number, now: Date): boolean =>
  now.getTime() <= until.getTime() - timeoutMs

/** A claimed item that is due for sync or verification. */
export interface Claimed {
  kind: SyncKind
  key: string
  accountId: string | null
  goal: 'present' | 'absent'
  generation: number
  /** 0: no generation of the item has ever been confirmed. */
  confirmedGeneration: number
  placed: Placed | null
  ticket: string | null
  /** Including this one. */
  attempts: number
  /** When the item was last attempted before this time. */
  attemptedAt: Date | null
  /** A command, or the process that sent it, was lost: the backend may still act on it. */
  unsure: boolean
  /** Null for an item that is only verified. */
  pendingSince: Date | null
  /** Rises with each claim: the command with the higher number counts. */
  sequence: number
}

const claimedColumns = sql`
  kind, key, account_id as "accountId", goal, generation, confirmed_generation as "confirmedGeneration", placed, ticket,
  last_attempt_at as "attemptedAt", pending_since as "pendingSince", nextval('sync_sequence') as sequence`

/**
 * Takes up to `limit` items of a service that are due, those that have waited longest first; `markClaimed` follows in
 * the same transaction. Index `sync_due`.
 * @param keys only these items, for a write that carries out its own sync at once
 */
export const takeDue = (tx: Tx, { service, at }: Claim, limit: number, keys?: readonly string[]): Promise<Claimed[]> =>
  tx.query<Claimed>(sql`
    with due as materialized (
      select * from sync
      where service = ${service} and pending_since is not null and next_attempt_at <= ${at}
        and (claimed_until is null or claimed_until <= ${at})
        ${keys === undefined ? sql`` : sql`and key = any(${keys}::text[])`}
      order by next_attempt_at limit ${limit} for update skip locked
    )
    select ${claimedColumns}, attempts + 1 as attempts, unsure or claimed_by is not null as unsure from due`)

/**
 * Claims the items that were taken, and stores what the backend may hold of each one after the call, before the call is
 * made. A claim that was never released belonged to a process that died, whose command may still be on its way.
 */
export async function markClaimed(tx: Tx, { id, service, at, until }: Claim, items: readonly Claimed[]): Promise<void> {
  await tx.query(sql`
    update sync as s
    set claimed_by = ${id}, claimed_until = ${until}, next_attempt_at = ${until}, attempts = attempts + 1,
        last_attempt_at = ${at}, unsure = unsure or claimed_by is not null, placed = c.placed
    from unnest(
      ${items.map(({ kind }) => kind)}::text[], ${items.map(({ key }) => key)}::text[],
      ${items.map(({ placed }) => (placed === null ? null : JSON.stringify(placed)))}::jsonb[]
    ) as c (kind, key, placed)
    where s.kind = c.kind and s.key = c.key and s.service = ${service}`)
}

/**
 * Claims up to `limit` confirmed items that are due for verification. Index `sync_verify`. Numbers are verified;
 * accounts and consents, which are due because a command was lost, are synced again.
 */
export const claimToVerify = (tx: Tx, { id, service, at, until }: Claim, limit: number): Promise<Claimed[]> =>
  tx.query<Claimed>(sql`
    with due as materialized (
      select * from sync
      where service = ${service} and pending_since is null and verify_at <= ${at}
        and refusal is null and goal = 'present'
      order by verify_at limit ${limit} for update skip locked
    ), claimed as (
      update sync as s
      set claimed_by = ${id}, claimed_until = ${until}, verify_at = ${until}
      from due where s.kind = due.kind and s.key = due.key and s.service = ${service}
    )
    select ${claimedColumns}, attempts, unsure from due`)

/** When the next item of a service falls due, for sync or for verification. */
export async function nextDueAt(db: Queryable, service: SyncService): Promise<Date | undefined> {
  const first = (column: Sql, which: Sql): Sql =>
    sql`(select ${column} from sync where service = ${service} and ${which} order by ${column} limit 1)`
  const [row] = await db.query<{ due: Date | null }>(sql`
    select least(${first(sql`next_attempt_at`, sql`pending_since is not null`)},
                 ${first(sql`verify_at`, sql`verify_at is not null and pending_since is null`)}) as due`)
  return row?.due ?? undefined
}

/** Deletes the records of calls made before `before`. Returns how many, at most `limit`. Index `sync_attempt_at`. */
export async function purgeAttempts(tx: Tx, limit: number, before: Date): Promise<number> {
  const rows = await tx.query(sql`
    delete from sync_attempt
    where (kind, key, id) in (select kind, key, id from sync_attempt where at < ${before} order by at limit ${limit})
    returning id`)
  return rows.length
}

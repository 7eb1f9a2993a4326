/**
 * The statements of the reconciler: it claims what is due, acts with no transaction open, and records the outcome where
 * it still holds the claim. A claim moves the thing's next attempt to the claim's end, so that a process that dies
 * leaves nothing behind: first try, retry and recovery are the same statement.
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

/** A claim outlives the calls made under it: none is begun that might not end in time. */
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

/** A thing that is due to be told, claimed. */
export interface Claimed {
  kind: SyncKind
  key: string
  accountId: string | null
  goal: 'present' | 'absent'
  generation: number
  /** 0: no generation of it has ever been confirmed. */
  confirmedGeneration: number
  placed: Placed | null
  ticket: string | null
  /** With this one. */
  attempts: number
  /** When it was last attempted, before this time. */
  attemptedAt: Date | null
  /** A command was lost, or the process that sent it was: the backend may yet act on it. */
  unsure: boolean
  /** Null of what is only looked at. */
  pendingSince: Date | null
  /** Rises with each claim: what is said under a later one counts. */
  sequence: number
}

const claimedColumns = sql`
  kind, key, account_id as "accountId", goal, generation, confirmed_generation as "confirmedGeneration", placed, ticket,
  last_attempt_at as "attemptedAt", pending_since as "pendingSince", nextval('sync_sequence') as sequence`

/**
 * Takes up to `limit` things of a service that are due, those that have waited longest first; `markClaimed` follows in
 * the same transaction. Index `sync_due`.
 * @param keys only these: a write that does its own work at once
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
 * Claims what was taken, and writes down what the backend may hold of it once it has been asked: before it is asked.
 * A claim that nobody let go of was a dead process's, whose command may be on its way.
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
 * Claims up to `limit` confirmed things that are to be made sure of. Index `sync_verify`.
 * Numbers are looked at; accounts and consents, which are here because a command was lost, are told again.
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

/** When the next thing of a service falls due, be it to be told or to be looked at. */
export async function nextDueAt(db: Queryable, service: SyncService): Promise<Date | undefined> {
  const first = (column: Sql, which: Sql): Sql =>
    sql`(select ${column} from sync where service = ${service} and ${which} order by ${column} limit 1)`
  const [row] = await db.query<{ due: Date | null }>(sql`
    select least(${first(sql`next_attempt_at`, sql`pending_since is not null`)},
                 ${first(sql`verify_at`, sql`verify_at is not null and pending_since is null`)}) as due`)
  return row?.due ?? undefined
}

/** Forgets calls made before `before`. Returns how many, at most `limit`. Index `sync_attempt_at`. */
export async function purgeAttempts(tx: Tx, limit: number, before: Date): Promise<number> {
  const rows = await tx.query(sql`
    delete from sync_attempt
    where (kind, key, id) in (select kind, key, id from sync_attempt where at < ${before} order by at limit ${limit})
    returning id`)
  return rows.length
}

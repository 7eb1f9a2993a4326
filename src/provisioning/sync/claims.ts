/**
 * The statements of the reconciler: it claims what is due, acts with no transaction open, and records the outcome where
 * it still holds the claim. A claim moves the thing's next attempt to the claim's end, so that a process that dies
 * leaves nothing behind: first try, retry and recovery are the same statement.
 */
import type { BackendFault } from '../../backends/backend.js'
import { sql, type Queryable, type Sql, type Tx } from '../../db/db.js'
import type { Observed, Placed, SyncKind, SyncService } from './sync.js'

export interface Claim {
  id: string
  service: SyncService
  at: Date
  until: Date
}

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
  unsure: boolean
  /** Null of what is only looked at. */
  pendingSince: Date | null
  /** Rises with each claim: what is said under a later one counts. */
  sequence: number
}

const claimedColumns = sql`
  s.kind, s.key, s.account_id as "accountId", s.goal, s.generation, s.confirmed_generation as "confirmedGeneration",
  s.placed, s.ticket, s.attempts, s.unsure, s.pending_since as "pendingSince", nextval('sync_sequence') as sequence`

/**
 * Claims up to `limit` things of a service that are due, those that have waited longest first. Index `sync_due`.
 * @param keys only these, due or not: a write that does its own work at once
 */
export const claimDue = (
  tx: Tx,
  { id, service, at, until }: Claim,
  limit: number,
  keys?: readonly string[],
): Promise<Claimed[]> =>
  tx.query<Claimed>(sql`
    with due as materialized (
      select kind, key from sync
      where service = ${service} and pending_since is not null and next_attempt_at <= ${at}
        ${keys === undefined ? sql`` : sql`and key = any(${keys}::text[])`}
      order by next_attempt_at limit ${limit} for update skip locked
    )
    update sync as s
    set claimed_by = ${id}, claimed_until = ${until}, next_attempt_at = ${until}, attempts = attempts + 1,
        last_attempt_at = ${at}
    from due where s.kind = due.kind and s.key = due.key and s.service = ${service}
    returning ${claimedColumns}`)

/** Claims up to `limit` confirmed numbers that the backend is to be asked about again. Index `sync_verify`. */
export const claimToVerify = (tx: Tx, { id, service, at, until }: Claim, limit: number): Promise<Claimed[]> =>
  tx.query<Claimed>(sql`
    with due as materialized (
      select kind, key from sync
      where service = ${service} and pending_since is null and verify_at <= ${at}
        and kind = 'number' and refusal is null and goal = 'present'
      order by verify_at limit ${limit} for update skip locked
    )
    update sync as s
    set claimed_by = ${id}, claimed_until = ${until}, verify_at = ${until}
    from due where s.kind = due.kind and s.key = due.key and s.service = ${service}
    returning ${claimedColumns}`)

/** Writes down what a backend may hold once it has been asked: before it is asked. */
export async function notePlaced(tx: Tx, claim: Claim, items: readonly Claimed[]): Promise<void> {
  if (items.length === 0) return
  await tx.query(sql`
    update sync as s set placed = p.placed
    from unnest(
      ${items.map(({ kind }) => kind)}::text[], ${items.map(({ key }) => key)}::text[],
      ${items.map(({ placed }) => JSON.stringify(placed))}::jsonb[]
    ) as p (kind, key, placed)
    where s.kind = p.kind and s.key = p.key and s.service = ${claim.service} and s.claimed_by = ${claim.id}`)
}

export type ResultKind = 'confirmed' | 'progress' | 'refused' | 'later' | 'untouched'

/** What became of one claimed thing. */
export interface Result {
  claimed: Claimed
  step: string
  kind: ResultKind
  /** What the backend may hold now. */
  placed?: Placed | null
  observed?: Observed
  fault?: BackendFault
  /** Why it has to wait. */
  reason?: string
  ticket?: string
  /** The call was lost: it may yet be acted on. */
  unsure?: boolean
  /** All steps have to be taken again, as new commands. */
  again?: boolean
  /** When it is due next, if it is not done. */
  nextAt?: Date
  /** When the backend is asked again, if it is done. */
  verifyAt?: Date
}

/** What has been recorded; `current` when no newer write has come meanwhile. */
export interface Recorded {
  kind: SyncKind
  key: string
  goal: 'present' | 'absent'
  result: ResultKind
  current: boolean
}

/**
 * Records outcomes where the claim is still held, and lets go of it. An outcome of a generation that a newer write has
 * superseded confirms that generation at most; whether it was refused or has to wait no longer matters.
 */
export async function recordResults(tx: Tx, claim: Claim, results: readonly Result[], at: Date): Promise<Recorded[]> {
  const superseded = sql`s.generation > r.generation`
  const ended = sql`r.result in ('confirmed', 'refused')`
  const recorded = await tx.query<Recorded>(sql`
    with r as materialized (select * from jsonb_to_recordset(${JSON.stringify(results.map(toRow))}::jsonb) as r (
      kind text, key text, generation bigint, result text, placed jsonb, observed jsonb, refusal jsonb, reason text,
      ticket text, unsure boolean, again boolean, next_at timestamptz, verify_at timestamptz)
    ), locked as materialized (
      -- In the order in which writes take them.
      select kind, key from sync
      where service = ${claim.service} and claimed_by = ${claim.id} and (kind, key) in (select kind, key from r)
      order by kind, key for update
    )
    update sync as s
    set generation = case when r.again then nextval('sync_generation') else s.generation end,
        confirmed_generation = case when r.result = 'confirmed' then greatest(s.confirmed_generation, r.generation)
                                    else s.confirmed_generation end,
        placed = r.placed,
        refusal = case when r.result = 'refused' and not ${superseded} and s.confirmed_generation < r.generation
                       then r.refusal else s.refusal end,
        pending_since = case when not ${superseded} and ${ended} then null else s.pending_since end,
        next_attempt_at = case when ${superseded} then ${at} else coalesce(r.next_at, ${at}) end,
        attempts = case r.result when 'later' then s.attempts when 'untouched' then greatest(s.attempts - 1, 0) else 0 end,
        last_error = case when ${superseded} then null else r.reason end,
        ticket = case when ${superseded} then null else r.ticket end,
        unsure = s.unsure or r.unsure,
        observed = coalesce(r.observed, s.observed),
        observed_at = case when r.observed is null then s.observed_at else ${at} end,
        verify_at = case when ${superseded} then null else r.verify_at end,
        changed_at = case when ${ended} and not ${superseded} or r.observed is distinct from s.observed
                          then ${at} else s.changed_at end,
        claimed_by = null, claimed_until = null
    from r join locked using (kind, key)
    where s.kind = r.kind and s.key = r.key and s.service = ${claim.service}
    returning s.kind, s.key, s.goal, r.result, not ${superseded} as current`)
  await logAttempts(tx, claim, results, at)
  return recorded
}

const toRow = ({
  claimed,
  kind,
  placed,
  observed,
  fault,
  reason,
  ticket,
  unsure,
  again,
  nextAt,
  verifyAt,
}: Result) => ({
  kind: claimed.kind,
  key: claimed.key,
  generation: claimed.generation,
  result: kind,
  placed: placed === undefined ? claimed.placed : placed,
  observed,
  refusal: fault && [fault],
  reason: fault?.message ?? reason,
  ticket,
  unsure: unsure === true,
  again: again === true,
  next_at: nextAt,
  verify_at: verifyAt,
})

/** One line per call and thing: what `linebook number` tells. */
async function logAttempts(tx: Tx, { service }: Claim, results: readonly Result[], at: Date): Promise<void> {
  const told = results.filter(({ kind }) => kind !== 'untouched')
  if (told.length === 0) return
  const outcome = {
    confirmed: 'done',
    progress: 'done',
    refused: 'refused',
    later: 'later',
    untouched: 'later',
  } as const
  await tx.query(sql`
    insert into sync_attempt (kind, key, service, generation, step, at, outcome, code, message)
    select kind, key, ${service}, generation, step, ${at}, outcome, code, message
    from unnest(
      ${told.map(({ claimed }) => claimed.kind)}::text[], ${told.map(({ claimed }) => claimed.key)}::text[],
      ${told.map(({ claimed }) => claimed.generation)}::bigint[], ${told.map(({ step }) => step)}::text[],
      ${told.map(({ kind }) => outcome[kind])}::text[], ${told.map(({ fault }) => fault?.code ?? null)}::text[],
      ${told.map(({ fault, reason }) => fault?.message ?? reason ?? null)}::text[]
    ) as a (kind, key, generation, step, outcome, code, message)`)
}

/** What a look at the backend told of one confirmed number. */
export interface Verified {
  claimed: Claimed
  observed?: Observed
  verifyAt: Date
  /** Whether the backend answered: nothing is on its way any more then. */
  sure: boolean
}

/** Lets go of what was claimed to be looked at, with what was seen. */
export async function settleVerified(tx: Tx, claim: Claim, verified: readonly Verified[], at: Date): Promise<void> {
  const rows = verified.map(({ claimed, observed, verifyAt, sure }) => ({
    key: claimed.key,
    observed,
    verify_at: verifyAt,
    sure,
  }))
  await tx.query(sql`
    with v as materialized (
      select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as v
        (key text, observed jsonb, verify_at timestamptz, sure boolean)
    ), locked as materialized (
      select key from sync
      where kind = 'number' and service = ${claim.service} and claimed_by = ${claim.id} and key in (select key from v)
      order by key for update
    )
    update sync as s
    set observed = coalesce(v.observed, s.observed),
        observed_at = case when v.sure then ${at} else s.observed_at end,
        changed_at = case when v.observed is distinct from s.observed and v.observed is not null
                          then ${at} else s.changed_at end,
        unsure = s.unsure and not v.sure,
        verify_at = case when s.pending_since is null then v.verify_at end,
        next_attempt_at = case when s.pending_since is null then s.next_attempt_at else ${at} end,
        claimed_by = null, claimed_until = null
    from v join locked using (key)
    where s.kind = 'number' and s.key = v.key and s.service = ${claim.service}`)
}

/**
 * Makes confirmed things due again that their backend turned out to have lost or changed. What has been written to
 * since, or is no longer ours, is left alone.
 */
export async function redo(tx: Tx, claim: Claim, drifted: readonly Claimed[], at: Date): Promise<void> {
  if (drifted.length === 0) return
  await tx.query(sql`
    update sync as s
    set generation = nextval('sync_generation'), pending_since = ${at}, next_attempt_at = ${at}, attempts = 0, verify_at = null,
        changed_at = ${at}
    from unnest(${drifted.map(({ key }) => key)}::text[], ${drifted.map(({ generation }) => generation)}::bigint[])
      as d (key, generation)
    where s.kind = 'number' and s.key = d.key and s.service = ${claim.service} and s.generation = d.generation
      and s.pending_since is null and s.refusal is null`)
}

/** Deletes the rows of what a backend has let go of. */
export async function deleteSynced(
  tx: Tx,
  service: SyncService,
  kind: SyncKind,
  keys: readonly string[],
): Promise<void> {
  await tx.query(sql`
    delete from sync where kind = ${kind} and key = any(${keys}::text[]) and service = ${service} and goal = 'absent'
      and confirmed_generation = generation`)
}

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

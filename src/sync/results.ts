/**
 * The statements by which the reconciler records the results of its claimed items. They change an item only while its
 * claim is still held, and end the claim.
 */
import type { BackendFault } from '../backends/port/call.js'
import { sql, type Tx } from '../db/db.js'
import type { Claim, Claimed } from './claims.js'
import type { Observed, Placed, SyncKind, SyncService } from './sync.js'

export type ResultKind = 'confirmed' | 'progress' | 'refused' | 'later' | 'untouched'

/** The result of one claimed item. */
export interface Result {
  claimed: Claimed
  step: string
  kind: ResultKind
  /** What the backend may hold now; unchanged when left out. */
  placed?: Placed | null
  observed?: Observed
  fault?: BackendFault
  /** Why the item has to wait. */
  reason?: string
  ticket?: string | null
  /** True: the call was lost and the backend may still act on it. False: no command is on its way any more. */
  unsure?: boolean
  /** All steps have to be taken again, as new commands. */
  again?: boolean
  /** When the item is due next, if it is not done. */
  nextAt?: Date
  /** When the item is verified next, if it is done. */
  verifyAt?: Date
}

/** A result that has been recorded. */
export interface Recorded {
  kind: SyncKind
  key: string
  accountId: string | null
  goal: 'present' | 'absent'
  result: ResultKind
  /** No newer write has come meanwhile. */
  current: boolean
  /** The item is no longer ours to sync: its account's sync has been switched off meanwhile. */
  settled: boolean
}

/**
 * Records results whose claim is still held, and ends the claim. A result of a generation that a newer write has
 * superseded confirms that generation at most; a refusal or a delay no longer matters. The same goes for an item whose
 * sync has been switched off. A release that a write has requested meanwhile stays requested.
 */
export async function recordResults(tx: Tx, claim: Claim, results: readonly Result[], at: Date): Promise<Recorded[]> {
  const superseded = sql`s.generation > r.generation`
  const ended = sql`r.result in ('confirmed', 'refused')`
  // A newer write may have moved the number to another account, and so to another tenant.
  const observes = sql`(r.observed is not null and not ${superseded})`
  const recorded = await tx.query<Recorded>(sql`
    with r as materialized (select * from jsonb_to_recordset(${JSON.stringify(results.map(toRow))}::jsonb) as r (
      kind text, key text, generation bigint, result text, claimed_placed jsonb, placed jsonb, observed jsonb,
      refusal jsonb, reason text, ticket text, unsure boolean, again boolean, attempted_at timestamptz,
      next_at timestamptz, verify_at timestamptz)
    ), locked as materialized (
      -- In the order in which writes take them.
      select kind, key, pending_since is null as settled, generation as generation_before from sync
      where service = ${claim.service} and claimed_by = ${claim.id} and (kind, key) in (select kind, key from r)
      order by kind, key for update
    )
    update sync as s
    set generation = case when r.again and not settled then nextval('sync_generation') else s.generation end,
        confirmed_generation = case when r.result = 'confirmed' then greatest(s.confirmed_generation, r.generation)
                                    else s.confirmed_generation end,
        placed = case when r.placed ->> 'stage' = 'uploaded' and s.placed is distinct from r.claimed_placed
                      then s.placed else r.placed end,
        refusal = case when r.result = 'refused' and not ${superseded} and not settled then r.refusal
                       else s.refusal end,
        pending_since = case when not ${superseded} and ${ended} then null else s.pending_since end,
        next_attempt_at = case when ${superseded} then ${at} else coalesce(r.next_at, ${at}) end,
        attempts = case r.result when 'later' then s.attempts when 'untouched' then greatest(s.attempts - 1, 0) else 0 end,
        last_attempt_at = case when r.result = 'untouched' then r.attempted_at else s.last_attempt_at end,
        last_error = case when ${superseded} then null when r.result = 'untouched' then s.last_error else r.reason end,
        ticket = case when ${superseded} then null else r.ticket end,
        unsure = coalesce(r.unsure, s.unsure),
        observed = case when ${observes} then r.observed else s.observed end,
        observed_at = case when ${observes} then ${at} else s.observed_at end,
        verify_at = case when ${superseded} or settled then null else r.verify_at end,
        changed_at = case when ${ended} and not ${superseded}
                            or ${observes} and r.observed is distinct from s.observed
                          then ${at} else s.changed_at end,
        claimed_by = null, claimed_until = null
    from r join locked using (kind, key)
    where s.kind = r.kind and s.key = r.key and s.service = ${claim.service}
    returning s.kind, s.key, s.account_id as "accountId", s.goal, r.result,
              locked.generation_before <= r.generation as current, locked.settled`)
  await logAttempts(
    tx,
    claim,
    results.filter(({ kind }) => kind !== 'untouched'),
    at,
  )
  return recorded
}

const toRow = (result: Result) => {
  const { claimed, kind, placed, observed, fault, reason, ticket, unsure, again, nextAt, verifyAt } = result
  return {
    kind: claimed.kind,
    key: claimed.key,
    generation: claimed.generation,
    result: kind,
    claimed_placed: claimed.placed,
    placed: placed === undefined ? claimed.placed : placed,
    observed,
    refusal: fault && [fault],
    reason: fault?.message ?? reason,
    ticket: kind === 'untouched' ? claimed.ticket : ticket,
    unsure,
    again: again === true,
    attempted_at: claimed.attemptedAt,
    next_at: nextAt,
    verify_at: verifyAt,
  }
}

/** One line per call and item, which timelines show. */
async function logAttempts(
  tx: Tx,
  { service }: Claim,
  attempts: readonly Pick<Result, 'claimed' | 'kind' | 'step' | 'fault' | 'reason'>[],
  at: Date,
): Promise<void> {
  if (attempts.length === 0) return
  const outcome = { confirmed: 'done', progress: 'done', refused: 'refused', later: 'later', untouched: 'later' }
  await tx.query(sql`
    insert into sync_attempt (kind, key, service, generation, step, at, outcome, code, message)
    select kind, key, ${service}, generation, step, ${at}, outcome, code, message
    from unnest(
      ${attempts.map(({ claimed }) => claimed.kind)}::text[], ${attempts.map(({ claimed }) => claimed.key)}::text[],
      ${attempts.map(({ claimed }) => claimed.generation)}::bigint[], ${attempts.map(({ step }) => step)}::text[],
      ${attempts.map(({ kind }) => outcome[kind])}::text[],
      ${attempts.map(({ fault }) => fault?.code ?? null)}::text[],
      ${attempts.map(({ fault, reason }) => fault?.message ?? reason ?? null)}::text[]
    ) as a (kind, key, generation, step, outcome, code, message)`)
}

/** The result of verifying one confirmed item. */
export interface Verified {
  claimed: Claimed
  observed?: Observed
  verifyAt: Date
  /** The backend answered, so no command is on its way any more; false when it could not be asked. */
  sure: boolean
  /** Why the item has to be synced again. */
  drift?: string | undefined
}

/**
 * Ends the claims of verified items and stores what was observed. An item that its backend has lost or changed becomes
 * due again; one that has been written to since, or whose sync has been switched off, is left as it is.
 */
export async function settleVerified(
  tx: Tx,
  claim: Claim,
  verified: readonly Verified[],
  at: Date,
): Promise<Pick<Recorded, 'kind' | 'key' | 'settled'>[]> {
  const rows = verified.map(({ claimed, observed, verifyAt, sure, drift }) => ({
    kind: claimed.kind,
    key: claimed.key,
    generation: claimed.generation,
    observed,
    verify_at: verifyAt,
    sure,
    drifted: drift !== undefined,
  }))
  const ours = sql`s.pending_since is null and s.verify_at is not null`
  const redone = sql`${ours} and v.drifted`
  const observes = sql`(v.observed is not null and s.generation = v.generation)`
  const settled = await tx.query<Pick<Recorded, 'kind' | 'key' | 'settled'>>(sql`
    with v as materialized (
      select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as v
        (kind text, key text, generation bigint, observed jsonb, verify_at timestamptz, sure boolean, drifted boolean)
    ), locked as materialized (
      select kind, key, pending_since is null and verify_at is null as settled from sync
      where service = ${claim.service} and claimed_by = ${claim.id} and (kind, key) in (select kind, key from v)
      order by kind, key for update
    )
    update sync as s
    set observed = case when ${observes} then v.observed else s.observed end,
        observed_at = case when ${observes} then ${at} else s.observed_at end,
        changed_at = case when ${observes} and v.observed is distinct from s.observed or ${redone}
                          then ${at} else s.changed_at end,
        unsure = s.unsure and not v.sure,
        generation = case when ${redone} then nextval('sync_generation') else s.generation end,
        pending_since = case when ${redone} then ${at} else s.pending_since end,
        attempts = case when ${redone} then 0 else s.attempts end,
        verify_at = case when ${ours} and not v.drifted then v.verify_at end,
        next_attempt_at = case when s.pending_since is null and not v.drifted then s.next_attempt_at else ${at} end,
        claimed_by = null, claimed_until = null
    from v join locked using (kind, key)
    where s.kind = v.kind and s.key = v.key and s.service = ${claim.service}
    returning s.kind, s.key, locked.settled`)
  await logAttempts(
    tx,
    claim,
    verified.flatMap(({ claimed, drift }) =>
      drift === undefined ? [] : [{ claimed, kind: 'later', step: 'look', reason: drift }],
    ),
    at,
  )
  return settled
}

/**
 * Deletes the rows of numbers whose sync was switched off while they were claimed, and that have left their account.
 */
export async function forgetAbandoned(tx: Tx, service: SyncService, e164s: readonly string[]): Promise<void> {
  await tx.query(sql`
    delete from sync as s
    where kind = 'number' and key = any(${e164s}::text[]) and service = ${service} and goal = 'present'
      and pending_since is null and claimed_by is null
      and not exists (select from account_number as n where n.e164 = s.key)`)
}

/** Deletes the rows of items that a backend has released. */
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

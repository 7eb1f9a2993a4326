/**
 * The statements by which an operator requeues items: those that a backend refused, and those that wait for their next
 * attempt. Each statement takes a batch; `accounts/commands/requeue.ts` repeats them until nothing is left.
 */
import { serviceKeys, services } from '../backends/port/services.js'
import { sql, type Queryable, type Sql, type Tx } from '../db/db.js'
import { anew } from './store.js'
import type { SyncKind, SyncService, SyncStatus } from './sync.js'

/** Selects items; a property that is left out matches all. */
export interface Which {
  service?: SyncService | undefined
  kind?: SyncKind | undefined
  keys?: readonly string[] | undefined
}

export interface SyncKey {
  kind: SyncKind
  key: string
  service: SyncService
}

const among = ({ service, kind, keys }: Which): Sql => sql`
  ${service === undefined ? sql`true` : sql`service = ${service}`}
  ${kind === undefined ? sql`` : sql`and kind = ${kind}`}
  ${keys === undefined ? sql`` : sql`and key = any(${keys}::text[])`}`

const codes = serviceKeys.map((key) => services[key].code)

/** A generation drawn now: items that become due from now on have a higher one. */
export async function drawGeneration(tx: Tx): Promise<number> {
  const [row] = await tx.query<{ generation: number }>(sql`select nextval('sync_generation') as generation`)
  return (row as { generation: number }).generation
}

/** Refused items of a generation before `before`, not locked. Index `sync_refused`. */
export const findRefused = (tx: Tx, which: Which, before: number, limit: number): Promise<SyncKey[]> =>
  tx.query<SyncKey>(sql`
    select kind, key, service from sync
    where refusal is not null and generation < ${before} and ${among(which)}
    order by service, changed_at limit ${limit}`)

/**
 * Makes refused items due again, as new generations. The transaction must have locked the numbers' rows in the ledger.
 * A number that its backend would not release, and that is therefore on its account again, is synced as present.
 */
export const retryRefused = (tx: Tx, found: readonly SyncKey[], at: Date): Promise<SyncKey[]> =>
  tx.query<SyncKey>(sql`
    with wanted as materialized (
      select kind, key, service,
             case when kind = 'number' and exists (
               select from account_number as n join unnest(${codes}::text[], ${serviceKeys}::text[]) as used (code, name)
                 on n.details #> array['serviceDetails', used.name, 'enabled'] = 'true'::jsonb
               where n.e164 = s.key and n.removed_at is null and used.code = s.service
             ) then 'present' else goal end as goal
      from (
        select * from sync
        where (kind, key, service) in (
          select * from unnest(
            ${found.map(({ kind }) => kind)}::text[], ${found.map(({ key }) => key)}::text[],
            ${found.map(({ service }) => service)}::text[]
          )
        )
        order by kind, key, service offset 0 for update
      ) as s
      where refusal is not null
    )
    update sync as s set ${anew(sql`wanted.goal`, at)}
    from wanted where s.kind = wanted.kind and s.key = wanted.key and s.service = wanted.service
    returning s.kind, s.key, s.service`)

/**
 * Makes items that wait because of an error due at once. Items under a claim are left alone, as are those that wait on
 * purpose because a command was lost. Index `sync_due`.
 * @param since attempts made after this instant are not repeated
 */
export const retryWaiting = (tx: Tx, which: Which, at: Date, since: Date, limit: number): Promise<SyncKey[]> =>
  tx.query<SyncKey>(sql`
    with waiting as materialized (
      select kind, key, service from sync
      where pending_since is not null and next_attempt_at > ${at} and last_error is not null
        and last_attempt_at <= ${since} and (claimed_until is null or claimed_until <= ${at})
        and not (unsure and coalesce(placed ->> 'stage' = 'released', false))
        and ${among(which)}
      order by service, next_attempt_at limit ${limit} for update skip locked
    )
    update sync as s set next_attempt_at = ${at}
    from waiting where s.kind = waiting.kind and s.key = waiting.key and s.service = waiting.service
    returning s.kind, s.key, s.service`)

export interface NumberStatus {
  key: string
  service: SyncService
  status: SyncStatus
}

/** The sync status of numbers with each service that they are synced to. */
export const findStatuses = (db: Queryable, e164s: readonly string[]): Promise<NumberStatus[]> =>
  db.query<NumberStatus>(sql`
    select key, service, case when refusal is not null then 'failed' when pending_since is not null then 'pending'
                              else 'synced' end as status
    from sync where kind = 'number' and key = any(${e164s}::text[]) order by key, service`)

/** Items that backends have refused or that are not synced yet, one by one. */
import { join, sql, type Queryable } from '../../db/db.js'
import type { SyncKind, SyncService } from '../../sync/sync.js'
import { MAX_EXAMINED } from '../contract/operation.js'
import type { Standing } from '../status/next-attempt.js'
import { syncServices } from '../status/status.js'
import type { Key, Window } from './window.js'

export interface SyncItemFilter {
  status: 'failed' | 'waiting' | 'pending'
  services?: readonly SyncService[] | undefined
  kinds?: readonly SyncKind[] | undefined
}

export interface SyncItem extends Standing {
  service: SyncService
  kind: SyncKind
  key: string
  account: string | null
  goal: 'present' | 'absent'
  changedAt: Date
  refusal: { code: string; message: string } | null
  /** What the list is ordered by, to the microsecond. */
  position: string
}

export const keyOfItem = ({ service, position, kind, key }: SyncItem): Key => [service, position, kind, key]

/**
 * Items by service, then by since when they are refused (index `sync_refused`) or by when they are tried (index
 * `sync_due`). A window of the index is read and then filtered.
 */
export async function selectSyncItems(
  db: Queryable,
  { status, services = syncServices, kinds }: SyncItemFilter,
  { now, limit, after }: { now: Date; limit: number; after?: Key | undefined },
): Promise<Window<SyncItem>> {
  const position = status === 'failed' ? sql`changed_at` : sql`next_attempt_at`
  const [service, at, kind, key] = after ?? []
  const conditions = [
    status === 'failed' ? sql`refusal is not null` : sql`pending_since is not null`,
    sql`service = any(${services}::text[])`,
    ...(after === undefined
      ? []
      : [sql`(service, ${position}, kind, key) > (${service}::text, ${at}::timestamptz, ${kind}::text, ${key}::text)`]),
  ]
  const wanted = [
    sql`true`,
    ...(kinds ? [sql`e.kind = any(${kinds}::text[])`] : []),
    ...(status === 'waiting'
      ? [sql`e.next_attempt_at > ${now} and (e.claimed_until is null or e.claimed_until <= ${now})`]
      : []),
  ]
  const rows = await db.query<SyncItem & { examined: number; last: Key | null }>(sql`
    with examined as materialized (
      select *, ${position}::text as position, row_number() over (order by service, ${position}, kind, key) as n
      from sync where ${join(conditions, ' and ')}
      order by service, ${position}, kind, key limit ${MAX_EXAMINED}
    )
    select (select count(*) from examined) as examined, found.*,
           (select to_jsonb(array[service, position, kind, key]) from examined order by n desc limit 1) as last
    from (values (1)) as always
    left join (
      select e.n, e.service, e.kind, e.key, a.name as account, e.goal, e.position, e.changed_at as "changedAt",
             case when e.refusal is not null then 'failed' else 'pending' end as status, e.refusal -> 0 as refusal,
             e.placed, e.ticket, e.unsure, e.attempts, e.last_error as "lastError",
             e.last_attempt_at as "lastAttemptAt", e.pending_since as "pendingSince",
             e.next_attempt_at as "nextAttemptAt", e.claimed_until as "claimedUntil", e.verify_at as "verifyAt"
      from examined e left join account a on a.id = e.account_id
      where ${join(wanted, ' and ')}
      order by e.n limit ${limit}
    ) as found on true
    order by found.n`)
  const [first] = rows
  return {
    found: rows.filter(({ key: found }) => Boolean(found)),
    examined: first?.examined ?? 0,
    last: first?.last ?? null,
  }
}

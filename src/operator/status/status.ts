/** The state of the sync with each backend: what `linebook status` and `GET /status` show. */
import type { ProvisioningDeps } from '../../accounts/deps.js'
import { serviceCodes } from '../../backends/port/backend.js'
import { sql, type Db, type Queryable } from '../../db/db.js'
import type { SyncKind, SyncService } from '../../sync/sync.js'

/** Everything that a reconciler serves, in the order in which it is shown. */
export const syncServices: readonly SyncService[] = [...serviceCodes, 'dns']

export interface ServiceAtWork {
  code: SyncService
  /** Which member of the port it is: `simulated`, `http`, `built-in`; or `none`. */
  backend: string
  /** Why it takes no calls and until when; 'unknown' to a process that makes none. */
  unavailable?: { reason: string; until: Date } | 'unknown'
}

/** The services as this process serves them. */
export const servicesOf = ({
  backends,
  zone,
  callsBackends,
}: Pick<ProvisioningDeps, 'backends' | 'zone' | 'callsBackends'>): ServiceAtWork[] =>
  syncServices.map((code) => {
    if (code === 'dns') return { code, backend: zone.name }
    const backend = backends[code]
    const unavailable = backend && (callsBackends ? backend.unavailable() : 'unknown')
    return { code, backend: backend?.name ?? 'none', ...(unavailable && { unavailable }) }
  })

/** An item that is synced to a backend. */
export interface Item {
  kind: SyncKind
  /** As the `sync` table has it: an account's is its id. */
  key: string
  /** The name of its account, if it has one. */
  account: string | null
}

/** Things that a backend has refused for one reason. */
export interface Refusals {
  kind: SyncKind
  /** `absent`: the backend would not let go of them. */
  goal: 'present' | 'absent'
  code: string
  count: number
  since: Date
  /** The newest. */
  latest: { item: Item; at: Date; message: string }
}

export interface SyncError {
  item: Item
  at: Date
  /** Null where the backend gave no code of its own, or where it is part of the message. */
  code: string | null
  message: string
}

export interface ServiceStatus extends ServiceAtWork {
  pending: number
  /** Of those pending: due now, being synced now, and waiting for their time. */
  due: number
  claimed: number
  waiting: number
  /** Since when the first of those due has been so. */
  dueSince: Date | null
  /** When the first of those waiting is tried. */
  nextAttemptAt: Date | null
  /** What has been pending for longest. */
  oldest: { item: Item; since: Date } | null
  failed: number
  /** The largest groups first, up to {@link MOST_REFUSALS}. */
  refusals: Refusals[]
  /** The newest error among what is pending or failed; what was synced since no longer counts. */
  lastError: SyncError | null
}

/** How many groups of refusals are shown for each service. */
export const MOST_REFUSALS = 5

/**
 * The state of each service. Reads what is pending and what is refused, not what is synced: index `sync_due` serves the
 * counts, the oldest and the newest error of what is pending, index `sync_refused` the refusals. Sequential scans are
 * switched off because statistics from before a backlog, or from during it, make the planner read the whole table.
 * Measured with 200,000 pending and 20,000 refused among 1,200,000: 0.25 to 0.46 s; with nothing pending 5 ms.
 */
export async function statusOfBackends(
  db: Db,
  { services, now }: { services: readonly ServiceAtWork[]; now: Date },
): Promise<ServiceStatus[]> {
  const codes = services.map(({ code }) => code)
  const [counts, oldest, errors, refusals] = await db.transaction(async (tx) => {
    await tx.query(sql`set local enable_seqscan = off`)
    return [
      await countPending(tx, now),
      await oldestPending(tx, codes),
      await newestErrors(tx, codes),
      await groupRefusals(tx),
    ]
  })
  return services.map((service) => {
    const ofService = (row: { service: SyncService }): boolean => row.service === service.code
    const refused = refusals.filter(ofService)
    const first = oldest.find(ofService)
    const latest = [...refused.map(refusalError), ...errors.filter(ofService).map(pendingError)]
    return {
      ...service,
      ...(counts.find(ofService)?.counts ?? nothingPending),
      oldest: first ? { item: itemOf(first), since: first.since } : null,
      failed: refused[0]?.failed ?? 0,
      refusals: refused.map(toRefusals),
      lastError: latest.sort((a, b) => b.at.getTime() - a.at.getTime())[0] ?? null,
    }
  })
}

type PendingCounts = Pick<ServiceStatus, 'pending' | 'due' | 'claimed' | 'waiting' | 'dueSince' | 'nextAttemptAt'>

const nothingPending: PendingCounts = {
  pending: 0,
  due: 0,
  claimed: 0,
  waiting: 0,
  dueSince: null,
  nextAttemptAt: null,
}

/** Index `sync_due`. A claim whose time is over holds nothing back: its process has died. */
async function countPending(db: Queryable, now: Date): Promise<{ service: SyncService; counts: PendingCounts }[]> {
  const rows = await db.query<PendingCounts & { service: SyncService }>(sql`
    select service, count(*) as pending,
           count(*) filter (where claimed) as claimed,
           count(*) filter (where not claimed and next_attempt_at <= ${now}) as due,
           count(*) filter (where not claimed and next_attempt_at > ${now}) as waiting,
           min(next_attempt_at) filter (where not claimed and next_attempt_at <= ${now}) as "dueSince",
           min(next_attempt_at) filter (where not claimed and next_attempt_at > ${now}) as "nextAttemptAt"
    from (
      select service, next_attempt_at, coalesce(claimed_until > ${now}, false) as claimed
      from sync where pending_since is not null
    ) as s
    group by service`)
  return rows.map(({ service, ...counts }) => ({ service, counts }))
}

interface ItemRow extends Item {
  service: SyncService
}

const itemOf = ({ kind, key, account }: Item): Item => ({ kind, key, account })

/** Index `sync_due`, once per service. */
const oldestPending = (db: Queryable, codes: readonly SyncService[]): Promise<(ItemRow & { since: Date })[]> =>
  db.query<ItemRow & { since: Date }>(sql`
    select wanted.service, s.kind, s.key, a.name as account, s.pending_since as since
    from unnest(${codes}::text[]) as wanted (service)
    cross join lateral (
      select kind, key, account_id, pending_since from sync
      where service = wanted.service and pending_since is not null
      order by pending_since limit 1
    ) as s
    left join account a on a.id = s.account_id`)

interface ErrorRow extends ItemRow {
  at: Date
  message: string
}

/** Index `sync_due`, once per service. */
const newestErrors = (db: Queryable, codes: readonly SyncService[]): Promise<ErrorRow[]> =>
  db.query<ErrorRow>(sql`
    select wanted.service, s.kind, s.key, a.name as account, s.last_attempt_at as at, s.last_error as message
    from unnest(${codes}::text[]) as wanted (service)
    cross join lateral (
      select kind, key, account_id, last_attempt_at, last_error from sync
      where service = wanted.service and pending_since is not null
        and last_error is not null and last_attempt_at is not null
      order by last_attempt_at desc limit 1
    ) as s
    left join account a on a.id = s.account_id`)

const pendingError = (row: ErrorRow): SyncError => ({
  item: itemOf(row),
  at: row.at,
  code: null,
  message: row.message,
})

interface RefusalRow extends ItemRow {
  goal: 'present' | 'absent'
  code: string
  count: number
  since: Date
  at: Date
  message: string
  /** Of the service, in all groups. */
  failed: number
}

/** Index `sync_refused`, by which the newest of a group is found too. */
const groupRefusals = (db: Queryable): Promise<RefusalRow[]> =>
  db.query<RefusalRow>(sql`
    with grouped as materialized (
      select service, kind, goal, coalesce(refusal -> 0 ->> 'code', '') as code, count(*) as count,
             min(changed_at) as since, max(changed_at) as at
      from sync where refusal is not null
      group by 1, 2, 3, 4
    ), ranked as (
      select *, sum(count) over (partition by service)::bigint as failed,
             row_number() over (partition by service order by count desc, at desc, kind, goal, code) as rank
      from grouped
    )
    select r.service, r.kind, r.goal, r.code, r.count, r.since, r.at, r.failed, s.key, s.message, a.name as account
    from ranked r
    cross join lateral (
      select key, account_id, coalesce(refusal -> 0 ->> 'message', '') as message from sync
      where service = r.service and changed_at = r.at and refusal is not null
        and kind = r.kind and goal = r.goal and coalesce(refusal -> 0 ->> 'code', '') = r.code
      order by key limit 1
    ) as s
    left join account a on a.id = s.account_id
    where r.rank <= ${MOST_REFUSALS}
    order by r.service, r.rank`)

const toRefusals = (row: RefusalRow): Refusals => ({
  kind: row.kind,
  goal: row.goal,
  code: row.code,
  count: row.count,
  since: row.since,
  latest: { item: itemOf(row), at: row.at, message: row.message },
})

const refusalError = (row: RefusalRow): SyncError => ({
  item: itemOf(row),
  at: row.at,
  code: row.code,
  message: row.message,
})

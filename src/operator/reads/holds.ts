/** What holds numbers for a resource now: its searches and reservations, by how they stand. */
import { join, sql, type Queryable, type Sql } from '../../db/db.js'
import { MAX_EXAMINED } from '../contract/operation.js'
import { nextKey, type Key } from './window.js'

export interface HoldOfResource {
  id: string
  kind: 'search' | 'reservation'
  numbers: number
  /** Null while a purchase is under way, which has no end of its own. */
  expires: Date | null
  createdAt: Date
  /** Who had a number of it held last. */
  actor: string | null
}

interface PageOf {
  now: Date
  limit: number
  after?: Key | undefined
}

const sorts = ['purchase', 'search', 'reservation'] as const
type Sort = (typeof sorts)[number]

/**
 * First those that are being purchased, then searches, then reservations, by when they end. A page is of one sort, and
 * the key of the next says of which.
 */
export async function selectHolds(
  db: Queryable,
  resourceId: string,
  { now, limit, after: [sort = sorts[0], ...after] = [] }: PageOf,
): Promise<{ items: HoldOfResource[]; next: Key | null }> {
  const place = Math.max(sorts.indexOf(sort as Sort), 0)
  const current = sorts[place] ?? sorts[0]
  const { items, next } = await readWindow(db, candidates(resourceId, now, after)[current], { now, limit })
  const following = sorts[place + 1]
  return { items, next: next ? [current, ...next] : following ? [following] : null }
}

interface Candidates {
  /** `kind, id, hold_id, expires, created_at`, and `at` and `tie`, which they are ordered by. */
  rows: Sql
  /** Of those, what may hold numbers. */
  wanted: Sql
}

const candidates = (resourceId: string, now: Date, [at, tie]: Key): Record<Sort, Candidates> => {
  const behind = (columns: Sql, type: Sql): Sql =>
    tie === undefined ? sql`true` : sql`(${columns}) > (${at}::timestamptz, ${tie}::${type})`
  return {
    // Index `operation_pending`.
    purchase: {
      rows: sql`
        select case when o.kind = 'purchase' then 'search' else 'reservation' end as kind,
               coalesce(o.search_id, o.reservation_id) as id, coalesce(r.hold_id, o.search_id) as hold_id,
               null::timestamptz as expires, coalesce(r.created_at, s.created_at) as created_at,
               o.created_at as at, o.id as tie, o.kind in ('purchase', 'reservationPurchase') as wanted
        from (
          select * from operation
          where resource_id = ${resourceId} and status = 'pending' and ${behind(sql`created_at, id`, sql`text`)}
          order by created_at, id limit ${MAX_EXAMINED}
        ) as o
        left join search s on s.id = o.search_id
        left join reservation r on r.resource_id = o.resource_id and r.id = o.reservation_id`,
      wanted: sql`wanted and created_at is not null`,
    },
    // Index `search_expires_at`: searches that have not expired, of every resource.
    search: {
      rows: sql`
        select 'search' as kind, id, id as hold_id, expires_at as expires, created_at, expires_at as at, id as tie,
               resource_id, state
        from search where expires_at > ${now} and ${behind(sql`expires_at, id`, sql`uuid`)}
        order by expires_at, id limit ${MAX_EXAMINED}`,
      wanted: sql`resource_id = ${resourceId} and state = 'found'`,
    },
    // Index `reservation_order`.
    reservation: {
      rows: sql`
        select 'reservation' as kind, id, hold_id, expires_at as expires, created_at, expires_at as at, id as tie, state
        from reservation
        where resource_id = ${resourceId} and expires_at > ${now} and ${behind(sql`expires_at, id`, sql`uuid`)}
        order by expires_at, id limit ${MAX_EXAMINED}`,
      wanted: sql`state = 'active'`,
    },
  }
}

async function readWindow(
  db: Queryable,
  { rows: examined, wanted }: Candidates,
  { now, limit }: { now: Date; limit: number },
): Promise<{ items: HoldOfResource[]; next: Key | null }> {
  type Row = HoldOfResource & { position: string; tie: string; examined: number; last: Key | null }
  const held = join([sql`state = 'held'`, sql`hold_id = m.hold_id`, sql`free_at > ${now}`], ' and ')
  const rows = await db.query<Row>(sql`
    with examined as materialized (${examined})
    select (select count(*) from examined) as examined, found.*,
           (select to_jsonb(array[at::text, tie::text]) from examined order by at desc, tie desc limit 1) as last
    from (values (1)) as always
    left join (
      select m.id, m.kind, m.expires, m.created_at as "createdAt", m.at, m.at::text as position, m.tie::text as tie,
             (select count(*) from number where ${held}) as numbers,
             (select h.actor from number_history h
              where h.e164 = (select min(e164) from number where ${held}) and h.event = 'hold'
              order by h.id desc limit 1) as actor
      from (
        select * from examined as m
        where ${wanted} and exists (select from number where ${held}) order by at, tie limit ${limit}
      ) as m
    ) as found on true
    order by found.at, found.tie`)
  const [first] = rows
  const found = rows.filter(({ id }) => Boolean(id))
  const window = { found, examined: first?.examined ?? 0, last: first?.last ?? null }
  return {
    items: found.map(({ id, kind, numbers, expires, createdAt, actor }) => {
      return { id, kind, numbers, expires, createdAt, actor }
    }),
    next: nextKey(window, limit, ({ position, tie }) => [position, tie]),
  }
}

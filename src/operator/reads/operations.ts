/** Operations of every resource. */
import { join, sql, type Queryable, type Sql } from '../../db/db.js'
import {
  OPERATION_RETENTION_MS,
  type Operation,
  type OperationKind,
  type OperationStatus,
} from '../../operations/operation.js'
import { operationColumns, toOperation, type OperationRow } from '../../operations/store.js'
import { MAX_EXAMINED } from '../contract/operation.js'
import { nextKey, type Key } from './window.js'

export interface OperationFilter {
  statuses?: readonly OperationStatus[] | undefined
  kinds?: readonly OperationKind[] | undefined
  resource?: string | undefined
}

export type OperationOfResource = Operation & { resource: string }

interface PageOf {
  now: Date
  limit: number
  after?: Key | undefined
}

/** First those that are pending, then the others: a page is of one sort, and the key of the next says of which. */
export async function selectOperations(
  db: Queryable,
  filter: OperationFilter,
  { now, limit, after: [sort = 'pending', ...after] = [] }: PageOf,
): Promise<{ items: OperationOfResource[]; next: Key | null }> {
  const { statuses } = filter
  const isWanted = (status: OperationStatus) => statuses === undefined || statuses.includes(status)
  const hasEnded = isWanted('succeeded') || isWanted('failed')
  if (sort === 'pending' && isWanted('pending')) {
    const { items, next } = await readWindow(db, pendingOnes(after), filter, limit)
    return { items, next: next ? ['pending', ...next] : hasEnded ? ['ended'] : null }
  }
  if (!hasEnded) return { items: [], next: null }
  const { items, next } = await readWindow(db, endedOnes(after, now), filter, limit)
  return { items, next: next && ['ended', ...next] }
}

interface Sort {
  conditions: Sql[]
  order: Sql
  /** What the list is ordered by beside the resource and the id, to the microsecond. */
  time: Sql
}

/** Index `operation_pending`. */
const pendingOnes = ([time, resourceId, id]: Key): Sort => ({
  conditions: [
    sql`status = 'pending'`,
    ...(id === undefined
      ? []
      : [sql`(resource_id, created_at, id) > (${resourceId}::uuid, ${time}::timestamptz, ${id}::text)`]),
  ],
  order: sql`resource_id, created_at, id`,
  time: sql`created_at`,
})

/** Index `operation_ended_at`. */
const endedOnes = ([time, resourceId, id]: Key, now: Date): Sort => ({
  conditions: [
    sql`ended_at > ${new Date(now.getTime() - OPERATION_RETENTION_MS)}`,
    ...(id === undefined
      ? []
      : [sql`(ended_at, resource_id, id) < (${time}::timestamptz, ${resourceId}::uuid, ${id}::text)`]),
  ],
  order: sql`ended_at desc, resource_id desc, id desc`,
  time: sql`ended_at`,
})

async function readWindow(
  db: Queryable,
  { conditions, order, time }: Sort,
  { statuses, kinds, resource }: OperationFilter,
  limit: number,
): Promise<{ items: OperationOfResource[]; next: Key | null }> {
  const wanted = [
    sql`true`,
    ...(statuses ? [sql`status = any(${statuses}::text[])`] : []),
    ...(kinds ? [sql`kind = any(${kinds}::text[])`] : []),
    ...(resource === undefined ? [] : [sql`resource_id = (select id from resource where name = ${resource})`]),
  ]
  type Row = OperationRow & { resource: string; position: string; examined: number; last: Key | null }
  const rows = await db.query<Row>(sql`
    with examined as materialized (
      select *, ${time}::text as position, row_number() over (order by ${order}) as n
      from operation where ${join(conditions, ' and ')} order by ${order} limit ${MAX_EXAMINED}
    )
    select (select count(*) from examined) as examined, o.*, r.name as resource,
           (select to_jsonb(array[position, resource_id::text, id]) from examined order by n desc limit 1) as last
    from (values (1)) as always
    left join (
      select ${operationColumns}, position, n from examined where ${join(wanted, ' and ')} order by n limit ${limit}
    ) as o on true
    left join resource r on r.id = o."resourceId"
    order by o.n`)
  const [first] = rows
  const found = rows.filter(({ id }) => Boolean(id))
  const window = { found, examined: first?.examined ?? 0, last: first?.last ?? null }
  return {
    items: found.map((row) => ({ ...toOperation(row), resource: row.resource })),
    next: nextKey(window, limit, ({ position, resourceId, id }) => [position, resourceId, id]),
  }
}

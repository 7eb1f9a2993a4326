import { empty, sql, type Queryable } from '../../db/db.js'

/** An operation that has not ended, for people. */
export interface PendingOperation {
  id: string
  resource: string
  kind: string
  createdAt: Date
  /** What it waits for. */
  waitsFor: 'time' | 'polls' | 'hand' | 'call'
  /** When time carries it out; null unless it waits for that. */
  dueAt: Date | null
  pollsLeft: number | null
}

/** Operations that have not ended, oldest first. Emulators have few: no index is needed. */
export const listPending = (db: Queryable, resource: string | undefined, limit: number): Promise<PendingOperation[]> =>
  db.query<PendingOperation>(sql`
    select o.id, r.name as resource, o.kind, o.created_at as "createdAt",
           case when o.waits_for is not null then o.waits_for when o.stage is not null then 'call' else 'time' end
             as "waitsFor",
           case when o.waits_for is null and o.stage is null then o.due_at end as "dueAt",
           o.polls_left as "pollsLeft"
    from operation o join resource r on r.id = o.resource_id
    where o.status = 'pending' ${ofResource(resource)}
    order by o.created_at, o.id limit ${limit}`)

/** The pending operations of an id: it is unique for its resource only. */
export const findPending = (
  db: Queryable,
  id: string,
  resource: string | undefined,
): Promise<{ resourceId: string; resource: string }[]> =>
  db.query(sql`
    select r.id as "resourceId", r.name as resource
    from operation o join resource r on r.id = o.resource_id
    where o.id = ${id} and o.status = 'pending' ${ofResource(resource)}
    order by r.name limit 2`)

const ofResource = (resource: string | undefined) => (resource === undefined ? empty : sql`and r.name = ${resource}`)

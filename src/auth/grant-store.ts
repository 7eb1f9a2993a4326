import { sql, type Db, type Queryable } from '../db/db.js'

/** A caller that may use a resource. */
export interface Grant {
  resourceId: string
  /** As tokens name it; see `TokenPrincipal.callerId`. */
  clientId: string
  /** As `TokenPrincipal.issuer`, or ANY_ISSUER. */
  issuer: string
}

/** Every issuer that is trusted. */
export const ANY_ISSUER = ''

/** All grants, by resource and client. */
export const listGrants = (db: Queryable): Promise<Grant[]> =>
  db.query<Grant>(sql`
    select resource_id as "resourceId", client_id as "clientId", issuer
    from resource_grant order by resource_id, client_id, issuer`)

/** Stores a grant; one that is there stays as it is. */
export async function insertGrant(db: Db, { resourceId, clientId, issuer }: Grant, createdAt: Date): Promise<void> {
  await db.query(sql`
    insert into resource_grant (resource_id, client_id, issuer, created_at)
    values (${resourceId}, ${clientId}, ${issuer}, ${createdAt})
    on conflict do nothing`)
}

/** Stores grants of one resource to many clients, in one statement; nothing when there is no such resource. */
export async function insertMissingGrants(
  db: Db,
  grants: { resource: string; clientIds: readonly string[]; issuer: string; createdAt: Date },
): Promise<void> {
  await db.query(sql`
    insert into resource_grant (resource_id, client_id, issuer, created_at)
    select id, client_id, ${grants.issuer}::text, ${grants.createdAt}::timestamptz
    from resource, unnest(${grants.clientIds}::text[]) as client_id
    where name = ${grants.resource}
    on conflict do nothing`)
}

/** Removes what a client was granted on a resource, of whichever issuer; false when there was nothing. */
export async function deleteGrants(db: Db, { resourceId, clientId }: Omit<Grant, 'issuer'>): Promise<boolean> {
  const rows = await db.query(sql`
    delete from resource_grant where resource_id = ${resourceId} and client_id = ${clientId} returning client_id`)
  return rows.length > 0
}

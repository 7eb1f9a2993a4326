import { sql, type Queryable, type Tx } from '../db/db.js'

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
export async function insertGrant(tx: Tx, { resourceId, clientId, issuer }: Grant, createdAt: Date): Promise<void> {
  await tx.query(sql`
    insert into resource_grant (resource_id, client_id, issuer, created_at)
    values (${resourceId}, ${clientId}, ${issuer}, ${createdAt})
    on conflict do nothing`)
}

/**
 * Stores grants of one resource to many clients, in one statement; nothing when there is no such resource. Returns the
 * clients that had none.
 */
export async function insertMissingGrants(
  tx: Tx,
  grants: { resource: string; clientIds: readonly string[]; issuer: string; createdAt: Date },
): Promise<string[]> {
  const rows = await tx.query<{ client_id: string }>(sql`
    insert into resource_grant (resource_id, client_id, issuer, created_at)
    select id, client_id, ${grants.issuer}::text, ${grants.createdAt}::timestamptz
    from resource, unnest(${grants.clientIds}::text[]) as client_id
    where name = ${grants.resource}
    on conflict do nothing
    returning client_id`)
  return rows.map(({ client_id: clientId }) => clientId)
}

/** Removes what a client was granted on a resource, of whichever issuer; false when there was nothing. */
export async function deleteGrants(tx: Tx, { resourceId, clientId }: Omit<Grant, 'issuer'>): Promise<boolean> {
  const rows = await tx.query(sql`
    delete from resource_grant where resource_id = ${resourceId} and client_id = ${clientId} returning client_id`)
  return rows.length > 0
}

import { sql, violatesUnique, type Queryable, type Tx } from '../db/db.js'

/** A resource as stored: its two access keys sealed. */
export interface StoredResource {
  id: string
  name: string
  hosts: string[]
  primaryKeySealed: Uint8Array
  secondaryKeySealed: Uint8Array
  createdAt: Date
  /** The stock it sees; '' for the one that is shared. */
  pool: string
  /** Whether the operator has limited what it may buy. */
  restricted: boolean
}

export type KeySlot = 'primary' | 'secondary'

export class ResourceNameTaken extends Error {}
export class HostClaimed extends Error {}

export type NewStoredResource = Omit<StoredResource, 'restricted'>

/** Stores a new resource. Throws ResourceNameTaken or HostClaimed (by another resource). */
export async function insertResource(tx: Tx, resource: NewStoredResource): Promise<void> {
  try {
    await tx.query(sql`
      insert into resource (id, name, primary_key_sealed, secondary_key_sealed, created_at, pool)
      values (${resource.id}, ${resource.name}, ${resource.primaryKeySealed}, ${resource.secondaryKeySealed},
              ${resource.createdAt}, ${resource.pool})`)
    await tx.query(sql`
      insert into resource_host (host, resource_id)
      select host, ${resource.id} from unnest(${resource.hosts}::text[]) as host`)
  } catch (error) {
    if (violatesUnique(error, 'resource_name_unique')) throw new ResourceNameTaken()
    if (violatesUnique(error, 'resource_host_pkey')) throw new HostClaimed()
    throw error
  }
}

/** All resources, by name. */
export const listResources = (db: Queryable): Promise<StoredResource[]> =>
  db.query<StoredResource>(sql`
    select r.id, r.name, r.primary_key_sealed as "primaryKeySealed", r.secondary_key_sealed as "secondaryKeySealed",
           r.created_at as "createdAt", r.pool, num_nonnulls(r.number_limit, r.entitled_to) > 0 as restricted,
           array(select h.host from resource_host h where h.resource_id = r.id order by h.host) as hosts
    from resource r order by r.name`)

/** Replaces one of a resource's keys; false when there is no such resource. */
export async function updateResourceKey(
  db: Queryable,
  id: string,
  slot: KeySlot,
  sealed: Uint8Array,
): Promise<boolean> {
  const rows = await db.query(
    slot === 'primary'
      ? sql`update resource set primary_key_sealed = ${sealed} where id = ${id} returning id`
      : sql`update resource set secondary_key_sealed = ${sealed} where id = ${id} returning id`,
  )
  return rows.length > 0
}

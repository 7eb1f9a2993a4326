import { raw, sql, violatesUnique, type Queryable, type Tx } from '../db/db.js'

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
  /** Since when it is shut out; null: it isn't. */
  disabledAt: Date | null
}

export type KeySlot = 'primary' | 'secondary'

export class ResourceNameTaken extends Error {}
export class HostClaimed extends Error {}

export type NewStoredResource = Omit<StoredResource, 'restricted' | 'disabledAt'>

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
           r.disabled_at as "disabledAt",
           array(select h.host from resource_host h where h.resource_id = r.id order by h.host) as hosts
    from resource r order by r.name`)

/** Replaces one of a resource's keys; false when there is no such resource. */
export async function updateResourceKey(tx: Tx, id: string, slot: KeySlot, sealed: Uint8Array): Promise<boolean> {
  const rows = await tx.query(
    slot === 'primary'
      ? sql`update resource set primary_key_sealed = ${sealed} where id = ${id} returning id`
      : sql`update resource set secondary_key_sealed = ${sealed} where id = ${id} returning id`,
  )
  return rows.length > 0
}

/** Throws HostClaimed (by another resource). */
export async function replaceHosts(tx: Tx, id: string, hosts: readonly string[]): Promise<void> {
  await tx.query(sql`delete from resource_host where resource_id = ${id} and host <> all(${hosts}::text[])`)
  const [claimed] = await tx.query(sql`
    with added as (
      insert into resource_host (host, resource_id)
      select host, ${id} from unnest(${hosts}::text[]) as host
      on conflict (host) do nothing
    )
    select host from resource_host where host = any(${hosts}::text[]) and resource_id <> ${id}`)
  if (claimed !== undefined) throw new HostClaimed()
}

/** What keeps a resource from being removed, in words. Locks its row, so that nothing is added meanwhile. */
export async function whatIsLeft(tx: Tx, id: string): Promise<string[]> {
  await tx.query(sql`select id from resource where id = ${id} for update`)
  const rows = await tx.query<{ what: string }>(sql`
    select 'numbers that it owns' as what where exists (select from number where resource_id = ${id} and state = 'owned')
    union all
    select 'numbers on hold' where exists (select from number where resource_id = ${id} and state = 'held')
    union all
    select 'operations under way' where exists (
      select from operation where resource_id = ${id} and (status = 'pending' or stage is not null))
    union all
    select 'the journal of its wallet in ' || currency from wallet where resource_id = ${id}`)
  return rows.map(({ what }) => what)
}

/** Removes a resource with what is only about it; its operations are kept as long as others are. */
export async function deleteResource(tx: Tx, id: string): Promise<void> {
  for (const table of ['resource_grant', 'resource_host', 'sip_routing'] as const) {
    await tx.query(sql`delete from ${raw(table)} where resource_id = ${id}`)
  }
  await tx.query(sql`delete from resource where id = ${id}`)
}

/** Shuts a resource out, or lets it in again; false when there is none of that name. */
export async function setDisabled(tx: Tx, name: string, at: Date | null): Promise<boolean> {
  const rows = await tx.query(sql`
    update resource set disabled_at = case when ${at}::timestamptz is null then null else coalesce(disabled_at, ${at}) end
    where name = ${name} returning id`)
  return rows.length > 0
}

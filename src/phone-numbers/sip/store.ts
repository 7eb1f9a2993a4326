import { sql, type Queryable, type Tx } from '../../db/db.js'
import type { SipConfiguration } from './configuration.js'

/** The configuration of a resource; empty when nothing has been configured. */
export async function findConfiguration(db: Queryable, resourceId: string): Promise<SipConfiguration> {
  const [row] = await db.query<SipConfiguration>(
    sql`select trunks, routes from sip_routing where resource_id = ${resourceId}`,
  )
  return row ?? { trunks: [], routes: [] }
}

/** Makes sure that a resource has a row, which {@link lockConfiguration} can lock. */
export async function ensureConfiguration(tx: Tx, resourceId: string): Promise<void> {
  await tx.query(sql`insert into sip_routing (resource_id) values (${resourceId}) on conflict (resource_id) do nothing`)
}

/** The configuration of a resource; until this transaction ends no other can change it. */
export async function lockConfiguration(tx: Tx, resourceId: string): Promise<SipConfiguration> {
  const [row] = await tx.query<SipConfiguration>(
    sql`select trunks, routes from sip_routing where resource_id = ${resourceId} for update`,
  )
  if (!row) throw new Error(`The SIP routing of resource ${resourceId} has no row to lock`)
  return row
}

export async function saveConfiguration(
  tx: Tx,
  resourceId: string,
  { trunks, routes }: SipConfiguration,
): Promise<void> {
  await tx.query(sql`
    update sip_routing
    set trunks = ${JSON.stringify(trunks)}::jsonb, routes = ${JSON.stringify(routes)}::jsonb
    where resource_id = ${resourceId}`)
}

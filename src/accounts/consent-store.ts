/** The SQL statements about requests for information: the operator's changes, and their sync with the backends. */
import type { ServiceCode } from '../backends/port/backend.js'
import { sql, type Queryable, type Tx } from '../db/db.js'
import { syncStateOf } from '../sync/store.js'
import type { SyncState } from '../sync/sync.js'
import { stateColumns, toSyncState, type StateRow } from './account-store.js'
import type { ConsentChange } from './desired.js'

/**
 * Makes writers about one tenant take turns, on the row of its change. Without an earlier change, this inserts a row
 * that is older than anything a backend reports, which `putConsentChange` replaces in the same transaction.
 */
export async function lockConsentChange(tx: Tx, tenantId: string): Promise<void> {
  await tx.query(sql`
    insert into consent_change as c (tenant_id, modified_at) values (${tenantId}, ${LONG_AGO})
    on conflict (tenant_id) do update set modified_at = c.modified_at`)
}
const LONG_AGO = new Date('0001-01-01T00:00:00Z')

export async function putConsentChange(
  tx: Tx,
  { tenantId, status, comment, modifiedAt }: ConsentChange,
): Promise<void> {
  await tx.query(sql`
    insert into consent_change (tenant_id, status, comment, modified_at)
    values (${tenantId}, ${status}, ${comment}, ${modifiedAt})
    on conflict (tenant_id) do update
    set status = excluded.status, comment = excluded.comment, modified_at = excluded.modified_at`)
}

/** The sync state of changes, by tenant (lower case). */
export async function readConsentStates(
  db: Queryable,
  tenantIds: readonly string[],
  services: readonly ServiceCode[],
): Promise<Map<string, { sync: SyncState; changedAt: Date | null }>> {
  const rows = await db.query<StateRow & { key: string }>(sql`
    select k.key, ${stateColumns}
    from unnest(${tenantIds}::text[]) as k (key) cross join ${syncStateOf('consent', sql`k.key`, services)}`)
  return new Map(rows.map((row) => [row.key, { sync: toSyncState(row), changedAt: row.stateChangedAt }]))
}

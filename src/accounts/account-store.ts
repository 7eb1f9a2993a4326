/** The SQL statements about accounts. None of them decides anything. */
import type { ServiceCode } from '../backends/port/backend.js'
import type { BackendFault } from '../backends/port/call.js'
import { services, type ServiceKey } from '../backends/port/services.js'
import { sql, type Queryable, type Sql, type Tx } from '../db/db.js'
import { statusOf, syncStateOf } from '../sync/store.js'
import type { Observed, SyncService, SyncState, SyncStatus } from '../sync/sync.js'
import type { Account, AccountSettings, AccountWithStatus, NumberCounts } from './account.js'

export const accountColumns = sql`
  a.id, a.name, a.correlation_id as "correlationId", a.teams_tenant_id as "teamsTenantId", a.services,
  a.modified_at as "modifiedAt"`

/**
 * An account by name, locked on request: `share` keeps it unchanged while its numbers are written; `update` is for
 * changing it and waits until none of its numbers is being written.
 */
export async function findAccount(
  db: Queryable,
  name: string,
  lock?: 'share' | 'update',
): Promise<Account | undefined> {
  const locking = { share: sql`for share`, update: sql`for update`, none: sql`` }[lock ?? 'none']
  const [row] = await db.query<Account>(sql`
    select ${accountColumns} from account a where name = ${name} and removed_at is null ${locking}`)
  return row
}

/** Creates an account. Returns false when the name is taken. Violates `account_subdomain` when the label is taken. */
export async function insertAccount(tx: Tx, id: string, settings: AccountSettings, at: Date): Promise<boolean> {
  const rows = await tx.query(sql`
    insert into account (id, name, correlation_id, teams_tenant_id, services, created_at, modified_at)
    values (${id}, ${settings.name}, ${settings.correlationId}, ${settings.teamsTenantId},
            ${JSON.stringify(settings.services)}::jsonb, ${at}, ${at})
    on conflict (name) where removed_at is null do nothing
    returning id`)
  return rows.length > 0
}

export async function updateAccount(tx: Tx, id: string, settings: AccountSettings, at: Date): Promise<void> {
  await tx.query(sql`
    update account
    set correlation_id = ${settings.correlationId}, teams_tenant_id = ${settings.teamsTenantId},
        services = ${JSON.stringify(settings.services)}::jsonb, modified_at = ${at}
    where id = ${id}`)
}

/** Keeps accounts unchanged until the transaction ends. Accounts are locked before anything that belongs to them. */
export async function lockAccounts(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.query(sql`select id from account where id = any(${ids}::uuid[]) order by id for share`)
}

/** Hides an account; its row is deleted with its last number. */
export async function removeAccount(tx: Tx, id: string, at: Date): Promise<void> {
  // Waits for a number that is leaving at this moment: the transaction of the last one then finds the account removed.
  await tx.query(sql`select e164 from account_number where account_id = ${id} limit 1 for share`)
  await tx.query(sql`
    with leaving as (select exists (select from account_number where account_id = ${id}) as any_left),
    kept as (update account set removed_at = ${at} where id = ${id} and (select any_left from leaving))
    delete from account where id = ${id} and not (select any_left from leaving)`)
}

/** Deletes those of the accounts that are removed and that have no leaving numbers any more. */
export async function purgeAccounts(tx: Tx, ids: readonly string[]): Promise<void> {
  // The transaction of the last number but one waits here for that of the last one, and then sees that it is gone.
  await tx.query(sql`
    select id from account where id = any(${ids}::uuid[]) and removed_at is not null order by id for update`)
  await tx.query(sql`
    delete from account a
    where id = any(${ids}::uuid[]) and removed_at is not null
      and not exists (select from account_number where account_id = a.id)`)
}

interface AccountRow extends Account, StateRow {
  total: number
  oc: number
  tpm: number
  dr: number
  zoom: number
  aocp: number
  countsChangedAt: Date | null
}

/** The columns that `syncStateOf` yields. */
export interface StateRow {
  status: SyncStatus
  errors: BackendFault[]
  observed: Partial<Record<SyncService, Observed>> | null
  observedAt: Date | null
  stateChangedAt: Date | null
}

export const stateColumns = sql`
  ${statusOf()} as status, state.errors, state.observed, state.observed_at as "observedAt",
  state.changed_at as "stateChangedAt"`

export const toSyncState = ({ status, errors, observed, observedAt }: StateRow): SyncState => ({
  status,
  errors: status === 'failed' ? errors : [],
  observed: observed ?? {},
  observedAt,
})

/** Number counts of the account `a`, as a lateral join; one row. */
export const countsOfAccount = sql`
  lateral (
    select coalesce(sum(total), 0)::bigint as total, coalesce(sum(oc), 0)::bigint as oc,
           coalesce(sum(tpm), 0)::bigint as tpm, coalesce(sum(dr), 0)::bigint as dr,
           coalesce(sum(zoom), 0)::bigint as zoom, coalesce(sum(aocp), 0)::bigint as aocp,
           max(changed_at) as changed_at
    from account_number_count where account_id = a.id
  ) as counts`

const withStatusColumns = sql`
  ${accountColumns}, ${stateColumns},
  counts.total, counts.oc, counts.tpm, counts.dr, counts.zoom, counts.aocp, counts.changed_at as "countsChangedAt"`

/** `account a` with its counts and state. */
export const accountsWithStatus = (active: readonly SyncService[]): Sql => sql`
  account a cross join ${countsOfAccount} cross join ${syncStateOf('account', sql`a.id::text`, active)}`

export const latest = (...dates: (Date | null)[]): Date =>
  new Date(Math.max(...dates.map((date) => date?.getTime() ?? 0)))

const toAccount = ({ id, name, correlationId, teamsTenantId, services: kept, modifiedAt }: AccountRow): Account => ({
  id,
  name,
  correlationId,
  teamsTenantId,
  services: kept,
  modifiedAt,
})

const toAccountWithStatus = (row: AccountRow): AccountWithStatus => ({
  ...toAccount(row),
  sync: toSyncState(row),
  counts: toCounts(row),
  changedAt: latest(row.modifiedAt, row.stateChangedAt, row.countsChangedAt),
})

const toCounts = (row: Record<ServiceCode | 'total', number>): NumberCounts => ({
  total: row.total,
  teamsOperatorConnect: row.oc,
  teamsPhoneMobile: row.tpm,
  teamsDirectRouting: row.dr,
  zoomPhoneCloudPeering: row.zoom,
  azureOperatorCallProtection: row.aocp,
})

/** One account as clients see it. Unique index `account_name`. */
export async function readAccount(
  db: Queryable,
  name: string,
  active: readonly SyncService[],
): Promise<AccountWithStatus | undefined> {
  const [row] = await db.query<AccountRow>(sql`
    select ${withStatusColumns} from ${accountsWithStatus(active)}
    where a.name = ${name} and a.removed_at is null`)
  return row && toAccountWithStatus(row)
}

export async function readCounts(db: Queryable, accountId: string): Promise<NumberCounts> {
  const [row] = await db.query<Record<ServiceCode | 'total', number>>(sql`
    select counts.total, counts.oc, counts.tpm, counts.dr, counts.zoom, counts.aocp
    from account a cross join ${countsOfAccount} where a.id = ${accountId}`)
  return toCounts(row as Record<ServiceCode | 'total', number>)
}

/** Every account with Direct Routing, on or off: the zone may still have records of an account that wants none. */
export const accountsWithDirectRouting = (db: Queryable): Promise<Account[]> =>
  db.query<Account>(sql`
    select ${accountColumns} from account a
    where services -> 'teamsDirectRouting' is not null and removed_at is null`)

export interface PageOf {
  filter: Sql | undefined
  /** Key of the last item of the page before. */
  after: string | undefined
  skip: number
  limit: number
}

/** A page of accounts by name. */
export async function listAccounts(
  db: Queryable,
  active: readonly SyncService[],
  { filter, after, skip, limit }: PageOf,
): Promise<AccountWithStatus[]> {
  const rows = await db.query<AccountRow>(sql`
    select ${withStatusColumns} from ${accountsWithStatus(active)}
    where a.removed_at is null ${after === undefined ? sql`` : sql`and a.name > ${after}`} ${andFilter(filter)}
    order by a.name offset ${after === undefined ? skip : 0} limit ${limit}`)
  return rows.map(toAccountWithStatus)
}

export async function countAccounts(
  db: Queryable,
  active: readonly SyncService[],
  filter: Sql | undefined,
): Promise<number> {
  const [row] = await db.query<{ count: number }>(
    filter === undefined
      ? sql`select count(*) as count from account where removed_at is null`
      : sql`select count(*) as count from ${accountsWithStatus(active)} where a.removed_at is null ${andFilter(filter)}`,
  )
  return row?.count ?? 0
}

export const andFilter = (filter: Sql | undefined): Sql => (filter === undefined ? sql`` : sql`and ${filter}`)

/** Account names by Teams tenant (lower case); of several accounts, the first by name. Index `account_tenant`. */
export async function accountsOfTenants(db: Queryable, tenantIds: readonly string[]): Promise<Map<string, string>> {
  const rows = await db.query<{ tenantId: string; name: string }>(sql`
    select distinct on (lower(teams_tenant_id collate "C")) lower(teams_tenant_id collate "C") as "tenantId", name
    from account where lower(teams_tenant_id collate "C") = any(${tenantIds}::text[]) and removed_at is null
    order by lower(teams_tenant_id collate "C"), name`)
  return new Map(rows.map(({ tenantId, name }) => [tenantId, name]))
}

/** Adds to an account's counts, in one of its slots chosen at random, so that writers seldom wait for each other. */
export async function addCounts(tx: Tx, accountId: string, by: NumberCounts, at: Date): Promise<void> {
  if (Object.values(by).every((count) => count === 0)) return
  const slot = Math.floor(Math.random() * COUNT_SLOTS)
  const of = (key: ServiceKey): number => by[key]
  await tx.query(sql`
    insert into account_number_count as c (account_id, slot, total, oc, tpm, dr, zoom, aocp, changed_at)
    values (${accountId}, ${slot}, ${by.total}, ${of('teamsOperatorConnect')}, ${of('teamsPhoneMobile')},
            ${of('teamsDirectRouting')}, ${of('zoomPhoneCloudPeering')}, ${of('azureOperatorCallProtection')}, ${at})
    on conflict (account_id, slot) do update
    set total = c.total + excluded.total, oc = c.oc + excluded.oc, tpm = c.tpm + excluded.tpm, dr = c.dr + excluded.dr,
        zoom = c.zoom + excluded.zoom, aocp = c.aocp + excluded.aocp,
        changed_at = greatest(c.changed_at, excluded.changed_at)`)
}
const COUNT_SLOTS = 16

/** The column that counts a service's numbers, for filters. */
export const countColumn = (key: ServiceKey): Sql =>
  ({ oc: sql`counts.oc`, tpm: sql`counts.tpm`, dr: sql`counts.dr`, zoom: sql`counts.zoom`, aocp: sql`counts.aocp` })[
    services[key].code
  ]

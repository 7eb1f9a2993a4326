/** The SQL statements about numbers on accounts. Only the ledger writes the ledger's own row of a number. */
import type { ServiceCode } from '../backends/port/backend.js'
import { sql, type Queryable, type Sql, type Tx } from '../db/db.js'
import { syncStateOf } from '../sync/store.js'
import type { SyncService } from '../sync/sync.js'
import type { Account } from './account.js'
import type { AccountNumber, NumberDetails, NumberToPut } from './account-number.js'
import {
  accountColumns,
  andFilter,
  latest,
  readCounts,
  stateColumns,
  toSyncState,
  type PageOf,
  type StateRow,
} from './account-store.js'

interface NumberRow extends StateRow, Account {
  e164: string
  details: NumberDetails
  numberModifiedAt: Date
}

const numberColumns = sql`
  n.e164, n.details, n.modified_at as "numberModifiedAt", ${accountColumns}, ${stateColumns}`

/** `account_number n` with its account `a` and its state. */
export const numbersWithStatus = (active: readonly SyncService[]): Sql => sql`
  account_number n join account a on a.id = n.account_id
  cross join ${syncStateOf('number', sql`n.e164`, active)}`

const toNumber = (row: NumberRow): AccountNumber => ({
  e164: row.e164,
  details: row.details,
  account: {
    id: row.id,
    name: row.name,
    correlationId: row.correlationId,
    teamsTenantId: row.teamsTenantId,
    services: row.services,
    modifiedAt: row.modifiedAt,
  },
  modifiedAt: row.numberModifiedAt,
  sync: toSyncState(row),
  changedAt: latest(row.numberModifiedAt, row.stateChangedAt),
})

/** Numbers of an account that are not being removed, by E.164. Primary key. */
export async function readNumbers(
  db: Queryable,
  accountId: string,
  e164s: readonly string[],
  active: readonly SyncService[],
): Promise<AccountNumber[]> {
  const rows = await db.query<NumberRow>(sql`
    select ${numberColumns} from ${numbersWithStatus(active)}
    where n.e164 = any(${e164s}::text[]) and n.account_id = ${accountId} and n.removed_at is null order by n.e164`)
  return rows.map(toNumber)
}

/** From this skip on, counting the numbers pays off, because the page can then be reached from the nearer end. */
const FAR = 2_000

/**
 * A page of numbers by E.164: of one account (index `account_number_order`) or of all (primary key). Without a filter
 * the page's keys are found by the index alone, so that a large skip walks index entries, not whole numbers; a page of
 * one account is reached from the nearer end.
 * @param only only this number, for the 2023 facade
 */
export async function listNumbers(
  db: Queryable,
  accountId: string | undefined,
  active: readonly SyncService[],
  { filter, after, skip, limit }: PageOf,
  only?: string,
): Promise<AccountNumber[]> {
  const which = sql`
    n.removed_at is null ${accountId === undefined ? sql`` : sql`and n.account_id = ${accountId}`}
    ${after === undefined ? sql`` : sql`and n.e164 > ${after}`}
    ${only === undefined ? sql`` : sql`and n.e164 = ${only}`}`
  const fromStart = sql`order by n.e164 offset ${after === undefined ? skip : 0} limit ${limit}`
  if (filter !== undefined) {
    const rows = await db.query<NumberRow>(sql`
      select ${numberColumns} from ${numbersWithStatus(active)} where ${which} ${andFilter(filter)} ${fromStart}`)
    return rows.map(toNumber)
  }
  const isFar = after === undefined && skip >= FAR && accountId !== undefined && only === undefined
  const cut = isFar ? await fromNearerEnd(db, accountId, skip, limit) : fromStart
  const rows = await db.query<NumberRow>(sql`
    select ${numberColumns}
    from (select n.e164 as key from account_number n where ${which} ${cut}) as page
    join account_number n on n.e164 = page.key
    join account a on a.id = n.account_id
    cross join ${syncStateOf('number', sql`n.e164`, active)}
    order by n.e164`)
  return rows.map(toNumber)
}

async function fromNearerEnd(db: Queryable, accountId: string, skip: number, limit: number): Promise<Sql> {
  const { total } = await readCounts(db, accountId)
  const left = Math.max(total - skip, 0)
  return skip < left
    ? sql`order by n.e164 offset ${skip} limit ${limit}`
    : sql`order by n.e164 desc offset ${Math.max(left - limit, 0)} limit ${Math.min(limit, left)}`
}

export async function countNumbers(
  db: Queryable,
  accountId: string | undefined,
  active: readonly SyncService[],
  filter: Sql | undefined,
): Promise<number> {
  const which = sql`n.removed_at is null ${accountId === undefined ? sql`` : sql`and n.account_id = ${accountId}`}`
  const [row] = await db.query<{ count: number }>(
    filter === undefined
      ? sql`select count(*) as count from account_number n where ${which}`
      : sql`select count(*) as count from ${numbersWithStatus(active)} where ${which} ${andFilter(filter)}`,
  )
  return row?.count ?? 0
}

/** A number as it is stored, on any account. */
export interface StoredNumber {
  e164: string
  accountId: string
  details: NumberDetails
  modifiedAt: Date
  /** It is leaving its account, and no client sees it any more. */
  removed: boolean
  /** Services that the number has been synced to, or is being synced to. */
  synced: ServiceCode[]
}

const storedColumns = sql`
  n.e164, n.account_id as "accountId", n.details, n.modified_at as "modifiedAt", n.removed_at is not null as removed,
  array(select service from sync where kind = 'number' and key = n.e164 order by service) as synced`

/**
 * Numbers as they are stored. A transaction that is going to change them has locked their rows in the ledger before.
 */
export const findStored = (tx: Tx, e164s: readonly string[]): Promise<StoredNumber[]> =>
  tx.query<StoredNumber>(sql`
    select ${storedColumns} from account_number n where n.e164 = any(${e164s}::text[]) order by n.e164`)

/** Numbers of an account that are not being removed, locked in the ledger and here, in that order. */
export async function lockStored(tx: Tx, accountId: string, e164s: readonly string[]): Promise<StoredNumber[]> {
  const locked = await tx.query<{ e164: string }>(sql`
    select n.e164 from account_number n join number l on l.e164 = n.e164
    where n.e164 = any(${e164s}::text[]) and n.account_id = ${accountId} and n.removed_at is null
    order by n.e164 for update of l, n`)
  if (locked.length === 0) return []
  // A separate statement: only a later one sees what other transactions wrote about numbers that were waited for.
  return findStored(
    tx,
    locked.map(({ e164 }) => e164),
  )
}

/** The next numbers of an account, by E.164, that are not being removed. */
export async function nextE164s(tx: Tx, accountId: string, limit: number): Promise<string[]> {
  const rows = await tx.query<{ e164: string }>(sql`
    select e164 from account_number where account_id = ${accountId} and removed_at is null order by e164 limit ${limit}`)
  return rows.map(({ e164 }) => e164)
}

/** Writes numbers onto an account, replacing what is stored of them. */
export async function putStored(tx: Tx, accountId: string, numbers: readonly NumberToPut[], at: Date): Promise<void> {
  await tx.query(sql`
    insert into account_number (e164, account_id, details, modified_at)
    select e164, ${accountId}, details, ${at}::timestamptz
    from unnest(
      ${numbers.map(({ e164 }) => e164)}::text[], ${numbers.map(({ details }) => JSON.stringify(details))}::jsonb[]
    ) as p (e164, details)
    order by e164
    on conflict (e164) do update
    set account_id = excluded.account_id, details = excluded.details, modified_at = excluded.modified_at,
        removed_at = null`)
}

/** Hides numbers until their backends have released them. */
export async function markRemoved(tx: Tx, e164s: readonly string[], at: Date): Promise<void> {
  await tx.query(sql`update account_number set removed_at = ${at} where e164 = any(${e164s}::text[])`)
}

export async function deleteStored(tx: Tx, e164s: readonly string[]): Promise<void> {
  await tx.query(sql`delete from account_number where e164 = any(${e164s}::text[])`)
}

/** Those of the numbers that are off their account and that no backend holds any more. */
export const findLeft = (tx: Tx, e164s: readonly string[]): Promise<{ e164: string; accountId: string }[]> =>
  tx.query<{ e164: string; accountId: string }>(sql`
    select n.e164, n.account_id as "accountId" from account_number n join number l on l.e164 = n.e164
    where n.e164 = any(${e164s}::text[]) and n.removed_at is not null
      and not exists (select from sync where kind = 'number' and key = n.e164)
    order by n.e164 for update of l, n`)

/** Shows removed numbers again if their account still exists. Returns them. */
export const restoreStored = (
  tx: Tx,
  e164s: readonly string[],
): Promise<{ e164: string; accountId: string; details: NumberDetails }[]> =>
  tx.query<{ e164: string; accountId: string; details: NumberDetails }>(sql`
    update account_number n set removed_at = null
    from account a
    where n.e164 = any(${e164s}::text[]) and n.removed_at is not null
      and a.id = n.account_id and a.removed_at is null
    returning n.e164, n.account_id as "accountId", n.details`)

/** Makes writers of these numbers wait; for a transaction that changes the ledger later than writes do. */
export async function lockInLedger(tx: Tx, e164s: readonly string[]): Promise<void> {
  await tx.query(sql`select e164 from number where e164 = any(${e164s}::text[]) order by e164 for update`)
}

/**
 * The statements that change wallets. Each one changes the balance and writes its line of the journal, so that the
 * journal always adds up to the balance. Amounts are decimal texts.
 */
import { sql, type Queryable, type Sql, type Tx } from '../../db/db.js'

/** Every balance is below this: the column has 14 digits before the point. */
const BALANCE_BOUND = '100000000000000'

export interface WalletKey {
  resourceId: string
  /** ISO 4217 */
  currency: string
}

/** The part of a journal's line besides the amount. */
export interface EntryCause {
  at: Date
  actor: string
  /** The operation behind a purchase or refund, the month that is charged, or the operator's own words. */
  reference: string
}

export type EntryKind = 'credit' | 'purchase' | 'refund' | 'month'

export interface WalletEntry extends EntryCause {
  id: number
  kind: EntryKind
  /** What it added to the balance; negative for a charge. */
  amount: string
  balance: string
  /** How many numbers it is about. */
  numbers: number
}

/** A wallet's balance, or undefined when there is none. */
export async function findBalance(db: Queryable, { resourceId, currency }: WalletKey): Promise<string | undefined> {
  const [row] = await db.query<{ balance: string }>(sql`
    select balance from wallet where resource_id = ${resourceId} and currency = ${currency}`)
  return row?.balance
}

export interface WalletBalance extends WalletKey {
  balance: string
}

/** A resource's wallets, by currency. */
export const listWallets = (db: Queryable, resourceId: string): Promise<WalletBalance[]> =>
  db.query(sql`
    select resource_id as "resourceId", currency, balance
    from wallet where resource_id = ${resourceId} order by currency`)

/** All wallets, by resource. */
export const listAllWallets = (db: Queryable): Promise<(WalletBalance & { resourceName: string })[]> =>
  db.query(sql`
    select r.id as "resourceId", r.name as "resourceName", w.currency, w.balance
    from wallet w join resource r on r.id = w.resource_id order by r.name, w.currency`)

/**
 * Adds to a wallet and makes it if it is not there yet, empty when the amount is 0. A negative amount corrects, down to
 * a balance of 0. Returns the new balance, undefined when the change is not possible.
 */
export const creditWallet = (tx: Tx, key: WalletKey, amount: string, cause: EntryCause): Promise<string | undefined> =>
  changeWallet(
    tx,
    key,
    sql`
      insert into wallet as w (resource_id, currency, balance)
      select ${key.resourceId}, ${key.currency}, ${amount}::numeric
      where ${amount}::numeric >= 0
        or exists (select from wallet where resource_id = ${key.resourceId} and currency = ${key.currency})
      on conflict (resource_id, currency) do update set balance = w.balance + excluded.balance
      where (excluded.balance >= 0 or w.balance + excluded.balance >= 0)
        and w.balance + excluded.balance < ${BALANCE_BOUND}::numeric`,
    { kind: 'credit', amount, numbers: 0 },
    cause,
  )

/**
 * Takes `amount` for a purchase, unless it exceeds the balance. Returns whether it was taken. Purchases from one wallet
 * meet at its row.
 */
export const chargePurchase = async (
  tx: Tx,
  key: WalletKey,
  { amount, numbers }: { amount: string; numbers: number },
  cause: EntryCause,
): Promise<boolean> =>
  undefined !==
  (await changeWallet(
    tx,
    key,
    sql`
      update wallet set balance = balance - ${amount}::numeric
      where resource_id = ${key.resourceId} and currency = ${key.currency} and balance >= ${amount}::numeric`,
    { kind: 'purchase', amount: `-${amount}`, numbers },
    cause,
  ))

/**
 * The amounts charged for an operation since an instant and not refunded, by currency. Index `wallet_entry_reference`.
 */
export const listCharged = (
  tx: Tx,
  resourceId: string,
  reference: string,
  since: Date,
): Promise<{ currency: string; amount: string; numbers: number }[]> =>
  tx.query(sql`
    select currency, - sum(amount) as amount,
           sum(case kind when 'purchase' then numbers else - numbers end)::integer as numbers
    from wallet_entry
    where resource_id = ${resourceId} and reference = ${reference} and kind in ('purchase', 'refund') and at >= ${since}
    group by currency having sum(amount) <> 0 order by currency`)

/** Refunds a purchase for numbers that it was charged for and did not get. */
export async function refundPurchase(
  tx: Tx,
  key: WalletKey,
  { amount, numbers }: { amount: string; numbers: number },
  cause: EntryCause,
): Promise<void> {
  const balance = await changeWallet(
    tx,
    key,
    sql`
      update wallet set balance = balance + ${amount}::numeric
      where resource_id = ${key.resourceId} and currency = ${key.currency}`,
    { kind: 'refund', amount, numbers },
    cause,
  )
  if (balance === undefined) throw new Error('A wallet that was charged is gone')
}

/**
 * The part of a statement that writes lines of the journal; nothing else writes them.
 * @param lines a query of `resource_id, currency, amount, balance, numbers`, in this order
 */
export const journalOf = (lines: Sql, kind: EntryKind, { at, actor, reference }: EntryCause): Sql => sql`
      insert into wallet_entry (resource_id, currency, at, kind, amount, balance, numbers, actor, reference)
      select resource_id, currency, ${at}::timestamptz, ${kind}, amount, balance, numbers, ${actor}, ${reference}
      from (${lines}) as line (resource_id, currency, amount, balance, numbers)`

/**
 * Runs a change of one wallet with its line of the journal. Returns the balance after it, undefined without a change.
 */
async function changeWallet(
  tx: Tx,
  { resourceId, currency }: WalletKey,
  change: Sql,
  { kind, amount, numbers }: Pick<WalletEntry, 'kind' | 'amount' | 'numbers'>,
  cause: EntryCause,
): Promise<string | undefined> {
  const [row] = await tx.query<{ balance: string }>(sql`
    with changed as (${change} returning balance), journal as (
      ${journalOf(
        sql`select ${resourceId}::uuid, ${currency}, ${amount}::numeric, balance, ${numbers}::integer
            from changed where ${amount}::numeric <> 0`,
        kind,
        cause,
      )}
    )
    select balance from changed`)
  return row?.balance
}

/** A wallet's latest entries, newest first. Primary key. */
export const listEntries = (
  db: Queryable,
  { resourceId, currency }: WalletKey,
  limit: number,
  before?: number,
): Promise<WalletEntry[]> =>
  db.query<WalletEntry>(sql`
    select id, at, kind, amount, balance, numbers, actor, reference
    from wallet_entry where resource_id = ${resourceId} and currency = ${currency}
      ${before === undefined ? sql`` : sql`and id < ${before}`}
    order by id desc limit ${limit}`)

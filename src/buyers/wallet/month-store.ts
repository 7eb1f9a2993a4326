import { sql, type Tx } from '../../db/db.js'
import { journalOf, type EntryCause } from './wallet-store.js'

/** The amount that one resource owes for a month in one currency, and whether it was charged. */
export interface MonthlyCharge {
  outcome: 'charged' | 'charged-before' | 'no-wallet'
  resourceName: string
  currency: string
  numbers: number
  amount: string
  /** What the wallet has after it; null unless it was charged. */
  balance: string | null
}

/**
 * Charges the next resources by name for the numbers they have owned since before a month began. The wallets are locked
 * first, always in the same order, so that the statement that charges sees what another process has charged meanwhile.
 * Should that ever fail, the index `wallet_entry_month` refuses a second line. Index `number_owned_order`.
 * @param after the name that the batch before ended with; '' at first
 */
export async function chargeMonthOfBatch(
  tx: Tx,
  { month, beginsAt, after, limit }: { month: string; beginsAt: Date; after: string; limit: number },
  { at, actor }: Omit<EntryCause, 'reference'>,
): Promise<{ resources: number; charges: MonthlyCharge[]; last: string | undefined }> {
  const batch = await tx.query<{ id: string; name: string }>(sql`
    select id, name from resource where name > ${after} order by name limit ${limit}`)
  const ids = batch.map(({ id }) => id)
  await tx.query(sql`
    select from wallet where resource_id = any(${ids}::uuid[]) order by resource_id, currency for update`)
  const charges = await tx.query<MonthlyCharge>(sql`
    with owed as (
      select r.id, r.name, n.currency, n.numbers, n.amount, w.resource_id is not null as has_wallet,
             exists (select from wallet_entry e
                     where e.resource_id = r.id and e.currency = n.currency and e.reference = ${month}
                       and e.kind = 'month') as charged_before
      from resource r
      cross join lateral (
        select price_currency as currency, count(*)::integer as numbers, sum(price_amount) as amount
        from number where resource_id = r.id and state = 'owned' and purchased_at < ${beginsAt}
        group by price_currency having sum(price_amount) > 0
      ) as n
      left join wallet w on w.resource_id = r.id and w.currency = n.currency
      where r.id = any(${ids}::uuid[])
    ), charged as (
      update wallet w set balance = w.balance - o.amount
      from owed o
      where w.resource_id = o.id and w.currency = o.currency and not o.charged_before
      returning w.resource_id, w.currency, w.balance, o.amount, o.numbers
    ), journal as (
      ${journalOf(sql`select resource_id, currency, - amount, balance, numbers from charged`, 'month', {
        at,
        actor,
        reference: month,
      })}
    )
    select case when not has_wallet then 'no-wallet' when charged_before then 'charged-before' else 'charged' end
             as outcome,
           o.name as "resourceName", o.currency, o.numbers, o.amount, c.balance
    from owed o left join charged c on c.resource_id = o.id and c.currency = o.currency
    order by o.name, o.currency`)
  return { resources: batch.length, charges, last: batch.length < limit ? undefined : batch.at(-1)?.name }
}

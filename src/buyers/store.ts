import { sql, type Queryable, type Tx } from '../db/db.js'
import type { Address } from './address.js'
import type { Buyer } from './buyer.js'

/** A buyer with the currencies of its wallets. */
export interface BuyerWithWallets extends Buyer {
  currencies: readonly string[]
}

/** The id of the resource of that name. */
export async function resourceIdOf(db: Queryable, name: string): Promise<string | undefined> {
  const [row] = await db.query<{ id: string }>(sql`select id from resource where name = ${name}`)
  return row?.id
}

/** One row by primary key. */
export async function readBuyer(db: Queryable, resourceId: string): Promise<BuyerWithWallets> {
  const [buyer] = await db.query<BuyerWithWallets>(sql`
    select id as "resourceId", name, pool, number_limit as "numberLimit", entitled_to as "entitledTo", addresses,
           array(select currency from wallet where resource_id = resource.id) as currencies
    from resource where id = ${resourceId}`)
  if (!buyer) throw new Error(`The resource ${resourceId} is gone`)
  return buyer
}

/** The numbers that a limit counts. */
export interface OwnedCount {
  owned: number
  /** Of purchases that are under way. */
  underWay: number
}

/**
 * How many numbers a resource owns or is purchasing. Its row is locked first, so that purchases under a limit come one
 * after another.
 */
export async function countOwnedLocked(tx: Tx, resourceId: string): Promise<number> {
  await tx.query(sql`select id from resource where id = ${resourceId} for no key update`)
  const { owned, underWay } = await countOwned(tx, resourceId)
  return owned + underWay
}

/** The same without a lock, for people. Indexes `number_owned_order` and `operation_pending`. */
export async function countOwned(db: Queryable, resourceId: string): Promise<OwnedCount> {
  const [row] = await db.query<OwnedCount>(sql`
    select (select count(*) from number where resource_id = ${resourceId} and state = 'owned') as owned,
           (select coalesce(sum(cardinality(s.phone_numbers)), 0)
            from operation o join search s on s.id = o.search_id
            where o.resource_id = ${resourceId} and o.status = 'pending' and o.kind = 'purchase')
         + (select count(*)
            from operation o
            join reservation r on r.resource_id = o.resource_id and r.id = o.reservation_id
            join reservation_number n on n.hold_id = r.hold_id
            where o.resource_id = ${resourceId} and o.status = 'pending' and o.kind = 'reservationPurchase')
           as "underWay"`)
  return row ?? { owned: 0, underWay: 0 }
}

/** Sets a resource's limit and entitlements; an undefined one stays. False when there is no such resource. */
export async function saveTerms(
  db: Queryable,
  name: string,
  terms: { numberLimit?: number | null; entitledTo?: readonly string[] | null },
): Promise<boolean> {
  const { numberLimit, entitledTo } = terms
  const rows = await db.query(sql`
    update resource
    set number_limit = case when ${numberLimit !== undefined} then ${numberLimit ?? null}::integer else number_limit end,
        entitled_to = case when ${entitledTo !== undefined} then ${entitledTo ?? null}::text[] else entitled_to end
    where name = ${name} returning id`)
  return rows.length > 0
}

/** Sets or, with null, removes a resource's address in one country. False when there is no such resource. */
export async function saveAddress(
  db: Queryable,
  name: string,
  countryCode: string,
  address: Address | null,
): Promise<boolean> {
  const rows = await db.query(
    address === null
      ? sql`update resource set addresses = addresses - ${countryCode}::text where name = ${name} returning id`
      : sql`
          update resource
          set addresses = addresses || jsonb_build_object(${countryCode}::text, ${JSON.stringify(address)}::jsonb)
          where name = ${name} returning id`,
  )
  return rows.length > 0
}

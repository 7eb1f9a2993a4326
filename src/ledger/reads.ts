/** Queries about numbers. Nothing here changes one; the other files do. */
import { join, sql, type Queryable } from '../db/db.js'
import type { HistoryEvent, NumberState, NumberType } from './number.js'
import type { Terms } from './sales.js'

export interface OwnedNumber extends Terms {
  e164: string
  countryCode: string
  numberType: NumberType
  purchasedAt: Date
  /** Position in the resource's list; pages start after one. */
  purchaseOrder: number
}

export interface NumberRow {
  e164: string
  state: NumberState
  /** Infinity when a purchase has claimed the hold. */
  freeAt: Date | number | null
  holdId: string | null
  resourceId: string | null
  accountId: string | null
}

export const findNumbers = (db: Queryable, e164s: string[]): Promise<NumberRow[]> =>
  db.query<NumberRow>(sql`
    select e164, state, free_at as "freeAt", hold_id as "holdId", resource_id as "resourceId",
           account_id as "accountId"
    from number where e164 = any(${e164s}::text[]) order by e164`)

export interface NumberKind {
  /** Both null when the number was put on an account without ever having been stock. */
  countryCode: string | null
  numberType: NumberType | null
}

/** The kind of a number, regardless of who has it; undefined when it is not in the ledger. Primary key. */
export async function findKind(db: Queryable, e164: string): Promise<NumberKind | undefined> {
  const [row] = await db.query<NumberKind>(sql`
    select p.country_code as "countryCode", p.number_type as "numberType"
    from number n left join place p on p.id = n.place_id
    where n.e164 = ${e164}`)
  return row
}

type OwnedRow = Omit<OwnedNumber, 'price'> & { priceAmount: string; priceCurrency: string }

const toOwned = ({ priceAmount, priceCurrency, ...number }: OwnedRow): OwnedNumber => ({
  ...number,
  price: { amount: priceAmount, currency: priceCurrency },
})

const ownedColumns = join(
  [
    sql`n.e164`,
    sql`p.country_code as "countryCode"`,
    sql`p.number_type as "numberType"`,
    sql`n.assignment_type as "assignmentType"`,
    sql`n.calling`,
    sql`n.sms`,
    sql`n.price_amount as "priceAmount"`,
    sql`n.price_currency as "priceCurrency"`,
    sql`n.purchased_at as "purchasedAt"`,
    sql`n.purchase_order as "purchaseOrder"`,
  ],
  ', ',
)

/** One number that the resource owns, or undefined, also when another resource owns it. Primary key. */
export async function findOwned(db: Queryable, resourceId: string, e164: string): Promise<OwnedNumber | undefined> {
  const [row] = await db.query<OwnedRow>(sql`
    select ${ownedColumns}
    -- The fence (offset 0) keeps the planner to the primary key; see Which in history.ts.
    from (select * from number where e164 = ${e164} offset 0) as n join place p on p.id = n.place_id
    where n.resource_id = ${resourceId} and n.state = 'owned'`)
  return row && toOwned(row)
}

/**
 * A page of a resource's numbers in the order of purchase. Index `number_owned_order`: a page that continues another
 * one starts at its key (`after`); a page that only knows how many to skip walks the index up to there.
 */
export async function listOwned(
  db: Queryable,
  resourceId: string,
  page: { after: number | undefined; skip: number; limit: number },
): Promise<OwnedNumber[]> {
  const rows = await db.query<OwnedRow>(sql`
    select ${ownedColumns}
    from (
      select * from number
      where resource_id = ${resourceId} and state = 'owned' and purchase_order > ${page.after ?? 0}
      order by purchase_order offset ${page.after === undefined ? page.skip : 0} limit ${page.limit}
    ) as n join place p on p.id = n.place_id
    order by n.purchase_order`)
  return rows.map(toOwned)
}

export interface HistoryLine {
  at: Date
  event: HistoryEvent
  fromState: NumberState | null
  toState: NumberState | null
  actor: string
  reason: string
}

/** Everything that happened to a number, oldest first. */
export const listHistory = (db: Queryable, e164: string): Promise<HistoryLine[]> =>
  db.query<HistoryLine>(sql`
    select at, event, from_state as "fromState", to_state as "toState", actor, reason
    from number_history where e164 = ${e164} order by id`)

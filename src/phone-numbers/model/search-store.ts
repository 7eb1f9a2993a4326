import { join, sql, type Queryable, type Sql, type Tx } from '../../db/db.js'
import { SEARCH_RETENTION_MS, type Search } from './search.js'

/** Inserts or updates a search. */
export async function saveSearch(tx: Tx, search: Search): Promise<void> {
  await tx.query(sql`
    insert into search (id, resource_id, country_code, number_type, assignment_type, calling, sms, area_code, quantity,
                        price_amount, price_currency, resell_agreement_required, created_at, expires_at, state,
                        phone_numbers, error)
    values (${search.id}, ${search.resourceId}, ${search.countryCode}, ${search.numberType}, ${search.assignmentType},
            ${search.capabilities.calling}, ${search.capabilities.sms}, ${search.areaCode ?? null}, ${search.quantity},
            ${search.price.amount}, ${search.price.currency}, ${search.resellAgreementRequired}, ${search.createdAt},
            ${search.expiresAt}, ${search.state}, ${search.phoneNumbers}::text[], ${search.error})
    on conflict (id) do update
    set expires_at = excluded.expires_at, state = excluded.state, phone_numbers = excluded.phone_numbers,
        error = excluded.error`)
}

/** A search of the resource that can still be read. */
export async function findSearch(
  db: Queryable,
  resourceId: string,
  id: string,
  now: Date,
): Promise<Search | undefined> {
  const [row] = await db.query<SearchRow>(readableSearch(resourceId, id, now))
  return row && toSearch(row)
}

/** Locks a search of the resource that can still be read. */
export async function lockSearch(tx: Tx, resourceId: string, id: string, now: Date): Promise<Search | undefined> {
  const [row] = await tx.query<SearchRow>(sql`${readableSearch(resourceId, id, now)} for update`)
  return row && toSearch(row)
}

/** A search that is under way can be read until it has ended, however long that takes. */
const UNDER_WAY = sql`state in ('running', 'purchasing')`

/** Removes up to `limit` searches that can't be read any more; returns how many. Index `search_expires_at`. */
export async function purgeSearches(tx: Tx, limit: number, now: Date): Promise<number> {
  const rows = await tx.query(sql`
    delete from search where id in (
      select id from search
      where expires_at <= ${new Date(now.getTime() - SEARCH_RETENTION_MS)} and not ${UNDER_WAY}
      order by expires_at limit ${limit} for update skip locked
    ) returning id`)
  return rows.length
}

type SearchRow = Omit<Search, 'capabilities' | 'price' | 'areaCode'> &
  Search['capabilities'] & { areaCode: string | null; priceAmount: string; priceCurrency: string }

const columns = join(
  [
    sql`id`,
    sql`resource_id as "resourceId"`,
    sql`country_code as "countryCode"`,
    sql`number_type as "numberType"`,
    sql`assignment_type as "assignmentType"`,
    sql`calling`,
    sql`sms`,
    sql`area_code as "areaCode"`,
    sql`quantity`,
    sql`price_amount as "priceAmount"`,
    sql`price_currency as "priceCurrency"`,
    sql`resell_agreement_required as "resellAgreementRequired"`,
    sql`created_at as "createdAt"`,
    sql`expires_at as "expiresAt"`,
    sql`state`,
    sql`phone_numbers as "phoneNumbers"`,
    sql`error`,
  ],
  ', ',
)

const readableSearch = (resourceId: string, id: string, now: Date): Sql => sql`
  select ${columns} from search
  where id = ${id} and resource_id = ${resourceId}
    and (expires_at > ${new Date(now.getTime() - SEARCH_RETENTION_MS)} or ${UNDER_WAY})`

const toSearch = (row: SearchRow): Search => ({
  id: row.id,
  resourceId: row.resourceId,
  countryCode: row.countryCode,
  numberType: row.numberType,
  assignmentType: row.assignmentType,
  capabilities: { calling: row.calling, sms: row.sms },
  areaCode: row.areaCode ?? undefined,
  quantity: row.quantity,
  price: { amount: row.priceAmount, currency: row.priceCurrency },
  resellAgreementRequired: row.resellAgreementRequired,
  createdAt: row.createdAt,
  expiresAt: row.expiresAt,
  state: row.state,
  phoneNumbers: row.phoneNumbers,
  error: row.error,
})

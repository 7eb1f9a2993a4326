/** The ledger as the people who run Linebook see it: any number, whatever its state. */
import { isEnabled, type NumberDetails } from '../../accounts/account-number.js'
import { serviceKeys, type ServiceKey } from '../../backends/port/services.js'
import { empty, join, sql, type Queryable, type Sql } from '../../db/db.js'
import type { AssignmentType, CapabilityType, NumberState, NumberType } from '../../ledger/number.js'
import type { SyncService, SyncStatus } from '../../sync/sync.js'
import { MAX_EXAMINED } from '../contract/operation.js'
import type { Window } from './window.js'

export interface NumberFilter {
  /** How it begins, `+` included; several must all hold. */
  prefixes?: readonly string[]
  states?: readonly NumberState[] | undefined
  countryCodes?: readonly string[] | undefined
  numberTypes?: readonly NumberType[] | undefined
  areaCodes?: readonly string[] | undefined
  localities?: readonly string[] | undefined
  account?: string | undefined
  resource?: string | undefined
  services?: readonly SyncService[] | undefined
  syncStatuses?: readonly SyncStatus[] | undefined
  changedSince?: Date | undefined
}

export interface LedgerNumber {
  e164: string
  /** By the clock. */
  state: NumberState
  /** Infinity while a purchase is under way. */
  freeAt: Date | number | null
  leftAccount: boolean
  /** '' for the shared stock; null, as the rest of the place, for a number that never was stock. */
  pool: string | null
  countryCode: string | null
  numberType: NumberType | null
  areaCode: string | null
  locality: string | null
  administrativeDivision: string | null
  resource: string | null
  account: string | null
  services: ServiceKey[]
  syncStatus: SyncStatus | null
  changedAt: Date | null
  purchase: {
    at: Date
    assignmentType: AssignmentType
    calling: CapabilityType
    sms: CapabilityType
    price: { amount: string; currency: string }
  } | null
}

interface PageOf {
  now: Date
  limit: number
  /** The number before the page. */
  after?: string | undefined
}

/**
 * Numbers in their order. Primary key, of which a window is read and then filtered: a page of what is rare would else
 * read the whole ledger. Of an account: index `number_account_order`.
 */
export async function selectNumbers(db: Queryable, filter: NumberFilter, page: PageOf): Promise<Window<LedgerNumber>> {
  const rows = await db.query<NumberRow & { examined: number; last: string | null }>(sql`
    with ${matching(filter, page)}
    select (select count(*) from examined) as examined, (select max(e164) from examined) as last, found.*
    from (values (1)) as always
    left join (
      select m.e164, m.state, m.free_at as "freeAt", m.left_account as "leftAccount", m.pool,
             m.country_code as "countryCode", m.number_type as "numberType", m.area_code as "areaCode", m.locality,
             m.administrative_division as "administrativeDivision", r.name as resource, a.name as account, an.details,
             s.status as "syncStatus", h.at as "changedAt", m.purchased_at as "purchasedAt",
             m.assignment_type as "assignmentType", m.calling, m.sms, m.price_amount as amount,
             m.price_currency as currency
      from matching m
      left join resource r on r.id = m.resource_id
      left join account a on a.id = m.account_id
      left join account_number an on an.e164 = m.e164
      left join lateral ${syncStatusOf(filter.services)} as s on true
      left join lateral (
        select at from number_history where e164 = m.e164 order by id desc limit 1
      ) as h on true
    ) as found on true
    order by found.e164`)
  const [first] = rows
  return {
    found: rows.filter(({ e164 }) => Boolean(e164)).map(toNumber),
    examined: first?.examined ?? 0,
    last: typeof first?.last === 'string' ? [first.last] : null,
  }
}

/** How many numbers match; of more than a page examines, at least so many. */
export async function countNumbers(
  db: Queryable,
  filter: NumberFilter,
  now: Date,
): Promise<{ value: number; exact: boolean }> {
  const [row] = await db.query<{ matched: number; examined: number }>(sql`
    with ${matching(filter, { now, limit: MAX_EXAMINED })}
    select (select count(*) from matching) as matched, (select count(*) from examined) as examined`)
  const { matched = 0, examined = 0 } = row ?? {}
  return { value: matched, exact: examined < MAX_EXAMINED }
}

/** `examined`, the window of the ledger, and `matching`, what is wanted of it. */
function matching(filter: NumberFilter, { now, limit, after }: PageOf): Sql {
  const { prefixes = [], account } = filter
  const range = [
    sql`true`,
    ...(after === undefined ? [] : [sql`e164 > ${after}`]),
    // Behind the digits comes the colon.
    ...prefixes.map((prefix) => sql`e164 >= ${prefix} and e164 < ${`${prefix}:`}`),
    ...(account === undefined
      ? []
      : [sql`account_id = (select id from account where name = ${account} and removed_at is null)`]),
  ]
  return sql`
    examined as materialized (
      select * from number where ${join(range, ' and ')} order by e164 limit ${MAX_EXAMINED}
    ), by_clock as (
      select e164, place_id, account_id, purchased_at, assignment_type, calling, sms, price_amount, price_currency,
             case when is_over then 'available' else state end as state,
             case when is_over then null else free_at end as free_at,
             case when is_over then null else resource_id end as resource_id,
             left_account and not is_over as left_account
      from (select *, coalesce(free_at <= ${now}, false) as is_over from examined) as e
    ), matching as materialized (
      select m.*, p.pool, p.country_code, p.number_type, p.area_code, p.locality, p.administrative_division
      from by_clock m left join place p on p.id = m.place_id
      where ${join(conditionsOf(filter), ' and ')}
      order by m.e164 limit ${limit}
    )`
}

function conditionsOf(filter: NumberFilter): Sql[] {
  const { states, countryCodes, numberTypes, areaCodes, localities, resource, services, syncStatuses } = filter
  const { changedSince } = filter
  const conditions = [sql`true`]
  if (states) conditions.push(sql`m.state = any(${states}::text[])`)
  if (countryCodes) {
    conditions.push(sql`p.country_code = any(${countryCodes.map((code) => code.toUpperCase())}::text[])`)
  }
  if (numberTypes) conditions.push(sql`p.number_type = any(${numberTypes}::text[])`)
  if (areaCodes) conditions.push(sql`p.area_code = any(${areaCodes}::text[])`)
  if (localities) {
    conditions.push(sql`lower(p.locality) in (select lower(wanted) from unnest(${localities}::text[]) as wanted)`)
  }
  if (resource !== undefined) conditions.push(sql`m.resource_id = (select id from resource where name = ${resource})`)
  if (services && !syncStatuses) {
    conditions.push(sql`exists (select from sync where kind = 'number' and key = m.e164 ${ofServices(services)})`)
  }
  if (syncStatuses) {
    conditions.push(sql`(select status from ${syncStatusOf(services)} as s) = any(${syncStatuses}::text[])`)
  }
  if (changedSince) {
    conditions.push(sql`exists (select from number_history where e164 = m.e164 and at >= ${changedSince})`)
  }
  return conditions
}

/** The worst sync status of a number `m` among these services; null when it was never synced to any. Primary key. */
const syncStatusOf = (services: readonly SyncService[] | undefined): Sql => sql`(
  select case when bool_or(refusal is not null) then 'failed'
              when bool_or(pending_since is not null) then 'pending'
              when count(*) > 0 then 'synced' end as status
  from sync where kind = 'number' and key = m.e164 ${ofServices(services)}
)`

const ofServices = (services: readonly SyncService[] | undefined): Sql =>
  services ? sql`and service = any(${services}::text[])` : empty

interface NumberRow extends Omit<LedgerNumber, 'services' | 'purchase'> {
  details: NumberDetails | null
  purchasedAt: Date | null
  assignmentType: AssignmentType | null
  calling: CapabilityType | null
  sms: CapabilityType | null
  amount: string | null
  currency: string | null
}

function toNumber(row: NumberRow): LedgerNumber {
  const { details, purchasedAt, assignmentType, calling, sms, amount, currency, ...number } = row
  const isBought = purchasedAt && assignmentType && calling && sms && amount !== null && currency !== null
  return {
    ...number,
    services: details === null ? [] : serviceKeys.filter((key) => isEnabled(details, key)),
    purchase: isBought ? { at: purchasedAt, assignmentType, calling, sms, price: { amount, currency } } : null,
  }
}

/** Reads the stored state of items that a reconciler has claimed: the desired state that backends are synced to. */
import type { ServiceKey } from '../backends/port/services.js'
import { sql, type Queryable } from '../db/db.js'
import type { AccountSettings, SubdomainTokens } from './account.js'
import type { NumberService } from './account-number.js'

export interface DesiredNumber {
  e164: string
  account: AccountSettings
  service: NumberService | null
}

/** Numbers with their settings for a service; a missing number is on no account. */
export async function desiredNumbers(
  db: Queryable,
  e164s: readonly string[],
  key: ServiceKey,
): Promise<Map<string, DesiredNumber>> {
  const rows = await db.query<AccountSettings & { e164: string; service: NumberService | null }>(sql`
    select n.e164, n.details #> array['serviceDetails', ${key}] as service,
           a.name, a.correlation_id as "correlationId", a.teams_tenant_id as "teamsTenantId", a.services
    from account_number n join account a on a.id = n.account_id where n.e164 = any(${e164s}::text[])`)
  return new Map(rows.map(({ e164, service, ...account }) => [e164, { e164, account, service }]))
}

/** Accounts by id. */
export async function desiredAccounts(db: Queryable, ids: readonly string[]): Promise<Map<string, AccountSettings>> {
  const rows = await db.query<AccountSettings & { id: string }>(sql`
    select id::text as id, name, correlation_id as "correlationId", teams_tenant_id as "teamsTenantId", services
    from account where id = any(${ids}::uuid[]) and removed_at is null`)
  return new Map(rows.map(({ id, ...account }) => [id, account]))
}

/** The tokens of subdomain labels (lower case) that an account wants in the zone. */
export async function desiredSubdomains(
  db: Queryable,
  labels: readonly string[],
): Promise<Map<string, SubdomainTokens>> {
  const rows = await db.query<{ label: string; tokens: SubdomainTokens }>(sql`
    select lower(services #>> '{teamsDirectRouting,configuration,subdomain}') as label,
           services #> '{teamsDirectRouting,configuration,subdomainTokens}' as tokens
    from account
    where lower(services #>> '{teamsDirectRouting,configuration,subdomain}') = any(${labels}::text[])
      and removed_at is null and services #> '{teamsDirectRouting,enabled}' = 'true'::jsonb`)
  return new Map(rows.map(({ label, tokens }) => [label, tokens]))
}

export interface ConsentChange {
  tenantId: string
  status: string | null
  comment: string | null
  modifiedAt: Date
}

/** The operator's latest responses to requests for information, by tenant (lower case). */
export async function consentChanges(db: Queryable, tenantIds: readonly string[]): Promise<Map<string, ConsentChange>> {
  const rows = await db.query<ConsentChange>(sql`
    select tenant_id as "tenantId", status, comment, modified_at as "modifiedAt"
    from consent_change where tenant_id = any(${tenantIds}::text[])`)
  return new Map(rows.map((change) => [change.tenantId, change]))
}

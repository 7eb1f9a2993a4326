import { countColumn } from '../../accounts/account-store.js'
import type { SubdomainStatus } from '../../accounts/subdomain.js'
import { serviceKeys, type ServiceKey } from '../../backends/port/services.js'
import { sql, type Sql } from '../../db/db.js'
import { statusOf } from '../../sync/store.js'
import type { FilterField } from './fields.js'

/** The path whose values are in the DNS zone, not in the database: they are read before the query is built. */
export const SUBDOMAIN_STATUS = 'serviceDetails/teamsDirectRouting/subdomainStatus'

const setting = (...path: string[]): Sql => sql`a.services #>> ${path}::text[]`

const serviceFields = (key: ServiceKey): Record<string, FilterField> => ({
  ...(key !== 'azureOperatorCallProtection' && {
    [`serviceDetails/${key}/syncEnabled`]: { type: 'boolean', sql: sql`(${setting(key, 'syncEnabled')})::boolean` },
  }),
  [`serviceDetails/${key}/enabled`]: { type: 'boolean', sql: sql`(${setting(key, 'enabled')})::boolean` },
  [`serviceDetails/${key}/numberCount`]: {
    type: 'number',
    sql: sql`case when ${setting(key, 'enabled')} is not null then ${countColumn(key)} end`,
  },
})

const configuration = 'serviceDetails/teamsDirectRouting/configuration'
const inConfiguration = (...path: string[]): Sql => setting('teamsDirectRouting', 'configuration', ...path)

/**
 * The filter fields of accounts, over the row of `accountsWithStatus`.
 * @param subdomains the subdomain status of each account (by id) with Direct Routing, if the filter uses it
 */
export const accountFields = (subdomains: ReadonlyMap<string, SubdomainStatus>): Record<string, FilterField> => ({
  name: { type: 'string', sql: sql`a.name` },
  correlationId: { type: 'string', sql: sql`a.correlation_id` },
  serviceProvisioningStatus: { type: 'string', sql: statusOf() },
  'serviceDetails/teamsTenantId': { type: 'guid', sql: sql`a.teams_tenant_id` },
  ...(Object.assign({}, ...serviceKeys.map(serviceFields)) as Record<string, FilterField>),
  [`${configuration}/callScreening`]: { type: 'boolean', sql: sql`(${inConfiguration('callScreening')})::boolean` },
  [`${configuration}/subdomain`]: { type: 'string', sql: inConfiguration('subdomain') },
  [`${configuration}/subdomainTokens/region1Token`]: {
    type: 'string',
    sql: inConfiguration('subdomainTokens', 'region1Token'),
  },
  [`${configuration}/subdomainTokens/region2Token`]: {
    type: 'string',
    sql: inConfiguration('subdomainTokens', 'region2Token'),
  },
  [SUBDOMAIN_STATUS]: {
    type: 'string',
    sql: sql`case when ${setting('teamsDirectRouting', 'enabled')} is not null
      then coalesce(${JSON.stringify(Object.fromEntries(subdomains))}::jsonb ->> a.id::text, 'notProvisioned') end`,
  },
})

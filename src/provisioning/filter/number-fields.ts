import type { ServiceCode } from '../../backends/port/backend.js'
import { serviceKeys, services, type ServiceKey } from '../../backends/port/services.js'
import { sql, type Sql } from '../../db/db.js'
import { statusOf } from '../../sync/store.js'
import type { FilterField } from './fields.js'

const detail = (...path: string[]): Sql => sql`n.details #>> ${path}::text[]`

const configurationScalars = {
  usage: 'string',
  civicAddressId: 'string',
  locationId: 'string',
  allowTenantAddressUpdate: 'boolean',
  displayedCountryCode: 'string',
} as const

export interface ShownAssignment {
  /** Services that have a backend. */
  active: readonly ServiceCode[]
  initialAssignmentStatus: string
}

/** The same as in the view of numbers: for a number that is passed on, the backend's report counts. */
function assignmentStatus(key: ServiceKey, { active, initialAssignmentStatus }: ShownAssignment): Sql {
  const { code } = services[key]
  const sent = detail('serviceDetails', key, 'assignmentStatus')
  if (!active.includes(code)) return sent
  return sql`
    case when ${detail('serviceDetails', key, 'enabled')} = 'true'
           and a.services #>> ${[key, 'enabled']}::text[] = 'true' and a.services #>> ${[key, 'syncEnabled']}::text[] = 'true'
         then coalesce(state.observed #>> ${[code, 'assignmentStatus']}::text[], ${sent}, ${initialAssignmentStatus})
         else ${sent} end`
}

const teamsFields = (key: ServiceKey, shown: ShownAssignment): Record<string, FilterField> => ({
  [`serviceDetails/${key}/assignmentStatus`]: { type: 'string', sql: assignmentStatus(key, shown) },
  ...Object.fromEntries(
    Object.entries(configurationScalars).map(([name, type]): [string, FilterField] => {
      const value = detail('serviceDetails', key, 'configuration', name)
      return [
        `serviceDetails/${key}/configuration/${name}`,
        { type, sql: type === 'boolean' ? sql`(${value})::boolean` : value },
      ]
    }),
  ),
})

/** The filter fields of numbers, over the row of `numbersWithStatus`. */
export const numberFields = (shown: ShownAssignment): Record<string, FilterField> => ({
  telephoneNumber: { type: 'string', sql: sql`n.e164` },
  accountName: { type: 'string', sql: sql`a.name` },
  serviceProvisioningStatus: { type: 'string', sql: statusOf() },
  ...(Object.assign(
    {},
    ...serviceKeys.map((key): Record<string, FilterField> => ({
      [`serviceDetails/${key}/enabled`]: {
        type: 'boolean',
        sql: sql`(${detail('serviceDetails', key, 'enabled')})::boolean`,
      },
      ...(services[key].teams && teamsFields(key, shown)),
    })),
  ) as Record<string, FilterField>),
  'configuration/customSipHeader': { type: 'string', sql: detail('configuration', 'customSipHeader') },
})

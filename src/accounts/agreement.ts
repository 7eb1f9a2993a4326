/** Compares a backend's version of a number with the stored one. */
import type { BackendNumber, NumberConfiguration } from '../backends/port/backend.js'
import type { Observed } from '../sync/sync.js'
import type { DesiredNumber } from './desired.js'

/** Whether a backend has a number as it is wanted, as far as its report shows. */
export const agrees = (desired: DesiredNumber | undefined, found: BackendNumber | undefined): boolean =>
  driftOf(desired, found) === undefined

/** Describes how a backend's version differs from the wanted one; undefined when it doesn't. */
export function driftOf(desired: DesiredNumber | undefined, found: BackendNumber | undefined): string | undefined {
  if (found === undefined) return 'The backend no longer had it.'
  const wanted = desired?.service?.configuration
  const has = found.configuration
  if (wanted === undefined || has === undefined) return undefined
  const drifted = configurationParts.filter((part) => {
    // The tenant may change these, so a difference is not corrected.
    if (wanted.allowTenantAddressUpdate && (part === 'civicAddressId' || part === 'locationId')) return false
    // Every number has a usage: a configuration without it was lost, not left out of the report.
    if (has[part] === undefined && part !== 'usage') return false
    return comparable(has[part]) !== comparable(wanted[part])
  })
  return drifted.length === 0 ? undefined : `The backend had another ${drifted.join(', ')}.`
}

/** Capabilities and usages have no order, and an empty list equals an absent one. */
const comparable = (value: NumberConfiguration[keyof NumberConfiguration]): string | boolean | undefined => {
  if (typeof value !== 'object') return value
  return value.length === 0 ? undefined : JSON.stringify([...value].sort())
}

const configurationParts: readonly (keyof NumberConfiguration)[] = [
  'usage',
  'choosableCapabilities',
  'additionalUsages',
  'civicAddressId',
  'locationId',
  'allowTenantAddressUpdate',
  'displayedCountryCode',
]

/** The part of a backend's report about a number that is stored. */
export const observedOf = ({
  assignmentStatus,
  acquiredCapabilities,
  availableCapabilities,
}: BackendNumber): Observed => ({
  ...(assignmentStatus !== undefined && { assignmentStatus }),
  ...(acquiredCapabilities !== undefined && { acquiredCapabilities }),
  ...(availableCapabilities !== undefined && { availableCapabilities }),
})

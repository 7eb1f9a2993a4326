/** How what a backend has of a number stands to what is stored of it. */
import type { BackendNumber, NumberConfiguration } from '../backends/port/backend.js'
import type { Observed } from '../sync/sync.js'
import type { DesiredNumber } from './desired.js'

/** Whether a backend has a number as it is wanted, as far as it tells. */
export const agrees = (desired: DesiredNumber | undefined, found: BackendNumber | undefined): boolean =>
  driftOf(desired, found) === undefined

/** What a backend has otherwise than it is wanted, in words. */
export function driftOf(desired: DesiredNumber | undefined, found: BackendNumber | undefined): string | undefined {
  if (found === undefined) return 'The backend no longer had it.'
  const wanted = desired?.service?.configuration
  const has = found.configuration
  if (wanted === undefined || has === undefined) return undefined
  const drifted = configurationParts.filter((part) => {
    // Whoever may change it is not corrected.
    if (wanted.allowTenantAddressUpdate && (part === 'civicAddressId' || part === 'locationId')) return false
    // No number is without a usage: a configuration that lacks it was lost, not left untold.
    if (has[part] === undefined && part !== 'usage') return false
    return comparable(has[part]) !== comparable(wanted[part])
  })
  return drifted.length === 0 ? undefined : `The backend had another ${drifted.join(', ')}.`
}

/** Capabilities and usages have no order, and none is the same as nothing said. */
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

/** What is kept of what a backend says of a number. */
export const observedOf = ({
  assignmentStatus,
  acquiredCapabilities,
  availableCapabilities,
}: BackendNumber): Observed => ({
  ...(assignmentStatus !== undefined && { assignmentStatus }),
  ...(acquiredCapabilities !== undefined && { acquiredCapabilities }),
  ...(availableCapabilities !== undefined && { availableCapabilities }),
})

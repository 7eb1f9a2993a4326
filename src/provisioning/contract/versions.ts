/** The api-versions of the Provisioning API. */
import { DomainError } from '../../errors.js'

/** They only differ in the empty form of `serviceProvisioningErrors`. */
export const versions2024 = ['2024-02-29', '2024-02-29-preview'] as const
/** Older, with its own paths and bodies; see `facade-2023/`. */
export const versions2023 = ['2023-10-01'] as const
export const apiVersions = [...versions2024, ...versions2023] as const

export type Version2024 = (typeof versions2024)[number]
export type Version2023 = (typeof versions2023)[number]
export type ApiVersion = Version2024 | Version2023

/**
 * The version that a request is for. Throws 'version-missing', 'version-unsupported' or 'invalid-input'.
 * @param values of the query parameter `api-version`
 * @param offered the versions that have the operation
 */
export function readVersion<Version extends ApiVersion>(
  values: readonly string[],
  offered: readonly Version[],
): Version {
  if (values.length > 1) {
    throw new DomainError('invalid-input', `api-version is given ${values.length} times; give it once.`, {
      target: 'api-version',
    })
  }
  const [wanted = ''] = values
  if (wanted === '') {
    throw new DomainError(
      'version-missing',
      'The api-version query parameter (?api-version=) is required for all requests. ' +
        `The supported api-versions are ${offered.join(', ')}.`,
      { target: 'api-version' },
    )
  }
  const version = offered.find((one) => one === wanted)
  if (version !== undefined) return version
  const known = (apiVersions as readonly string[]).includes(wanted)
  throw new DomainError(
    'version-unsupported',
    `${known ? 'This operation is not offered in' : 'Unsupported'} api-version '${wanted.slice(0, MAX_SHOWN_CHARS)}'. ` +
      `The supported api-versions are ${offered.join(', ')}.`,
    { target: 'api-version' },
  )
}
const MAX_SHOWN_CHARS = 100

/**
 * The api-versions of the Phone Numbers API. The published service behaves like ASP.NET API Versioning: each operation
 * has its own list, which it sends as `api-supported-versions`.
 */
import { DomainError } from '../../errors.js'

/** 2024-03-01 was never a stable version of the service; it is served as its successor, 2025-02-11. */
export const apiVersions = ['2021-03-07', '2022-12-01', '2024-03-01', '2025-02-11', '2025-04-01', '2025-06-01'] as const
export type ApiVersion = (typeof apiVersions)[number]

/** SIP routing has its own line of versions. */
export const sipVersions = ['2023-03-01'] as const

export const versionsSince = (first: ApiVersion): readonly ApiVersion[] => apiVersions.slice(apiVersions.indexOf(first))

/** The version of a request: the requested one, which links repeat, and the one that is served. */
export interface RequestVersion {
  requested: string
  served: string
  /** Set when a later version than the newest is served as the newest. */
  warning?: string
}

export interface VersionPolicy {
  /** Serve a well-formed later version as the newest: a new SDK must not break a developer's tests. */
  tolerant: boolean
}

const WELL_FORMED = /^(\d{4}-\d{2}-\d{2}|\d{1,5}(\.\d{1,5})?)(-[a-z0-9.]{1,32})?$/i
const NEWEST = apiVersions[apiVersions.length - 1] as ApiVersion

/**
 * Throws 'version-missing', 'version-ambiguous', 'version-malformed' or 'version-unsupported'.
 * @param values of the query parameter `api-version`, however its name was written
 * @param supported the operation's list, oldest first
 * @param uri of the request, for the message
 */
export function readVersion(
  values: readonly string[],
  supported: readonly string[],
  uri: string,
  { tolerant }: VersionPolicy,
): RequestVersion {
  const requested = values[0]
  const newest = supported[supported.length - 1] ?? NEWEST
  if (requested === undefined || values.every((value) => value === '')) {
    throw new DomainError('version-missing', 'An API version is required, but was not specified.')
  }
  if (new Set(values).size > 1) {
    throw new DomainError(
      'version-ambiguous',
      `The following API versions were requested: ${values.join(', ').slice(0, 200)}. At most one may be specified.`,
    )
  }
  if (!WELL_FORMED.test(requested)) {
    throw new DomainError(
      'version-malformed',
      `The value '${requested.slice(0, 100)}' is not an API version; one looks like ${newest}.`,
    )
  }
  if (supported.includes(requested)) return { requested, served: requested }
  const isLater = /^\d{4}-/.test(requested) && requested > newest
  if (tolerant && isLater) {
    return { requested, served: newest, warning: `api-version ${requested} is not known here; served as ${newest}` }
  }
  throw new DomainError(
    'version-unsupported',
    `The HTTP resource that matches the request URI '${uri}' does not support the API version '${requested}'. ` +
      `It supports ${supported.join(', ')}.`,
  )
}

/** The URLs in responses: relative to the host, each with the api-version of the request. */
import type { OperationSubject } from '../../operations/operation.js'
import type { RequestVersion } from '../contract/versions.js'

const withVersion = (path: string, { requested }: RequestVersion): string =>
  `${path}?api-version=${encodeURIComponent(requested)}`

export const operationLink = (id: string, version: RequestVersion): string =>
  withVersion(`/phoneNumbers/operations/${id}`, version)

/** The URL of an operation's result, for the kinds that have one. The plus sign of a number is not encoded. */
export function resultLink(subject: OperationSubject, version: RequestVersion): string | null {
  switch (subject.kind) {
    case 'search':
      return withVersion(`/availablePhoneNumbers/searchResults/${subject.searchId}`, version)
    case 'capabilities':
      return withVersion(`/phoneNumbers/${subject.e164}`, version)
    case 'purchase':
    case 'reservationPurchase':
    case 'release':
      return null
  }
}

/**
 * The link to the next page: the original query's api-version and filters first, then where the page starts. Clients
 * follow it as it is.
 */
export function nextPageLink(
  path: string,
  version: RequestVersion,
  filters: Record<string, string | undefined>,
  paging: Record<string, number | string>,
): string {
  const filterText = Object.entries(filters)
    .filter((entry): entry is [string, string] => entry[1] !== undefined)
    .map(([name, value]) => `&${name}=${encodeStrictly(value)}`)
  const pagingText = Object.entries(paging).map(([name, value]) => `&${name}=${encodeStrictly(String(value))}`)
  return [withVersion(path, version), ...filterText, ...pagingText].join('')
}

/**
 * Also encodes characters that encodeURIComponent leaves and URL parsers rewrite, so that a link is signed as given.
 */
const encodeStrictly = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`)

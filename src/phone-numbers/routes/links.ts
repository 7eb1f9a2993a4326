/** The URLs that responses carry, relative to the host, each with the api-version of the request; and the headers with them. */
import type { FastifyReply } from '../../http/server.js'
import { subjectId, type Operation, type OperationKind, type OperationSubject } from '../../operations/operation.js'
import type { RequestVersion } from '../contract/versions.js'

const withVersion = (path: string, { requested }: RequestVersion): string =>
  `${path}?api-version=${encodeURIComponent(requested)}`

const operationLink = (id: string, version: RequestVersion): string =>
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

const idHeaders: Record<OperationKind, string> = {
  search: 'search-id',
  purchase: 'purchase-id',
  reservationPurchase: 'reservation-purchase-id',
  release: 'release-id',
  capabilities: 'capabilities-id',
}

/** Sets the headers of a 202. The .NET and Java SDKs build their operation from the id headers, so each one counts. */
export function accepted(reply: FastifyReply, operation: Operation, version: RequestVersion): void {
  const { kind } = operation.subject
  const location = resultLink(operation.subject, version)
  const exposed = {
    search: 'Location,Operation-Location,operation-id,search-id',
    purchase: 'Operation-Location,operation-id,purchase-id',
    reservationPurchase: 'Location,Operation-Location,operation-id,reservation-purchase-id',
    release: 'Operation-Location,operation-id,release-id',
    capabilities: 'Operation-Location,Location,operation-id,capabilities-id',
  }[kind]
  reply.headers({
    'Operation-Location': operationLink(operation.id, version),
    ...(location !== null && { Location: location }),
    'operation-id': operation.id,
    [idHeaders[kind]]: subjectId(operation),
    'Access-Control-Expose-Headers': exposed,
  })
}

/** Sets the headers of the response to a poll, as recorded, including the odd spelling of the last exposed name. */
export function polled(reply: FastifyReply, operation: Operation, version: RequestVersion): void {
  const location = resultLink(operation.subject, version)
  if (location !== null) reply.headers({ Location: location, 'Access-Control-Expose-Headers': 'Location' })
  if (operation.subject.kind !== 'reservationPurchase') return
  accepted(reply, operation, version)
  reply.header('Access-Control-Expose-Headers', 'Location,Operation-Location,operation-id,reservationPurchase-id')
}

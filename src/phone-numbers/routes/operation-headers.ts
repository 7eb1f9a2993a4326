/** The headers by which clients follow an operation. */
import type { FastifyReply } from '../../http/server.js'
import { subjectId, type Operation, type OperationKind } from '../../operations/operation.js'
import type { RequestVersion } from '../contract/versions.js'
import { operationLink, resultLink } from './links.js'

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

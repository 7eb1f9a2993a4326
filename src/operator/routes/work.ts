import { listOperations } from '../contract/work.js'
import type { OperatorDeps } from '../deps.js'
import { selectOperations, type OperationFilter, type OperationOfResource } from '../reads/operations.js'
import { list, route, type Route } from '../wire/route.js'

export const workRoutes = (deps: OperatorDeps): Route[] => [
  route(listOperations, async ({ query: { status, kind, resource } }) =>
    operationList(deps, { statuses: status, kinds: kind, resource }),
  ),
]

export const operationList = ({ db, clock }: Pick<OperatorDeps, 'db' | 'clock'>, filter: OperationFilter) =>
  list<OperationOfResource>({
    page: ({ limit, after }) => selectOperations(db, filter, { now: clock.now(), limit, after }),
    view: operationView,
    columns: OPERATION_COLUMNS,
  })

const OPERATION_COLUMNS = [
  'id',
  'resource',
  'kind',
  'status',
  'actor',
  'createdAt',
  'dueAt',
  'endedAt',
  'searchId',
  'reservationId',
  'e164',
  'waitsFor',
  'call.stage',
  'error.code',
  'error.message',
]

function operationView(operation: OperationOfResource) {
  const { subject, endedAt, waiting, callOut, failure } = operation
  return {
    id: operation.id,
    resource: operation.resource,
    kind: subject.kind,
    status: operation.status,
    actor: operation.actor,
    createdAt: operation.createdAt.toISOString(),
    dueAt: operation.dueAt.toISOString(),
    endedAt: endedAt && endedAt.toISOString(),
    searchId: 'searchId' in subject ? subject.searchId : null,
    reservationId: 'reservationId' in subject ? subject.reservationId : null,
    e164: 'e164' in subject ? subject.e164 : null,
    waitsFor: waiting?.for ?? null,
    call: callOut && { stage: callOut.stage, attempts: callOut.attempts, lastError: callOut.lastError },
    error: failure && { code: failure.code, message: failure.message },
  }
}

/** Promised work of the Phone Numbers API, of every resource. */
import Type from 'typebox'
import { operationKinds } from '../../operations/operation.js'
import { anyOf, Instant, listQuery, nullable, operation } from './operation.js'

const Status = Type.Enum(['pending', 'succeeded', 'failed'])

export const PromisedOperation = Type.Object({
  id: Type.String(),
  resource: Type.String(),
  kind: Type.Enum([...operationKinds]),
  status: Status,
  actor: Type.String(),
  createdAt: Instant,
  dueAt: Instant,
  endedAt: nullable(Instant),
  searchId: nullable(Type.String()),
  reservationId: nullable(Type.String()),
  e164: nullable(Type.String()),
  waitsFor: nullable(Type.String({ description: 'In an emulator: polls, or hand' })),
  call: nullable(
    Type.Object({
      stage: Type.String({ description: 'The call to another system that comes next' }),
      attempts: Type.Integer(),
      lastError: nullable(Type.String()),
    }),
  ),
  error: nullable(Type.Object({ code: Type.String(), message: Type.String() })),
})

export const listOperations = operation({
  operationId: 'Operations_List',
  summary: 'Operations: those that are pending, by resource, then those that ended of late, newest first',
  method: 'GET',
  path: '/operations',
  role: 'Read',
  query: Type.Object({
    ...listQuery,
    status: anyOf(Status, 'How they stand'),
    kind: anyOf(Type.Enum([...operationKinds]), 'Kinds'),
    resource: Type.Optional(Type.String({ maxLength: 200, description: 'The resource that they are of' })),
  }),
  success: { status: 200, description: 'Operations', body: PromisedOperation },
  list: true,
})

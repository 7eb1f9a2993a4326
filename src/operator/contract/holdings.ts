/** What one resource has and does: its holds, its operations, its numbers. */
import Type from 'typebox'
import { LedgerNumber, listNumbers } from './numbers.js'
import { Instant, listQuery, nullable, operation } from './operation.js'
import { listOperations, PromisedOperation } from './work.js'

export const Hold = Type.Object({
  id: Type.String({ description: 'Of the search or reservation' }),
  kind: Type.Enum(['search', 'reservation']),
  numbers: Type.Integer({ description: 'How many numbers it holds now' }),
  expires: nullable(Type.String({ format: 'date-time', description: 'Null while its purchase is under way' })),
  createdAt: Instant,
  actor: nullable(Type.String({ description: 'Who held a number of it last' })),
})

export const listHolds = operation({
  operationId: 'ResourceHolds_List',
  summary: 'What holds numbers for a resource now: what it is purchasing, then its searches, then its reservations',
  method: 'GET',
  path: '/resources/{name}/holds',
  role: 'Read',
  query: Type.Object(listQuery),
  success: { status: 200, description: 'Holds; of each kind those that expire first come first', body: Hold },
  list: true,
})

export const listResourceOperations = operation({
  operationId: 'ResourceOperations_List',
  summary: 'Operations of a resource: those that are pending, then those that ended of late, newest first',
  method: 'GET',
  path: '/resources/{name}/operations',
  role: 'Read',
  query: Type.Omit(listOperations.query, ['resource']),
  success: { status: 200, description: 'Operations', body: PromisedOperation },
  list: true,
})

export const listResourceNumbers = operation({
  operationId: 'ResourceNumbers_List',
  summary: 'Numbers that a resource holds or owns, in the order of numbers',
  method: 'GET',
  path: '/resources/{name}/numbers',
  role: 'Read',
  query: Type.Omit(listNumbers.query, ['resource']),
  success: { status: 200, description: 'Numbers', body: LedgerNumber },
  list: true,
})

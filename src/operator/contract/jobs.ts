/** Long work that was promised with a 202: how far it is, what it came to, and ending it. */
import Type from 'typebox'
import { jobStates } from '../../operations/jobs/job.js'
import { anyOf, Instant, listQuery, nullable, operation } from './operation.js'

const open = Type.Object({}, { additionalProperties: true })

export const Job = Type.Object({
  id: Type.String(),
  kind: Type.String({ description: 'stock-import, stock-generate or wallets-charge-month' }),
  state: Type.Enum([...jobStates]),
  createdBy: Type.String(),
  createdAt: Instant,
  startedAt: nullable(Type.String({ format: 'date-time', description: 'When its present run began' })),
  endedAt: nullable(Instant),
  input: open,
  progress: Type.Object({
    done: Type.Integer(),
    total: nullable(Type.Integer()),
    unit: Type.String({ description: 'bytes, numbers or resources' }),
    perSecond: nullable(Type.Number()),
  }),
  result: nullable(open),
  error: nullable(Type.Object({ code: Type.String(), message: Type.String() })),
  refused: Type.Integer({ description: 'How many rows it refused' }),
  cancelRequested: nullable(Type.Object({ at: Instant, by: Type.String() })),
})

export const listJobs = operation({
  operationId: 'Jobs_List',
  summary: 'Jobs, newest first',
  method: 'GET',
  path: '/jobs',
  role: 'Read',
  query: Type.Object({
    ...listQuery,
    kind: anyOf(Type.String({ maxLength: 100 }), 'Kinds'),
    state: anyOf(Type.Enum([...jobStates]), 'States'),
  }),
  success: { status: 200, description: 'Jobs', body: Job },
  list: true,
})

export const getJob = operation({
  operationId: 'Jobs_Get',
  summary: 'A job, and how far it is',
  method: 'GET',
  path: '/jobs/{id}',
  role: 'Read',
  success: { status: 200, description: 'The job', body: Job },
})

export const cancelJob = operation({
  operationId: 'Jobs_Cancel',
  summary: 'Cancels a job that waits, and asks one that runs to end; too late once its work is committed',
  method: 'POST',
  path: '/jobs/{id}:cancel',
  role: 'Write',
  atOnce: true,
  success: { status: 200, description: 'The job in its present state', body: Job },
})

export const listRefusals = operation({
  operationId: 'Jobs_ListRefusals',
  summary: 'The rows that a job has refused so far, in the order of their lines',
  method: 'GET',
  path: '/jobs/{id}/refusals',
  role: 'Read',
  query: Type.Object({ ...listQuery }),
  success: {
    status: 200,
    description: 'Rows',
    body: Type.Object({
      line: Type.Integer(),
      field: nullable(Type.String({ description: 'Null: the line as such is wrong' })),
      value: Type.String(),
      reason: Type.String(),
    }),
  },
  list: true,
})

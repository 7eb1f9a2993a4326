/** The sync of the backends: the backlog, what they refused, and trying it again. */
import Type from 'typebox'
import { MOST_NUMBERS } from '../../accounts/commands/requeue.js'
import { serviceCodes } from '../../backends/port/backend.js'
import { syncKinds } from '../../sync/sync.js'
import { anyOf, Instant, listQuery, nullable, operation } from './operation.js'

const open = Type.Object({}, { additionalProperties: true })
const Service = Type.Enum([...serviceCodes, 'dns'])
const Kind = Type.Enum([...syncKinds])

const Worker = Type.Object(
  {
    name: Type.String(),
    runs: Type.Integer({ description: 'Runs that have ended, those that broke included' }),
    running: Type.Integer({ description: 'Runs under way' }),
    claimed: Type.Integer({ description: 'Items taken on; each is done, failed or skipped in the end' }),
    done: Type.Integer(),
    failed: Type.Integer({ description: 'Ended as failed, or to be tried again because of an error' }),
    skipped: Type.Integer({ description: 'Left as they were, to be taken on again' }),
    lastRunAt: nullable(Instant),
    lastDurationMs: nullable(Type.Integer()),
    lastError: nullable(Type.Object({ at: Instant, message: Type.String() })),
  },
  {
    description:
      'What a worker of the process that answers has done since that started; other processes have their own',
  },
)

export const getSync = operation({
  operationId: 'Sync_Get',
  summary: 'Backends, their backlog, what they refused, their last errors and next tries; workers of this process',
  method: 'GET',
  path: '/sync',
  role: 'Read',
  success: {
    status: 200,
    description: 'The state of the sync with each backend',
    body: Type.Object({
      at: Instant,
      services: Type.Array(open),
      purchases: Type.Array(open),
      workers: Type.Array(Worker),
    }),
  },
})

export const SyncItem = Type.Object({
  service: Service,
  kind: Kind,
  key: Type.String({ description: "A number's E.164, an account's id" }),
  account: nullable(Type.String()),
  goal: Type.Enum(['present', 'absent']),
  status: Type.Enum(['failed', 'pending']),
  since: Instant,
  attempts: Type.Integer(),
  lastAttemptAt: nullable(Instant),
  lastError: nullable(Type.Object({ code: nullable(Type.String()), message: Type.String() })),
  ticket: nullable(Type.String({ description: "The backend's job, where it works on it" })),
  next: nullable(Type.Object({ at: Instant, why: Type.String() })),
})

export const listSyncItems = operation({
  operationId: 'Sync_ListItems',
  summary: 'Items that backends refused, or that are not synced yet; the longest waiting, or the first due, come first',
  method: 'GET',
  path: '/sync/items',
  role: 'Read',
  query: Type.Object({
    ...listQuery,
    status: Type.Optional(
      Type.Enum(['failed', 'waiting', 'pending'], {
        description: 'failed when left out; waiting is what is pending and not yet due',
      }),
    ),
    service: anyOf(Service, 'Services'),
    kind: anyOf(Kind, 'Kinds of items'),
  }),
  success: { status: 200, description: 'Items', body: SyncItem },
  list: true,
})

export const requeueSync = operation({
  operationId: 'Sync_Requeue',
  summary: 'Has what backends refused tried again',
  method: 'POST',
  path: '/sync:requeue',
  role: 'Write',
  body: Type.Object({
    service: Type.Optional(Service),
    kind: Type.Optional(Kind),
    numbers: Type.Optional(Type.Array(Type.String(), { maxItems: MOST_NUMBERS, description: 'Only these, E.164' })),
    waiting: Type.Optional(Type.Boolean({ description: 'Also what waits for its next attempt' })),
  }),
  bodyOptional: true,
  success: {
    status: 200,
    description: 'What is due again',
    body: Type.Object({
      services: Type.Array(Type.Object({ service: Service, failed: Type.Integer(), waiting: Type.Integer() })),
      untouched: Type.Array(
        Type.Object({
          e164: Type.String(),
          services: Type.Array(Type.Object({ service: Service, status: Type.String() })),
        }),
      ),
    }),
  },
})

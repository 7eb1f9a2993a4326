/** Every number of the ledger, whatever its state. */
import Type from 'typebox'
import { serviceCodes } from '../../backends/port/backend.js'
import { serviceKeys } from '../../backends/port/services.js'
import { assignmentTypes, capabilityTypes, numberStates, numberTypes } from '../../ledger/number.js'
import { anyOf, Instant, listQuery, nullable, operation } from './operation.js'

export const SyncStatus = Type.Enum(['pending', 'synced', 'failed'])

export const LedgerNumber = Type.Object({
  e164: Type.String(),
  state: Type.Enum([...numberStates], { description: 'By the clock: what time has ended counts as available' }),
  freeAt: nullable(Instant),
  leftAccount: Type.Boolean({ description: 'Rests because it left an account' }),
  pool: nullable(Type.String({ description: 'Whose stock it is; null: the shared one, or no stock' })),
  countryCode: nullable(Type.String({ description: 'As the next four, null for a number that never was stock' })),
  numberType: nullable(Type.Enum([...numberTypes])),
  areaCode: nullable(Type.String()),
  locality: nullable(Type.String()),
  administrativeDivision: nullable(Type.String()),
  resource: nullable(Type.String({ description: 'Who holds or owns it' })),
  account: nullable(Type.String()),
  services: Type.Array(Type.Enum([...serviceKeys]), { description: 'Those that its account uses it for' }),
  syncStatus: nullable(SyncStatus),
  changedAt: nullable(Instant),
  purchase: nullable(
    Type.Object({
      at: Instant,
      assignmentType: Type.Enum([...assignmentTypes]),
      calling: Type.Enum([...capabilityTypes]),
      sms: Type.Enum([...capabilityTypes]),
      price: Type.Object({ amount: Type.String(), currency: Type.String() }),
    }),
  ),
})

/** What it may hold is for `wire/e164.ts` to say. */
const digits = (description: string) => Type.Optional(Type.String({ maxLength: 50, description }))

export const listNumbers = operation({
  operationId: 'Numbers_List',
  summary: 'The whole ledger, in the order of numbers',
  method: 'GET',
  path: '/numbers',
  role: 'Read',
  query: Type.Object({
    ...listQuery,
    q: digits('A number, or how it begins, in any usual form'),
    prefix: digits('How numbers begin, from the calling code on'),
    state: anyOf(Type.Enum([...numberStates]), 'States, by the clock'),
    countryCode: anyOf(Type.String({ pattern: '^[A-Za-z]{2}$' }), 'Countries, of two letters'),
    numberType: anyOf(Type.Enum([...numberTypes]), 'Types'),
    areaCode: anyOf(Type.String({ pattern: '^[0-9]{1,8}$' }), 'Area codes'),
    locality: anyOf(Type.String({ maxLength: 200 }), 'Localities, in any letter case'),
    account: Type.Optional(Type.String({ maxLength: 100, description: 'The account they are on' })),
    resource: Type.Optional(Type.String({ maxLength: 200, description: 'The resource that holds or owns them' })),
    service: anyOf(Type.Enum([...serviceCodes]), 'Services that they are synced to; syncStatus is for these then'),
    syncStatus: anyOf(SyncStatus, 'How they stand with the services: failed before pending before synced'),
    changedSince: Type.Optional(Type.String({ format: 'date-time', description: 'Changed at this time or later' })),
  }),
  success: { status: 200, description: 'Numbers', body: LedgerNumber },
  list: true,
})

export const getNumber = operation({
  operationId: 'Numbers_Get',
  summary: 'A number of the ledger; taken in any usual form',
  method: 'GET',
  path: '/numbers/{e164}',
  role: 'Read',
  success: { status: 200, description: 'The number', body: LedgerNumber },
})

export const getTimeline = operation({
  operationId: 'Numbers_GetTimeline',
  summary: 'All that is known of a number: its state, its history and its sync with each backend',
  method: 'GET',
  path: '/numbers/{e164}/timeline',
  role: 'Read',
  success: {
    status: 200,
    description: 'The number, also one that has left the ledger',
    body: Type.Object({
      at: Instant,
      e164: Type.String(),
      ledger: nullable(Type.Object({}, { additionalProperties: true })),
      onAccount: nullable(Type.Object({}, { additionalProperties: true })),
      sync: Type.Array(Type.Object({}, { additionalProperties: true })),
      entries: Type.Array(Type.Object({}, { additionalProperties: true }), { description: 'Oldest first' }),
      cut: Type.Boolean({ description: 'Whether older entries were left out' }),
    }),
  },
})

/** Numbers for sale: what there is, and bringing it in, taking it out of service, and back. */
import Type from 'typebox'
import { numberStates, numberTypes } from '../../ledger/number.js'
import { MAX_GENERATED } from '../../ledger/stock/generate.js'
import { Job } from './jobs.js'
import { anyOf, Instant, listQuery, nullable, operation } from './operation.js'

/** Above a file of any whole country. */
export const MAX_IMPORT_BYTES = 4 * 1024 ** 3
const MAX_NUMBERS = 1_000

const pool = (description: string) => Type.Optional(Type.String({ minLength: 1, maxLength: 200, description }))
const Counts = Type.Object(Object.fromEntries(numberStates.map((state) => [state, Type.Optional(Type.Integer())])), {
  description: 'How many numbers are in each state, by the clock; without those that have none',
})

export const getStock = operation({
  operationId: 'Stock_Get',
  summary: 'How many numbers there are, by stock, country, type, area code and state; reads the whole ledger',
  method: 'GET',
  path: '/stock',
  role: 'Read',
  success: {
    status: 200,
    description: 'The stock',
    body: Type.Object({
      at: Instant,
      stock: Type.Array(
        Type.Object({
          pool: nullable(Type.String({ description: 'Null: the stock that all buyers share' })),
          countryCode: Type.String(),
          numberType: Type.Enum([...numberTypes]),
          areaCode: Type.String(),
          states: Counts,
        }),
      ),
      neverStock: Counts,
    }),
  },
})

export const listPlaces = operation({
  operationId: 'Stock_ListPlaces',
  summary: 'The places that numbers for sale are of',
  method: 'GET',
  path: '/stock/places',
  role: 'Read',
  query: Type.Object({
    ...listQuery,
    pool: pool('Of this stock; every one when left out'),
    countryCode: anyOf(Type.String({ pattern: '^[A-Za-z]{2}$' }), 'Countries, of two letters'),
    numberType: anyOf(Type.Enum([...numberTypes]), 'Types'),
    areaCode: anyOf(Type.String({ pattern: '^[0-9]{1,8}$' }), 'Area codes'),
    locality: anyOf(Type.String({ maxLength: 200 }), 'Localities, in any letter case'),
    available: Type.Optional(Type.Boolean({ description: 'Whether to count what is available in each' })),
  }),
  success: {
    status: 200,
    description: 'Places, in the order in which they came in',
    body: Type.Object({
      id: Type.Integer(),
      pool: nullable(Type.String()),
      countryCode: Type.String(),
      numberType: Type.Enum([...numberTypes]),
      areaCode: Type.String(),
      administrativeDivision: Type.String(),
      locality: Type.String(),
      available: nullable(Type.Integer({ description: 'Null unless asked for' })),
    }),
  },
  list: true,
})

export const importStock = operation({
  operationId: 'Stock_Import',
  summary: 'Takes in a CSV file of numbers, of any length, and enters them in a job',
  method: 'POST',
  path: '/stock/imports',
  role: 'Write',
  query: Type.Object({
    pool: pool('Whose stock they become; the shared one when left out'),
    dryRun: Type.Optional(Type.Boolean({ description: 'Does everything, then undoes it' })),
    skipBad: Type.Optional(Type.Boolean({ description: 'Enters the good rows although others are bad' })),
    fileName: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'What messages call the file' })),
  }),
  upload: ['text/csv'],
  success: { status: 202, description: 'The file is received; the job is at Location', body: Job },
})

export const generateStock = operation({
  operationId: 'Stock_Generate',
  summary: 'Enters a range of numbers in a job',
  method: 'POST',
  path: '/stock/generate',
  role: 'Write',
  body: Type.Object({
    phoneNumber: Type.String({ maxLength: 20, description: 'The first, E.164' }),
    count: Type.Integer({ minimum: 1, maximum: MAX_GENERATED }),
    countryCode: Type.Optional(Type.String({ maxLength: 10 })),
    phoneNumberType: Type.Optional(Type.String({ maxLength: 20 })),
    areaCode: Type.Optional(Type.String({ maxLength: 20 })),
    locality: Type.Optional(Type.String({ maxLength: 200 })),
    administrativeDivision: Type.Optional(Type.String({ maxLength: 200 })),
    pool: pool('Whose stock they become; the shared one when left out'),
  }),
  success: { status: 202, description: 'The job is at Location', body: Job },
})

const phoneNumbers = Type.Array(Type.String(), { minItems: 1, maxItems: MAX_NUMBERS, description: 'E.164' })

export const retireStock = operation({
  operationId: 'Stock_Retire',
  summary: 'Takes numbers out of service, all or none',
  method: 'POST',
  path: '/stock/retire',
  role: 'Delete',
  body: Type.Object({
    phoneNumbers,
    held: Type.Optional(Type.Boolean({ description: 'Also those that a buyer has on hold' })),
  }),
  success: { status: 204, description: 'They are retired' },
})

export const restoreStock = operation({
  operationId: 'Stock_Restore',
  summary: 'Puts retired or resting numbers back into stock, all or none',
  method: 'POST',
  path: '/stock/restore',
  role: 'Write',
  body: Type.Object({ phoneNumbers }),
  success: { status: 204, description: 'They are available' },
})

export const exportStock = operation({
  operationId: 'Stock_Export',
  summary: 'The stock as a CSV file that an import takes back',
  method: 'GET',
  path: '/stock/export',
  role: 'Read',
  query: Type.Object({
    pool: pool('Of this stock; the shared one when left out'),
    state: Type.Optional(Type.Enum([...numberStates])),
  }),
  success: { status: 200, description: 'The file' },
  download: 'text/csv; charset=utf-8; header=present',
})

/** What is said of an operation of the Operator API: where it is, who may, what it takes, how it answers. */
import Type, { type TObject, type TSchema } from 'typebox'
import type { Role } from '../../auth/tokens/roles.js'

export const BASE_PATH = '/operator/v1'

export interface OperationContract<Query extends TObject = TObject, Body extends TSchema = TSchema> {
  operationId: string
  summary: string
  method: 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE'
  /** Behind the base path, in OpenAPI's form; the colon of an action is literal. */
  path: string
  /** What a caller must be allowed to; who may administer may do everything. */
  role: Role
  query: Query
  /** Absent: the operation takes no body. */
  body?: Body
  /** No body at all is read as an empty object. */
  bodyOptional?: true
  /** Media types of a body of any length, which is spooled to disk and not read as JSON. */
  upload?: readonly string[]
  success: {
    status: 200 | 201 | 202 | 204
    description: string
    body?: TSchema
  }
  /** A list: `{ items, next }`, or the whole of it as CSV or NDJSON. Its `success.body` is the schema of one item. */
  list?: true
  /** The response is a text of any length, of this media type, and is streamed. */
  download?: string
  /** The response shows a secret. Such responses are sealed where they are remembered for repeats, and never cached. */
  showsSecret?: true
  /**
   * Its response is not remembered for repeats: it must not wait for the database, and a repeat does no harm.
   * `Idempotency-Key` is ignored.
   */
  atOnce?: true
  /** Looks at If-Match, and answers with an ETag. */
  conditional?: true
}

const none = Type.Object({})

/** Gives a contract its own type, which handlers are checked against. */
export const operation = <Query extends TObject = typeof none, Body extends TSchema = TSchema>(
  contract: Omit<OperationContract<Query, Body>, 'query'> & { query?: Query },
): OperationContract<Query, Body> => ({ ...contract, query: contract.query ?? (none as unknown as Query) })

/** Whether a repeat of the operation has the first response, by its `Idempotency-Key`. */
export const isRepeatable = ({ method, atOnce }: Pick<OperationContract, 'method' | 'atOnce'>): boolean =>
  atOnce === undefined && (method === 'POST' || method === 'PATCH')

export const DEFAULT_LIMIT = 100
export const MAX_LIMIT = 1_000
/** A page ends after so many rows, found or not. */
export const MAX_EXAMINED = 10_000

/** The query parameters of every list. */
export const listQuery = {
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: MAX_LIMIT,
      description: `Most items of a page; ${DEFAULT_LIMIT} when left out`,
    }),
  ),
  cursor: Type.Optional(Type.String({ maxLength: 2_000, description: 'Where the page before ended: its `next`' })),
  count: Type.Optional(Type.Boolean({ description: 'Whether to count all items that match' })),
}

/** Several values of a filter, any of which may match: `state=held&state=owned`. */
export const anyOf = <Item extends TSchema>(item: Item, description: string) =>
  Type.Optional(Type.Array(item, { maxItems: 50, description }))

/** An RFC 3339 time in UTC. */
export const Instant = Type.String({ format: 'date-time' })
export const nullable = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()])

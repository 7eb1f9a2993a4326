/** The contract of one operation of the published API. */
import type { TObject, TSchema } from 'typebox'

export interface OperationContract<
  Query extends TObject = TObject,
  Body extends TSchema | undefined = TSchema | undefined,
> {
  operationId: string
  summary: string
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** As in OpenAPI; the colons of `/:search` are literal. */
  path: string
  versions: readonly string[]
  query: Query
  /** Absent: a body is not read. */
  body: Body
  /** A missing body is read as an empty object. */
  bodyOptional?: true
  success: {
    status: number
    description: string
    body?: TSchema
    /** Other success statuses that the handler may choose, with the same body. */
    otherwise?: Readonly<Record<number, string>>
  }
}

export const operation = <Query extends TObject, Body extends TSchema | undefined>(
  contract: OperationContract<Query, Body>,
): OperationContract<Query, Body> => contract

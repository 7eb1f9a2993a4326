/** What a handler of an operation is given, and what it gives back. */
import type { Static, TObject, TSchema } from 'typebox'
import type { TokenPrincipal } from '../../auth/tokens/claims.js'
import type { Db } from '../../db/db.js'
import type { FastifyRequest } from '../../http/server.js'
import type { OperationContract } from '../contract/operation.js'
import type { ListResult } from './list.js'

/** Who asks; over HTTP as a token says, in process the person at the command line. */
export type OperatorPrincipal = Pick<TokenPrincipal, 'callerId' | 'actor' | 'name' | 'operatorRoles'>

export interface Result {
  /** The operation's own when left out. */
  status?: number
  headers?: Record<string, string>
  /** Sent as JSON; undefined: no body. */
  body?: unknown
  /** The pieces of a download. */
  text?: AsyncIterable<string>
}

/** What runs in the one transaction that also remembers the response for repeats. Inside, only this `db` may be used. */
export type Work = (db: Db) => Promise<Result>

export interface Context<Query extends TObject = TObject, Body extends TSchema = TSchema> {
  who: OperatorPrincipal
  /** Decoded path parameters. */
  params: Readonly<Record<string, string>>
  query: Static<Query>
  body: Static<Body>
  request: FastifyRequest
  /**
   * Has the effect of a write: in one transaction with the response that a repeat of the request gets.
   * @param after what follows the commit, e.g. waking a worker
   */
  commit(work: Work, after?: () => void | Promise<void>): Promise<Result>
}

export type Handler<Query extends TObject = TObject, Body extends TSchema = TSchema> = (
  context: Context<Query, Body>,
) => Promise<Result | ListResult>

export type Route = readonly [contract: OperationContract, handle: Handler]

/** Pairs a contract with its handler, whose query and body have the contract's types. */
export const route = <Query extends TObject, Body extends TSchema>(
  contract: OperationContract<Query, Body>,
  handle: (context: Context<Query, Body>) => Promise<Result | ListResult<never>>,
): Route => [contract, handle]

/** Names the type of a list's items to the compiler; the list itself is handed on as it is. */
export const list = <Item>(result: ListResult<Item>): ListResult<never> => result as unknown as ListResult<never>

export const isList = (result: Result | ListResult): result is ListResult => 'page' in result

/** On whose behalf a command changes something, and by which operation. */
export const by = ({ actor }: OperatorPrincipal, { operationId }: Pick<OperationContract, 'operationId'>) => ({
  actor,
  reason: operationId,
})

/** A path parameter that the operation has. */
export function param({ params }: Pick<Context, 'params'>, name: string): string {
  const value = params[name]
  if (value === undefined) throw new Error(`The path has no parameter ${name}.`)
  return value
}

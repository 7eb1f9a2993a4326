import type { TObject, TSchema } from 'typebox'
import type { FastifyReply, FastifyRequest } from '../../http/server.js'
import type { Admitted } from '../admit.js'
import type { OperationContract } from '../contract/operation.js'

/** Adds one operation: its handler gets the request once it is admitted and read, and returns the answer's body. */
export type AddRoute = <Query extends TObject, Body extends TSchema | undefined>(
  contract: OperationContract<Query, Body>,
  handle: (admitted: Admitted<Query, Body>, reply: FastifyReply, request: FastifyRequest) => unknown,
) => void

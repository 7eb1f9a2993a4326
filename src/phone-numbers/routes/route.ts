import type { TObject, TSchema } from 'typebox'
import type { FastifyReply, FastifyRequest } from '../../http/server.js'
import type { Admitted } from '../admit.js'
import type { OperationContract } from '../contract/operation.js'

/** Adds one operation: its handler gets the admitted request, and returns the body of the response. */
export type AddRoute = <Query extends TObject, Body extends TSchema | undefined>(
  contract: OperationContract<Query, Body>,
  handle: (admitted: Admitted<Query, Body>, reply: FastifyReply, request: FastifyRequest) => unknown,
) => void

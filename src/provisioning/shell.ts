/** The common part of all responses of this API: ids and other headers, errors, and the line in the log. */
import { randomUUID } from 'node:crypto'
import { refusalOfDatabase } from '../db/failures.js'
import { DomainError } from '../errors.js'
import type { Response } from '../http/repeatable/store.js'
import {
  echoedRequestId,
  isForHosts,
  refusalOfShell,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from '../http/server.js'
import type { Logger } from '../log.js'
import { checkAddress, pathOf, routeNotFound, type AdmitDeps } from './admit.js'
import { errorResponse } from './wire/errors.js'

export interface ShellDeps extends Pick<AdmitDeps, 'allowedAddresses' | 'trustedProxies'> {
  logger: Logger
  /** Host names that this API serves; empty for all. */
  hosts: readonly string[]
}

/** Adds it to `server`, a separate scope; refuses requests to other hosts, or from other addresses, than allowed. */
export function addShell(server: FastifyInstance, deps: ShellDeps): void {
  addCommonHeaders(server)
  addRequestLog(server, deps)
  server.setErrorHandler((error, request, reply) => sendError(deps, error, request, reply))
  server.addHook('onRequest', async (request) => {
    if (!isForHosts(request, deps.hosts)) throw routeNotFound(pathOf(request))
    checkAddress(deps, request)
  })
}

export function sendResponse(reply: FastifyReply, { status, headers, body }: Response): FastifyReply {
  reply.code(status).headers(headers)
  return body === null ? reply.send() : reply.header('Content-Type', 'application/json; charset=utf-8').send(body)
}

function addCommonHeaders(server: FastifyInstance): void {
  server.addHook('onRequest', (request, reply, done) => {
    reply.header('x-ms-request-id', randomUUID())
    if (request.protocol === 'https') reply.header('Strict-Transport-Security', 'max-age=31536000; includeSubDomains')
    const clientRequestId = echoedRequestId(request)
    if (clientRequestId !== undefined) reply.header('x-ms-client-request-id', clientRequestId)
    done()
  })
}

/** The operation and the client of an admitted request, for its line in the log. */
export const asked = new WeakMap<FastifyRequest, { operation: string; caller: string }>()

function addRequestLog(server: FastifyInstance, { logger }: ShellDeps): void {
  if (!logger.isLevelEnabled('info')) return
  server.addHook('onResponse', (request, reply, done) => {
    const { method } = request
    const ms = Math.round(reply.elapsedTime)
    const id = reply.getHeader('x-ms-request-id')
    logger.info({ ...asked.get(request), method, path: pathOf(request), status: reply.statusCode, ms, id }, 'answered')
    done()
  })
}

function sendError(deps: ShellDeps, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, headers, body } = errorResponse(asRefusal(error))
  logFailure(deps, error, status, request, reply)
  return sendResponse(reply, { status, headers, body: JSON.stringify(body) })
}

/** Logs a failure that is our own; a backend that doesn't answer is not. */
export function logFailure(
  { logger }: ShellDeps,
  error: unknown,
  status: number,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  if (status < 500 || status === 502) return
  const id = reply.getHeader('x-ms-request-id')
  logger.error({ err: error, method: request.method, path: pathOf(request), id }, 'request failed')
}

/** Turns a refusal of the HTTP shell or the database into a DomainError if the client may learn the reason. */
export function asRefusal(error: unknown): unknown {
  if (error instanceof DomainError) return error
  return refusalOfDatabase(error) ?? refusalOfShell(error, 'invalid-json') ?? error
}

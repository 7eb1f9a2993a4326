/** What every answer of this API has in common: its ids and other headers, its errors, its line in the log. */
import { randomUUID } from 'node:crypto'
import { isConnectionFailure, isStatementTimeout } from '../db/db.js'
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
import { errorAnswer } from './wire/errors.js'

export interface ShellDeps extends Pick<AdmitDeps, 'allowedAddresses' | 'trustedProxies'> {
  logger: Logger
  /** Host names that this API answers to; empty for all. */
  hosts: readonly string[]
}

/** Adds it to `server`, a scope of its own; requests from elsewhere than the allowed hosts and addresses are refused. */
export function addShell(server: FastifyInstance, deps: ShellDeps): void {
  addCommonHeaders(server)
  addRequestLog(server, deps)
  server.setErrorHandler((error, request, reply) => answerError(deps, error, request, reply))
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

/** What a request turned out to ask for, once admitted; for its line in the log. */
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

function answerError(deps: ShellDeps, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, headers, body } = errorAnswer(asRefusal(error))
  logFailure(deps, error, status, request, reply)
  return sendResponse(reply, { status, headers, body: JSON.stringify(body) })
}

/** What the service couldn't do for a reason of its own; that a backend didn't answer is the backend's affair. */
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

/** What the HTTP shell or the database refused, in the words of a DomainError where a client can be told why. */
export function asRefusal(error: unknown): unknown {
  if (error instanceof DomainError) return error
  if (isConnectionFailure(error)) {
    return new DomainError('unavailable', 'The database is not reachable at the moment. Try again.', { cause: error })
  }
  if (isStatementTimeout(error)) {
    return new DomainError('unavailable', 'This takes the database too long. Ask for less at a time.', { cause: error })
  }
  return refusalOfShell(error, 'invalid-json') ?? error
}

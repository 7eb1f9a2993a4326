/** Puts the Provisioning API onto a server: its paths, the headers of every answer, repeatability, and errors. */
import { randomUUID } from 'node:crypto'
import type { ConsentDeps } from '../accounts/commands/consents.js'
import { isConnectionFailure, isStatementTimeout } from '../db/db.js'
import { DomainError } from '../errors.js'
import {
  echoedRequestId,
  isForHosts,
  rawBody,
  rawTarget,
  refusalOfShell,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from '../http/server.js'
import { admit, checkAddress, routeNotFound, pathOf, type AdmitDeps, type Admitted } from './admit.js'
import type { OperationContract } from './contract/operation.js'
import { operations as operations2024 } from './contract/operations.js'
import { operations as operations2023 } from './facade-2023/operations.js'
import { routes2023 } from './facade-2023/routes.js'
import { routes2024 } from './routes/routes.js'
import { answerStatus } from './status-routes.js'
import { readConditions } from './wire/conditions.js'
import { errorAnswer } from './wire/errors.js'
import { carryOutOnce, type Carrying, type RepeatDeps } from './wire/repeat.js'
import type { Answer } from './wire/repeatable-store.js'
import { refusal } from './wire/response.js'
import type { Handler, RouteDeps, Routes } from './wire/route.js'

export interface ApiDeps extends ConsentDeps, AdmitDeps, RepeatDeps, RouteDeps {
  /** Host names that this API answers to; empty for all. */
  hosts: readonly string[]
  /** Whether unknown paths of the server are this API's to answer: it stands alone. */
  alone: boolean
}

/** The first segments of this API's paths; everything under them is its to answer. */
const ROOTS = ['accounts', 'account', 'numbers', 'teamsRequestsForInformation', 'status']

/** Whether a path belongs to this API, whatever is to be found there. */
export const isProvisioningPath = (path: string): boolean =>
  ROOTS.includes(path.split('/').find((segment) => segment !== '') ?? '')

const isStatusPath = (path: string): boolean => /^\/+status(?![^/:%])/.test(path)

/** Adds the API to `server`, a scope of its own. */
export function openProvisioningApi(server: FastifyInstance, deps: ApiDeps): void {
  const handlers = handlersOf(deps)
  addCommonHeaders(server)
  addRequestLog(server, deps)
  server.setErrorHandler((error, request, reply) => answerError(deps, error, request, reply))
  server.addHook('onRequest', async (request) => {
    if (!isForHosts(request, deps.hosts)) throw routeNotFound(pathOf(request))
    checkAddress(deps, request)
  })
  const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    if (isStatusPath(pathOf(request))) return send(reply, await answerStatus(deps, request, reply))
    const admitted = await admit(deps, request)
    asked.set(request, { operation: admitted.operation.operationId, caller: admitted.principal.callerId })
    const handler = handlers.get(admitted.operation) as Handler
    return send(reply, await carryOut(deps, admitted, request, reply, handler))
  }
  for (const root of ROOTS) {
    for (const url of [`/${root}`, `/${root}/*`, `/${root}::*`])
      server.route({ method: server.supportedMethods, url, handler: answer })
  }
  if (deps.alone) {
    server.setNotFoundHandler((request) => {
      throw routeNotFound(pathOf(request))
    })
  }
}

/** Every operation has its handler; one without is a fault that shows at the start. */
function handlersOf(deps: ApiDeps): Map<OperationContract, Handler> {
  const routes: Routes = new Map([...routes2024(deps), ...routes2023(deps)])
  const missing = [...operations2024, ...operations2023].filter((operation) => !routes.has(operation))
  if (missing.length > 0) throw new Error(`No handler for ${missing.map(({ operationId }) => operationId).join(', ')}.`)
  return routes
}

/** Reads are just made; writes once, however often they are sent. */
async function carryOut(
  deps: ApiDeps,
  admitted: Admitted,
  request: FastifyRequest,
  reply: FastifyReply,
  handler: Handler,
): Promise<Answer> {
  const { operation, principal, path } = admitted
  const context = {
    ...admitted,
    caller: {
      actor: `client:${principal.callerId}`,
      reason: [operation.operationId, admitted.params['accountName']].filter((part) => part !== undefined).join(' '),
    },
    conditions: operation.conditional ? readConditions(request.method, request.headers) : {},
    contentType: request.headers['content-type'],
    body: rawBody(request),
    baseUrl: deps.publicUrl ?? `${request.protocol}://${request.headers.host ?? ''}`,
  }
  if (!operation.repeatable) return handler(context, onlyReads)
  return carryOutOnce(
    deps,
    {
      caller: principal.callerId,
      requestId: headerText(request, 'repeatability-request-id'),
      firstSent: headerText(request, 'repeatability-first-sent'),
      method: request.method,
      path,
      query: sortedQuery(request),
      body: context.body,
    },
    (result) => void reply.header('Repeatability-Result', result),
    async (carrying) => {
      try {
        return await handler(context, carrying)
      } catch (error) {
        const answer = refusal(asRefusal(error))
        logFailure(deps, error, answer.status, request, reply)
        return answer
      }
    },
  )
}

const onlyReads: Carrying = {
  commit: () => Promise.reject(new Error('An operation that only reads tried to write.')),
  amend: () => Promise.resolve(),
}

const headerText = (request: FastifyRequest, name: string): string | undefined => {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

function sortedQuery(request: FastifyRequest): string {
  const [, ...parts] = rawTarget(request).split('?')
  const parameters = new URLSearchParams(parts.join('?'))
  parameters.sort()
  return parameters.toString()
}

function send(reply: FastifyReply, { status, headers, body }: Answer): FastifyReply {
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
const asked = new WeakMap<FastifyRequest, { operation: string; caller: string }>()

function addRequestLog(server: FastifyInstance, { logger }: ApiDeps): void {
  if (!logger.isLevelEnabled('info')) return
  server.addHook('onResponse', (request, reply, done) => {
    const { method } = request
    const ms = Math.round(reply.elapsedTime)
    const id = reply.getHeader('x-ms-request-id')
    logger.info({ ...asked.get(request), method, path: pathOf(request), status: reply.statusCode, ms, id }, 'answered')
    done()
  })
}

function answerError(deps: ApiDeps, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, headers, body } = errorAnswer(asRefusal(error))
  logFailure(deps, error, status, request, reply)
  return send(reply, { status, headers, body: JSON.stringify(body) })
}

/** What the service couldn't do for a reason of its own; that a backend didn't answer is the backend's affair. */
function logFailure(
  { logger }: ApiDeps,
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
function asRefusal(error: unknown): unknown {
  if (error instanceof DomainError) return error
  if (isConnectionFailure(error)) {
    return new DomainError('unavailable', 'The database is not reachable at the moment. Try again.', { cause: error })
  }
  if (isStatementTimeout(error)) {
    return new DomainError('unavailable', 'This takes the database too long. Ask for less at a time.', { cause: error })
  }
  return refusalOfShell(error, 'invalid-json') ?? error
}

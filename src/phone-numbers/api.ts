/** Adds the Phone Numbers API to a server: routes, the headers of every response, and errors. */
import { randomUUID } from 'node:crypto'
import { isBearer, type Principal } from '../auth/authenticate.js'
import { refusalOfDatabase } from '../db/failures.js'
import { DomainError } from '../errors.js'
import { createMatcher } from '../http/match-path.js'
import {
  echoedRequestId,
  isForHosts,
  refusalOfShell,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from '../http/server.js'
import { admission, authenticateRequest, type AdmitDeps } from './admit.js'
import type { OperationContract } from './contract/operation.js'
import { operations } from './contract/operations.js'
import { apiVersions } from './contract/versions.js'
import { addCors } from './cors.js'
import { errorResponse } from './errors.js'
import type { PhoneNumbersDeps } from './model/deps.js'
import type { AddRoute } from './routes/route.js'
import { addRoutes } from './routes/routes.js'

export type ApiDeps = PhoneNumbersDeps &
  AdmitDeps & {
    /** Host names that this API serves; empty for all. */
    hosts: readonly string[]
    /** Origins whose pages may call it; empty for none. */
    corsOrigins: readonly string[]
  }

/** Adds the API to `server`, at its root: the official clients refuse an endpoint with a path. */
export function openPhoneNumbersApi(server: FastifyInstance, deps: ApiDeps): void {
  addCommonHeaders(server)
  addRequestLog(server, deps)
  addErrorHandler(server, deps)
  server.addHook('onRequest', (request, reply, done) => {
    if (isForHosts(request, deps.hosts)) done()
    else void reply.code(404).send()
  })
  addCors(server, deps.corsOrigins)

  const add: AddRoute = (contract, handle) => {
    const admit = admission(deps, contract)
    server.route({
      method: contract.method,
      url: routePath(contract.path),
      handler: async (request, reply) => {
        const admitted = await admit(request, reply)
        asked.set(request, { operation: contract.operationId, ...whoAsks(admitted.principal) })
        const view = await handle(admitted, reply, request)
        return send(reply, chosenStatus(reply, contract), view)
      },
    })
  }
  addRoutes(add, deps)
  server.setNotFoundHandler((request, reply) => refuseRoute(deps, request, reply))
}

/** The success status that the handler has chosen among the operation's, or else the usual one. */
const chosenStatus = ({ statusCode }: FastifyReply, { success }: OperationContract): number =>
  success.otherwise?.[statusCode] === undefined ? success.status : statusCode

const send = (reply: FastifyReply, status: number, body: unknown): FastifyReply =>
  body === undefined
    ? reply.code(status).send()
    : reply.code(status).header('Content-Type', 'application/json; charset=utf-8').send(JSON.stringify(body))

/** Turns `{name}` into a parameter and doubles a literal colon, as the router requires. */
const routePath = (path: string): string => path.replace(/:/g, '::').replace(/\{(\w+)\}/g, ':$1')

const match = createMatcher(operations, { under: '', pathOf: ({ path }) => path, ignoreCase: true })

/** Answers what is no path of this API, or not with this method. */
async function refuseRoute(deps: ApiDeps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const found = match(request.url.split('?', 1)[0] ?? '')
  if (found === undefined) {
    // A client with a token may have mistyped a path of the other API, so it gets the 404 without authentication.
    if (!isBearer(request.headers.authorization)) await authenticateRequest(deps, request)
    return reply.code(404).send()
  }
  reply.header('api-supported-versions', found.routes[0]?.versions.join(', '))
  await authenticateRequest(deps, request)
  const allow = found.routes.map(({ method }) => method)
  throw new DomainError(
    'method-not-allowed',
    `${request.method} is not a method of this path; it takes ${allow.join(', ')}.`,
    { allow },
  )
}

const CORRELATION_CHARS = 22

/** Random bytes by way of a UUID: UUIDs come from a buffer of randomness, without a system call each. */
const correlationVector = (): string =>
  `${Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64').slice(0, CORRELATION_CHARS)}.0`

function addCommonHeaders(server: FastifyInstance): void {
  server.addHook('onRequest', (request, reply, done) => {
    reply.header('api-supported-versions', apiVersions.join(', '))
    reply.header('MS-CV', correlationVector())
    if (request.protocol === 'https') reply.header('Strict-Transport-Security', 'max-age=31536000; includeSubDomains')
    const clientRequestId = echoedRequestId(request)
    if (clientRequestId !== undefined) reply.header('x-ms-client-request-id', clientRequestId)
    done()
  })
  server.addHook('onSend', (_request, reply, payload, done) => {
    reply.header('X-Processing-Time', `${Math.round(reply.elapsedTime)}ms`)
    done(null, payload)
  })
}

/** The operation and the resource of an admitted request, for its line in the log. */
const asked = new WeakMap<FastifyRequest, { operation: string; resource: string; client?: string }>()

const whoAsks = ({ resourceName: resource, evidence }: Principal): { resource: string; client?: string } =>
  evidence.scheme === 'token' ? { resource, client: evidence.callerId } : { resource }

function addRequestLog(server: FastifyInstance, { logger }: ApiDeps): void {
  if (!logger.isLevelEnabled('info')) return
  server.addHook('onResponse', (request, reply, done) => {
    const { method, routeOptions } = request
    const ms = Math.round(reply.elapsedTime)
    logger.info(
      {
        ...asked.get(request),
        method,
        route: routeOptions.url,
        status: reply.statusCode,
        ms,
        cv: reply.getHeader('MS-CV'),
      },
      'answered',
    )
    done()
  })
}

function addErrorHandler(server: FastifyInstance, { logger }: ApiDeps): void {
  server.setErrorHandler((error, request, reply) => {
    const refusal = asRefusal(error)
    const { status, headers, body } = errorResponse(refusal)
    if (status >= 500) {
      logger.error(
        { err: error, method: request.method, route: request.routeOptions.url, cv: reply.getHeader('MS-CV') },
        'request failed',
      )
    }
    // Sent as bytes: the framework would add a charset to a text, which the service's errors don't have.
    return reply
      .code(status)
      .headers(headers)
      .header('Content-Type', 'application/json')
      .send(Buffer.from(JSON.stringify(body)))
  })
}

/** Turns a refusal of the HTTP shell or the database into a DomainError if the client may learn the reason. */
function asRefusal(error: unknown): unknown {
  if (error instanceof DomainError) return error
  return refusalOfDatabase(error) ?? refusalOfShell(error, 'invalid-input') ?? error
}

/** Adds the Provisioning API to a server: its paths, the headers of every response, repeatability, and errors. */
import type { ConsentDeps } from '../accounts/commands/consents.js'
import type { Carrying } from '../http/repeatable/once.js'
import type { Response } from '../http/repeatable/store.js'
import { rawBody, rawTarget, type FastifyInstance, type FastifyReply, type FastifyRequest } from '../http/server.js'
import { admit, routeNotFound, pathOf, type AdmitDeps, type Admitted } from './admit.js'
import type { OperationContract } from './contract/operation.js'
import { operations as operations2024 } from './contract/operations.js'
import { operations as operations2023 } from './facade-2023/operations.js'
import { routes2023 } from './facade-2023/routes.js'
import { routes2024 } from './routes/routes.js'
import { addShell, asked, asRefusal, logFailure, sendResponse } from './shell.js'
import { readConditions } from './wire/conditions.js'
import { refusal } from './wire/errors.js'
import { carryOutRepeatable, type RepeatDeps } from './wire/repeat.js'
import type { Handler, RouteDeps, Routes } from './wire/route.js'

export interface ApiDeps extends ConsentDeps, AdmitDeps, RepeatDeps, RouteDeps {
  /** Host names that this API serves; empty for all. */
  hosts: readonly string[]
  /** Whether this is the only API, which then also answers unknown paths of the server. */
  alone: boolean
}

/** The first segments of this API's paths; it answers everything under them. */
const ROOTS = ['accounts', 'account', 'numbers', 'teamsRequestsForInformation']

/** Whether a path belongs to this API, known or not; `/status` behaves like one of them. */
export const isProvisioningPath = (path: string): boolean =>
  [...ROOTS, 'status'].includes(path.split('/').find((segment) => segment !== '') ?? '')

/** Adds the API to `server`, a separate scope. */
export function openProvisioningApi(server: FastifyInstance, deps: ApiDeps): void {
  const handlers = handlersOf(deps)
  addShell(server, deps)
  const handle = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const admitted = await admit(deps, request)
    asked.set(request, { operation: admitted.operation.operationId, caller: admitted.principal.callerId })
    const handler = handlers.get(admitted.operation) as Handler
    return sendResponse(reply, await carryOut(deps, admitted, request, reply, handler))
  }
  for (const root of ROOTS) {
    for (const url of [`/${root}`, `/${root}/*`, `/${root}::*`])
      server.route({ method: server.supportedMethods, url, handler: handle })
  }
  if (deps.alone) {
    server.setNotFoundHandler((request) => {
      throw routeNotFound(pathOf(request))
    })
  }
}

/** The handlers by operation. An operation without one fails the start. */
function handlersOf(deps: ApiDeps): Map<OperationContract, Handler> {
  const routes: Routes = new Map([...routes2024(deps), ...routes2023(deps)])
  const missing = [...operations2024, ...operations2023].filter((operation) => !routes.has(operation))
  if (missing.length > 0) throw new Error(`No handler for ${missing.map(({ operationId }) => operationId).join(', ')}.`)
  return routes
}

/** Carries out a request; a write only once, however often it is sent. */
async function carryOut(
  deps: ApiDeps,
  admitted: Admitted,
  request: FastifyRequest,
  reply: FastifyReply,
  handler: Handler,
): Promise<Response> {
  const { operation, principal, path } = admitted
  const context = {
    ...admitted,
    by: {
      actor: principal.actor,
      reason: [operation.operationId, admitted.params['accountName']].filter((part) => part !== undefined).join(' '),
    },
    conditions: operation.conditional ? readConditions(request.method, request.headers) : {},
    contentType: request.headers['content-type'],
    body: rawBody(request),
    baseUrl: deps.publicUrl ?? `${request.protocol}://${request.headers.host ?? ''}`,
  }
  if (!operation.repeatable) return handler(context, onlyReads)
  return carryOutRepeatable(
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
        const response = refusal(asRefusal(error))
        logFailure(deps, error, response.status, request, reply)
        return response
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

/**
 * `GET /status`, `GET /status/numbers/{e164}` and `POST /status:requeue`: a short way to what the Operator API shows at
 * `/sync`, `/numbers/{e164}/timeline` and `/sync:requeue`, in the manners of the Provisioning API and for its
 * administrators. Served whichever of the published APIs is on.
 */
import Type from 'typebox'
import { requeueFailed, type Requeue } from '../../accounts/commands/requeue.js'
import type { TokenPrincipal } from '../../auth/tokens/claims.js'
import { DomainError } from '../../errors.js'
import { policies } from '../../http/body-policies.js'
import { reader } from '../../http/body-reader.js'
import type { Response } from '../../http/repeatable/store.js'
import { rawBody, type FastifyInstance, type FastifyReply, type FastifyRequest } from '../../http/server.js'
import { statusOfCalls } from '../../operations/call-status.js'
import {
  methodNotAllowed,
  pathOf,
  routeNotFound,
  authenticateRequest,
  type AdmitDeps,
} from '../../provisioning/admit.js'
import { readWhole } from '../../provisioning/body/faults.js'
import { readJson } from '../../provisioning/body/read-json.js'
import { readParameter } from '../../provisioning/contract/parameters.js'
import { addShell, sendResponse, type ShellDeps } from '../../provisioning/shell.js'
import { json, type RouteDeps } from '../../provisioning/wire/route.js'
import { syncKinds } from '../../sync/sync.js'
import { servicesOf, statusOfBackends, syncServices } from './status.js'
import { timelineOf } from './timeline.js'
import { statusView, timelineView } from './views.js'

/** Adds the routes to `server`, a scope of its own. */
export function openStatus(server: FastifyInstance, deps: StatusDeps & ShellDeps): void {
  addShell(server, deps)
  const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    sendResponse(reply, await answerStatus(deps, request, reply))
  for (const url of ['/status', '/status/*', '/status::*']) {
    server.route({ method: server.supportedMethods, url, handler })
  }
}

const requeueReader = reader(
  Type.Object(
    {
      service: Type.Optional(Type.String({ pattern: `^(${syncServices.join('|')})$` })),
      kind: Type.Optional(Type.String({ pattern: `^(${syncKinds.join('|')})$` })),
      numbers: Type.Optional(Type.Array(Type.String())),
      waiting: Type.Optional(Type.Boolean()),
    },
    { additionalProperties: false },
  ),
  policies.provisioning,
)

type StatusDeps = RouteDeps & AdmitDeps

interface Asked {
  request: FastifyRequest
  found: RegExpExecArray
  who: TokenPrincipal
}

interface StatusRoute {
  path: RegExp
  method: 'GET' | 'POST'
  answer(deps: StatusDeps, asked: Asked): Promise<Response>
}

const routes: readonly StatusRoute[] = [
  {
    path: /^\/status\/?$/,
    method: 'GET',
    answer: async (deps) => {
      const now = deps.clock.now()
      const services = await statusOfBackends(deps.db, { services: servicesOf(deps), now })
      return json(200, statusView(services, now, await statusOfCalls(deps.db, now)))
    },
  },
  {
    path: /^\/status\/numbers\/([^/]+)\/?$/,
    method: 'GET',
    answer: async (deps, { found: [, encoded = ''] }) => {
      const e164 = readParameter('telephoneNumber', decodeURIComponent(encoded))
      const now = deps.clock.now()
      const timeline = await timelineOf(deps.db, e164, { now, services: servicesOf(deps) })
      if (timeline) return json(200, timelineView(timeline, now))
      throw new DomainError('number-not-found', `Nothing is known of ${e164}, and nothing ever was.`, {
        target: 'telephoneNumber',
      })
    },
  },
  {
    path: /^\/status(?::|%3a)requeue$/i,
    method: 'POST',
    answer: async (deps, { request, who }) => {
      const body = readJson(rawBody(request), request.headers['content-type'], {
        trailingCommas: deps.tolerateTrailingCommas,
        mayBeEmpty: true,
      })
      const requeued = await requeueFailed(deps, readWhole(requeueReader, body ?? {}) as Requeue, {
        actor: who.actor,
        reason: 'requeue',
      })
      deps.nudge(requeued.services.map(({ service }) => service))
      return json(200, requeued)
    },
  },
]

/** Answers a request under `/status`. Throws 'not-found', 'method-not-allowed', and what keeps out who may not. */
async function answerStatus(deps: StatusDeps, request: FastifyRequest, reply: FastifyReply): Promise<Response> {
  const path = pathOf(request)
  const here = routes.filter((route) => route.path.test(path))
  if (here.length === 0) throw routeNotFound(path)
  const route = here.find(({ method }) => method === request.method)
  if (route === undefined) throw methodNotAllowed(request.method, here)
  const who = await authenticateRequest(deps, request, 'Admin')
  reply.header('Cache-Control', 'no-store')
  return route.answer(deps, { request, found: route.path.exec(path) as RegExpExecArray, who })
}

/** How routes under `/_emulator` are put onto a server: who may use them, JSON out, and what is said to a wrong request. */
import { DomainError, notFound } from '../../errors.js'
import type { FastifyInstance, FastifyReply, FastifyRequest } from '../../http/server.js'
import type { Logger } from '../../log.js'
import { controlErrorAnswer } from './errors.js'

export interface ControlDeps {
  /** Rejects with a DomainError unless the request may use these routes. */
  authorize: (request: FastifyRequest) => Promise<void>
  logger: Logger
}

export type Method = 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE'
export type Params = Readonly<Record<string, string>>

/** A route's method, path under the prefix, and what it does; an answer of undefined is a 204. */
export type ControlRoute = readonly [
  method: Method,
  path: string,
  handle: (request: FastifyRequest, params: Params) => unknown,
]

/** What a handler returns when something was made: answered with 201. */
export class Made {
  constructor(readonly body: object) {}
}

const METHODS: readonly Method[] = ['GET', 'PUT', 'PATCH', 'POST', 'DELETE']

/** Adds routes under `prefix`, in a scope with errors of its own. */
export function addControl(
  server: FastifyInstance,
  deps: ControlDeps,
  prefix: string,
  routes: readonly ControlRoute[],
): void {
  void server.register(
    (scope, _options, done) => {
      scope.setErrorHandler((error, request, reply) => {
        const { status, headers, body } = controlErrorAnswer(error)
        if (status >= 500) deps.logger.error({ err: error, route: request.routeOptions.url }, 'request failed')
        return send(reply.code(status).headers(headers), body)
      })
      for (const [method, url, handle] of routes) {
        scope.route({
          method,
          url,
          handler: async (request, reply) => {
            await deps.authorize(request)
            const answer = await handle(request, request.params as Params)
            if (answer instanceof Made) return send(reply.code(201), answer.body)
            return answer === undefined ? reply.code(204).send() : send(reply, answer)
          },
        })
      }
      addRefusals(scope, deps, prefix, routes)
      done()
    },
    { prefix },
  )
}

const send = (reply: FastifyReply, body: unknown): FastifyReply =>
  reply.header('Content-Type', 'application/json; charset=utf-8').send(JSON.stringify(body))

/** Says what would be right where a path or a method is none of these. */
function addRefusals(
  scope: FastifyInstance,
  { authorize }: ControlDeps,
  prefix: string,
  routes: readonly ControlRoute[],
): void {
  const paths = [...new Set(routes.map(([, path]) => path))]
  for (const url of paths) {
    const allow = routes.filter(([, at]) => at === url).map(([method]) => method)
    scope.route({
      method: METHODS.filter((method) => !allow.includes(method)),
      url,
      handler: async (request) => {
        await authorize(request)
        throw new DomainError(
          'method-not-allowed',
          `${request.method} is not a method of this path; it takes ${allow.join(', ')}.`,
          { allow },
        )
      },
    })
  }
  scope.setNotFoundHandler(async (request) => {
    await authorize(request)
    const shown = paths.map((path) => `${prefix}${path === '/' ? '' : path}`.replace(/:(\w+)/g, '{$1}'))
    throw notFound(`There is nothing at this path. The paths are ${shown.join(', ')}.`)
  })
}

/** Adds routes under `/_emulator` to a server: authorisation, JSON responses, and errors. */
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

/** A route's method, path under the prefix, and handler; a result of undefined is a 204. */
export type ControlRoute = readonly [
  method: Method,
  path: string,
  handle: (request: FastifyRequest, params: Params) => unknown,
]

/** Returned by a handler that created something: the response is a 201. */
export class Made {
  constructor(readonly body: object) {}
}

const METHODS: readonly Method[] = ['GET', 'PUT', 'PATCH', 'POST', 'DELETE']

/** Adds routes under `prefix`, in a scope with its own errors. */
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
            const result = await handle(request, request.params as Params)
            if (result instanceof Made) return send(reply.code(201), result.body)
            return result === undefined ? reply.code(204).send() : send(reply, result)
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

/** Answers other paths and methods with an error that lists the right ones. */
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

/** Adds routes under `/_emulator` to a server: authorisation, JSON responses, and errors. */
import { DomainError, notFound } from '../../errors.js'
import { createMatcher } from '../../http/match-path.js'
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

/** A route's method, path under the prefix with parameters as `{name}`, and handler; a result of undefined is a 204. */
export type ControlRoute = readonly [
  method: Method,
  path: string,
  handle: (request: FastifyRequest, params: Params) => unknown,
]

/** Returned by a handler that created something: the response is a 201. */
export class Made {
  constructor(readonly body: object) {}
}

/** Answers everything under `prefix`, in a scope with its own errors. */
export function addControl(
  server: FastifyInstance,
  deps: ControlDeps,
  prefix: string,
  routes: readonly ControlRoute[],
): void {
  const find = finderOf(prefix, routes)
  const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    await deps.authorize(request)
    const { handle, params } = find(request)
    const result = await handle(request, params)
    if (result instanceof Made) return send(reply.code(201), result.body)
    return result === undefined ? reply.code(204).send() : send(reply, result)
  }
  void server.register((scope, _options, done) => {
    scope.setErrorHandler((error, request, reply) => {
      const { status, headers, body } = controlErrorAnswer(error)
      if (status >= 500) deps.logger.error({ err: error, method: request.method, prefix }, 'request failed')
      return send(reply.code(status).headers(headers), body)
    })
    for (const url of [prefix, `${prefix}/*`]) scope.route({ method: scope.supportedMethods, url, handler })
    done()
  })
}

const send = (reply: FastifyReply, body: unknown): FastifyReply =>
  reply.header('Content-Type', 'application/json; charset=utf-8').send(JSON.stringify(body))

/** Finds the route of a request. Throws 'not-found' and 'method-not-allowed', which list the right ones. */
function finderOf(prefix: string, routes: readonly ControlRoute[]) {
  const match = createMatcher(routes, { under: prefix, pathOf: ([, path]) => path, ignoreCase: true })
  const paths = [...new Set(routes.map(([, path]) => (path === '/' ? prefix : prefix + path)))]
  return ({ method, url }: FastifyRequest) => {
    const found = match(url.split('?', 1)[0] ?? '')
    if (found === undefined) throw notFound(`There is nothing at this path. The paths are ${paths.join(', ')}.`)
    const [, , handle] = found.routes.find(([one]) => one === method) ?? []
    if (handle) return { handle, params: found.params }
    const allow = found.routes.map(([one]) => one)
    throw new DomainError(
      'method-not-allowed',
      `${method} is not a method of this path; it takes ${allow.join(', ')}.`,
      { allow },
    )
  }
}

/** Injects the faults of the fault book into requests. */
import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply, FastifyRequest } from '../../http/server.js'
import { comparable, type Fault, type FaultBook } from './faults.js'

export interface FaultHookDeps {
  faults: FaultBook
  /** Requests that faults never meet. */
  isExempt: (request: FastifyRequest) => boolean
  /** The code of an internal error in the API that a path belongs to. */
  internalErrorCode: (path: string) => string
}

/**
 * Must be added before the APIs, at the root: then a response has their headers already, and nothing has been done yet.
 * Without faults a request costs one comparison.
 */
export function addFaultHooks(server: FastifyInstance, deps: FaultHookDeps): void {
  const { faults, isExempt } = deps
  const toLose = new WeakSet<FastifyRequest>()
  const closing = new AbortController()
  server.addHook('preClose', (done) => {
    closing.abort()
    done()
  })
  server.addHook('preHandler', (request, reply, done) => {
    if (faults.isEmpty || isExempt(request)) return done()
    const path = comparable(request.url)
    const { delayMs, fault } = faults.strike(request.method, path)
    const goOn = () => {
      switch (fault?.effect) {
        case 'answer':
          return void answer(reply, fault, deps.internalErrorCode(path))
        case 'cut':
          return cut(request, reply)
        case 'lose-answer':
          toLose.add(request)
          return done()
        default:
          return done()
      }
    }
    if (delayMs === 0) return goOn()
    void wait(delayMs, undefined, { signal: closing.signal })
      .catch(() => undefined)
      .then(goOn)
  })
  // By now the request has been carried out, and what it has done is stored.
  server.addHook('onSend', (request, reply, payload, done) => {
    if (toLose.has(request)) cut(request, reply)
    else done(null, payload)
  })
}

/** The connection ends without a word. */
function cut(request: FastifyRequest, reply: FastifyReply): void {
  reply.hijack()
  request.raw.socket.destroy()
}

const CODES: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  408: 'RequestTimeout',
  409: 'Conflict',
  412: 'PreconditionFailed',
  429: 'TooManyRequests',
  502: 'BadGateway',
  503: 'ServiceUnavailable',
  504: 'GatewayTimeout',
}

function answer(reply: FastifyReply, fault: Fault, internalErrorCode: string): FastifyReply {
  const { status = 503, message = 'A fault that was asked for.', retryAfterSeconds } = fault
  const code = fault.code ?? CODES[status] ?? (status >= 500 ? internalErrorCode : 'BadRequest')
  return reply
    .code(status)
    .headers({
      'Content-Type': 'application/json',
      'x-ms-error-code': code,
      ...(!reply.hasHeader('x-ms-request-id') && { 'x-ms-request-id': randomUUID() }),
      ...(retryAfterSeconds !== undefined && { 'Retry-After': String(retryAfterSeconds) }),
    })
    .send(Buffer.from(JSON.stringify({ error: { code, message } })))
}

/**
 * Cross-origin requests let a program in a browser call this API. Off unless origins are set. Clients authenticate with
 * the Authorization header, never with a cookie, so no response allows credentials, and a page of an allowed origin can
 * do no more than its own keys or tokens let it.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from '../http/server.js'

/** Every origin. */
export const ANY_ORIGIN = '*'

const ALLOWED_METHODS = 'GET, POST, PATCH, DELETE'

/** The headers that the SDKs send, named one by one because the `*` of CORS does not cover Authorization. */
const ALLOWED_HEADERS = [
  'Authorization',
  'Content-Type',
  'Accept',
  'Accept-Language',
  'x-ms-date',
  'x-ms-content-sha256',
  'x-ms-hmac-string-to-sign-base64',
  'x-ms-client-request-id',
  'x-ms-return-client-request-id',
  'x-ms-useragent',
  'Repeatability-Request-ID',
  'Repeatability-First-Sent',
  'traceparent',
  'tracestate',
].join(', ')

/** The response headers besides those that a page may read anyway. */
const EXPOSED_HEADERS = [
  'Operation-Location',
  'Location',
  'operation-id',
  'search-id',
  'purchase-id',
  'reservation-purchase-id',
  'release-id',
  'capabilities-id',
  'MS-CV',
  'Date',
  'api-supported-versions',
  'X-Processing-Time',
  'x-ms-client-request-id',
  'x-ms-error-code',
  'Retry-After',
  'WWW-Authenticate',
  'Allow',
  'Warning',
]

/** How long a browser may cache a preflight response; some keep it for two hours at most. */
const MAX_AGE_SECONDS = '7200'
const EXPOSE = 'Access-Control-Expose-Headers'

/** Reads origins, or `*` for all. Throws an Error that describes valid values. */
export function parseOrigins(text: string): string[] {
  const items = text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
  if (items.length === 1 && items[0] === ANY_ORIGIN) return items
  return items.map((item) => {
    const url = /^https?:\/\/[^/?#@*\s]+$/i.test(item) && URL.canParse(item) ? new URL(item) : undefined
    if (url === undefined) {
      throw new Error('origins separated by commas, e.g. https://portal.example,http://localhost:3000; or * for all')
    }
    return url.origin
  })
}

/** Adds the headers of CORS to every response, errors too, and answers preflights, which have no credentials. */
export function addCors(server: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return
  const any = origins.includes(ANY_ORIGIN)
  server.addHook('onRequest', (request, reply, done) => {
    // A cache must not give one origin's response to another.
    if (!any) reply.header('Vary', 'Origin')
    const { origin } = request.headers
    if (origin === undefined || !(any || origins.includes(origin))) return done()
    reply.header('Access-Control-Allow-Origin', any ? ANY_ORIGIN : origin)
    if (isPreflight(request)) return respondToPreflight(reply)
    reply.header(EXPOSE, EXPOSED_HEADERS.join(', '))
    done()
  })
  server.addHook('onSend', (_request, reply, payload, done) => {
    if (reply.hasHeader('Access-Control-Allow-Origin') && reply.hasHeader(EXPOSE)) exposeAll(reply)
    done(null, payload)
  })
}

const isPreflight = ({ method, headers }: FastifyRequest): boolean =>
  method === 'OPTIONS' && headers['access-control-request-method'] !== undefined

function respondToPreflight(reply: FastifyReply): void {
  void reply
    .code(204)
    .headers({
      'Access-Control-Allow-Methods': ALLOWED_METHODS,
      'Access-Control-Allow-Headers': ALLOWED_HEADERS,
      'Access-Control-Max-Age': MAX_AGE_SECONDS,
    })
    .send()
}

/** An operation sets the same header to name its own, so ours are added to them here. */
function exposeAll(reply: FastifyReply): void {
  const own = String(reply.getHeader(EXPOSE))
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  const known = new Set(EXPOSED_HEADERS.map((name) => name.toLowerCase()))
  reply.header(EXPOSE, [...EXPOSED_HEADERS, ...own.filter((name) => !known.has(name.toLowerCase()))].join(', '))
}

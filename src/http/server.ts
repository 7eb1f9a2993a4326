/**
 * The HTTP shell that both APIs stand in: how bytes become a request and when one is refused before any API sees it.
 * A body arrives as the raw bytes, because access-key signatures cover those; parsing it is the API's business.
 */
import Fastify, { LogController, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { withoutPort } from '../auth/access-key.js'
import type { Readiness } from '../db/readiness.js'
import { DomainError, type ErrorKind } from '../errors.js'
import type { Logger } from '../log.js'
import { boundConnections, CONNECTION_BOUNDS, type ConnectionBounds } from './connection-bounds.js'
import { BODY_BOUNDS, boundBodies, lateBody, type BodyBounds } from './late-bodies.js'
import type { QueryParameters } from './query.js'
import type { TlsFiles } from './tls.js'

export interface ServerOptions {
  logger: Logger
  tls: TlsFiles | undefined
  /** How the API that a path belongs to words what is refused here; undefined: in the envelope, as 'InvalidInput'. */
  wordingOf?: (target: string, refused: Refused) => ShellResponse | { code: string } | undefined
  bodyBounds?: BodyBounds | undefined
  connectionBounds?: ConnectionBounds | undefined
}

/** What the shell refuses on its own: a path that can't be decoded, a body that is late. */
export interface Refused {
  status: 400 | 408
  message: string
}

export interface ShellResponse {
  headers: Record<string, string>
  body: string
}

export const BODY_LIMIT_BYTES = 1024 * 1024
/** Longest path parameter that is routed; anything longer is no resource of ours. */
const MAX_PARAM_LENGTH = 2048
const HEADERS_TIMEOUT_MS = 60_000
/** How long what was refused may take to read that. */
const LINGER_MS = 1_000
const KEEP_ALIVE_TIMEOUT_MS = 72_000

/** An empty server. APIs add their routes, and answer errors through `setErrorHandler`. */
export function createServer(options: ServerOptions): FastifyInstance {
  const { logger, tls, bodyBounds = BODY_BOUNDS, connectionBounds = CONNECTION_BOUNDS } = options
  const server = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT_BYTES,
    // Bodies are bounded one by one, see `late-bodies.ts`.
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    rewriteUrl: (request) => routingTarget(request.url ?? '/'),
    routerOptions: {
      ignoreDuplicateSlashes: true,
      ignoreTrailingSlash: true,
      caseSensitive: false,
      maxParamLength: MAX_PARAM_LENGTH,
      querystringParser: (text) => parseQuery(text) as never,
    },
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (_error, request, reply) => refuse(options, BROKEN_PATH, request, reply),
    ...(tls && {
      https: { cert: tls.cert, key: tls.key, minVersion: 'TLSv1.2', handshakeTimeout: connectionBounds.handshakeMs },
    }),
  }) as unknown as FastifyInstance
  server.server.headersTimeout = HEADERS_TIMEOUT_MS
  boundConnections(server.server, connectionBounds, logger)
  const late: Refused = { status: 408, message: lateBody(bodyBounds) }
  boundBodies(server, bodyBounds, (request, reply) => refuse(options, late, request, reply))

  // A GET may carry a body too: it is signed, so it has to be read.
  server.addHttpMethod('GET', { hasBody: true, overrideExisting: true })
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  // What is no media type would be refused before anyone has shown who they are, even without a body.
  server.addHook('onRequest', (request, _reply, done) => {
    const { headers } = request.raw
    const type = headers['content-type']
    if (type === '') delete headers['content-type']
    else if (type !== undefined && !MEDIA_TYPE.test(type)) headers['content-type'] = UNKNOWN_MEDIA_TYPE
    done()
  })
  return server
}

const MEDIA_TYPE = /^\s*[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+\s*(;|$)/
const UNKNOWN_MEDIA_TYPE = 'application/octet-stream'

/** The raw body; empty when there is none. */
export const rawBody = (request: FastifyRequest): Buffer => (Buffer.isBuffer(request.body) ? request.body : EMPTY)
const EMPTY = Buffer.alloc(0)

/** The request target exactly as on the wire. */
export const rawTarget = (request: FastifyRequest): string => request.originalUrl

/** Adds `GET /healthz` (the process is alive) and `GET /readyz` (its database takes changes). No authentication. */
export function addHealthRoutes(server: FastifyInstance, readiness: () => Promise<Readiness>): void {
  server.get('/healthz', () => ({ status: 'ok' }))
  server.get('/readyz', async (_request, reply) => {
    const found = await readiness()
    return found === 'ready' ? { status: found } : reply.code(503).send({ status: `database ${found}` })
  })
}

/**
 * What the router matches. An absolute-form target loses its origin, and an encoded colon is a colon: the
 * one of `/:search`, or of an action behind a name. Only routing sees this: signatures are checked against the target as it came.
 */
const routingTarget = (target: string): string => {
  const path = /^https?:\/\/[^/?#]+(.*)$/i.exec(target)?.[1] ?? target
  const local = path.startsWith('/') ? path : `/${path}`
  const mark = local.indexOf('?')
  const end = mark < 0 ? local.length : mark
  return local.slice(0, end).replace(/%3a/gi, ':') + local.slice(end)
}

/** Parses the part of a request target after `?`; a plus sign is a space, broken percent-encoding stays as it is. */
export function parseQuery(text: string): QueryParameters {
  const parameters = new Map<string, string[]>()
  for (const [name, value] of new URLSearchParams(text)) {
    const key = name.toLowerCase()
    const values = parameters.get(key)
    if (values) values.push(value)
    else parameters.set(key, [value])
  }
  return parameters
}

/** A path that can't be decoded reaches no route. */
const BROKEN_PATH: Refused = { status: 400, message: 'The percent-encoding of the path is broken.' }

function refuse({ wordingOf }: ServerOptions, refused: Refused, request: FastifyRequest, reply: FastifyReply): void {
  const worded = wordingOf?.(request.url, refused) ?? { code: 'InvalidInput' }
  const { headers, body } = 'code' in worded ? inEnvelope(worded.code, refused.message, request) : worded
  void reply.code(refused.status).headers(headers).send(Buffer.from(body))
}

function inEnvelope(code: string, message: string, request: FastifyRequest): ShellResponse {
  const clientRequestId = echoedRequestId(request)
  return {
    headers: {
      'Content-Type': 'application/json',
      'x-ms-error-code': code,
      'x-ms-request-id': randomUUID(),
      ...(clientRequestId !== undefined && { 'x-ms-client-request-id': clientRequestId }),
    },
    body: JSON.stringify({ error: { code, message } }),
  }
}

const ECHOED_REQUEST_ID = /^[\x20-\x7e]{1,128}$/

/** The request id that a client gave, if answers may repeat it. */
export function echoedRequestId(request: FastifyRequest): string | undefined {
  const id = request.headers['x-ms-client-request-id']
  return typeof id === 'string' && ECHOED_REQUEST_ID.test(id) ? id : undefined
}

const BROKEN: Partial<Record<string, [status: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'The request line or the headers are too large.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'The headers were not there in time.'],
}

/** What is so broken that no request comes of it: answered on the bare socket, in the envelope all the same. */
function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  // Whoever listens to this event has to close the socket. What fails below HTTP, a handshake, can't be told anything.
  if (!/^(HPE_|ERR_HTTP_)/.test(error.code ?? '') || !socket.writable) return void socket.destroy()
  const [status, message] = BROKEN[error.code ?? ''] ?? ['400 Bad Request', 'The request is not valid HTTP.']
  const body = JSON.stringify({ error: { code: 'InvalidInput', message } })
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `x-ms-error-code: InvalidInput\r\nConnection: close\r\n\r\n${body}`,
  )
  // The client may keep its side open for ever.
  socket.setTimeout(LINGER_MS, () => socket.destroy())
}

/**
 * Whether a request is for an API that answers to these host names alone; ports don't tell APIs apart.
 * @param hosts lower case; none: it answers to all
 */
export const isForHosts = (request: FastifyRequest, hosts: readonly string[]): boolean =>
  hosts.length === 0 ||
  hosts.some((host) => withoutPort(host) === withoutPort(request.headers.host ?? '').toLowerCase())

/**
 * What the shell refused, in the words of a DomainError; undefined for what it didn't.
 * @param wrongLength the kind for a body that is not as long as it says
 */
export function refusalOfShell(error: unknown, wrongLength: ErrorKind): DomainError | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new DomainError('body-too-large', 'The body is larger than 1 MiB.')
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new DomainError('unsupported-media-type', 'The Content-Type is not a media type; use application/json.')
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new DomainError(wrongLength, 'The body is shorter or longer than its Content-Length.')
    default:
      return undefined
  }
}

export { allowLongBody } from './late-bodies.js'
export type { FastifyInstance, FastifyReply, FastifyRequest }

/**
 * The built-in token issuer: as much of Entra's v2.0 endpoints as a program needs that signs in as itself. It
 * serves where the operator has no identity provider, and the Azure identity libraries accept it.
 */
import { randomUUID } from 'node:crypto'
import { refusalOfDatabase } from '../db/failures.js'
import { rawBody, type FastifyInstance, type FastifyReply, type FastifyRequest } from '../http/server.js'
import { isUuid } from '../ids.js'
import { errorBody, IssuerError } from './errors.js'
import { SIGNING_ALGORITHM } from './signing-keys.js'
import { issueToken, type TokenDeps } from './token.js'

export interface IssuerDeps extends TokenDeps {
  /** The address that clients use, without a slash at the end; undefined: the one that each request names. */
  publicUrl: string | undefined
}

/** Enough for a form with an assertion and its certificate chain. */
const BODY_LIMIT_BYTES = 64 * 1024
const RETRY_AFTER_SECONDS = '5'
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

/** Adds the issuer's routes. `server` is a scope of its own: its errors are not those of its neighbours. */
export function openIssuer(server: FastifyInstance, deps: IssuerDeps): void {
  server.setErrorHandler((error, request, reply) => answerError(deps, error, request, reply))
  const add = (
    method: 'GET' | 'POST',
    path: string,
    handle: (names: Names, request: FastifyRequest, reply: FastifyReply) => Promise<object> | object,
  ) => {
    server.route({
      method,
      url: `/:tenant${path}`,
      bodyLimit: BODY_LIMIT_BYTES,
      handler: async (request, reply) => {
        const answer = await handle(namesOf(deps, request), request, reply)
        return reply.header('Content-Type', 'application/json; charset=utf-8').send(JSON.stringify(answer))
      },
    })
    server.route({
      method: METHODS.filter((other) => other !== method),
      url: `/:tenant${path}`,
      handler: (request, reply) => {
        reply.header('Allow', method)
        throw new IssuerError(
          'method-not-allowed',
          `The endpoint only accepts ${method} requests. Received a ${request.method} request.`,
        )
      },
    })
  }

  add('GET', '/v2.0/.well-known/openid-configuration', (names) => metadata(names, deps))
  add('GET', '/discovery/v2.0/keys', async () => {
    // A client that asks before the first token would cache an empty answer.
    await deps.signingKeys.current()
    return deps.signingKeys.publicKeys()
  })
  add('POST', '/oauth2/v2.0/token', async ({ issuer, tokenEndpoint }, request, reply) => {
    reply.headers({ 'Cache-Control': 'no-store', Pragma: 'no-cache' })
    const { authorization, 'content-type': contentType } = request.headers
    return issueToken(deps, { contentType, authorization, body: rawBody(request), issuer, tokenEndpoint })
  })
}

/** What the issuer and its endpoints are called, as the client addressed them. */
interface Names {
  issuer: string
  tokenEndpoint: string
  authorizationEndpoint: string
  keys: string
}

const HOST = /^([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/

/** Clients check that the issuer's host is the one they asked, so it is theirs to say unless it is configured. */
function namesOf({ tenant, publicUrl }: IssuerDeps, request: FastifyRequest): Names {
  const { tenant: asked } = request.params as { tenant: string }
  if (asked.toLowerCase() !== tenant.toLowerCase()) {
    throw new IssuerError(
      'tenant-unknown',
      `Tenant '${asked.slice(0, 100)}' not found. Check to make sure you have the correct tenant ID.`,
    )
  }
  const host = (request.headers.host ?? '').toLowerCase()
  if (publicUrl === undefined && !HOST.test(host)) {
    throw new IssuerError('request-invalid', 'The Host header names no host.')
  }
  const root = `${publicUrl ?? `${request.protocol}://${host}`}/${tenant}`
  return {
    issuer: `${root}/v2.0`,
    tokenEndpoint: `${root}/oauth2/v2.0/token`,
    authorizationEndpoint: `${root}/oauth2/v2.0/authorize`,
    keys: `${root}/discovery/v2.0/keys`,
  }
}

const metadata = (names: Names, { audiences }: IssuerDeps): object => ({
  issuer: names.issuer,
  token_endpoint: names.tokenEndpoint,
  jwks_uri: names.keys,
  // No person signs in here, but clients refuse metadata without it.
  authorization_endpoint: names.authorizationEndpoint,
  grant_types_supported: ['client_credentials'],
  response_types_supported: [],
  subject_types_supported: ['public'],
  scopes_supported: audiences.map((audience) => `${audience}/.default`),
  id_token_signing_alg_values_supported: [SIGNING_ALGORITHM],
  token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic', 'private_key_jwt'],
  token_endpoint_auth_signing_alg_values_supported: ['RS256', 'PS256', 'ES256'],
})

function answerError(deps: IssuerDeps, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const refusal = asRefusal(error)
  const clientRequestId = request.headers['client-request-id']
  const correlationId = typeof clientRequestId === 'string' && isUuid(clientRequestId) ? clientRequestId : randomUUID()
  const body = errorBody(refusal, deps.clock.now(), correlationId)
  const fields = { kind: refusal.kind, route: request.routeOptions.url, traceId: body.trace_id }
  if (refusal.status >= 500) deps.logger.error({ ...fields, err: error }, 'token request failed')
  else deps.logger.info(fields, 'token request refused')
  return reply
    .code(refusal.status)
    .headers({
      'Content-Type': 'application/json; charset=utf-8',
      'Cache-Control': 'no-store',
      Pragma: 'no-cache',
      'x-ms-request-id': body.trace_id,
      ...(refusal.status === 401 && { 'WWW-Authenticate': 'Basic realm="linebook"' }),
      ...(refusal.status === 503 && { 'Retry-After': RETRY_AFTER_SECONDS }),
    })
    .send(JSON.stringify(body))
}

function asRefusal(error: unknown): IssuerError {
  if (error instanceof IssuerError) return error
  const refusal = refusalOfDatabase(error)
  if (refusal) return new IssuerError('unavailable', refusal.message, error)
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new IssuerError('body-too-large', 'The request body is too large.')
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new IssuerError('request-invalid', 'The request body can not be read.')
    default:
      return new IssuerError('internal', 'The issuer met an internal error.', error)
  }
}

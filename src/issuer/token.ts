/** `POST /{tenant}/oauth2/v2.0/token`: a client shows who it is and gets a token for one resource. */
import { randomUUID } from 'node:crypto'
import type { Clock } from '../clock.js'
import type { Logger } from '../log.js'
import { authenticateClient, type AuthenticatedClient, type ClientAuthDeps } from './client-authentication.js'
import { IssuerError } from './errors.js'
import { SIGNING_ALGORITHM, TOKEN_LIFE_SECONDS, type SigningKeys } from './signing-keys.js'

export interface TokenDeps extends ClientAuthDeps {
  logger: Logger
  signingKeys: SigningKeys
  tenant: string
  /** The resources that tokens can be asked for; what an API takes in `aud`. */
  audiences: readonly string[]
}

export interface TokenRequest {
  contentType: string | undefined
  authorization: string | undefined
  body: Buffer
  /** The issuer's own name, as the client addressed it. */
  issuer: string
  tokenEndpoint: string
}

export interface TokenAnswer {
  token_type: 'Bearer'
  expires_in: number
  ext_expires_in: number
  access_token: string
}

/** Answers a token request. Throws an IssuerError. */
export async function issueToken(deps: TokenDeps, request: TokenRequest): Promise<TokenAnswer> {
  const form = parseForm(request)
  const grant = required(form, 'grant_type')
  if (grant !== 'client_credentials') {
    throw new IssuerError('grant-unsupported', "The 'grant_type' is not supported; it must be 'client_credentials'.")
  }
  const ownNames = [request.tokenEndpoint, request.issuer].map((name) => name.toLowerCase())
  const authenticated = await authenticateClient(deps, { authorization: request.authorization, form, ownNames })
  const audience = audienceOf(required(form, 'scope'), deps)
  const { client } = authenticated
  const token = await signToken(deps, request.issuer, audience, authenticated)
  deps.logger.info({ client: client.clientId, audience }, 'token issued')
  return {
    token_type: 'Bearer',
    expires_in: TOKEN_LIFE_SECONDS,
    ext_expires_in: TOKEN_LIFE_SECONDS,
    access_token: token,
  }
}

const FORM = /^\s*application\/x-www-form-urlencoded\s*(;|$)/i

function parseForm({ contentType, body }: TokenRequest): ReadonlyMap<string, string> {
  if (contentType === undefined || !FORM.test(contentType)) {
    throw new IssuerError('request-invalid', 'The request body must be application/x-www-form-urlencoded.')
  }
  const form = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(body.toString('utf8'))) {
    // An empty parameter counts as left out (RFC 6749, section 3.2).
    if (value === '') continue
    if (form.has(name)) {
      throw new IssuerError('request-invalid', 'The request body has a parameter more than once.')
    }
    form.set(name, value)
  }
  return form
}

function required(form: ReadonlyMap<string, string>, name: string): string {
  const value = form.get(name)
  if (value !== undefined) return value
  throw new IssuerError('parameter-missing', `The request body must contain the following parameter: '${name}'.`)
}

const DEFAULT_SCOPE = '/.default'
const APPLICATION_URI = 'api://'

/**
 * The audience that a scope asks for: the text before `/.default`, to the letter, so that a resource that ends in a
 * slash is asked for with two. An application's id may be written as its URI, `api://<id>`.
 */
function audienceOf(scope: string, { audiences, tenant }: TokenDeps): string {
  if (/\s/.test(scope.trim()) || !scope.trim().endsWith(DEFAULT_SCOPE)) {
    throw new IssuerError(
      'scope-invalid',
      "The provided value for 'scope' is not valid. It must be one resource identifier followed by /.default, " +
        `e.g. ${audiences[0] ?? ''}${DEFAULT_SCOPE}.`,
    )
  }
  const resource = scope.trim().slice(0, -DEFAULT_SCOPE.length)
  if (audiences.includes(resource)) return resource
  const applicationId = resource.startsWith(APPLICATION_URI) ? resource.slice(APPLICATION_URI.length) : ''
  if (audiences.includes(applicationId)) return applicationId
  throw new IssuerError(
    'resource-unknown',
    `The resource that 'scope' names was not found in the tenant named ${tenant}. There are ${audiences.join(', ')}.`,
  )
}

async function signToken(
  { clock, signingKeys, tenant }: TokenDeps & { clock: Clock },
  issuer: string,
  audience: string,
  { client, by }: AuthenticatedClient,
): Promise<string> {
  const { SignJWT } = await import('jose')
  const { kid, key } = await signingKeys.current()
  const issuedAt = Math.floor(clock.now().getTime() / 1000)
  const { clientId } = client
  return new SignJWT({
    aud: audience,
    iss: issuer,
    iat: issuedAt,
    nbf: issuedAt,
    exp: issuedAt + TOKEN_LIFE_SECONDS,
    appid: clientId,
    azp: clientId,
    azpacr: by,
    idtyp: 'app',
    oid: clientId,
    roles: client.roles,
    sub: clientId,
    tid: tenant,
    uti: randomUUID(),
    ver: '2.0',
  })
    .setProtectedHeader({ typ: 'JWT', alg: SIGNING_ALGORITHM, kid })
    .sign(key)
}

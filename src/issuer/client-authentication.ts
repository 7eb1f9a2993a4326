/** How a client shows who it is: by its secret, in the form or the Authorization header, or by signing an assertion. */
import type { JWTPayload } from 'jose'
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { TOKEN_ALGORITHMS } from '../auth/tokens/token-verifier.js'
import type { Clock } from '../clock.js'
import type { Db } from '../db/db.js'
import { isClientId, secretHash, EMULATOR_CLIENT_SECRET } from './clients.js'
import { IssuerError } from './errors.js'
import { findClient, rememberAssertion, type Client } from './store.js'

export interface ClientAuthDeps {
  db: Db
  clock: Clock
  /** Whether the secret that everybody knows counts; in emulator mode only. */
  acceptEmulatorSecret: boolean
}

/** What a token request shows. */
export interface ShownCredentials {
  /** The Authorization header. */
  authorization: string | undefined
  form: ReadonlyMap<string, string>
  /** What an assertion may be made out to. */
  ownNames: readonly string[]
}

export interface AuthenticatedClient {
  client: Client
  /** How it showed who it is, as tokens tell it (`azpacr`): 1 by a secret, 2 by a signature. */
  by: '1' | '2'
}

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const SKEW_MS = 60_000
const MAX_ASSERTION_LIFE_MS = 24 * 60 * 60_000

/** Finds out which client asks. Throws an IssuerError. */
export async function authenticateClient(deps: ClientAuthDeps, shown: ShownCredentials): Promise<AuthenticatedClient> {
  const { authorization, form } = shown
  const ways = [authorization, form.get('client_secret'), form.get('client_assertion')]
  const [basic, secret, assertion] = ways
  if (ways.filter((way) => way !== undefined).length > 1) {
    throw new IssuerError('request-invalid', 'The client shows who it is in more than one way; use one.')
  }
  if (assertion !== undefined) return { client: await byAssertion(deps, shown, assertion), by: '2' }
  if (basic !== undefined) {
    const credentials = parseBasic(basic)
    if (form.has('client_id') && form.get('client_id') !== credentials.clientId) {
      throw new IssuerError('request-invalid', "'client_id' differs from the client in the Authorization header.")
    }
    return { client: await bySecret(deps, credentials.clientId, credentials.secret), by: '1' }
  }
  const clientId = form.get('client_id')
  if (clientId === undefined) {
    throw new IssuerError('parameter-missing', "The request body must contain the following parameter: 'client_id'.")
  }
  if (secret === undefined) {
    throw new IssuerError(
      'credential-missing',
      "'client_assertion' or 'client_secret' is required for the 'client_credentials' grant type.",
    )
  }
  return { client: await bySecret(deps, clientId, secret), by: '1' }
}

/** Equals the hash of no secret that anybody has. */
const UNMATCHED_HASH = randomBytes(32)

/** An unknown client and a wrong secret take the same path, so that a response doesn't reveal which clients there are. */
async function bySecret(deps: ClientAuthDeps, clientId: string, secret: string): Promise<Client> {
  const client = await findClient(deps.db, isClientId(clientId) ? clientId : '')
  const given = secretHash(secret)
  const stored = client?.secretHashes.map((hash) => Buffer.from(hash, 'hex')) ?? []
  const matching = [...stored, UNMATCHED_HASH].filter((hash) => timingSafeEqual(hash, given))
  const counts = deps.acceptEmulatorSecret || secret !== EMULATOR_CLIENT_SECRET
  if (client !== undefined && matching.length > 0 && counts) return client
  throw new IssuerError('secret-wrong', 'Invalid client or client secret provided.')
}

/** Both parts of a Basic credential are form-encoded first (RFC 6749, section 2.3.1). */
function parseBasic(authorization: string): { clientId: string; secret: string } {
  const encoded = /^basic +([A-Za-z0-9+/=_-]+) *$/i.exec(authorization)?.[1]
  const text = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 0) {
    throw new IssuerError('request-invalid', 'The Authorization header is not "Basic" with a client id and a secret.')
  }
  return { clientId: formDecode(text.slice(0, colon)), secret: formDecode(text.slice(colon + 1)) }
}

/** Text that isn't encoded properly is taken as it is: many clients don't encode. */
function formDecode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}

async function byAssertion(
  deps: ClientAuthDeps,
  { form, ownNames }: ShownCredentials,
  assertion: string,
): Promise<Client> {
  if (form.get('client_assertion_type') !== ASSERTION_TYPE) {
    throw new IssuerError('request-invalid', `'client_assertion_type' must be '${ASSERTION_TYPE}'.`)
  }
  const { alg, claims } = await takeApart(assertion)
  const clientId = claims.sub
  if (typeof clientId !== 'string' || claims.iss !== clientId) {
    throw new IssuerError('assertion-not-of-client', "The client assertion's 'iss' and 'sub' must be the client's id.")
  }
  if (form.has('client_id') && form.get('client_id') !== clientId) {
    throw new IssuerError(
      'assertion-not-of-client',
      "The client assertion is not of the client that 'client_id' names.",
    )
  }
  const client = await findClient(deps.db, isClientId(clientId) ? clientId : '')
  if (client === undefined || !(await isSignedBy(client, assertion, alg))) {
    throw new IssuerError('assertion-wrong', 'The client assertion is not signed with a registered key of the client.')
  }
  const named: unknown[] = Array.isArray(claims.aud) ? claims.aud : [claims.aud]
  if (!named.some((audience) => typeof audience === 'string' && ownNames.includes(audience.toLowerCase()))) {
    throw new IssuerError('assertion-wrong', `The client assertion's 'aud' must be ${ownNames.join(' or ')}.`)
  }
  await useOnce(deps, clientId, claims)
  return client
}

async function takeApart(assertion: string): Promise<{ alg: string; claims: JWTPayload }> {
  const { decodeJwt, decodeProtectedHeader } = await import('jose')
  try {
    const { alg = '' } = decodeProtectedHeader(assertion)
    return { alg, claims: decodeJwt(assertion) }
  } catch (error) {
    throw new IssuerError('assertion-wrong', 'The client assertion is not a signed JWT.', error)
  }
}

async function isSignedBy(client: Client, assertion: string, alg: string): Promise<boolean> {
  if (client.publicJwk === null || !TOKEN_ALGORITHMS.includes(alg)) return false
  const { compactVerify, importJWK } = await import('jose')
  try {
    await compactVerify(assertion, await importJWK(client.publicJwk, alg), { algorithms: TOKEN_ALGORITHMS })
    return true
  } catch {
    // Whatever is wrong, a key of another kind than the algorithm included: it isn't a signature of this client.
    return false
  }
}

/** Checks the times of an assertion, and that it was not shown before. */
async function useOnce({ db, clock }: ClientAuthDeps, clientId: string, claims: JWTPayload): Promise<void> {
  const { exp, nbf, jti } = claims as Record<string, unknown>
  const now = clock.now()
  const untilMs = typeof exp === 'number' ? exp * 1000 + SKEW_MS : NaN
  const fromMs = typeof nbf === 'number' ? nbf * 1000 - SKEW_MS : nbf === undefined ? -Infinity : NaN
  const inTime = now.getTime() >= fromMs && now.getTime() < untilMs
  if (!inTime || untilMs - now.getTime() > MAX_ASSERTION_LIFE_MS + SKEW_MS) {
    throw new IssuerError(
      'assertion-out-of-time',
      `The client assertion is not within its valid time range, which may be 24 hours long. Here it is ${now.toISOString()}.`,
    )
  }
  if (typeof jti !== 'string' || jti === '') {
    throw new IssuerError('assertion-wrong', "The client assertion has no 'jti', by which to know it again.")
  }
  const jtiHash = createHash('sha256').update(jti).digest('hex')
  if (!(await rememberAssertion(db, { clientId, jtiHash, expiresAt: new Date(untilMs) }, now))) {
    throw new IssuerError('assertion-wrong', 'The client assertion was used before; make a new one for each request.')
  }
}

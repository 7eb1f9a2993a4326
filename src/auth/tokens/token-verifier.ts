/**
 * OAuth 2.0 bearer tokens: JWTs of the configured issuers, and of the built-in one, into principals. An API makes a
 * verifier of its own with its own audiences.
 *
 * A token is taken apart first, to learn whose it claims to be; nothing it says counts before that issuer's key has
 * verified the signature. Only asymmetric algorithms are accepted, so that a published key can't sign.
 */
import type { JSONWebKeySet, JWTPayload, ProtectedHeaderParameters } from 'jose'
import { hash } from 'node:crypto'
import type { Clock } from '../../clock.js'
import { DomainError } from '../../errors.js'
import type { Logger } from '../../log.js'
import {
  BUILT_IN_ISSUER,
  checkClaims,
  principalOfClaims,
  quote,
  refused,
  type Acceptance,
  type TokenPrincipal,
} from './claims.js'
import { fetchIssuerKeys, type TrustedIssuer } from './issuers.js'
import { KeySet } from './key-set.js'
import { TokenCache } from './token-cache.js'

/** The built-in issuer, to a verifier in the same process: whatever host name a token was asked for under, it is ours. */
export interface OwnIssuer {
  tenant: string
  /** The keys that verify its tokens now. */
  readKeys(): Promise<JSONWebKeySet>
}

export interface TokenVerifierOptions {
  clock: Clock
  issuers: readonly TrustedIssuer[]
  /** What a token's `aud` may be. */
  audiences: readonly string[]
  /** How far an issuer's clock may be from ours. */
  skewMs?: number
  ownIssuer?: OwnIssuer | undefined
  /** Called when an issuer's keys can't be had; tokens go on being verified with those that are known. */
  logger?: Logger
}

/** An issuer whose tokens are accepted. */
interface Trusted {
  name: string
  keys: KeySet
}

export const TOKEN_ALGORITHMS = ['RS256', 'PS256', 'ES256']

const DEFAULT_SKEW_MS = 60_000
const KEYS_MAX_AGE_MS = 10 * 60_000
const KEYS_COOL_DOWN_MS = 30_000
const KEYS_RETRY_MS = 5_000
const OWN_KEYS_MAX_AGE_MS = 60_000
const MAX_CACHED_TOKENS = 10_000

export class TokenVerifier {
  readonly #clock: Clock
  readonly #acceptance: Acceptance
  readonly #trusted: ReadonlyMap<string, Trusted>
  readonly #own: (Trusted & { path: string }) | undefined
  readonly #verified = new TokenCache(MAX_CACHED_TOKENS)

  constructor({ clock, issuers, audiences, skewMs = DEFAULT_SKEW_MS, ownIssuer, logger }: TokenVerifierOptions) {
    this.#clock = clock
    this.#acceptance = { audiences, skewMs }
    this.#trusted = new Map(
      issuers.map((trusted) => {
        const read = () => fetchIssuerKeys(trusted)
        const limits = { maxAgeMs: KEYS_MAX_AGE_MS, coolDownMs: KEYS_COOL_DOWN_MS, retryMs: KEYS_RETRY_MS }
        const onFault = (err: Error) => logger?.warn({ err, issuer: trusted.issuer }, 'issuer keys can not be fetched')
        return [trusted.issuer, { name: trusted.issuer, keys: new KeySet({ clock, read, onFault, ...limits }) }]
      }),
    )
    // Our own keys are a query away, and one that another process has just made must work at once.
    this.#own = ownIssuer && {
      name: BUILT_IN_ISSUER,
      path: `/${ownIssuer.tenant}/v2.0`,
      keys: new KeySet({
        clock,
        read: () => ownIssuer.readKeys(),
        maxAgeMs: OWN_KEYS_MAX_AGE_MS,
        coolDownMs: 0,
        retryMs: 0,
      }),
    }
  }

  /**
   * Who an Authorization header speaks for. Throws 'unauthenticated', telling what is wrong with the token, or
   * 'unavailable' when the issuer's keys can't be had.
   */
  async verify(authorization: string | undefined): Promise<TokenPrincipal> {
    const token = bearerToken(authorization)
    // Not the token itself: memory dumps outlive requests.
    const key = hash('sha256', token, 'base64')
    const known = this.#verified.get(key, this.#clock.now().getTime())
    if (known !== undefined) return known

    const { header, claims } = await takeApart(token)
    const { name: issuer, keys } = this.#issuerOf(claims.iss)
    await checkSignature(token, header, keys)
    const now = this.#clock.now().getTime()
    const validity = checkClaims(claims, now, this.#acceptance)
    const principal = principalOfClaims(claims, issuer)
    // Kept no longer than the key that signed it, so that one that is withdrawn stops working.
    this.#verified.set(key, principal, {
      fromMs: Math.max(validity.fromMs, now - keys.maxAgeMs),
      untilMs: Math.min(validity.untilMs, now + keys.maxAgeMs),
    })
    return principal
  }

  #issuerOf(issuer: unknown): Trusted {
    if (typeof issuer !== 'string') throw refused('The access token names no issuer (iss).')
    const configured = this.#trusted.get(issuer)
    if (configured !== undefined) return configured
    if (this.#own !== undefined && /^https?:\/\//i.test(issuer) && issuer.endsWith(this.#own.path)) {
      return this.#own
    }
    throw refused(`The access token is of the issuer ${quote(issuer)}, whose tokens are not accepted here.`)
  }
}

function bearerToken(authorization: string | undefined): string {
  if (authorization === undefined || authorization.trim() === '') {
    throw refused('There is no access token. Send one in the header "Authorization: Bearer <token>".')
  }
  const token = /^bearer +([\w.~+/=-]+) *$/i.exec(authorization)?.[1]
  if (token === undefined) throw refused('The Authorization header is not of the form "Bearer <token>".')
  return token
}

interface Parts {
  header: ProtectedHeaderParameters
  claims: JWTPayload
}

/** What a token says, unverified. */
async function takeApart(token: string): Promise<Parts> {
  const { decodeJwt, decodeProtectedHeader } = await import('jose')
  let parts: Parts
  try {
    parts = { header: decodeProtectedHeader(token), claims: decodeJwt(token) }
  } catch (error) {
    throw refused('The access token is not a signed JWT.', error)
  }
  const { alg } = parts.header
  if (typeof alg === 'string' && TOKEN_ALGORITHMS.includes(alg)) return parts
  throw refused(
    `The access token is signed with ${typeof alg === 'string' ? quote(alg) : 'no algorithm'}; ` +
      `accepted are ${TOKEN_ALGORITHMS.join(', ')}.`,
  )
}

async function checkSignature(token: string, header: ProtectedHeaderParameters, keys: KeySet): Promise<void> {
  const { compactVerify, errors } = await import('jose')
  try {
    const key = await keys.keyFor(header)
    if (key === undefined) {
      throw refused(
        header.kid === undefined
          ? 'The access token does not say which key it is signed with (kid).'
          : `The access token is signed with a key that its issuer does not publish (kid ${quote(header.kid)}).`,
      )
    }
    await compactVerify(token, key, { algorithms: TOKEN_ALGORITHMS })
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) {
      throw refused("The access token's signature is wrong.", error)
    }
    if (error instanceof errors.JWSInvalid || error instanceof errors.JOSENotSupported) {
      throw refused('The access token is not a JWT that can be verified.', error)
    }
    // What remains is the fault of the key: it is of a broken or forbidden kind.
    if (error instanceof TypeError || error instanceof errors.JOSEError || isDomException(error)) {
      throw new DomainError('unavailable', 'The key that the access token is signed with can not be used.', {
        cause: error,
      })
    }
    throw error
  }
}

const isDomException = (error: unknown): boolean => error instanceof DOMException

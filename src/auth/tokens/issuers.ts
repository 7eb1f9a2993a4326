/** Issuers of tokens that the configuration trusts, and how their keys are fetched. */
import type { JSONWebKeySet } from 'jose'
import { DomainError } from '../../errors.js'
import { jsonOf, sendRequest } from '../../outbound.js'

export interface TrustedIssuer {
  /** Exactly as tokens say it in `iss`. */
  issuer: string
  /** Where its keys are; found by OpenID discovery when left out. */
  jwksUri?: string
}

const SHAPE =
  'issuers separated by commas, each an address as its tokens say it, e.g. ' +
  'https://login.microsoftonline.com/<tenant>/v2.0, or with the address of its keys: https://id.example|https://id.example/keys'

/** Reads `issuer` or `issuer|jwks_uri`, separated by commas. Throws an Error that says what is taken. */
export function parseIssuers(text: string): TrustedIssuer[] {
  const items = text.split(',').map((item) => item.trim())
  return items
    .filter((item) => item !== '')
    .map((item) => {
      const [issuer = '', jwksUri, ...rest] = item.split('|').map((part) => part.trim())
      if (!isAddress(issuer) || (jwksUri !== undefined && !isAddress(jwksUri)) || rest.length > 0)
        throw new Error(SHAPE)
      return jwksUri === undefined ? { issuer } : { issuer, jwksUri }
    })
}

const isAddress = (text: string): boolean => /^https?:\/\/[^\s|]+$/i.test(text) && URL.canParse(text)

const FETCH_TIMEOUT_MS = 5_000
const MAX_ANSWER_BYTES = 1024 * 1024
const RETRY_AFTER_SECONDS = 5

/** Fetches an issuer's keys. Throws 'unavailable': its tokens can't be verified without them. */
export async function fetchIssuerKeys(
  { issuer, jwksUri }: TrustedIssuer,
  timeoutMs: number = FETCH_TIMEOUT_MS,
): Promise<JSONWebKeySet> {
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    const keys = await fetchJson(jwksUri ?? (await discoverKeys(issuer, signal)), signal)
    if (!isKeySet(keys)) throw new Error('What it publishes as its keys is no JSON Web Key Set.')
    return keys
  } catch (error) {
    throw new DomainError(
      'unavailable',
      `The keys of the issuer "${issuer}" can't be fetched at the moment, so its tokens can't be verified. Try again.`,
      { cause: error, retryAfterSeconds: RETRY_AFTER_SECONDS },
    )
  }
}

async function discoverKeys(issuer: string, signal: AbortSignal): Promise<string> {
  const found = await fetchJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, signal)
  const { issuer: named, jwks_uri: jwksUri } = found as { issuer?: unknown; jwks_uri?: unknown }
  if (named !== issuer) throw new Error(`Its discovery document is of the issuer ${JSON.stringify(named)}.`)
  if (typeof jwksUri !== 'string' || !isAddress(jwksUri)) throw new Error('Its discovery document has no "jwks_uri".')
  if (/^https:/i.test(issuer) && !/^https:/i.test(jwksUri)) throw new Error('Its "jwks_uri" is not https.')
  return jwksUri
}

async function fetchJson(url: string, signal: AbortSignal): Promise<object> {
  const { status, text } = await sendRequest(url, { method: 'GET', signal, maxBytes: MAX_ANSWER_BYTES })
  if (status < 200 || status > 299) throw new Error(`${url} answered with status ${status}.`)
  if (text === undefined) throw new Error(`${url} answered with more than ${MAX_ANSWER_BYTES} bytes.`)
  const parsed = jsonOf(text)
  if (typeof parsed !== 'object' || parsed === null) throw new Error(`${url} answered with no JSON object.`)
  return parsed
}

const isKeySet = (value: object): value is JSONWebKeySet =>
  'keys' in value &&
  Array.isArray(value.keys) &&
  value.keys.every((key: unknown) => typeof key === 'object' && key !== null && !Array.isArray(key))

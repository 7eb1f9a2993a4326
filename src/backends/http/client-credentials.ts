/** OAuth 2.0 client credentials: one token for all calls, renewed shortly before it expires or when it is refused. */
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import type { Clock } from '../../clock.js'
import { jsonOf, NoResponse, sendRequest, type OutboundResponse } from '../../outbound.js'
import { BackendError } from '../port/call.js'

export interface ClientCredentials {
  tokenUrl: string
  clientId: string
  clientSecret: string
  scope?: string
  /** How the client authenticates: in the form (default) or as HTTP Basic. */
  clientAuthentication?: 'post' | 'basic'
}

interface Token {
  text: string
  /** From this instant on a new token is requested. */
  renewAt: Date
}

const TokenResponse = Compile(
  Type.Object({
    access_token: Type.String({ minLength: 1, maxLength: 16_384, pattern: '^[\\x21-\\x7e]+$' }),
    expires_in: Type.Optional(Type.Union([Type.Number(), Type.String({ pattern: '^[0-9]{1,9}$' })])),
  }),
)
/** RFC 6749 makes the lifetime optional; a short one is assumed when it is missing. */
const ASSUMED_LIFETIME_S = 300
const RENEW_BEFORE_S = 60
const MS_PER_SECOND = 1_000
const MAX_TOKEN_RESPONSE_BYTES = 65_536
/** Only text in the form of RFC 6749's error codes is shown: a token endpoint may echo what it was sent. */
const ERROR_CODE = /"error"\s*:\s*"([a-z_]{1,64})"/

export class TokenSource {
  readonly #credentials: ClientCredentials
  readonly #clock: Clock
  readonly #fetch: typeof fetch
  #token: Token | undefined
  #underWay: Promise<Token> | undefined

  constructor(credentials: ClientCredentials, clock: Clock, fetchIt: typeof fetch) {
    this.#credentials = credentials
    this.#clock = clock
    this.#fetch = fetchIt
  }

  /** A token that is not about to expire. Concurrent calls share one request. */
  async get(signal: AbortSignal): Promise<string> {
    const now = this.#clock.now()
    if (this.#token && this.#token.renewAt > now) return this.#token.text
    this.#underWay ??= this.#request(now, signal).finally(() => (this.#underWay = undefined))
    this.#token = await this.#underWay
    return this.#token.text
  }

  /** The backend refused this token: the next `get` requests another one, unless that has already happened. */
  refused(text: string): void {
    if (this.#token?.text === text) this.#token = undefined
  }

  async #request(now: Date, signal: AbortSignal): Promise<Token> {
    const { tokenUrl, clientId, clientSecret, scope, clientAuthentication = 'post' } = this.#credentials
    const basic = clientAuthentication === 'basic'
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      ...(!basic && { client_id: clientId, client_secret: clientSecret }),
      ...(scope !== undefined && { scope }),
    })
    const { status, text = '' } = await sendRequest(tokenUrl, {
      method: 'POST',
      body: form,
      headers: { Authorization: basic ? basicCredentials(clientId, clientSecret) : undefined },
      signal,
      maxBytes: MAX_TOKEN_RESPONSE_BYTES,
      fetch: this.#fetch,
    }).catch((error: unknown): OutboundResponse => {
      throw noToken(`the token endpoint can't be reached (${error instanceof NoResponse ? error.code : 'failure'})`)
    })
    if (status < 200 || status > 299) {
      const code = ERROR_CODE.exec(text)?.[1]
      throw noToken(`the token endpoint answered ${status}${code === undefined ? '' : ` ${code}`}`)
    }
    const body = jsonOf(text)
    if (!TokenResponse.Check(body)) throw noToken('the answer of the token endpoint has no usable access_token')
    const lifetimeS = body.expires_in === undefined ? ASSUMED_LIFETIME_S : Number(body.expires_in)
    const usableS = Math.max(lifetimeS - RENEW_BEFORE_S, lifetimeS / 2)
    return { text: body.access_token, renewAt: new Date(now.getTime() + usableS * MS_PER_SECOND) }
  }
}

const basicCredentials = (clientId: string, clientSecret: string): string => {
  const pair = [clientId, clientSecret].map((part) => encodeURIComponent(part)).join(':')
  return `Basic ${Buffer.from(pair).toString('base64')}`
}

const noToken = (why: string): BackendError =>
  new BackendError(
    { code: 'TokenRequestFailed', message: `No access token for the backend: ${why}.` },
    { mayHaveActed: false },
  )

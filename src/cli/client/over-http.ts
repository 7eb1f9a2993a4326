/** The APIs of a running server. */
import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { clientVariables } from '../../config/config.js'
import { SetupError } from '../../errors.js'
import { jsonOf, NoResponse, openResponse, sendRequest } from '../../outbound.js'
import type { ApiRequest, ApiResponse, Transport } from './transport.js'

/** How a client shows that it may: with a token, or with what a token is given for. */
export type Credentials = { token: string } | ClientCredentials

export interface ClientCredentials {
  clientId: string
  clientSecret: string
  /** Tenant of the server's built-in issuer. */
  tenant: string
  /** What the token is to be for. */
  audience: string
}

/** How long a response may take to begin. */
const TIMEOUT_MS = 30_000
const MAX_TOKEN_BYTES = 64 * 1024
/** A response that was lost on the way is asked for again: repeats have one effect, by `Idempotency-Key`. */
const RETRY_AFTER_MS = [100, 1_000]

/** @param origin see {@link originOf} */
export function overHttp(origin: string, credentials: Credentials): Transport {
  let token: Promise<string> | undefined
  const authorization = async (): Promise<string> => {
    token ??= 'token' in credentials ? Promise.resolve(credentials.token) : requestToken(origin, credentials)
    return `Bearer ${await token}`
  }
  return {
    source: origin,
    origin,
    send: async (request) =>
      sendAgain(origin, { ...request, headers: { ...request.headers, Authorization: await authorization() } }),
    runJobs: () => {},
    close: async () => {},
  }
}

async function sendAgain(origin: string, request: ApiRequest): Promise<ApiResponse> {
  const pausesMs = request.upload ? [] : RETRY_AFTER_MS
  for (let tries = 0; ; tries++) {
    try {
      return await sendOnce(origin, request)
    } catch (error) {
      const isLost = error instanceof NoResponse && error.mayHaveActed && error.code !== 'TimeoutError'
      const pauseMs = pausesMs[tries]
      if (!isLost || pauseMs === undefined) throw unreachable(origin, error)
      await pause(pauseMs)
    }
  }
}

async function sendOnce(origin: string, { method, target, headers, json, upload }: ApiRequest): Promise<ApiResponse> {
  // A list may take as long as it is, an upload as long as it takes: what is bounded is the wait for the first byte.
  const waiting = new AbortController()
  const timer = upload ? undefined : setTimeout(() => waiting.abort(new DOMException('', 'TimeoutError')), TIMEOUT_MS)
  try {
    const body = upload ?? json
    const response = await openResponse(`${origin}${target}`, {
      method,
      headers,
      ...(body && { body }),
      signal: waiting.signal,
    })
    return { status: response.status, body: readable(origin, response) }
  } finally {
    clearTimeout(timer)
  }
}

/** Throws a SetupError when the response breaks off. */
async function* readable(origin: string, { body }: Response): AsyncGenerator<Uint8Array> {
  try {
    yield* (body ?? []) as AsyncIterable<Uint8Array>
  } catch (error) {
    throw new SetupError(`${origin} broke off in the middle of its response: ${reasonOf(error)}.`, { cause: error })
  }
}

async function requestToken(
  origin: string,
  { clientId, clientSecret, tenant, audience }: ClientCredentials,
): Promise<string> {
  const form = {
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret,
    scope: `${audience}/.default`,
  }
  const { status, text = '' } = await sendRequest(`${origin}/${encodeURIComponent(tenant)}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
    maxBytes: MAX_TOKEN_BYTES,
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((error: unknown) => {
    throw unreachable(origin, error)
  })
  const response = (jsonOf(text) ?? {}) as { access_token?: unknown; error_description?: unknown }
  if (status === 200 && typeof response.access_token === 'string') return response.access_token
  const said =
    typeof response.error_description === 'string' ? ` It says: ${response.error_description.split('\n')[0]}` : ''
  throw new SetupError(
    `${origin} gave no token to the client ${clientId} (it answered ${status}).${said} ` +
      `Give a client of its built-in issuer in ${clientVariables.clientId} and ${clientVariables.clientSecret}, or a ` +
      `token in ${clientVariables.token} or with --token-file.`,
  )
}

/** A token in a file, or the one in the environment; undefined: neither. Throws a SetupError. */
export async function readToken(file: string | undefined, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  if (file === undefined) return env[clientVariables.token] || undefined
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new SetupError(`--token-file: "${file}" can't be read: ${reasonOf(error)}`, { cause: error })
  })
  const token = text.trim()
  if (/^[!-~]+$/.test(token)) return token
  throw new SetupError(`--token-file: "${file}" holds no access token: it must be one line of letters and digits.`)
}

/** The origin of a server's address. Throws a SetupError. */
export function originOf(url: string): string {
  const { protocol, origin } = URL.canParse(url) ? new URL(url) : { protocol: '', origin: '' }
  if (protocol === 'http:' || protocol === 'https:') return origin
  throw new SetupError(`--url: "${url}" is not the address of a server; a good one is https://numbers.example.`)
}

/** Codes of the TLS layer for a certificate that is not trusted: an emulator signs its own. */
const UNTRUSTED = /^(DEPTH_ZERO_)?SELF_SIGNED_CERT|^UNABLE_TO_VERIFY_LEAF_SIGNATURE|^UNABLE_TO_GET_ISSUER_CERT/

function unreachable(origin: string, error: unknown): unknown {
  if (!(error instanceof NoResponse)) return error
  if (error.code === 'TimeoutError') {
    return new SetupError(
      `${origin} did not answer within ${TIMEOUT_MS / 1_000} s. It may have done what was asked: see before you repeat it.`,
      { cause: error },
    )
  }
  const hint = UNTRUSTED.test(error.code)
    ? ' An emulator prints the name of its certificate when it starts: set NODE_EXTRA_CA_CERTS to that, or use its HTTP address.'
    : ''
  return new SetupError(`${origin} can't be reached: ${reasonOf(error.cause)}.${hint}`, { cause: error })
}

/** What lies under the wrapping of `fetch`. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  if (!(cause instanceof Error)) return String(error)
  return cause.message || ('code' in cause ? String(cause.code) : cause.name)
}

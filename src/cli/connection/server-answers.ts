/** What commands ask a running server, over its API. */
import type { Requeue } from '../../accounts/commands/requeue.js'
import { SetupError } from '../../errors.js'
import { EMULATOR_CLIENT_SECRET } from '../../issuer/clients.js'
import type { RequeuedJson, StatusJson, TimelineJson } from '../../operator/status/views.js'

export interface Answers {
  /** Who answers, for people. */
  source: string
  status(): Promise<StatusJson>
  requeue(wanted: Requeue): Promise<RequeuedJson>
  /** Undefined for a number that was never heard of. */
  timeline(e164: string): Promise<TimelineJson | undefined>
}

const TIMEOUT_MS = 30_000
const MAX_SHOWN_CHARS = 300
const NOT_KNOWN = 'NumberNotFound'
export const EMULATOR_ADMIN = 'linebook-admin'

export function serverAnswers(url: string, token: string): Answers {
  const origin = originOf(url)
  const send = (method: string, path: string, body?: unknown): Promise<Answer> =>
    request(`${origin}${path}`, {
      method,
      headers: {
        Accept: 'application/json',
        Authorization: `Bearer ${token}`,
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  return {
    source: origin,
    status: async () => bodyOf(origin, await send('GET', '/status')) as StatusJson,
    requeue: async (wanted: Requeue) => bodyOf(origin, await send('POST', '/status:requeue', wanted)) as RequeuedJson,
    timeline: async (e164) => {
      const answer = await send('GET', `/status/numbers/${encodeURIComponent(e164)}`)
      return answer.status === 404 && errorOf(answer.text)?.code === NOT_KNOWN
        ? undefined
        : (bodyOf(origin, answer) as TimelineJson)
    },
  }
}

/** Gets a token of an emulator's own issuer, as its well-known administrator. Throws a SetupError. */
export async function emulatorToken(
  url: string,
  { issuerTenant, tokenAudiences }: { issuerTenant: string; tokenAudiences: readonly string[] },
): Promise<string> {
  const origin = originOf(url)
  const answer = await request(`${origin}/${issuerTenant}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: EMULATOR_ADMIN,
      client_secret: EMULATOR_CLIENT_SECRET,
      scope: `${tokenAudiences[0] ?? ''}/.default`,
    }),
  })
  const token =
    answer.status === 200 ? (jsonOf(answer.text) as { access_token?: unknown } | undefined)?.access_token : undefined
  if (typeof token === 'string') return token
  throw new SetupError(
    `A Linebook runs at ${origin}, but gave no token to ${EMULATOR_ADMIN} (it answered ${answer.status}). ` +
      `Ask it with a token that has the role ProvisioningAPI.Admin: --url ${origin} --token TOKEN.`,
  )
}

export interface Answer {
  status: number
  text: string
}

/** Sends a request; follows no redirects. Throws a SetupError when no server answers. */
export async function request(url: string, init: RequestInit): Promise<Answer> {
  try {
    const answer = await fetch(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) })
    return { status: answer.status, text: await answer.text() }
  } catch (error) {
    throw unreachable(new URL(url).origin, error)
  }
}

/** Codes of the TLS layer for a certificate that nobody vouches for: an emulator signs its own. */
const UNTRUSTED = /^(DEPTH_ZERO_)?SELF_SIGNED_CERT|^UNABLE_TO_VERIFY_LEAF_SIGNATURE|^UNABLE_TO_GET_ISSUER_CERT/

function unreachable(origin: string, error: unknown): SetupError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const reason = cause instanceof Error && cause.message !== '' ? cause.message : code || String(error)
  const hint = UNTRUSTED.test(code)
    ? ' An emulator prints the name of its certificate when it starts: set NODE_EXTRA_CA_CERTS to that, or use its HTTP address.'
    : ''
  return new SetupError(`${origin} can't be reached: ${reason}.${hint}`, { cause: error })
}

/** Throws a SetupError with what the server said. */
function bodyOf(origin: string, { status, text }: Answer): unknown {
  const body = status === 200 ? jsonOf(text) : undefined
  if (body !== undefined) return body
  const error = errorOf(text)
  const said = error ? `${error.code}: ${error.message}` : text.slice(0, MAX_SHOWN_CHARS)
  const hint =
    status === 401 || status === 403 ? ' It takes a token with the role ProvisioningAPI.Admin (--token).' : ''
  throw new SetupError(`${origin} answered ${status}. ${said}${hint}`)
}

/** What an error answer says; undefined for what isn't one. */
export function errorOf(text: string): { code: string; message: string; details: string[] } | undefined {
  const { error } = (jsonOf(text) ?? {}) as { error?: { code?: unknown; message?: unknown; details?: unknown } }
  if (typeof error?.code !== 'string') return undefined
  const details = Array.isArray(error.details) ? (error.details as { message?: unknown }[]) : []
  return { code: error.code, message: String(error.message), details: details.map(({ message }) => String(message)) }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The origin of a server's address. Throws a SetupError. */
export function originOf(url: string): string {
  const { protocol, origin } = URL.canParse(url) ? new URL(url) : { protocol: '', origin: '' }
  if (protocol === 'http:' || protocol === 'https:') return origin
  throw new SetupError(`--url: "${url}" is no address of a server; a good one is https://provapi.voice.example.`)
}

/**
 * One call of the protocol over HTTP: who is asking, how long it may take, how large an answer may be, and what its
 * status says. It tries nothing twice, but for one new token when the first was refused: trying again is the
 * reconciler's business.
 */
import type { Clock } from '../../clock.js'
import { fetchFailure } from '../../fetch-failure.js'
import { BackendError, type BackendFault } from '../port/backend.js'
import { CircuitBreaker, type BreakerLimits } from './circuit-breaker.js'
import { TokenSource, type ClientCredentials } from './client-credentials.js'

export type HttpAuth = { header: string; value: string } | ClientCredentials

export interface TransportOptions {
  /** Without a slash at the end. */
  url: string
  timeoutMs: number
  auth: HttpAuth | undefined
  /** Sent with every call. */
  headers: Readonly<Record<string, string>>
  clock: Clock
  breaker: BreakerLimits
  fetch: typeof fetch
}

export interface HttpCall {
  method: 'GET' | 'POST'
  path: string
  query?: Readonly<Record<string, string>>
  body?: unknown
  headers?: Readonly<Record<string, string>>
}

/** What a call came to when the backend said something about it. */
export type HttpAnswer =
  | { kind: 'answer'; body: unknown }
  /** It won't, whoever asks again: a 4xx about what was asked. */
  | { kind: 'refused'; fault: BackendFault }
  /** It was asked too often. */
  | { kind: 'throttled'; fault: BackendFault; afterMs?: number }

const MAX_ANSWER_BYTES = 8 * 1024 * 1024
const MAX_AFTER_MS = 24 * 60 * 60 * 1000
const MS_PER_SECOND = 1_000
/** Statuses below 500 that say nothing about what was asked, but that the way to the backend is not right. */
const NOT_ABOUT_THE_REQUEST = new Set([401, 403, 404, 405, 406, 407, 408, 415, 421, 425])
const SHOWN_CODE = 256
const SHOWN_MESSAGE = 4_096

export class Transport {
  readonly #options: TransportOptions
  readonly #breaker: CircuitBreaker
  readonly #tokens: TokenSource | undefined
  readonly #secrets: string[]

  constructor(options: TransportOptions) {
    const { auth, clock, breaker, timeoutMs } = options
    this.#options = options
    this.#breaker = new CircuitBreaker(clock, breaker, timeoutMs)
    this.#tokens = auth && 'tokenUrl' in auth ? new TokenSource(auth, clock, options.fetch) : undefined
    this.#secrets = auth ? ['value' in auth ? auth.value : auth.clientSecret] : []
  }

  unavailable(): { reason: string; until: Date } | undefined {
    return this.#breaker.open()
  }

  /** Aborted when a call that begins now has taken too long. */
  deadline(): AbortSignal {
    return AbortSignal.timeout(this.#options.timeoutMs)
  }

  /** Rejects with a BackendError when nothing is known of the call. */
  async send(call: HttpCall, signal = this.deadline()): Promise<HttpAnswer> {
    const open = this.#breaker.enter()
    if (open) {
      const afterMs = Math.max(0, open.until.getTime() - this.#options.clock.now().getTime())
      throw new BackendError({ code: 'CircuitOpen', message: open.reason }, { mayHaveActed: false, afterMs })
    }
    try {
      const answer = await this.#exchange(call, signal)
      this.#breaker.succeeded()
      return answer
    } catch (error) {
      const failure = asBackendError(error)
      if (error instanceof StillThere) this.#breaker.succeeded()
      else this.#breaker.failed(failure.message)
      throw failure
    }
  }

  async #exchange(call: HttpCall, signal: AbortSignal): Promise<HttpAnswer> {
    const first = await this.#request(call, signal)
    const answer =
      first.response.status === 401 && first.token !== undefined ? await this.#renewed(call, first, signal) : first
    const text = await this.#text(answer.response, signal)
    return this.#judge(answer.response, text, answer.token)
  }

  /** The same call with a new token. It was refused before anything came of it, so it can be sent again. */
  async #renewed(call: HttpCall, { response, token }: Sent, signal: AbortSignal): Promise<Sent> {
    await response.body?.cancel()
    if (token !== undefined) this.#tokens?.refused(token)
    return this.#request(call, signal)
  }

  async #request({ method, path, query, body, headers }: HttpCall, signal: AbortSignal): Promise<Sent> {
    const { url, auth, fetch: send } = this.#options
    const token = await this.#tokens?.get(signal)
    const search = query && Object.keys(query).length > 0 ? `?${new URLSearchParams(query).toString()}` : ''
    const shown: Record<string, string> = {
      Accept: 'application/json',
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...this.#options.headers,
      ...headers,
      ...(auth && 'header' in auth && { [auth.header]: auth.value }),
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
    }
    try {
      const response = await send(`${url}${path}${search}`, {
        method,
        headers: shown,
        ...(body !== undefined && { body: JSON.stringify(body) }),
        // Credentials are not carried to wherever an answer points.
        redirect: 'manual',
        signal,
      })
      return { response, token }
    } catch (error) {
      throw this.#noAnswer(error, signal)
    }
  }

  async #text(response: Response, signal: AbortSignal): Promise<string> {
    const chunks: Uint8Array[] = []
    let size = 0
    try {
      for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
        size += chunk.byteLength
        if (size > MAX_ANSWER_BYTES) break
        chunks.push(chunk)
      }
    } catch (error) {
      throw this.#noAnswer(error, signal)
    }
    if (size > MAX_ANSWER_BYTES) {
      throw new StillThere(
        { code: 'AnswerTooLarge', message: `The backend's answer is larger than ${MAX_ANSWER_BYTES} bytes.` },
        { mayHaveActed: true },
      )
    }
    return Buffer.concat(chunks).toString('utf8')
  }

  #judge(response: Response, text: string, token: string | undefined): HttpAnswer {
    const { status } = response
    const body = parsed(text)
    if (status >= 200 && status < 300) {
      if (body !== undefined) return { kind: 'answer', body }
      throw new StillThere(
        { code: 'InvalidAnswer', message: `The backend answered ${status} with a body that is not JSON.` },
        { mayHaveActed: true },
      )
    }
    const fault = this.#faultOf(body, status, token)
    const afterMs = retryAfterMs(response.headers.get('Retry-After'), this.#options.clock.now())
    const after = afterMs === undefined ? {} : { afterMs }
    if (status === 429) return { kind: 'throttled', fault, ...after }
    if (status >= 500 || status === 408) throw new BackendError(fault, { mayHaveActed: true, ...after })
    if (status >= 400 && !NOT_ABOUT_THE_REQUEST.has(status)) return { kind: 'refused', fault }
    throw new StillThere(fault, { mayHaveActed: false, ...after })
  }

  /** The backend's own words where it used the protocol's, without our secrets should it have repeated one. */
  #faultOf(body: unknown, status: number, token: string | undefined): BackendFault {
    const error = isRecord(body) && isRecord(body['error']) ? body['error'] : {}
    const { code, message, target } = error
    const clean = (text: string) =>
      [...this.#secrets, ...(token === undefined ? [] : [token])].reduce(
        (shown, secret) => shown.replaceAll(secret, '…'),
        text,
      )
    return {
      code: typeof code === 'string' && code !== '' ? clean(code).slice(0, SHOWN_CODE) : `Http${status}`,
      message:
        typeof message === 'string'
          ? clean(message).slice(0, SHOWN_MESSAGE)
          : `The backend answered ${status} without saying why.`,
      ...(typeof target === 'string' && { target: clean(target).slice(0, SHOWN_CODE) }),
    }
  }

  #noAnswer(error: unknown, signal: AbortSignal): BackendError {
    const { timeoutMs } = this.#options
    if (signal.aborted) {
      return new BackendError(
        { code: 'Timeout', message: `No answer came within ${timeoutMs} ms.` },
        { mayHaveActed: true },
      )
    }
    const { code, neverLeft } = fetchFailure(error)
    return new BackendError(
      {
        code: 'NoAnswer',
        message: `${neverLeft ? "The backend can't be reached" : 'The connection to the backend broke'}: ${code}.`,
      },
      { mayHaveActed: !neverLeft },
    )
  }
}

interface Sent {
  response: Response
  token: string | undefined
}

/** An answer that can't be used, from a backend that is there: no reason to stop calling it. */
class StillThere extends BackendError {}

const asBackendError = (error: unknown): BackendError => {
  if (error instanceof BackendError) return error
  // Its message might repeat a header.
  const name = error instanceof Error ? error.name : 'failure'
  return new BackendError({ code: 'NoAnswer', message: `The call failed: ${name}.` }, { mayHaveActed: true })
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Seconds or an HTTP date, as milliseconds from now; undefined when it is neither. */
function retryAfterMs(text: string | null, now: Date): number | undefined {
  if (text === null) return undefined
  const ms = /^\d{1,9}$/.test(text.trim()) ? Number(text) * MS_PER_SECOND : Date.parse(text) - now.getTime()
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_AFTER_MS)
}

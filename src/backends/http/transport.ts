/**
 * One call of the protocol over HTTP: authentication, time limit, size limit of the response, and the meaning of its
 * status. A call is not retried, except once with a new token when the first one was refused: retrying is the
 * reconciler's job.
 */
import type { Clock } from '../../clock.js'
import { jsonOf, NoResponse, retryAfterMs, sendRequest, withoutSecrets, type OutboundResponse } from '../../outbound.js'
import { BackendError, type BackendFault } from '../port/call.js'
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

export interface TimeLimit {
  /** When it aborts, the call has failed. */
  deadline: AbortSignal
  /** When it aborts, nothing waits for the call any more: that doesn't count against the backend. */
  signal?: AbortSignal
}

/** The result of a call that the backend answered. */
export type HttpResult =
  | { kind: 'ok'; body: unknown }
  /** Final: a 4xx about the request itself. */
  | { kind: 'refused'; fault: BackendFault }
  /** There were too many calls. */
  | { kind: 'throttled'; fault: BackendFault; afterMs?: number }

const MAX_RESPONSE_BYTES = 8 * 1024 * 1024
/** Statuses below 500 that are not about the request itself but about the way to the backend. */
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

  /** A signal that aborts when a call that begins now has taken too long. */
  deadline(): AbortSignal {
    return AbortSignal.timeout(this.#options.timeoutMs)
  }

  /** Rejects with a BackendError when the call's effect is unknown. */
  async send(call: HttpCall, { deadline = this.deadline(), signal }: Partial<TimeLimit> = {}): Promise<HttpResult> {
    const open = this.#breaker.enter()
    if (open) {
      const afterMs = Math.max(0, open.until.getTime() - this.#options.clock.now().getTime())
      throw new BackendError({ code: 'CircuitOpen', message: open.reason }, { mayHaveActed: false, afterMs })
    }
    try {
      const result = await this.#exchange(call, { deadline, ...(signal && { signal }) })
      this.#breaker.succeeded()
      return result
    } catch (error) {
      const failure = asBackendError(error)
      if (error instanceof StillThere) this.#breaker.succeeded()
      else if (!(error instanceof GivenUp)) this.#breaker.failed(failure.message)
      throw failure
    }
  }

  async #exchange(call: HttpCall, limit: TimeLimit): Promise<HttpResult> {
    const first = await this.#request(call, limit)
    const { token } = first
    if (first.status !== 401 || token === undefined) return this.#judge(first)
    // The call was refused before it had any effect, so it can be sent again with a new token.
    this.#tokens?.refused(token)
    return this.#judge(await this.#request(call, limit))
  }

  async #request({ method, path, query, body, headers }: HttpCall, limit: TimeLimit): Promise<Received> {
    const { url, auth, fetch } = this.#options
    const { deadline, signal } = limit
    // Other calls may wait for the same token, so only the deadline ends that request.
    const token = await this.#tokens?.get(deadline)
    const search = query && Object.keys(query).length > 0 ? `?${new URLSearchParams(query).toString()}` : ''
    const response = await sendRequest(`${url}${path}${search}`, {
      method,
      body,
      headers: {
        ...this.#options.headers,
        ...headers,
        ...(auth && 'header' in auth && { [auth.header]: auth.value }),
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      },
      signal: signal ? AbortSignal.any([deadline, signal]) : deadline,
      maxBytes: MAX_RESPONSE_BYTES,
      fetch,
    }).catch((error: unknown): OutboundResponse => {
      throw this.#noResponse(error, limit)
    })
    return { ...response, token }
  }

  #judge({ status, headers, text, token }: Received): HttpResult {
    if (text === undefined) {
      throw new StillThere(
        { code: 'AnswerTooLarge', message: `The backend's answer is larger than ${MAX_RESPONSE_BYTES} bytes.` },
        { mayHaveActed: true },
      )
    }
    const body = jsonOf(text)
    if (status >= 200 && status < 300) {
      if (body !== undefined) return { kind: 'ok', body }
      throw new StillThere(
        { code: 'InvalidAnswer', message: `The backend answered ${status} with a body that is not JSON.` },
        { mayHaveActed: true },
      )
    }
    const fault = this.#faultOf(body, status, token)
    const afterMs = retryAfterMs(headers, this.#options.clock.now())
    const after = afterMs === undefined ? {} : { afterMs }
    if (status === 429) return { kind: 'throttled', fault, ...after }
    if (status >= 500 || status === 408) throw new BackendError(fault, { mayHaveActed: true, ...after })
    if (status >= 400 && !NOT_ABOUT_THE_REQUEST.has(status)) return { kind: 'refused', fault }
    throw new StillThere(fault, { mayHaveActed: false, ...after })
  }

  /** The backend's own error if it follows the protocol, without our secrets in case it repeated one. */
  #faultOf(body: unknown, status: number, token: string | undefined): BackendFault {
    const error = isRecord(body) && isRecord(body['error']) ? body['error'] : {}
    const { code, message, target } = error
    const clean = (text: string) => withoutSecrets(text, [...this.#secrets, token])
    return {
      code: typeof code === 'string' && code !== '' ? clean(code).slice(0, SHOWN_CODE) : `Http${status}`,
      message:
        typeof message === 'string'
          ? clean(message).slice(0, SHOWN_MESSAGE)
          : `The backend answered ${status} without saying why.`,
      ...(typeof target === 'string' && { target: clean(target).slice(0, SHOWN_CODE) }),
    }
  }

  #noResponse(error: unknown, { deadline, signal }: TimeLimit): unknown {
    const { timeoutMs } = this.#options
    if (deadline.aborted) {
      return new BackendError(
        { code: 'Timeout', message: `No answer came within ${timeoutMs} ms.` },
        { mayHaveActed: true },
      )
    }
    if (signal?.aborted) {
      return new GivenUp(
        { code: 'Timeout', message: 'The call was given up before an answer came.' },
        { mayHaveActed: true },
      )
    }
    if (!(error instanceof NoResponse)) return error
    const { code, mayHaveActed } = error
    const what = mayHaveActed ? 'The connection to the backend broke' : "The backend can't be reached"
    return new BackendError({ code: 'NoAnswer', message: `${what}: ${code}.` }, { mayHaveActed })
  }
}

interface Received extends OutboundResponse {
  /** The token that the request carried. */
  token: string | undefined
}

/** A response that can't be used, from a backend that is up: no reason to stop calling it. */
class StillThere extends BackendError {}

/** Nothing waited for the response any more. */
class GivenUp extends BackendError {}

const asBackendError = (error: unknown): BackendError => {
  if (error instanceof BackendError) return error
  // The error's message might repeat a header.
  const name = error instanceof Error ? error.name : 'failure'
  return new BackendError({ code: 'NoAnswer', message: `The call failed: ${name}.` }, { mayHaveActed: true })
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

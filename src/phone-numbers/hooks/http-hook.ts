/** A hook over HTTP: one JSON POST for each call, as docs/hooks.md describes. */
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import type { CalledNumber } from '../../operations/call-out.js'
import { jsonOf, NoResponse, retryAfterMs, sendRequest, withoutSecrets, type OutboundResponse } from '../../outbound.js'
import { HookUnavailable, type Hook, type HookResult, type HookCall, type HookName } from './hook.js'

export interface HttpHookOptions {
  name: HookName
  url: string
  /** Sent as a bearer token. */
  secret: string | undefined
  timeoutMs: number
  /** Aborts when the program stops and calls under way have to end. */
  stopping?: AbortSignal
}

const HookResponse = Compile(
  Type.Object({
    code: Type.Optional(Type.String({ maxLength: 100 })),
    message: Type.Optional(Type.String()),
    refused: Type.Optional(
      Type.Array(Type.Object({ phoneNumber: Type.String(), message: Type.Optional(Type.String()) })),
    ),
  }),
)
interface HookBody {
  code?: string
  message?: string
  refused?: { phoneNumber: string; message?: string }[]
}

/** Statuses that refuse the purchase. No other failure is about the purchase: gateways send 403, too. */
const REFUSALS = [402, 409, 422]
/** The work has begun and is not done: a later call gets the result. */
const NOT_DONE_YET = 202
const MAX_RESPONSE_BYTES = 262_144
const MAX_MESSAGE_CHARS = 500

/** The published actions of a call, by system. */
const ACTIONS = { billing: { begin: 'approve', undo: 'void' }, fulfilment: { begin: 'provision', undo: 'cancel' } }

export class HttpHook implements Hook {
  readonly timeoutMs: number
  readonly #options: HttpHookOptions

  constructor(options: HttpHookOptions) {
    this.#options = options
    this.timeoutMs = options.timeoutMs
  }

  async call(call: HookCall): Promise<HookResult> {
    const { name, url, secret, timeoutMs, stopping } = this.#options
    const timeout = AbortSignal.timeout(timeoutMs)
    const { status, text, headers } = await sendRequest(url, {
      method: 'POST',
      body: bodyOf(name, call),
      headers: {
        'Idempotency-Key': call.idempotencyKey,
        Authorization: secret === undefined ? undefined : `Bearer ${secret}`,
      },
      signal: stopping ? AbortSignal.any([timeout, stopping]) : timeout,
      maxBytes: MAX_RESPONSE_BYTES,
    }).catch((error: unknown): OutboundResponse => {
      throw this.#noResponse(error, timeout)
    })
    if (text === undefined) throw this.#unusable(`answered with more than ${MAX_RESPONSE_BYTES} bytes`)
    return this.#judge(call, status, text, retryAfterMs(headers))
  }

  #judge({ action, numbers }: HookCall, status: number, text: string, afterMs: number | undefined): HookResult {
    if (status === NOT_DONE_YET) throw this.#unusable('is not done yet', afterMs)
    const succeeded = status >= 200 && status < 300
    if (!succeeded && (action === 'undo' || !REFUSALS.includes(status))) {
      const redirected = status >= 300 && status < 400 ? ', and redirects are not followed' : ''
      throw this.#unusable(`answered ${status}${redirected}`, afterMs)
    }
    // A successful undo has undone everything, whatever its body says.
    if (action === 'undo') return { refusedNumbers: {} }
    const body = text.trim() === '' ? {} : parsed(text)
    if (!succeeded) {
      const message = body?.message ? this.#shown(body.message) : `The ${this.#options.name} hook answered ${status}.`
      return { refused: { code: body?.code === undefined ? undefined : this.#shown(body.code), message } }
    }
    if (body === undefined) throw this.#unusable('answered with something else than the JSON of docs/hooks.md')
    return { refusedNumbers: this.#refusedOf(body, numbers) }
  }

  /** Refused numbers must be in the call: misunderstanding a response would sell numbers that can't be used. */
  #refusedOf({ refused = [] }: HookBody, numbers: readonly CalledNumber[]): Record<string, string> {
    const { name } = this.#options
    if (name === 'billing' && refused.length > 0) {
      throw this.#unusable('refused single numbers, but can only approve or refuse a purchase as a whole')
    }
    const asked = new Set(numbers.map(({ e164 }) => e164))
    const stray = refused.find(({ phoneNumber }) => !asked.has(phoneNumber))
    if (stray) throw this.#unusable(`refused ${this.#shown(stray.phoneNumber)}, which is not in the purchase`)
    return Object.fromEntries(
      refused.map(({ phoneNumber, message }) => [phoneNumber, message ? this.#shown(message) : 'refused.']),
    )
  }

  /** The system answered, but not conclusively. */
  #unusable(what: string, afterMs?: number): HookUnavailable {
    return new HookUnavailable(`The ${this.#options.name} hook ${what}.`, { mayHaveActed: true, afterMs })
  }

  #noResponse(error: unknown, timeout: AbortSignal): Error {
    const { name, timeoutMs, stopping } = this.#options
    if (timeout.aborted) return this.#unusable(`gave no answer within ${timeoutMs} ms`)
    if (stopping?.aborted) return this.#unusable('had not answered when Linebook stopped')
    if (!(error instanceof NoResponse)) return error as Error
    const { code, mayHaveActed } = error
    const what = mayHaveActed ? 'broke the connection off' : "can't be reached"
    return new HookUnavailable(`The ${name} hook ${what}: ${code}.`, { mayHaveActed })
  }

  /** A system's text as it can be stored and shown: without our secret, in case the system repeated it. */
  #shown(text: string): string {
    const clean = withoutSecrets(text, [this.#options.secret])
      .replace(/\p{Cc}+/gu, ' ')
      .trim()
    // Whole characters only: the database accepts no half surrogate pairs.
    return Buffer.from([...clean].slice(0, MAX_MESSAGE_CHARS).join(''), 'utf8').toString('utf8')
  }
}

const bodyOf = (name: HookName, { action, operationId, resourceName, numbers }: HookCall): object => ({
  action: ACTIONS[name][action],
  operationId,
  resource: resourceName,
  phoneNumbers: numbers.map(numberBody),
})

const numberBody = ({ e164, countryCode, numberType, assignmentType, calling, sms, price }: CalledNumber): object => ({
  phoneNumber: e164,
  countryCode,
  phoneNumberType: numberType,
  assignmentType,
  capabilities: { calling, sms },
  cost: { amount: price.amount, currencyCode: price.currency, billingFrequency: 'monthly' },
})

function parsed(text: string): HookBody | undefined {
  const value = jsonOf(text)
  return HookResponse.Check(value) ? value : undefined
}

/** A hook behind HTTP: one JSON POST for each call, as docs/hooks.md tells it. */
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import type { CalledNumber } from '../../operations/call-out.js'
import { jsonOf, NoResponse, retryAfterMs, sendRequest, withoutSecrets, type OutboundResponse } from '../../outbound.js'
import { HookUnavailable, type Hook, type HookAnswer, type HookCall, type HookName } from './hook.js'

export interface HttpHookOptions {
  name: HookName
  url: string
  /** Sent as a bearer token. */
  secret: string | undefined
  timeoutMs: number
  /** Aborted when calls that are under way may take no longer: the program stops. */
  stopping?: AbortSignal
}

const Answer = Compile(
  Type.Object({
    code: Type.Optional(Type.String({ maxLength: 100 })),
    message: Type.Optional(Type.String()),
    refused: Type.Optional(
      Type.Array(Type.Object({ phoneNumber: Type.String(), message: Type.Optional(Type.String()) })),
    ),
  }),
)
interface Said {
  code?: string
  message?: string
  refused?: { phoneNumber: string; message?: string }[]
}

/** These say no. Every other answer that is no success says nothing about the purchase: 403 comes from gateways, too. */
const REFUSALS = [402, 409, 422]
/** It has begun and is not done: asked again, it will say. */
const NOT_DONE_YET = 202
const MAX_RESPONSE_BYTES = 262_144
const MAX_MESSAGE_CHARS = 500

/** What the published words for a call are, by system. */
const ACTIONS = { billing: { begin: 'approve', undo: 'void' }, fulfilment: { begin: 'provision', undo: 'cancel' } }

export class HttpHook implements Hook {
  readonly timeoutMs: number
  readonly #options: HttpHookOptions

  constructor(options: HttpHookOptions) {
    this.#options = options
    this.timeoutMs = options.timeoutMs
  }

  async call(call: HookCall): Promise<HookAnswer> {
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

  #judge({ action, numbers }: HookCall, status: number, text: string, afterMs: number | undefined): HookAnswer {
    if (status === NOT_DONE_YET) throw this.#unusable('is not done yet', afterMs)
    const succeeded = status >= 200 && status < 300
    if (!succeeded && (action === 'undo' || !REFUSALS.includes(status))) {
      const redirected = status >= 300 && status < 400 ? ', and redirects are not followed' : ''
      throw this.#unusable(`answered ${status}${redirected}`, afterMs)
    }
    // Nothing is left of it, whatever it says about that.
    if (action === 'undo') return { refusedNumbers: {} }
    const said = text.trim() === '' ? {} : parsed(text)
    if (!succeeded) {
      const message = said?.message ? this.#shown(said.message) : `The ${this.#options.name} hook answered ${status}.`
      return { refused: { code: said?.code === undefined ? undefined : this.#shown(said.code), message } }
    }
    if (said === undefined) throw this.#unusable('answered with something else than the JSON of docs/hooks.md')
    return { refusedNumbers: this.#refusedOf(said, numbers) }
  }

  /** What is refused must be what was asked for: half understood, numbers would be sold that can't be used. */
  #refusedOf({ refused = [] }: Said, numbers: readonly CalledNumber[]): Record<string, string> {
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

  /** The system was there, but what it said settles nothing. */
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

  /** What a system said, as it can be stored and shown: without our secret should it have repeated it. */
  #shown(text: string): string {
    const clean = withoutSecrets(text, [this.#options.secret])
      .replace(/\p{Cc}+/gu, ' ')
      .trim()
    // Whole characters only: the database takes no half ones.
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

function parsed(text: string): Said | undefined {
  const value = jsonOf(text)
  return Answer.Check(value) ? value : undefined
}

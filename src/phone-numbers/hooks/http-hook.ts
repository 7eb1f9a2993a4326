/** A hook behind HTTP: one JSON POST for each call, as docs/hooks.md tells it. */
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { fetchFailure } from '../../fetch-failure.js'
import type { CalledNumber } from '../../operations/call-out.js'
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
const MAX_ANSWER_BYTES = 262_144
const MAX_MESSAGE_CHARS = 500
const MS_PER_SECOND = 1_000

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
    let answer: Response
    let text: string | undefined
    try {
      answer = await fetch(url, {
        method: 'POST',
        body: JSON.stringify(bodyOf(name, call)),
        headers: {
          'Content-Type': 'application/json',
          Accept: 'application/json',
          'Idempotency-Key': call.idempotencyKey,
          ...(secret !== undefined && { Authorization: `Bearer ${secret}` }),
        },
        // The secret is not carried to wherever an answer points.
        redirect: 'manual',
        signal: stopping ? AbortSignal.any([timeout, stopping]) : timeout,
      })
      text = await readText(answer)
    } catch (error) {
      throw this.#noAnswer(error, timeout)
    }
    const { status } = answer
    if (text === undefined) throw this.#unusable(`answered with more than ${MAX_ANSWER_BYTES} bytes`)
    return this.#judge(call, status, text, afterMsOf(answer))
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

  #noAnswer(error: unknown, timeout: AbortSignal): HookUnavailable {
    const { name, timeoutMs, stopping } = this.#options
    if (timeout.aborted) return this.#unusable(`gave no answer within ${timeoutMs} ms`)
    if (stopping?.aborted) return this.#unusable('had not answered when Linebook stopped')
    const { code, neverLeft } = fetchFailure(error)
    const what = neverLeft ? "can't be reached" : 'broke the connection off'
    return new HookUnavailable(`The ${name} hook ${what}: ${code}.`, { mayHaveActed: !neverLeft })
  }

  /** What a system said, as it can be stored and shown: without our secret should it have repeated it. */
  #shown(text: string): string {
    const { secret } = this.#options
    const clean = (secret === undefined ? text : text.replaceAll(secret, '…')).replace(/\p{Cc}+/gu, ' ').trim()
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

/** The body of an answer; undefined when there is too much of it. */
async function readText(answer: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength
    if (size > MAX_ANSWER_BYTES) return undefined
    chunks.push(chunk)
  }
  return new TextDecoder().decode(Buffer.concat(chunks))
}

function parsed(text: string): Said | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return Answer.Check(value) ? value : undefined
  } catch {
    return undefined
  }
}

function afterMsOf({ headers }: Response): number | undefined {
  const text = headers.get('Retry-After')?.trim() ?? ''
  return /^\d{1,6}$/.test(text) ? Number(text) * MS_PER_SECOND : undefined
}

/** Reads where an http backend is to be found, and says of each fault where it is and what would be right. */
import { SetupError } from '../../errors.js'
import type { HttpOptions } from './http.js'
import type { HttpAuth } from './transport.js'

/** What an operator says of a backend that speaks the protocol. */
export type HttpChoice = Pick<HttpOptions, 'url' | 'auth' | 'headers' | 'timeoutMs' | 'batchSize' | 'concurrency'>

const LIMITS = {
  timeoutMs: [100, 600_000],
  batchSize: [1, 1_000],
  concurrency: [1, 64],
} as const
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]{1,100}$/
const HEADER_VALUE = /^[\x20-\x7e]{1,8192}$/
/** Linebook sends these itself. */
const OWN_HEADERS = [
  'accept',
  'authorization',
  'content-length',
  'content-type',
  'host',
  'idempotency-key',
  'linebook-service',
]

export class HttpPlace {
  readonly #place: string
  readonly #value: Record<string, unknown>
  readonly #env: Readonly<Record<string, string | undefined>>

  /** @param place what errors begin with, e.g. `LINEBOOK_BACKENDS: teamsOperatorConnect` */
  constructor(place: string, value: unknown, env: Readonly<Record<string, string | undefined>>) {
    if (!isObject(value)) {
      throw new SetupError(`${place}: it takes "simulated", "none" or {"url": "https://backend.example/oc"}.`)
    }
    this.#place = place
    this.#value = value
    this.#env = env
  }

  read(): HttpChoice {
    this.#only(['url', 'auth', 'headers', 'timeoutMs', 'batchSize', 'concurrency'])
    const { auth, headers } = this.#value
    return {
      url: this.#url('url'),
      ...(auth !== undefined && { auth: this.#inside('auth').#auth() }),
      ...(headers !== undefined && { headers: this.#inside('headers').#headers() }),
      ...this.#amount('timeoutMs'),
      ...this.#amount('batchSize'),
      ...this.#amount('concurrency'),
    }
  }

  #auth(): HttpAuth {
    if ('header' in this.#value) {
      this.#only(['header', 'value'])
      const { header } = this.#value
      if (typeof header !== 'string' || !HEADER_NAME.test(header)) {
        throw this.#wrong('header', 'the name of a header, e.g. "Authorization"')
      }
      return { header, value: this.#headerValue('value') }
    }
    this.#only(['tokenUrl', 'clientId', 'clientSecret', 'scope', 'clientAuthentication'])
    const { scope, clientAuthentication } = this.#value
    if (clientAuthentication !== undefined && clientAuthentication !== 'post' && clientAuthentication !== 'basic') {
      throw this.#wrong('clientAuthentication', '"post" or "basic"')
    }
    return {
      tokenUrl: this.#url('tokenUrl'),
      clientId: this.#text('clientId'),
      clientSecret: this.#text('clientSecret'),
      ...(scope !== undefined && { scope: this.#text('scope') }),
      ...(clientAuthentication !== undefined && { clientAuthentication }),
    }
  }

  #headers(): Record<string, string> {
    return Object.fromEntries(
      Object.keys(this.#value).map((name) => {
        if (!HEADER_NAME.test(name) || OWN_HEADERS.includes(name.toLowerCase())) {
          throw new SetupError(
            `${this.#place}: ${name} can't be set; it takes header names other than ${OWN_HEADERS.join(', ')}.`,
          )
        }
        return [name, this.#headerValue(name)]
      }),
    )
  }

  #inside(name: string): HttpPlace {
    const value = this.#value[name]
    if (isObject(value)) return new HttpPlace(`${this.#place}.${name}`, value, this.#env)
    throw this.#wrong(name, 'a JSON object')
  }

  #only(known: readonly string[]): void {
    const unknown = Object.keys(this.#value).find((name) => !known.includes(name))
    if (unknown !== undefined) {
      throw new SetupError(`${this.#place}: ${unknown} is not known here; it takes ${known.join(', ')}.`)
    }
  }

  #url(name: string): string {
    const text = this.#value[name]
    const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : undefined
    const good =
      url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' && !url.search && !url.hash
    if (good) return url.href.replace(/\/+$/, '')
    throw this.#wrong(name, 'an address such as "https://backend.example/oc", without user, password, ? and #')
  }

  #amount<Name extends keyof typeof LIMITS>(name: Name): { [name in Name]?: number } {
    const value = this.#value[name]
    const [min, max] = LIMITS[name]
    if (value === undefined) return {}
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) {
      return { [name]: value } as { [name in Name]: number }
    }
    throw this.#wrong(name, `a whole number from ${min} to ${max}`)
  }

  #headerValue(name: string): string {
    const text = this.#text(name)
    if (HEADER_VALUE.test(text)) return text
    throw this.#wrong(name, 'printable ASCII without line breaks')
  }

  /** A text, or the variable of the environment that holds it. */
  #text(name: string): string {
    const value = this.#value[name]
    if (typeof value === 'string' && value !== '') return value
    if (isObject(value) && Object.keys(value).length === 1 && typeof value['env'] === 'string') {
      const found = this.#env[value['env']]
      if (found !== undefined && found !== '') return found
      throw new SetupError(`${this.#place}.${name}: the environment has no variable ${value['env']}, or it is empty.`)
    }
    throw this.#wrong(name, 'a text, or {"env": "NAME"} for the value of a variable of the environment')
  }

  /** Never shows the value: it may be a secret. */
  #wrong(name: string, good: string): SetupError {
    return new SetupError(`${this.#place}.${name}: it takes ${good}.`)
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

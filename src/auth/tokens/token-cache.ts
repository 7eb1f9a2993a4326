import type { TokenPrincipal, Validity } from './claims.js'

interface Entry {
  principal: TokenPrincipal
  validity: Validity
}

/** What recently verified tokens stand for, so that a busy client does not cost a signature check per request. */
export class TokenCache {
  readonly #entries = new Map<string, Entry>()
  readonly #capacity: number

  /** @param capacity most tokens that are kept; the one that was used least recently goes first */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** @param key of the token; the token itself is a secret and isn't kept */
  get(key: string, nowMs: number): TokenPrincipal | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    const { fromMs, untilMs } = entry.validity
    if (nowMs < fromMs || nowMs >= untilMs) return undefined
    this.#entries.set(key, entry)
    return entry.principal
  }

  set(key: string, principal: TokenPrincipal, validity: Validity): void {
    this.#entries.delete(key)
    this.#entries.set(key, { principal, validity })
    if (this.#entries.size <= this.#capacity) return
    const [oldest] = this.#entries.keys()
    if (oldest !== undefined) this.#entries.delete(oldest)
  }

  get size(): number {
    return this.#entries.size
  }
}

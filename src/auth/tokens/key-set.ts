/**
 * The public keys of one issuer, read when first needed and kept. They are read again when they get old, and at once
 * when a token names a key that is not among them, but not more often than the cool-down allows: a client that sends made-up
 * key names must not make us ask the issuer each time. While the issuer can't be asked, what was read last goes on
 * being used for a day; without any, its tokens can be neither accepted nor refused.
 */
import type { CryptoKey, JSONWebKeySet, LocalJWKSet, ProtectedHeaderParameters } from 'jose'
import type { Clock } from '../../clock.js'

export interface KeySetOptions {
  clock: Clock
  read: () => Promise<JSONWebKeySet>
  /** Keys older than this are read again; also how long one that was withdrawn may still be accepted. */
  maxAgeMs: number
  /** How soon after a reading an unknown key is reason for the next. */
  coolDownMs: number
  /** How soon after a reading that failed the next is tried. */
  retryMs: number
  /** Called for each reading that failed. */
  onFault?: (fault: Error) => void
}

const MAX_AGE_WHILE_UNREADABLE_MS = 24 * 60 * 60_000

export class KeySet {
  readonly #options: KeySetOptions
  #keys: LocalJWKSet | undefined
  #reading: Promise<void> | undefined
  /** When the reading began that gave the keys, and the latest of all. */
  #readAt = -Infinity
  #triedAt = -Infinity
  #fault: Error | undefined

  constructor(options: KeySetOptions) {
    this.#options = options
  }

  get maxAgeMs(): number {
    return this.#options.maxAgeMs
  }

  /**
   * The key that a token's header names, or the only one that fits it; undefined when the issuer has no such key.
   * Rejects with what the reading rejected with when there are no keys to look in.
   */
  async keyFor(header: ProtectedHeaderParameters): Promise<CryptoKey | undefined> {
    if (this.#since(this.#readAt) > this.#options.maxAgeMs) await this.#readOld()
    const known = await this.#find(header)
    if (known !== undefined) return known
    // A reading under way may have begun before the key was made.
    await this.#reading?.catch(() => undefined)
    if (this.#mayRead(this.#options.coolDownMs)) await this.#read()
    else if (this.#fault !== undefined) throw this.#fault
    return this.#find(header)
  }

  /** Reads again what is old or was never read; what is merely old is used meanwhile when the issuer can't be asked. */
  async #readOld(): Promise<void> {
    const usable = this.#since(this.#readAt) <= MAX_AGE_WHILE_UNREADABLE_MS
    const waits = this.#fault === undefined || !usable
    if (this.#mayRead(0)) {
      const reading = this.#read().catch((error: unknown) => {
        if (!usable) throw error
      })
      if (waits) await reading
    } else if (!usable && this.#fault !== undefined) throw this.#fault
  }

  #mayRead(coolDownMs: number): boolean {
    return this.#since(this.#triedAt) >= (this.#fault === undefined ? coolDownMs : this.#options.retryMs)
  }

  /** However many ask at once, only one reading runs at a time. */
  #read(): Promise<void> {
    this.#reading ??= this.#readOnce().finally(() => (this.#reading = undefined))
    return this.#reading
  }

  async #readOnce(): Promise<void> {
    const now = () => this.#options.clock.now().getTime()
    const startedAt = now()
    this.#triedAt = startedAt
    try {
      const { createLocalJWKSet } = await import('jose')
      this.#keys = createLocalJWKSet(await this.#options.read())
      this.#readAt = startedAt
      this.#fault = undefined
    } catch (error) {
      this.#triedAt = now()
      this.#fault = error instanceof Error ? error : new Error(String(error))
      this.#options.onFault?.(this.#fault)
      throw this.#fault
    }
  }

  async #find(header: ProtectedHeaderParameters): Promise<CryptoKey | undefined> {
    const { errors } = await import('jose')
    try {
      return await this.#keys?.(header)
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys)
        return undefined
      throw error
    }
  }

  /** The clock of an emulator may be moved either way. */
  #since(instantMs: number): number {
    return Math.abs(this.#options.clock.now().getTime() - instantMs)
  }
}

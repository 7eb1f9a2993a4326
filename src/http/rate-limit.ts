/**
 * Limits the rate of each client's requests: a bucket of tokens per client, refilled continuously. Each process counts
 * separately.
 *
 * Buckets are counted in whole units: a request costs as many units as the rate's period has milliseconds, and each
 * millisecond gives back as many as the rate's count. So nothing is ever rounded.
 */
import type { Clock } from '../clock.js'

/** `count` requests in each `periodMs`; as many at once after a pause of that length. */
export interface Rate {
  count: number
  periodMs: number
}

const PERIODS_MS: Readonly<Record<string, number>> = { second: 1_000, minute: 60_000, hour: 3_600_000 }
const MAX_COUNT = 1_000_000

/** Reads `100/second`, `100/minute`, `1000/hour`, or `off` (undefined). Throws an Error that describes valid values. */
export function parseRate(text: string): Rate | undefined {
  if (/^\s*off\s*$/i.test(text)) return undefined
  const [, digits = '', unit = ''] = /^\s*(\d{1,7})\s*\/\s*([a-z]+)\s*$/i.exec(text) ?? []
  const count = Number(digits)
  const periodMs = Object.hasOwn(PERIODS_MS, unit.toLowerCase()) ? PERIODS_MS[unit.toLowerCase()] : undefined
  if (periodMs === undefined || count < 1 || count > MAX_COUNT) {
    throw new Error(`off, or a count per second, minute or hour, from 1 to ${MAX_COUNT}, e.g. 100/second or 100/minute`)
  }
  return { count, periodMs }
}

export type Taken = { allowed: true } | { allowed: false; retryAfterSeconds: number }

interface Bucket {
  units: number
  atMs: number
}

const ALLOWED: Taken = { allowed: true }
const MAX_BUCKETS = 10_000
/** How many idle buckets one request may tidy up: more than it makes, so they never gather. */
const FORGET_AT_ONCE = 4

export class RateLimit {
  readonly #clock: Clock
  readonly #rate: Rate
  readonly #maxBuckets: number
  /** In the order of their last use. */
  readonly #buckets = new Map<string, Bucket>()

  /** @param maxBuckets the most clients that are remembered; beyond, the least recent one starts with a full bucket */
  constructor(clock: Clock, rate: Rate, maxBuckets: number = MAX_BUCKETS) {
    this.#clock = clock
    this.#rate = rate
    this.#maxBuckets = maxBuckets
  }

  /** Takes one token from the client's bucket, or returns when there will be one. */
  take(key: string): Taken {
    const { count, periodMs } = this.#rate
    const now = this.#clock.now().getTime()
    const full = count * periodMs
    const bucket = this.#buckets.get(key) ?? { units: full, atMs: now }
    const units = Math.min(full, bucket.units + Math.max(0, now - bucket.atMs) * count)
    const allowed = units >= periodMs
    this.#buckets.delete(key)
    this.#buckets.set(key, { units: allowed ? units - periodMs : units, atMs: now })
    this.#forgetIdle(now)
    if (allowed) return ALLOWED
    return { allowed: false, retryAfterSeconds: Math.max(1, Math.ceil((periodMs - units) / count / 1000)) }
  }

  /** How many clients are remembered. */
  get size(): number {
    return this.#buckets.size
  }

  /** Forgets buckets that no request took from for a whole period: they are full, like new ones. */
  #forgetIdle(now: number): void {
    let forgotten = 0
    for (const [key, { atMs }] of this.#buckets) {
      const idle = now - atMs >= this.#rate.periodMs
      if (!(idle && forgotten < FORGET_AT_ONCE) && this.#buckets.size <= this.#maxBuckets) return
      this.#buckets.delete(key)
      forgotten++
    }
  }
}

/**
 * Stops calls to a backend that does not answer. After a number of failures in a row the circuit opens for a time; then
 * one call is let through, and its result closes the circuit or opens it for twice as long.
 */
import { later, type Clock } from '../../clock.js'

export interface BreakerLimits {
  /** Failures in a row that open the circuit. */
  failures: number
  openMs: number
  maxOpenMs: number
}

export const BREAKER_LIMITS: BreakerLimits = { failures: 5, openMs: 1_000, maxOpenMs: 60_000 }

export class CircuitBreaker {
  readonly #clock: Clock
  readonly #limits: BreakerLimits
  /** How long the one call that is let through may take. */
  readonly #probeMs: number
  #failures = 0
  #openings = 0
  /** Set while open: until when it stays open, or, while the one call is under way, by when that must have ended. */
  #until: Date | undefined
  #probing = false
  #reason = ''

  constructor(clock: Clock, limits: BreakerLimits, probeMs: number) {
    this.#clock = clock
    this.#limits = limits
    this.#probeMs = probeMs
  }

  /** Why no call is let through now, and until when; undefined when calls are let through. */
  open(): { reason: string; until: Date } | undefined {
    const until = this.#until
    return until && until > this.#clock.now() ? { reason: this.#reason, until } : undefined
  }

  /** Requests a call, which must end with `succeeded` or `failed`. Undefined: go ahead. */
  enter(): { reason: string; until: Date } | undefined {
    const open = this.open()
    if (!open && this.#until) {
      this.#probing = true
      this.#until = later(this.#clock.now(), this.#probeMs)
    }
    return open
  }

  /** The backend answered. */
  succeeded(): void {
    this.#failures = 0
    this.#openings = 0
    this.#until = undefined
    this.#probing = false
  }

  /** The backend did not answer, or reported that it is unavailable. */
  failed(reason: string): void {
    this.#failures += 1
    // Calls that were under way when the circuit opened add no information.
    if (this.#until && !this.#probing) return
    if (!this.#probing && this.#failures < this.#limits.failures) return
    this.#probing = false
    const openMs = Math.min(this.#limits.openMs * 2 ** this.#openings, this.#limits.maxOpenMs)
    this.#openings = Math.min(this.#openings + 1, MAX_DOUBLINGS)
    this.#reason = `The last ${this.#failures} calls failed; the latest: ${reason}`
    this.#until = later(this.#clock.now(), openMs)
  }
}

const MAX_DOUBLINGS = 30

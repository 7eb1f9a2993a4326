/** The one source of time. Everything that compares with "now" takes a clock, so that tests can move it. */
export interface Clock {
  now(): Date
}

export const systemClock: Clock = { now: () => new Date() }

/** A clock that only moves on request. Used by tests, on the real code paths. */
export class ManualClock implements Clock {
  #now: Date

  constructor(start: Date = new Date()) {
    this.#now = start
  }

  now(): Date {
    return new Date(this.#now)
  }

  /** Moves the clock forward by `ms` milliseconds. */
  advance(ms: number): void {
    this.#now = new Date(this.#now.getTime() + ms)
  }
}

/** A clock that runs like another one, some time ahead of it or behind. Emulators use one. */
export class MovableClock implements Clock {
  readonly base: Clock
  offsetMs = 0

  constructor(base: Clock) {
    this.base = base
  }

  now(): Date {
    return new Date(this.base.now().getTime() + this.offsetMs)
  }
}

export const later = (from: Date, ms: number): Date => new Date(from.getTime() + ms)

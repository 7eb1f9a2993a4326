import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../src/clock.js'
import { parseRate, RateLimit, type Rate } from '../../src/http/rate-limit.js'

const limited = (text: string, maxBuckets?: number) => {
  const clock = new ManualClock()
  const limit = new RateLimit(clock, parseRate(text) as Rate, maxBuckets)
  return {
    clock,
    limit,
    /** How many of `tries` are let through. */
    taken: (key: string, tries: number) =>
      Array.from({ length: tries }, () => limit.take(key)).filter((t) => t.allowed).length,
  }
}

describe('a rate', () => {
  it('is a count per second, minute or hour, or off', () => {
    expect(parseRate('100/second')).toEqual({ count: 100, periodMs: 1000 })
    expect(parseRate(' 100 / Minute ')).toEqual({ count: 100, periodMs: 60_000 })
    expect(parseRate('1/hour')).toEqual({ count: 1, periodMs: 3_600_000 })
    expect(parseRate('OFF')).toBeUndefined()
  })

  it.each(['', '100', '0/second', '-1/second', '1.5/second', '100/day', '100/constructor', '9999999/second'])(
    'is not "%s", and the refusal tells what it takes',
    (text) => {
      expect(() => parseRate(text)).toThrow('e.g. 100/second or 100/minute')
    },
  )
})

describe('a rate limit', () => {
  it('lets a whole allowance through at once, and then no more', () => {
    const { limit, taken } = limited('100/minute')
    expect(taken('a', 101)).toBe(100)
    expect(limit.take('a')).toEqual({ allowed: false, retryAfterSeconds: 1 })
  })

  it('gives back continuously', () => {
    const { clock, taken } = limited('100/minute')
    taken('a', 100)
    clock.advance(599)
    expect(taken('a', 1)).toBe(0)
    clock.advance(1)
    expect(taken('a', 2)).toBe(1)
    clock.advance(30_000)
    expect(taken('a', 100)).toBe(50)
  })

  it('never gives back more than a whole allowance', () => {
    const { clock, taken } = limited('5/second')
    taken('a', 5)
    clock.advance(3_600_000)
    expect(taken('a', 100)).toBe(5)
  })

  it.each(['1/minute', '7/minute', '3/hour', '100/second', '999/hour'])(
    'at %s lets a client through that waits as long as it was asked to',
    (text) => {
      const { clock, limit, taken } = limited(text)
      taken('a', 1000)
      for (let round = 0; round < 20; round++) {
        const answer = limit.take('a')
        if (answer.allowed) continue
        expect(answer.retryAfterSeconds).toBeGreaterThanOrEqual(1)
        clock.advance(answer.retryAfterSeconds * 1000)
        expect(limit.take('a').allowed).toBe(true)
      }
    },
  )

  it('costs a refused client nothing', () => {
    const { clock, taken } = limited('1/second')
    taken('a', 1000)
    clock.advance(1000)
    expect(taken('a', 1)).toBe(1)
  })

  it('counts each client separately', () => {
    const { taken } = limited('2/second')
    expect(taken('a', 3)).toBe(2)
    expect(taken('b', 3)).toBe(2)
  })

  it('forgets callers who have been idle for a period', () => {
    const { clock, limit, taken } = limited('2/second')
    for (let i = 0; i < 20; i++) taken(`idle ${i}`, 1)
    expect(limit.size).toBe(20)
    clock.advance(1000)
    taken('a', 5)
    expect(limit.size).toBe(1)
    expect(taken('a', 1)).toBe(0)
  })

  it('remembers only so many callers, those who asked last', () => {
    const { limit, taken } = limited('1/hour', 3)
    for (const key of ['a', 'b', 'c', 'a', 'd']) taken(key, 1)
    expect(limit.size).toBe(3)
    expect([taken('a', 1), taken('c', 1), taken('d', 1)]).toEqual([0, 0, 0])
    expect(taken('b', 1)).toBe(1)
  })

  it('outlives a clock that is set back', () => {
    const { clock, taken } = limited('2/second')
    taken('a', 2)
    clock.advance(-60_000)
    expect(taken('a', 1)).toBe(0)
    clock.advance(1000)
    expect(taken('a', 5)).toBe(2)
  })
})

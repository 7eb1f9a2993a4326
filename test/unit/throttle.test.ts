import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../src/clock.js'
import { readConfig } from '../../src/config/config.js'
import { operations } from '../../src/phone-numbers/contract/operations.js'
import { parseThrottle, Throttle, throttleWords } from '../../src/phone-numbers/throttle.js'

const SEARCH = 'PhoneNumbers_SearchAvailablePhoneNumbers'
const PURCHASE = 'PhoneNumbers_PurchasePhoneNumbers'

const throttled = (text: string) => {
  const clock = new ManualClock()
  const throttle = new Throttle(clock, parseThrottle(text))
  return {
    clock,
    throttle,
    /** How many of `tries` are let through. */
    passed: (resource: string, operation: string, tries: number) => {
      let count = 0
      for (let i = 0; i < tries; i++) {
        try {
          throttle.count(resource, operation)
          count++
        } catch {
          // Refused: not counted.
        }
      }
      return count
    },
  }
}

describe('the setting', () => {
  it('is a rate for each operation and one for each of the others', () => {
    expect([...parseThrottle(' search = 5/604800, PURCHASE=1/10 ,*=100/1,')]).toEqual([
      ['search', { count: 5, periodMs: 604_800_000 }],
      ['purchase', { count: 1, periodMs: 10_000 }],
      ['*', { count: 100, periodMs: 1000 }],
    ])
  })

  it('is empty by default: nothing is limited', () => {
    expect(readConfig({}).throttle.size).toBe(0)
  })

  it.each([
    ['serch=1/1', 'the operations are countries'],
    ['search=1/1,search=2/1', 'twice'],
    ['search', 'a count and a period'],
    ['search=0/1', 'from 1 to'],
    ['search=1/0', 'from 1 to'],
    ['search=1/9999999', 'from 1 to'],
    ['search=9999999/1', 'from 1 to'],
    ['search=1/minute', 'a count and a period'],
    ['constructor=1/1', 'the operations are'],
  ])('"%s" is refused with what it takes', (text, reason) => {
    expect(() => readConfig({ LINEBOOK_THROTTLE: text })).toThrow(reason)
    expect(() => readConfig({ LINEBOOK_THROTTLE: text })).toThrow('LINEBOOK_THROTTLE')
  })

  it('has one word for every operation', () => {
    expect(Object.keys(throttleWords).sort()).toEqual(operations.map(({ operationId }) => operationId).sort())
    expect(new Set(Object.values(throttleWords)).size).toBe(operations.length)
  })
})

describe('a throttle', () => {
  it('counts each resource and each operation by itself', () => {
    const { passed } = throttled('search=3/60,*=2/60')
    expect(passed('a', SEARCH, 5)).toBe(3)
    expect(passed('b', SEARCH, 5)).toBe(3)
    expect(passed('a', PURCHASE, 5)).toBe(2)
    expect(passed('a', 'SipRouting_Get', 5)).toBe(2)
  })

  it('lets operations without a rate pass', () => {
    const { passed } = throttled('search=1/60')
    expect(passed('a', PURCHASE, 1000)).toBe(1000)
    expect(throttled('').passed('a', SEARCH, 1000)).toBe(1000)
  })

  it('gives back in time, whichever way the clock was moved', () => {
    const { clock, passed } = throttled('search=5/604800')
    expect(passed('a', SEARCH, 9)).toBe(5)
    clock.advance(604_800_000 / 5)
    expect(passed('a', SEARCH, 9)).toBe(1)
    clock.advance(-7 * 604_800_000)
    expect(passed('a', SEARCH, 9)).toBe(0)
    clock.advance(604_800_000)
    expect(passed('a', SEARCH, 9)).toBe(5)
  })

  it('says what was too often, how often is not, and when the next may come', () => {
    const { throttle, passed } = throttled('purchase=2/10')
    passed('a', PURCHASE, 2)
    expect(() => throttle.count('a', PURCHASE)).toThrow(
      expect.objectContaining({
        kind: 'too-many-requests',
        message: 'Too many requests for purchase: this resource may make 2 in 10 seconds. Try again in 5 seconds.',
        retryAfterSeconds: 5,
      }),
    )
  })
})

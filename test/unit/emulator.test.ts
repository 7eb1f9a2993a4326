/** The pure parts of the test controls: durations, chance, routes of faults, the rule book of scripts, the clock. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ManualClock, MovableClock } from '../../src/clock.js'
import { addDuration, durationMs } from '../../src/emulator/inject/duration.js'
import { chance, comparable, FaultBook, patternsOf, type Fault } from '../../src/emulator/inject/faults.js'
import { ScriptBook } from '../../src/emulator/inject/scripts.js'

const FROM = new Date('2026-01-31T10:00:00.000Z')

describe('a duration', () => {
  it.each([
    ['PT0S', '2026-01-31T10:00:00.000Z'],
    ['PT1.5S', '2026-01-31T10:00:01.500Z'],
    ['PT1,25S', '2026-01-31T10:00:01.250Z'],
    ['PT90M', '2026-01-31T11:30:00.000Z'],
    ['P1W', '2026-02-07T10:00:00.000Z'],
    ['P1DT2H3M4S', '2026-02-01T12:03:04.000Z'],
    ['P1M', '2026-02-28T10:00:00.000Z'],
    ['P2Y1M', '2028-02-29T10:00:00.000Z'],
    ['P11M', '2026-12-31T10:00:00.000Z'],
    ['p1dt1h', '2026-02-01T11:00:00.000Z'],
  ])('%s after the end of January is %s', (text, at) => {
    expect(addDuration(FROM, text)?.toISOString()).toBe(at)
  })

  it.each(['', 'P', 'PT', 'P1', '1D', 'P1H', 'PT1D', 'P-1D', 'P1.5D', 'P1D ', 'P1DT', 'PT1S1M', 'P1D2W', 'forever'])(
    'is not %j',
    (text) => {
      expect(addDuration(FROM, text)).toBeUndefined()
    },
  )

  it('in milliseconds has no calendar in it', () => {
    expect([durationMs('PT1M'), durationMs('P1D'), durationMs('P1M'), durationMs('P1Y'), durationMs('x')]).toEqual([
      60_000,
      86_400_000,
      undefined,
      undefined,
      undefined,
    ])
  })
})

describe('the chance of a fault', () => {
  it('is a number from 0 to below 1, the same for the same seed and index', () => {
    fc.assert(
      fc.property(fc.nat(0xffff_ffff), fc.nat(1_000_000), (seed, index) => {
        const drawn = chance(seed, index)
        expect(drawn).toBeGreaterThanOrEqual(0)
        expect(drawn).toBeLessThan(1)
        expect(chance(seed, index)).toBe(drawn)
      }),
    )
  })

  it('is spread evenly, for neighbouring seeds too', () => {
    for (const seed of [0, 1, 2, 3, 0xffff_ffff]) {
      const below = Array.from({ length: 10_000 }, (_, index) => chance(seed, index)).filter((drawn) => drawn < 0.3)
      expect(below.length / 10_000).toBeGreaterThan(0.28)
      expect(below.length / 10_000).toBeLessThan(0.32)
    }
  })
})

describe('the route of a fault', () => {
  const operations = [
    { operationId: 'A_Search', method: 'POST', path: '/countries/{country}/:search' },
    { operationId: 'A_Get', method: 'GET', path: '/numbers/{number}' },
    { operationId: 'A_Act', method: 'POST', path: '/numbers/{number}:act' },
  ]
  const meets = (route: string, method: string, target: string) =>
    (patternsOf(operations, route) ?? []).some(
      (one) => (one.method === '*' || one.method === method) && one.path.test(comparable(target)),
    )

  it.each([
    ['A_Search', 'POST', '/countries/US/:search?api-version=1', true],
    ['A_Search', 'POST', '//countries//us/:SEARCH/', true],
    ['A_Search', 'POST', '/countries/US/CA/:search', false],
    ['A_Search', 'GET', '/countries/US/:search', false],
    ['A_Get', 'GET', '/numbers/+14255550100', true],
    ['A_Get', 'GET', '/numbers/+14255550100:act', false],
    ['A_Act', 'POST', '/numbers/+14255550100:act', true],
    ['* /numbers/*', 'POST', '/numbers/+14255550100:act', true],
    ['GET /', 'GET', '/', true],
    ['GET /', 'GET', '/numbers', false],
    ['GET /num.ers/{x}', 'GET', '/numbers/1', false],
  ])('%s meets %s %s: %s', (route, method, target, expected) => {
    expect(meets(route, method, target)).toBe(expected)
  })

  it.each(['A_Unknown', '', 'GET', 'GET numbers', '/numbers', 'GET  '])('is not %j', (route) => {
    expect(patternsOf(operations, route)).toBeUndefined()
  })
})

const aFault = (over: Partial<Fault>): Fault => ({
  id: 'f',
  route: '* /*',
  effect: 'cut',
  probability: 1,
  seed: 1,
  met: 0,
  struck: 0,
  ...over,
})

describe('the book of faults', () => {
  it('adds up delays and stops at the first other effect', () => {
    const book = new FaultBook([])
    book.apply([
      aFault({ id: 'a', effect: 'delay', delayMs: 20 }),
      aFault({ id: 'b', effect: 'delay', delayMs: 30 }),
      aFault({ id: 'c' }),
      aFault({ id: 'd', effect: 'delay', delayMs: 1 }),
    ])
    expect(book.strike('GET', '/')).toMatchObject({ delayMs: 50, fault: { id: 'c' } })
    expect(book.read()?.map(({ met }) => met)).toEqual([1, 1, 1, 0])
  })

  it('reports use, and only use', () => {
    let uses = 0
    const book = new FaultBook([], () => uses++)
    book.apply([aFault({ route: 'GET /a', times: 1 })])
    book.strike('GET', '/b')
    expect(uses).toBe(0)
    expect(book.strike('GET', '/a').fault).toBeDefined()
    expect(book.strike('GET', '/a').fault).toBeUndefined()
    expect(uses).toBe(1)
  })

  it('goes on where it was when it is read and applied again', () => {
    const statuses = (again: boolean) => {
      let book = new FaultBook([])
      book.apply([aFault({ probability: 0.5, seed: 9 })])
      return Array.from({ length: 30 }, (_, index) => {
        if (again && index % 7 === 3) {
          const stored = JSON.parse(JSON.stringify(book.read())) as Fault[]
          book = new FaultBook([])
          book.apply(stored)
        }
        return book.strike('GET', '/').fault !== undefined
      })
    }
    expect(statuses(true)).toEqual(statuses(false))
  })
})

describe('the book of scripts', () => {
  const usual = { delayMs: 5 }
  const coursesOf = (book: ScriptBook) =>
    book.coursesOver({
      search: usual,
      purchase: usual,
      reservationPurchase: usual,
      release: usual,
      capabilities: usual,
    })

  it('is the usual course where no script is for an operation', () => {
    const book = new ScriptBook()
    book.apply([{ id: 'a', operation: 'release', byHand: true }])
    const courseOf = coursesOf(book)
    expect(courseOf('search', 'local')).toBe(usual)
    expect(courseOf('release', 'local')).toEqual({ delayMs: 0, byHand: true })
  })

  it('goes through scripts in their order as they are used up', () => {
    let uses = 0
    const book = new ScriptBook(() => uses++)
    const courseOf = coursesOf(book)
    book.apply([
      { id: 'a', times: 1, left: 1, afterMs: 9 },
      { id: 'b', resource: 'other', polls: 2 },
      { id: 'c', times: 1, left: 1, failure: { code: 'X', message: 'x' } },
    ])
    expect([1, 2, 3].map(() => courseOf('search', 'local'))).toEqual([
      { delayMs: 9 },
      { delayMs: 0, failure: { code: 'X', message: 'x' } },
      usual,
    ])
    expect(courseOf('search', 'other')).toEqual({ delayMs: 0, polls: 2 })
    expect(uses).toBe(2)
    expect(book.read()?.map(({ left }) => left)).toEqual([0, undefined, 0])
  })
})

it('a movable clock goes as its base does', () => {
  const base = new ManualClock(FROM)
  const clock = new MovableClock(base)
  clock.offsetMs = 3_600_000
  base.advance(5)
  expect(clock.now().toISOString()).toBe('2026-01-31T11:00:00.005Z')
})

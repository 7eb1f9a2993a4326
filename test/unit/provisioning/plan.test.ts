import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  askedRetryMs,
  nextStep,
  numberSteps,
  placedAfter,
  retryAfterMs,
  type NumberSituation,
  type NumberStep,
} from '../../../src/sync/plan.js'
import type { Placed } from '../../../src/sync/sync.js'

const stages = ['uploaded', 'leaving', 'unassigned', 'released'] as const
const tenants = ['contoso', 'Contoso', 'fabrikam'] as const
const same = (a: string | undefined, b: string | undefined): boolean => a?.toLowerCase() === b?.toLowerCase()

const situations: NumberSituation[] = [undefined, ...tenants].flatMap((wantedAt) =>
  [null, ...tenants.flatMap((tenantId) => stages.map((stage): Placed => ({ tenantId, stage })))].flatMap((placed) =>
    [true, false].flatMap((known) => [true, false].map((unsure) => ({ wantedAt, placed, known, unsure }))),
  ),
)
const told = ({ wantedAt, placed, known, unsure }: NumberSituation): string =>
  `wanted at ${wantedAt ?? 'none'}, ${placed ? `${placed.stage} at ${placed.tenantId}` : 'nowhere'}` +
  `${known ? ', known' : ''}${unsure ? ', unsure' : ''}`

interface Step {
  step: NumberStep
  tenantId: string
}

/** The steps to the end, each carried out; a look finds the number as often as `comesBack` says. */
function walk(situation: NumberSituation, comesBack = 0): Step[] {
  const steps: Step[] = []
  let now = situation
  let returns = comesBack
  for (let next; (next = nextStep(now)) !== undefined;) {
    steps.push(next)
    if (steps.length > 20) throw new Error(`no end: ${steps.map(({ step }) => step).join(' ')}`)
    const { step, tenantId } = next
    if (step === 'upload' || step === 'update') break
    const isBack = step === 'look' && returns-- > 0
    const isGone = step === 'look' || (step === 'release' && !now.unsure)
    now = {
      ...now,
      placed: isBack ? { tenantId, stage: 'uploaded' } : isGone ? null : placedAfter(step, tenantId),
      unsure: step === 'look' ? false : now.unsure,
    }
  }
  return steps
}

describe(`a number in each of ${situations.length} situations`, () => {
  it('ends where it is wanted, with everything before in its order', () => {
    const order: NumberStep[] = ['unassign', 'release', 'look', 'upload', 'update']
    for (const situation of situations) {
      const steps = walk(situation)
      const last = steps.at(-1)
      const isTold = last?.step === 'upload' || last?.step === 'update'
      expect(isTold ? last.tenantId : undefined, told(situation)).toBe(situation.wantedAt)
      // Each at most once, and none before another that has to come first.
      const places = steps.map(({ step }) => order.indexOf(step))
      expect(places, told(situation)).toEqual([...new Set(places)].sort((a, b) => a - b))
    }
    expect(new Set(situations.flatMap((situation) => walk(situation).map(({ step }) => step)))).toEqual(
      new Set(numberSteps),
    )
  })

  it('leaves the tenant where it may be before it is anywhere else', () => {
    for (const situation of situations) {
      const { wantedAt, placed } = situation
      const left = walk(situation).filter(({ step }) => step === 'unassign' || step === 'release')
      const isElsewhere = placed !== null && !same(placed.tenantId, wantedAt)
      const mustLeave = {
        uploaded: isElsewhere ? ['unassign', 'release'] : [],
        leaving: ['unassign', 'release'],
        unassigned: ['release'],
        released: [],
      }
      const steps = placed ? mustLeave[placed.stage] : []
      expect(left, told(situation)).toEqual(steps.map((step) => ({ step, tenantId: placed?.tenantId })))
    }
  })

  it('is updated only where it is and the backend has confirmed it; uploaded otherwise', () => {
    for (const situation of situations) {
      const { wantedAt, placed, known } = situation
      const isThere = placed?.stage === 'uploaded' && same(placed.tenantId, wantedAt)
      const steps = walk(situation).map(({ step }) => step)
      expect(steps.includes('update'), told(situation)).toBe(isThere && known)
    }
  })

  it('is taken away once more when a look finds that it has come back', () => {
    for (const situation of situations) {
      const steps = walk(situation, 1).map(({ step }) => step)
      const looks = steps.flatMap((step, index) => (step === 'look' ? [index] : []))
      expect(looks.length, told(situation)).toBeLessThanOrEqual(1)
      for (const index of looks) {
        expect(steps.slice(index + 1, index + 3), told(situation)).toEqual(['unassign', 'release'])
      }
    }
  })
})

it('however often minds change on the way, no tenant takes a number that another still has', () => {
  const wish = fc.constantFrom(undefined, 'contoso', 'fabrikam')
  // A wish, or one more step carried out.
  const happening = fc.oneof({ weight: 1, arbitrary: wish.map((at) => ({ at })) }, fc.constant('step' as const))
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 40 }), wish, (happenings, finally_) => {
      let there: { tenantId: string; assigned: boolean } | undefined
      const now: NumberSituation = { wantedAt: undefined, placed: null, known: false, unsure: false }
      const want = (at: string | undefined): void => {
        now.wantedAt = at
        // As a write does that asks for the release.
        if (at === undefined && now.placed?.stage === 'uploaded') now.placed = { ...now.placed, stage: 'leaving' }
      }
      const carryOut = (): boolean => {
        const next = nextStep(now)
        if (next === undefined) return false
        const { step, tenantId } = next
        if (step === 'upload' || step === 'update') {
          expect(there === undefined || there.tenantId === tenantId).toBe(true)
          const settled = there !== undefined && now.known && now.placed?.stage === 'uploaded'
          there = { tenantId, assigned: true }
          now.known = true
          now.placed = placedAfter(step, tenantId)
          return !settled
        }
        if (step === 'unassign' && there?.tenantId === tenantId) there.assigned = false
        if (step === 'release' && there?.tenantId === tenantId) {
          expect(there.assigned).toBe(false)
          there = undefined
        }
        now.placed = step === 'unassign' ? placedAfter(step, tenantId) : null
        return true
      }
      for (const what of happenings) {
        if (what === 'step') carryOut()
        else want(what.at)
      }
      want(finally_)
      while (carryOut());
      expect((there as { tenantId: string } | undefined)?.tenantId).toBe(finally_)
    }),
    { numRuns: 1_000 },
  )
})

it('waits a second after the first failure, twice as long after each further one, and never more than five minutes', () => {
  expect([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 1_000].map(retryAfterMs)).toEqual(
    [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300].map((seconds) => seconds * 1_000),
  )
})

describe('a backend that asks for a time', () => {
  it('gets no less than our own back-off', () => {
    expect([1, 2, 3, 20].map((attempts) => askedRetryMs(attempts, 0, { isJob: false }))).toEqual(
      [1, 2, 3, 20].map(retryAfterMs),
    )
    expect(askedRetryMs(4, 500, { isJob: false })).toBe(8_000)
  })

  it('gets what it asks for above that, up to an hour', () => {
    expect(askedRetryMs(4, 9_000, { isJob: false })).toBe(9_000)
    expect(askedRetryMs(4, 1e12, { isJob: false })).toBe(3_600_000)
  })

  it('is asked for a job under way every second at most, however often it was asked before', () => {
    expect(askedRetryMs(20, 0, { isJob: true })).toBe(1_000)
    expect(askedRetryMs(20, 5_000, { isJob: true })).toBe(5_000)
  })
})

/** Whatever a backend does, it ends with what is stored; and what it was told, it was told in order. */
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { requeueFailed } from '../../../src/accounts/commands/requeue.js'
import { driftEffects, type SimulatedControl } from '../../../src/backends/simulated/control.js'
import { misbehaviourNames, type MisbehaviourName } from '../../../src/backends/simulated/misbehaviour.js'
import type { Db } from '../../../src/db/db.js'
import { claimWork, record, type ClaimedWork } from '../../../src/reconcile/reconcile.js'
import { hasTimeFor } from '../../../src/sync/claims.js'
import type { Result } from '../../../src/sync/results.js'
import { truncate } from '../../fixtures/database.js'
import { BY_TEST } from '../../fixtures/service.js'
import { enterStock } from '../../fixtures/stock.js'
import { it } from '../../fixtures/test.js'
import {
  aWatchedOperator,
  expectAtRest,
  expectOneEffectEach,
  HOUR,
  MINUTE,
  SECOND,
  type WatchedOperator,
} from './watched-operator.js'

/** Longer random runs: LINEBOOK_TEST_RUNS=200. */
const RUNS = Number(process.env.LINEBOOK_TEST_RUNS ?? 6)

// The first two are stock.
const e164s = ['+12065550100', '+12065550101', '+442079460102', '+442079460103'] as const
const [a, b, c, d] = e164s
const accounts = ['contoso', 'fabrikam'] as const

/** Each misbehaviour as it is asked for here; a new one doesn't compile until it is. */
const misbehave: Record<MisbehaviourName, (control: SimulatedControl) => Promise<void>> = {
  latency: (control) => control.misbehave('latency', { ms: 20_000, methods: ['uploadNumbers', 'releaseNumbers'] }),
  // What is refused on the way out comes back: see leaving.test.ts.
  refuse: (control) =>
    control.misbehave('refuse', { code: 'Bad', message: 'Not so.', methods: ['uploadNumbers', 'updateNumbers'] }),
  'timeout-after-success': (control) => control.misbehave('timeout-after-success', {}),
  'timeout-before': (control) => control.misbehave('timeout-before', {}),
  throttle: (control) => control.misbehave('throttle', { afterMs: 3 * SECOND }),
  unavailable: (control) => control.misbehave('unavailable', { afterMs: 3 * SECOND }),
  'wrong-order': (control) => control.misbehave('wrong-order', {}),
  job: (control) => control.misbehave('job', { polls: 2, afterMs: SECOND }),
  partial: (control) => control.misbehave('partial', { afterMs: SECOND }),
}

describe('a backend has in the end what is stored', () => {
  let operator: WatchedOperator
  it.beforeEach(async ({ db }) => {
    operator = await begin(db)
  })

  it('without any trouble', async ({ db }) => {
    const wanted = await aStory(operator)
    await operator.settle()
    await expectAtRest(db, operator, wanted)
    await expectOneEffectEach(operator)
  })

  it.for(misbehaviourNames)('although it misbehaves: %s', async (name, { db }) => {
    await misbehave[name](operator.backends.oc.control)
    const wanted = await aStory(operator)
    if (name === 'refuse') {
      await operator.settle()
      for (const [e164, { account }] of wanted) expect(await operator.status(account, e164)).toMatchObject(failed)
      await requeueFailed(operator.deps, {}, BY_TEST)
    }
    await operator.settle()
    await expectAtRest(db, operator, wanted)
    await expectOneEffectEach(operator)
  })

  it.for(driftEffects)('although it drifts: %s', async (effect, { db }) => {
    const wanted = await aStory(operator)
    await operator.runAll()
    await operator.backends.oc.control.drift(effect)
    operator.clock.advance(HOUR)
    await operator.settle()
    await expectAtRest(db, operator, wanted)
  })
})

const failed = { status: 'failed', errors: [{ code: 'Bad', message: 'Not so.', target: 'oc' }] }

/** What can happen, as data, so that a failure shows it. */
type Happening =
  | { do: 'put'; e164: string; account: string; usage: string | null }
  | { do: 'delete'; e164: string }
  | { do: 'switch'; account: string; on: boolean }
  | { do: 'run' | 'claim' | 'call' | 'record' | 'crash' }
  | { do: 'wait'; ms: number }
  | { do: 'misbehave'; name: MisbehaviourName }
  | { do: 'behave' }

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      e164: fc.constantFrom(...e164s),
      account: fc.constantFrom(...accounts),
      usage: fc.constantFrom('FirstPartyAppAssignment', 'CallingUserAssignment', null),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('delete' as const), e164: fc.constantFrom(...e164s) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('switch' as const),
      account: fc.constantFrom(...accounts),
      on: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('run' as const, 'claim' as const, 'call' as const, 'record' as const, 'crash' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.constantFrom(SECOND, 5 * SECOND, 45 * SECOND, 6 * MINUTE),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('misbehave' as const),
      name: fc.constantFrom(...misbehaviourNames.filter((name) => name !== 'refuse')),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('behave' as const) }) },
)

/** What is wanted after all that has been acknowledged, and the runs that are under way. */
class Happenings {
  readonly wanted = new Map<string, { account: string; usage: string | null }>()
  readonly #off = new Set<string>()
  readonly #runs: { work: ClaimedWork; results?: Result[][] }[] = []

  constructor(readonly operator: WatchedOperator) {}

  async happen(what: Happening): Promise<void> {
    const { operator } = this
    switch (what.do) {
      case 'put': {
        const { e164, account, usage } = what
        const before = this.wanted.get(e164)
        if (before && (before.account !== account || this.#isLetGo(account, usage))) return
        await operator.put(account, e164, usage)
        this.wanted.set(e164, { account, usage })
        return
      }
      case 'delete': {
        const before = this.wanted.get(what.e164)
        if (!before || this.#isLetGo(before.account, null)) return
        await operator.deleteNumbers(before.account, [what.e164])
        this.wanted.delete(what.e164)
        return
      }
      case 'switch':
        await operator.switchSync(what.account, what.on)
        if (what.on) this.#off.delete(what.account)
        else this.#off.add(what.account)
        return
      case 'wait':
        operator.clock.advance(what.ms)
        return
      case 'misbehave':
        return misbehave[what.name](operator.backends.oc.control)
      case 'behave':
        return operator.backends.oc.control.behave()
      case 'run':
        await operator.run()
        return
      case 'claim': {
        const work = await claimWork(operator.deps, 'oc')
        if (work) this.#runs.push({ work })
        return
      }
      case 'call': {
        const run = this.#runs.find(({ results }) => results === undefined)
        if (!run) return
        run.results = [run.work.settled]
        for (const call of run.work.calls) {
          if (hasTimeFor(run.work.claim, run.work.timeoutMs, operator.clock.now())) run.results.push(await call.run())
        }
        return
      }
      case 'record': {
        const index = this.#runs.findIndex(({ results }) => results !== undefined)
        const [run] = index < 0 ? [] : this.#runs.splice(index, 1)
        for (const results of run?.results ?? [])
          await record(operator.deps, (run as { work: ClaimedWork }).work.claim, results)
        return
      }
      case 'crash':
        this.#runs.shift()
    }
  }

  async end(): Promise<void> {
    for (const account of this.#off) await this.operator.switchSync(account, true)
  }

  /** A service taken from a number while its account is not synced stays with the backend: nobody asks for it back. */
  #isLetGo(account: string, usage: string | null): boolean {
    return this.#off.has(account) && usage === null
  }
}

it(
  'a backend has in the end what is stored, whatever happened before, crashes included',
  async ({ db }) => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { minLength: 10, maxLength: 40 }), async (happenings) => {
        const operator = await begin(db)
        const story = new Happenings(operator)
        for (const what of happenings) await story.happen(what)
        await story.end()
        await operator.settle()
        await expectAtRest(db, operator, story.wanted)
      }),
      { numRuns: RUNS },
    )
  },
  RUNS * 10_000,
)

async function begin(db: Db): Promise<WatchedOperator> {
  await truncate(db)
  await enterStock(db, { count: 2 })
  const operator = aWatchedOperator(db)
  for (const account of accounts) await operator.putAccount(account)
  return operator
}

/** What an operator may do to numbers in a few minutes, with what is wanted in the end. */
async function aStory(operator: WatchedOperator) {
  const { put, deleteNumbers, clock, runAll, switchSync } = operator
  const pause = async (ms: number) => {
    clock.advance(ms)
    await runAll()
  }
  for (const e164 of e164s) await put('contoso', e164)
  await pause(0)
  await put('contoso', a, 'CallingUserAssignment')
  await deleteNumbers('contoso', [b])
  await pause(2 * SECOND)
  await put('contoso', b, 'ConferenceAssignment')
  await deleteNumbers('contoso', [c])
  await put('fabrikam', c, 'CallingUserAssignment')
  await put('contoso', d, null)
  await pause(2 * SECOND)
  await deleteNumbers('contoso', [a])
  await pause(SECOND)
  await put('contoso', d, 'ConferenceAssignment')
  await switchSync('contoso', false)
  await put('contoso', d, 'FirstPartyAppAssignment')
  await pause(40 * SECOND)
  await switchSync('contoso', true)
  await pause(SECOND)
  return new Map([
    [b, { account: 'contoso', usage: 'ConferenceAssignment' }],
    [c, { account: 'fabrikam', usage: 'CallingUserAssignment' }],
    [d, { account: 'contoso', usage: 'FirstPartyAppAssignment' }],
  ])
}

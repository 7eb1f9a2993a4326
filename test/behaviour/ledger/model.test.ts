/**
 * The ledger against a plain model of it: random sequences of commands, with time moving between them. fast-check
 * prints the seed and the shortest failing sequence.
 */
import fc from 'fast-check'
import { expect } from 'vitest'
import { later } from '../../../src/clock.js'
import { sql, type Db, type Tx } from '../../../src/db/db.js'
import { newId } from '../../../src/ids.js'
import { assignNumbers, moveAssigned, noteWithdrawn, unassignNumbers } from '../../../src/ledger/assignment.js'
import type { Cause } from '../../../src/ledger/history.js'
import { cancelHold, holdAny, sweepFreed } from '../../../src/ledger/holds.js'
import { nextState, type NumberEvent, type NumberState } from '../../../src/ledger/number.js'
import { findNumbers } from '../../../src/ledger/reads.js'
import { restoreNumbers, retireNumbers } from '../../../src/ledger/retirement.js'
import { configureOwned, purchaseHeld, releaseOwned } from '../../../src/ledger/sales.js'
import { truncate } from '../../fixtures/database.js'
import { enterStock, onTerms, terms } from '../../fixtures/stock.js'
import { it } from '../../fixtures/test.js'

const START = new Date('2026-03-01T12:00:00.000Z')
const STOCK = 8
/** Numbers that the operator brings along: they are in the ledger only while they are on an account. */
const STRANGERS = ['+123451', '+123452']
const ALL = STOCK + STRANGERS.length
const HOLD_MS = 100
const QUARANTINE_MS = 150
const resources = [newId(), newId()]
const accounts = [newId(), newId()]

/** The number as time has left it. */
const settled = (model: Model, e164: string): Modelled => {
  const number = model.numbers.get(e164) as Modelled
  return number.freeAt !== undefined && number.freeAt <= model.now.getTime() ? { state: 'available' } : number
}

const eligible = (model: Model, test: (number: Modelled, e164: string) => boolean): string[] =>
  [...model.numbers.keys()].filter((e164) => test(settled(model, e164), e164)).sort()

/** One command: what the ledger did to which numbers, and what the model says it had to do. */
class Command implements fc.AsyncCommand<Model, Db> {
  readonly #text: string
  readonly #run: (model: Model, tx: Tx) => Promise<void>

  constructor(text: string, run: (model: Model, tx: Tx) => Promise<void>) {
    this.#text = text
    this.#run = run
  }

  check = () => true
  toString = () => this.#text

  async run(model: Model, real: Db): Promise<void> {
    await real.transaction((tx) => this.#run(model, tx))
    const rows = await findNumbers(real, [...model.numbers.keys()])
    const there = eligible(model, ({ state }) => state !== 'absent')
    expect(rows.map(({ e164 }) => e164)).toEqual(there)
    for (const row of rows) {
      const { state, holdId, resourceId, accountId } = settled(model, row.e164)
      const over = row.freeAt !== null && Number(row.freeAt) <= model.now.getTime()
      const actual = over ? { state: 'available' } : row
      expect(actual, row.e164).toMatchObject({
        state,
        ...(!over && { holdId: holdId ?? null, resourceId: resourceId ?? null, accountId: accountId ?? null }),
      })
    }
  }
}

const someNumbers = fc.uniqueArray(fc.nat(ALL - 1), { minLength: 1, maxLength: 3 })

const sweep = fc.constant(new Command('sweep', async (model, tx) => void (await sweepFreed(tx, 100, model.now))))

it('does to every number what the model does, whatever comes in whatever order', async ({ db }) => {
  await fc.assert(
    fc.asyncProperty(
      fc.commands(
        [
          hold,
          onHold('purchase'),
          onHold('purchase'),
          onHold('cancel'),
          onOwned('release'),
          onOwned('configure'),
          assign,
          assign,
          unassign,
          move,
          withdraw,
          byOperator('retire'),
          byOperator('restore'),
          wait,
          sweep,
        ],
        { maxCommands: 60, size: 'max' },
      ),
      async (commands) => {
        await truncate(db)
        const stock = await enterStock(db, { count: STOCK })
        const numbers = new Map([
          ...stock.map((e164): [string, Modelled] => [e164, { state: 'available' }]),
          ...STRANGERS.map((e164): [string, Modelled] => [e164, { state: 'absent' }]),
        ])
        await fc.asyncModelRun(() => ({ model: { now: START, numbers, holds: [] }, real: db }), commands)
        await expectCompleteHistories(db, numbers)
      },
    ),
    { numRuns: 40 },
  )
})

/** Each number's lines must form one unbroken way through the table, ending where the number is. */
async function expectCompleteHistories(db: Db, numbers: Map<string, Modelled>): Promise<void> {
  const lines = await db.query<Line>(sql`
    select e164, event, from_state as "from", to_state as "to" from number_history order by e164, id`)
  const states = new Map((await findNumbers(db, [...numbers.keys()])).map(({ e164, state }) => [e164, state]))
  const reached = new Map<string, NumberState>()
  for (const { e164, event, from, to } of lines) {
    const before = reached.get(e164)
    const freedByTime = (before === 'held' || before === 'quarantined') && from === 'available'
    if (!freedByTime) expect(from, e164).toBe(before ?? null)
    // A number that was never stock leaves where others go to rest.
    const next =
      to === null && STRANGERS.includes(e164) && event === 'unassign' ? null : nextState(from ?? 'absent', event)
    expect(next, `${e164}: ${from} ${event}`).toBe(to)
    if (to === null) reached.delete(e164)
    else reached.set(e164, to)
  }
  expect(reached).toEqual(states)
}

interface Line {
  e164: string
  event: NumberEvent
  from: NumberState | null
  to: NumberState | null
}

interface Modelled {
  state: NumberState | 'absent'
  freeAt?: number
  holdId?: string
  resourceId?: string
  accountId?: string
  /** Rests because it was taken off an account, not because a buyer gave it back. */
  leftAccount?: boolean
}

interface Model {
  now: Date
  numbers: Map<string, Modelled>
  holds: { id: string; resourceId: string }[]
}

const causeOf = ({ now }: Model): Cause => ({ at: now, actor: 'model', reason: 'model' })

const allowed = (model: Model, e164: string, event: NumberEvent): boolean =>
  nextState(settled(model, e164).state, event) !== undefined

const e164At = (model: Model, index: number): string => [...model.numbers.keys()][index % ALL] as string

const hold = fc.tuple(fc.nat(1), fc.integer({ min: 1, max: 4 })).map(
  ([who, quantity]) =>
    new Command(`hold ${quantity} for ${who}`, async (model, tx) => {
      const free = eligible(model, ({ state }) => state === 'available')
      const target = { holdId: newId(), resourceId: resources[who] as string, until: later(model.now, HOLD_MS) }
      const held = await holdAny(
        tx,
        { pool: '', countryCode: 'US', numberType: 'geographic', areaCode: undefined, quantity },
        target,
        causeOf(model),
      )
      expect(held).toHaveLength(Math.min(quantity, free.length))
      expect(free).toEqual(expect.arrayContaining(held))
      for (const e164 of held) {
        const { holdId, resourceId, until } = target
        model.numbers.set(e164, { state: 'held', holdId, resourceId, freeAt: until.getTime() })
      }
      model.holds.push({ id: target.holdId, resourceId: target.resourceId })
    }),
)

const onHold = (event: 'purchase' | 'cancel') =>
  fc.nat().map(
    (index) =>
      new Command(`${event} hold ${index}`, async (model, tx) => {
        const target = model.holds[index % (model.holds.length || 1)]
        if (!target) return
        const expected = eligible(model, ({ holdId }) => holdId === target.id)
        const done =
          event === 'purchase'
            ? await purchaseHeld(
                tx,
                { holdId: target.id, resourceId: target.resourceId },
                // Of all that there are: it must not buy more than the hold has.
                onTerms([...model.numbers.keys()], terms),
                causeOf(model),
              )
            : await cancelHold(tx, target.id, causeOf(model))
        expect(done).toEqual(expected)
        for (const e164 of done) {
          model.numbers.set(
            e164,
            event === 'purchase' ? { state: 'owned', resourceId: target.resourceId } : { state: 'available' },
          )
        }
      }),
  )

const onOwned = (event: 'release' | 'configure') =>
  fc.tuple(fc.nat(), fc.nat(1)).map(
    ([index, who]) =>
      new Command(`${event} ${index} by ${who}`, async (model, tx) => {
        const owned = { e164: e164At(model, index), resourceId: resources[who] as string }
        const number = settled(model, owned.e164)
        const expected = number.state === 'owned' && number.resourceId === owned.resourceId
        const freeAt = later(model.now, QUARANTINE_MS)
        const done =
          event === 'release'
            ? await releaseOwned(tx, owned, freeAt, causeOf(model))
            : await configureOwned(tx, owned, { sms: 'inbound' }, causeOf(model))
        expect(done).toEqual(expected ? [owned.e164] : [])
        if (expected && event === 'release') {
          model.numbers.set(owned.e164, { state: 'quarantined', freeAt: freeAt.getTime() })
        }
      }),
  )

const assign = fc.tuple(someNumbers, fc.nat(1)).map(
  ([indexes, who]) =>
    new Command(`assign ${indexes.join()} to ${who}`, async (model, tx) => {
      const e164s = indexes.map((index) => e164At(model, index))
      const account = accounts[who] as string
      const done = await assignNumbers(tx, account, e164s, causeOf(model))
      const expected = eligible(
        model,
        ({ state, accountId, leftAccount }, e164) =>
          e164s.includes(e164) &&
          (state === 'available' || state === 'absent' || leftAccount === true || accountId === account),
      )
      expect([...done].sort()).toEqual(expected)
      for (const e164 of done) model.numbers.set(e164, { state: 'assigned', accountId: account })
    }),
)

const unassign = fc.tuple(someNumbers, fc.nat(1)).map(
  ([indexes, who]) =>
    new Command(`unassign ${indexes.join()} from ${who}`, async (model, tx) => {
      const e164s = indexes.map((index) => e164At(model, index))
      const account = accounts[who] as string
      // Each rests a time of its own.
      const freeAts = new Map(e164s.map((e164, nth) => [e164, later(model.now, QUARANTINE_MS + 40 * nth)]))
      const numbers = [...freeAts].map(([e164, freeAt]) => ({ e164, freeAt }))
      const done = await unassignNumbers(tx, account, numbers, causeOf(model))
      const expected = eligible(model, ({ accountId }, e164) => e164s.includes(e164) && accountId === account)
      expect([...done].sort()).toEqual(expected)
      for (const e164 of done) {
        model.numbers.set(
          e164,
          STRANGERS.includes(e164)
            ? { state: 'absent' }
            : { state: 'quarantined', freeAt: freeAts.get(e164)?.getTime() ?? 0, leftAccount: true },
        )
      }
    }),
)

const move = fc.tuple(someNumbers, fc.nat(1)).map(
  ([indexes, who]) =>
    new Command(`move ${indexes.join()} to ${who}`, async (model, tx) => {
      const e164s = indexes.map((index) => e164At(model, index))
      const account = accounts[who] as string
      const done = await moveAssigned(tx, account, e164s, causeOf(model))
      expect(done).toEqual(eligible(model, ({ state }, e164) => state === 'assigned' && e164s.includes(e164)))
      for (const e164 of done) model.numbers.set(e164, { state: 'assigned', accountId: account })
    }),
)

const withdraw = someNumbers.map(
  (indexes) =>
    new Command(`withdraw ${indexes.join()}`, (model, tx) =>
      noteWithdrawn(
        tx,
        indexes.map((index) => e164At(model, index)),
        causeOf(model),
      ),
    ),
)

const byOperator = (event: 'retire' | 'restore') =>
  fc.nat().map(
    (index) =>
      new Command(`${event} ${index}`, async (model, tx) => {
        const e164 = e164At(model, index)
        const expected = allowed(model, e164, event)
        const change = event === 'retire' ? retireNumbers : restoreNumbers
        const done = await change(tx, [e164], causeOf(model), { evenHeld: true })
        expect(done).toEqual(expected ? [e164] : [])
        if (expected) model.numbers.set(e164, { state: event === 'retire' ? 'retired' : 'available' })
      }),
  )

const wait = fc
  .integer({ min: 1, max: 120 })
  .map((ms) => new Command(`wait ${ms}`, async (model) => void (model.now = later(model.now, ms))))

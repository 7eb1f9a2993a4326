import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { later } from '../../../src/clock.js'
import { sql, type Tx } from '../../../src/db/db.js'
import { newId } from '../../../src/ids.js'
import { nextState, numberStates, transitions, type NumberEvent, type NumberState } from '../../../src/ledger/number.js'
import { findNumbers, listHistory } from '../../../src/ledger/reads.js'
import {
  assignNumbers,
  cancelHold,
  configureOwned,
  holdAny,
  purchaseHold,
  releaseOwned,
  restoreNumbers,
  retireNumbers,
  sweepFreed,
  unassignNumbers,
  type Cause,
} from '../../../src/ledger/store.js'
import { openTestDatabase, truncate } from '../../fixtures/database.js'
import { enterStock } from '../../fixtures/stock.js'

const db = await openTestDatabase()
afterAll(() => db.close())

const NOW = new Date('2026-03-01T12:00:00.000Z')
const HOLD_MS = 60_000
const cause: Cause = { at: NOW, actor: 'resource:buyer', reason: 'test' }
const resourceId = newId()
const accountId = newId()
const holdId = newId()
const e164 = '+12065550100'
const owned = { e164, resourceId }
const terms = {
  assignmentType: 'application',
  calling: 'inbound',
  sms: 'none',
  price: { amount: '1.00', currency: 'USD' },
} as const

const hold = (tx: Tx, at = cause): Promise<string[]> =>
  holdAny(
    tx,
    { countryCode: 'US', numberType: 'geographic', areaCode: '206', quantity: 1 },
    { holdId, resourceId, until: later(at.at, HOLD_MS) },
    at,
  )

/** How the one number in the ledger gets into each state. */
const into: Record<NumberState, (tx: Tx) => Promise<unknown>> = {
  available: async () => {},
  held: (tx) => hold(tx),
  owned: async (tx) => {
    await hold(tx)
    await purchaseHold(tx, { holdId, resourceId }, terms, cause)
  },
  assigned: (tx) => assignNumbers(tx, accountId, [e164], cause),
  quarantined: async (tx) => {
    await into.owned(tx)
    await releaseOwned(tx, owned, later(NOW, HOLD_MS), cause)
  },
  retired: (tx) => retireNumbers(tx, [e164], cause),
}

/** What carries out each event; time's own events are told by the sweep, a while later. */
const events: Record<Exclude<NumberEvent, 'enter'>, (tx: Tx) => Promise<unknown>> = {
  hold: (tx) => hold(tx),
  cancel: (tx) => cancelHold(tx, holdId, cause),
  expire: (tx) => sweepFreed(tx, 10, later(NOW, HOLD_MS)),
  rest: (tx) => sweepFreed(tx, 10, later(NOW, HOLD_MS)),
  purchase: (tx) => purchaseHold(tx, { holdId, resourceId }, terms, cause),
  configure: (tx) => configureOwned(tx, owned, { sms: 'inbound' }, cause),
  release: (tx) => releaseOwned(tx, owned, later(NOW, HOLD_MS), cause),
  assign: (tx) => assignNumbers(tx, accountId, [e164], cause),
  unassign: (tx) => unassignNumbers(tx, accountId, [e164], later(NOW, HOLD_MS), cause),
  retire: (tx) => retireNumbers(tx, [e164], cause),
  restore: (tx) => restoreNumbers(tx, [e164], cause),
}

const stateNow = async (): Promise<NumberState | undefined> => (await findNumbers(db, [e164]))[0]?.state

describe('the table of transitions', () => {
  beforeEach(async () => {
    await truncate(db)
    await enterStock(db, { count: 1 })
  })

  const rows = numberStates.flatMap((from) =>
    (Object.keys(events) as (keyof typeof events)[]).map((event) => ({ from, event, to: nextState(from, event) })),
  )

  it.each(rows.filter(({ to }) => to !== undefined))('$from leads by $event to $to', async ({ from, event, to }) => {
    await db.transaction(into[from])
    const linesBefore = (await listHistory(db, e164)).length
    await db.transaction(events[event])
    expect(await stateNow()).toBe(to)
    const lines = (await listHistory(db, e164)).slice(linesBefore)
    expect(lines).toMatchObject([{ event, fromState: from, toState: to }])
  })

  const timeTells = (from: NumberState, event: NumberEvent) =>
    (from === 'held' && event === 'rest') || (from === 'quarantined' && event === 'expire')

  it.each(rows.filter(({ from, event, to }) => to === undefined && !timeTells(from, event)))(
    '$from does not take $event: nothing is changed and nothing told',
    async ({ from, event }) => {
      await db.transaction(into[from])
      const before = await listHistory(db, e164)
      await db.transaction(events[event])
      expect(await stateNow()).toBe(from)
      expect(await listHistory(db, e164)).toEqual(before)
    },
  )

  it('has a row for every state and names no state that is not one', () => {
    expect(Object.keys(transitions).sort()).toEqual(['absent', ...numberStates].sort())
  })
})

describe('numbers that were never stock', () => {
  beforeEach(() => truncate(db))

  it('enter the ledger when they are assigned and leave it when they are taken off, with their story kept', async () => {
    await db.transaction((tx) => assignNumbers(tx, accountId, ['+123451'], cause))
    expect(await findNumbers(db, ['+123451'])).toMatchObject([{ state: 'assigned', accountId }])
    await db.transaction((tx) => unassignNumbers(tx, accountId, ['+123451'], NOW, cause))
    expect(await findNumbers(db, ['+123451'])).toEqual([])
    expect(await listHistory(db, '+123451')).toMatchObject([
      { event: 'assign', fromState: null, toState: 'assigned' },
      { event: 'unassign', fromState: 'assigned', toState: null },
    ])
  })
})

describe('the database', () => {
  beforeEach(async () => {
    await truncate(db)
    await enterStock(db, { count: 1 })
  })

  it.each([
    ['a held number without a holder', sql`state = 'held', hold_id = gen_random_uuid(), free_at = now()`],
    ['a held number without an end', sql`state = 'held', hold_id = gen_random_uuid(), resource_id = gen_random_uuid()`],
    ['an owned number without its terms', sql`state = 'owned', resource_id = gen_random_uuid()`],
    ['an available number with a holder', sql`resource_id = gen_random_uuid()`],
    ['an assigned number without an account', sql`state = 'assigned'`],
    [
      'a number both held and on an account',
      sql`state = 'held', hold_id = gen_random_uuid(), account_id = gen_random_uuid(), resource_id = gen_random_uuid(), free_at = now()`,
    ],
    ['an available number that is not stock', sql`place_id = null`],
    ['a state that is none', sql`state = 'sold'`],
    ['a number that is none', sql`e164 = '+0123'`],
  ])('refuses %s', async (_what, assignment) => {
    await expect(db.query(sql`update number set ${assignment}`)).rejects.toMatchObject({ code: '23514' })
  })

  it('refuses the same number twice', async () => {
    await expect(
      db.query(
        sql`insert into number (e164, shuffle, state, account_id) values (${e164}, 0, 'assigned', ${accountId})`,
      ),
    ).rejects.toMatchObject({ code: '23505' })
  })
})

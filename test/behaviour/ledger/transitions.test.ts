import { describe, expect } from 'vitest'
import { later } from '../../../src/clock.js'
import { sql, type Tx, type Db } from '../../../src/db/db.js'
import { newId } from '../../../src/ids.js'
import { assignNumbers, moveAssigned, noteWithdrawn, unassignNumbers } from '../../../src/ledger/assignment.js'
import type { Cause } from '../../../src/ledger/history.js'
import { cancelHold, holdAny, sweepFreed } from '../../../src/ledger/holds.js'
import { nextState, numberStates, transitions, type NumberEvent, type NumberState } from '../../../src/ledger/number.js'
import { findNumbers, listHistory } from '../../../src/ledger/reads.js'
import { restoreNumbers, retireNumbers } from '../../../src/ledger/retirement.js'
import { configureOwned, purchaseHeld, releaseOwned } from '../../../src/ledger/sales.js'
import { enterStock, onTerms, terms } from '../../fixtures/stock.js'
import { it } from '../../fixtures/test.js'

const NOW = new Date('2026-03-01T12:00:00.000Z')
const HOLD_MS = 60_000
const cause: Cause = { at: NOW, actor: 'resource:buyer', reason: 'test' }
const resourceId = newId()
const accountId = newId()
const otherAccountId = newId()
const holdId = newId()
const e164 = '+12065550100'
const owned = { e164, resourceId }

const assigned = (tx: Tx): Promise<string[]> => assignNumbers(tx, accountId, [e164], cause)

const purchased = async (tx: Tx): Promise<unknown> => {
  await hold(tx)
  return purchaseHeld(tx, { holdId, resourceId }, onTerms([e164], terms), cause)
}

describe('the table of transitions', () => {
  it.beforeEach(async ({ db }) => {
    await enterStock(db, { count: 1 })
  })

  // The table allows what is true of some numbers in a state: what a buyer gave back rests for all.
  const leadsTo = ({ from, after }: Start, event: NumberEvent) =>
    event === 'assign' && after === 'released by its buyer' ? undefined : nextState(from, event)
  const rows = starts.flatMap((start) =>
    (Object.keys(events) as (keyof typeof events)[]).map((event) => ({
      ...start,
      start: [start.from, start.after].filter(Boolean).join(', '),
      event,
      to: leadsTo(start, event),
    })),
  )

  it.for(rows.filter(({ to }) => to !== undefined))('$start leads by $event to $to', async (row, { db }) => {
    const { from, reach, event, to } = row
    await db.transaction(reach)
    const linesBefore = (await listHistory(db, e164)).length
    await db.transaction((tx) => events[event](tx, from))
    expect(await stateNow(db)).toBe(to)
    const lines = (await listHistory(db, e164)).slice(linesBefore)
    expect(lines).toMatchObject([{ event, fromState: from, toState: to }])
  })

  const timeTells = (from: NumberState, event: NumberEvent) =>
    (from === 'held' && event === 'rest') || (from === 'quarantined' && event === 'expire')

  it.for(rows.filter(({ from, event, to }) => to === undefined && !timeTells(from, event)))(
    '$start does not take $event: nothing is changed and nothing told',
    async ({ from, reach, event }, { db }) => {
      await db.transaction(reach)
      const before = await listHistory(db, e164)
      await db.transaction((tx) => events[event](tx, from))
      expect(await stateNow(db)).toBe(from)
      expect(await listHistory(db, e164)).toEqual(before)
    },
  )

  it('is reached in every state', () => {
    expect(new Set(starts.map(({ from }) => from))).toEqual(new Set(numberStates))
  })

  it('has a row for every state and names no state that is not one', () => {
    expect(Object.keys(transitions).sort()).toEqual(['absent', ...numberStates].sort())
  })
})

describe('a number on an account', () => {
  it.beforeEach(async ({ db }) => {
    await enterStock(db, { count: 1 })
    await db.transaction(assigned)
  })
  const put = (db: Db, id: string, at = cause) => db.transaction((tx) => assignNumbers(tx, id, [e164], at))
  const takeOff = (db: Db) =>
    db.transaction((tx) => unassignNumbers(tx, accountId, [{ e164, freeAt: later(NOW, HOLD_MS) }], cause))
  const rested = { ...cause, at: later(NOW, HOLD_MS) }

  it('is not put on another one, which is told nothing of it', async ({ db }) => {
    expect(await put(db, otherAccountId)).toEqual([])
    expect(await findNumbers(db, [e164])).toMatchObject([{ accountId }])
    expect(await listHistory(db, e164)).toHaveLength(2)
  })

  it('is moved to another one once it has been withdrawn, without a rest between', async ({ db }) => {
    await db.transaction((tx) => noteWithdrawn(tx, [e164], cause))
    expect(await db.transaction((tx) => moveAssigned(tx, otherAccountId, [e164], cause))).toEqual([e164])
    expect(await findNumbers(db, [e164])).toMatchObject([{ state: 'assigned', accountId: otherAccountId }])
    expect((await listHistory(db, e164)).map(({ event }) => event)).toEqual(['enter', 'assign', 'withdraw', 'assign'])
    expect(await takeOff(db)).toEqual([])
  })

  it('may go on any account during its rest, but not to a buyer', async ({ db }) => {
    await takeOff(db)
    expect(await db.transaction((tx) => hold(tx))).toEqual([])
    expect(await put(db, otherAccountId)).toEqual([e164])
    expect(await findNumbers(db, [e164])).toMatchObject([
      { state: 'assigned', accountId: otherAccountId, freeAt: null },
    ])
  })

  it('is stock like any other after its rest: who buys it and gives it back lets it rest for all', async ({ db }) => {
    await takeOff(db)
    expect(await db.transaction((tx) => hold(tx, rested))).toEqual([e164])
    await db.transaction((tx) => purchaseHeld(tx, { holdId, resourceId }, onTerms([e164], terms), rested))
    await db.transaction((tx) => releaseOwned(tx, owned, later(rested.at, HOLD_MS), rested))
    expect(await put(db, accountId, rested)).toEqual([])
    expect(await put(db, accountId, { ...cause, at: later(rested.at, HOLD_MS) })).toEqual([e164])
  })

  it.for([
    ['retired', retireNumbers],
    ['restored', restoreNumbers],
  ] as const)('is forgotten to have been there when it is %s during its rest', async ([_done, change], { db }) => {
    await takeOff(db)
    await db.transaction((tx) => change(tx, [e164], cause))
    expect(await db.query(sql`select left_account from number`)).toEqual([{ left_account: false }])
  })
})

describe('numbers that were never stock', () => {
  it('are the same one when they are put on their account again', async ({ db }) => {
    for (const at of [cause, cause]) await db.transaction((tx) => assignNumbers(tx, accountId, ['+123451'], at))
    expect(await listHistory(db, '+123451')).toMatchObject([
      { event: 'assign', fromState: null, toState: 'assigned' },
      { event: 'configure', fromState: 'assigned', toState: 'assigned' },
    ])
  })

  it('enter the ledger when they are assigned and leave it when they are taken off, with their story kept', async ({
    db,
  }) => {
    await db.transaction((tx) => assignNumbers(tx, accountId, ['+123451'], cause))
    expect(await findNumbers(db, ['+123451'])).toMatchObject([{ state: 'assigned', accountId }])
    await db.transaction((tx) => unassignNumbers(tx, accountId, [{ e164: '+123451', freeAt: NOW }], cause))
    expect(await findNumbers(db, ['+123451'])).toEqual([])
    expect(await listHistory(db, '+123451')).toMatchObject([
      { event: 'assign', fromState: null, toState: 'assigned' },
      { event: 'unassign', fromState: 'assigned', toState: null },
    ])
  })
})

describe('the database', () => {
  it.beforeEach(async ({ db }) => {
    await enterStock(db, { count: 1 })
  })

  it.for([
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
    ['an available number that has just left an account', sql`left_account = true`],
    ['a state that is none', sql`state = 'sold'`],
    ['a number that is none', sql`e164 = '+0123'`],
  ] as const)('refuses %s', async ([_what, assignment], { db }) => {
    await expect(db.query(sql`update number set ${assignment}`)).rejects.toMatchObject({ code: '23514' })
  })

  it('refuses the same number twice', async ({ db }) => {
    await expect(
      db.query(
        sql`insert into number (e164, shuffle, state, account_id) values (${e164}, 0, 'assigned', ${accountId})`,
      ),
    ).rejects.toMatchObject({ code: '23505' })
  })
})

const hold = (tx: Tx, at = cause): Promise<string[]> =>
  holdAny(
    tx,
    { pool: '', countryCode: 'US', numberType: 'geographic', areaCode: '206', quantity: 1 },
    { holdId, resourceId, until: later(at.at, HOLD_MS) },
    at,
  )

interface Start {
  from: NumberState
  /** Which way it came there, where that makes a difference. */
  after?: string
  /** Brings the one number in the ledger there. */
  reach(tx: Tx): Promise<unknown>
}

const starts: Start[] = [
  { from: 'available', reach: async () => {} },
  { from: 'held', reach: (tx) => hold(tx) },
  { from: 'owned', reach: purchased },
  { from: 'assigned', reach: assigned },
  {
    from: 'quarantined',
    after: 'released by its buyer',
    reach: async (tx) => {
      await purchased(tx)
      await releaseOwned(tx, owned, later(NOW, HOLD_MS), cause)
    },
  },
  {
    from: 'quarantined',
    after: 'taken off its account',
    reach: async (tx) => {
      await assigned(tx)
      await unassignNumbers(tx, accountId, [{ e164, freeAt: later(NOW, HOLD_MS) }], cause)
    },
  },
  { from: 'retired', reach: (tx) => retireNumbers(tx, [e164], cause) },
]

/** What carries out each event; time's own events are told by the sweep, a while later. */
const events: Record<Exclude<NumberEvent, 'enter'>, (tx: Tx, from: NumberState) => Promise<unknown>> = {
  hold: (tx) => hold(tx),
  cancel: (tx) => cancelHold(tx, holdId, cause),
  expire: (tx) => sweepFreed(tx, 10, later(NOW, HOLD_MS)),
  rest: (tx) => sweepFreed(tx, 10, later(NOW, HOLD_MS)),
  purchase: (tx) => purchaseHeld(tx, { holdId, resourceId }, onTerms([e164], terms), cause),
  configure: (tx, from) => (from === 'assigned' ? assigned(tx) : configureOwned(tx, owned, { sms: 'inbound' }, cause)),
  release: (tx) => releaseOwned(tx, owned, later(NOW, HOLD_MS), cause),
  assign: (tx, from) => (from === 'assigned' ? moveAssigned(tx, otherAccountId, [e164], cause) : assigned(tx)),
  withdraw: (tx) => noteWithdrawn(tx, [e164], cause),
  unassign: (tx) => unassignNumbers(tx, accountId, [{ e164, freeAt: later(NOW, HOLD_MS) }], cause),
  retire: (tx) => retireNumbers(tx, [e164], cause, { evenHeld: true }),
  restore: (tx) => restoreNumbers(tx, [e164], cause),
}

const stateNow = async (db: Db): Promise<NumberState | undefined> => (await findNumbers(db, [e164]))[0]?.state

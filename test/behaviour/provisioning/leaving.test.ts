/** Numbers on their way out: released before they leave, back on their account when they can't be, wanted again meanwhile. */
import { beforeEach, describe, expect } from 'vitest'
import { sql, type Db } from '../../../src/db/db.js'
import { findNumbers, listHistory } from '../../../src/ledger/reads.js'
import { enterStock } from '../../fixtures/stock.js'
import { it } from '../../fixtures/test.js'
import {
  aWatchedOperator,
  expectAtRest,
  expectStoredWhole,
  MINUTE,
  SECOND,
  type WatchedOperator,
} from './watched-operator.js'

/** Stock, and one that is not. */
const [stock, uploaded] = ['+12065550100', '+442079460100'] as const
const bad = { code: 'Bad', message: 'Not so.' }
const failed = { status: 'failed', errors: [{ ...bad, target: 'oc' }] }
let operator: WatchedOperator
it.beforeEach(async ({ db }) => {
  await enterStock(db, { count: 1 })
  operator = aWatchedOperator(db)
  for (const name of ['contoso', 'fabrikam']) await operator.putAccount(name)
  for (const e164 of [stock, uploaded]) await operator.put('contoso', e164)
  await operator.runAll()
})
const leavingCalls = ['unassignNumbers', 'releaseNumbers'] as const

describe('a deleted number', () => {
  it('is out of sight at once, unassigned, released, and then out of the ledger, or at rest if it is stock', async ({
    db,
  }) => {
    await operator.deleteNumbers('contoso', [stock, uploaded])
    expect(await operator.status('contoso', stock)).toBeUndefined()
    await expectStoredWhole(db)
    expect(await states(db)).toEqual([
      [stock, 'assigned'],
      [uploaded, 'assigned'],
    ])
    expect(await operator.run()).toMatchObject({ claimed: 2, more: true })
    expect(await states(db)).toHaveLength(2)
    expect(await operator.run()).toMatchObject({ claimed: 2, confirmed: 2 })
    expect(operator.watched.about(stock)).toEqual(['uploadNumbers', ...leavingCalls])
    expect(await states(db)).toEqual([[stock, 'quarantined']])
    await expectAtRest(db, operator, new Map())
    expect((await listHistory(db, uploaded)).map(({ event }) => event)).toEqual(['assign', 'withdraw', 'unassign'])
  })

  it('that no backend was told of is gone with the answer', async ({ db }) => {
    await operator.put('fabrikam', '+442079460101')
    await operator.deleteNumbers('fabrikam', ['+442079460101'])
    expect(await findNumbers(db, ['+442079460101'])).toEqual([])
    expect(operator.watched.about('+442079460101')).toEqual([])
  })

  it('with its account takes it along when it goes', async ({ db }) => {
    await operator.deleteAccount('contoso')
    expect(await db.query(sql`select name from account order by name`)).toHaveLength(2)
    await operator.runAll()
    expect(await db.query(sql`select name from account`)).toEqual([{ name: 'fabrikam' }])
    await expectAtRest(db, operator, new Map())
  })

  it('with the sync of its account off stays with the backend, and leaves here at once', async ({ db }) => {
    await operator.switchSync('contoso', false)
    await operator.deleteNumbers('contoso', [uploaded])
    expect(await states(db)).toEqual([[stock, 'assigned']])
    await operator.settle()
    expect(Object.keys(await operator.there())).toEqual([stock, uploaded])
  })
})

describe.each(leavingCalls)('a deleted number whose backend refuses it (%s)', (method) => {
  beforeEach(async () => {
    await refuse(method)
    await operator.deleteNumbers('contoso', [stock])
    await operator.runAll()
  })

  it('comes back, failed, and counted again', async ({ db }) => {
    expect(await operator.status('contoso', stock)).toEqual(failed)
    await expectStoredWhole(db)
    expect((await listHistory(db, stock)).at(-1)).toMatchObject({
      event: 'configure',
      reason: 'oc refused to release it',
    })
  })

  it('goes when its deletion is repeated', async ({ db }) => {
    await behave()
    await operator.deleteNumbers('contoso', [stock])
    await operator.settle()
    await expectAtRest(db, operator, new Map([on('contoso', uploaded)]))
    expect(await states(db)).toEqual([
      [stock, 'quarantined'],
      [uploaded, 'assigned'],
    ])
  })

  it('is synced again when it is put instead, although the backend would still not let go of it', async ({ db }) => {
    await operator.put('contoso', stock, 'CallingUserAssignment')
    await operator.settle()
    const wanted = new Map([on('contoso', stock, 'CallingUserAssignment'), on('contoso', uploaded)])
    await expectAtRest(db, operator, wanted)
  })
})

it('a number that can’t be released when its account is gone is kept from buyers, and can be taken over', async ({
  db,
}) => {
  await refuse('releaseNumbers')
  await operator.deleteAccount('contoso')
  await operator.runAll()
  expect(await states(db)).toEqual([
    [stock, 'assigned'],
    [uploaded, 'assigned'],
  ])
  const refused = await db.query(
    sql`select key, goal from sync where kind = 'number' and refusal is not null order by key`,
  )
  expect(refused).toEqual([stock, uploaded].map((key) => ({ key, goal: 'absent' })))
  await expectStoredWhole(db)
  await operator.put('fabrikam', stock)
  await operator.put('fabrikam', uploaded)
  expect(await db.query(sql`select name from account`)).toEqual([{ name: 'fabrikam' }])
  await operator.runAll()
  expect(await operator.status('fabrikam', stock)).toEqual(failed)
  await behave()
  for (const e164 of [stock, uploaded]) await operator.put('fabrikam', e164)
  await operator.settle()
  await expectAtRest(db, operator, new Map([on('fabrikam', stock), on('fabrikam', uploaded)]))
})

describe('a number that is wanted again while it leaves', () => {
  /** What is done before it is put again: nothing yet, unassigned, or released while nobody knows of it. */
  const points = ['at once', 'once it is unassigned', 'while it is being released'] as const

  it.for(points.flatMap((point) => ['contoso', 'fabrikam'].map((account) => ({ point, account }))))(
    'is released first: put on $account $point',
    async ({ point, account }, { db }) => {
      await operator.deleteNumbers('contoso', [uploaded])
      if (point !== 'at once') await operator.run()
      const stop = operator.watched.stop('releaseNumbers', 'after')
      const release = point === 'while it is being released' ? operator.run() : undefined
      if (release) await stop.reached
      await operator.put(account, uploaded, 'CallingUserAssignment')
      expect(await operator.status(account, uploaded)).toMatchObject({ status: 'pending' })
      stop.go()
      await release
      await operator.settle()
      expect(operator.watched.about(uploaded).slice(0, 4)).toEqual(['uploadNumbers', ...leavingCalls, 'uploadNumbers'])
      await expectAtRest(db, operator, new Map([on('contoso', stock), on(account, uploaded, 'CallingUserAssignment')]))
    },
  )

  it('and whose release is then refused is told as it is wanted, on its own account', async ({ db }) => {
    await refuse('releaseNumbers')
    await operator.deleteNumbers('contoso', [uploaded])
    await operator.run()
    const stop = operator.watched.stop('releaseNumbers', 'after')
    const release = operator.run()
    await stop.reached
    await operator.put('contoso', uploaded, 'CallingUserAssignment')
    stop.go()
    await release
    await operator.settle()
    const wanted = new Map([on('contoso', stock), on('contoso', uploaded, 'CallingUserAssignment')])
    await expectAtRest(db, operator, wanted)
  })

  it('without its service is released, and stays on its account', async ({ db }) => {
    await operator.deleteNumbers('contoso', [uploaded])
    await operator.put('contoso', uploaded, null)
    await operator.settle()
    await expectAtRest(db, operator, new Map([on('contoso', stock), on('contoso', uploaded, null)]))
  })

  it('with its service switched off and on is released before it is uploaded again', async ({ db }) => {
    await operator.put('contoso', uploaded, null)
    await operator.put('contoso', uploaded)
    await operator.settle()
    expect(operator.watched.about(uploaded).slice(0, 4)).toEqual(['uploadNumbers', ...leavingCalls, 'uploadNumbers'])
    await expectAtRest(db, operator, new Map([on('contoso', stock), on('contoso', uploaded)]))
  })
})

describe('a number that leaves while its upload is lost', () => {
  const late = '+442079460109'
  const others = [on('contoso', stock), on('contoso', uploaded)]
  /** The upload is carried out once the backend has heard the next command about the number: to unassign it. */
  beforeEach(async () => {
    await operator.backends.oc.control.misbehave('wrong-order', { methods: ['uploadNumbers'], times: 1 })
    await operator.put('contoso', late)
    await operator.run()
    await operator.deleteNumbers('contoso', [late])
  })

  it('is looked for half a minute later, and released once more if it has come back', async ({ db }) => {
    await operator.runAll()
    // It is assigned again, and so its release was refused: that is not the last word.
    expect(await operator.status('contoso', late)).toBeUndefined()
    expect(Object.keys(await operator.there())).toContain(late)
    operator.clock.advance(30 * SECOND - 1)
    expect(await operator.run()).toMatchObject({ claimed: 0 })
    operator.clock.advance(1)
    await operator.runAll()
    expect(operator.watched.about(late).slice(1)).toEqual([...leavingCalls, 'getNumbers', ...leavingCalls])
    await expectAtRest(db, operator, new Map(others))
  })

  it('comes back, failed, when the backend still refuses after that look', async ({ db }) => {
    await refuse('releaseNumbers')
    await operator.runAll()
    operator.clock.advance(30 * SECOND)
    await operator.runAll()
    expect(await operator.status('contoso', late)).toEqual(failed)
    await expectStoredWhole(db)
  })

  it('and is put on another account waits for that look, so that the other tenant is not refused', async ({ db }) => {
    await operator.runAll()
    await operator.put('fabrikam', late)
    await operator.runAll()
    expect(operator.watched.about(late)).not.toContain('getNumbers')
    operator.clock.advance(30 * SECOND)
    await operator.runAll()
    expect(await operator.there()).toMatchObject({ [late]: { tenantId: 'fabrikamTenantId' } })
    await operator.settle()
    await expectAtRest(db, operator, new Map([...others, on('fabrikam', late)]))
  })
})

it('a release that gets no answer for a day is given up: the number is back, and can be deleted again', async ({
  db,
}) => {
  await operator.backends.oc.control.misbehave('unavailable', {})
  await operator.deleteNumbers('contoso', [uploaded])
  for (let hours = 0; hours <= 24; hours += 4) {
    await operator.runAll()
    operator.clock.advance(4 * 60 * MINUTE)
  }
  expect(await operator.status('contoso', uploaded)).toMatchObject({
    status: 'failed',
    errors: [{ message: expect.stringMatching(/^Given up/), target: 'oc' }],
  })
  await expectStoredWhole(db)
  await operator.deleteNumbers('contoso', [uploaded])
  await operator.settle()
  await expectAtRest(db, operator, new Map([on('contoso', stock)]))
})

it('a number of two services leaves when both have let go of it', async ({ db }) => {
  const keys = ['teamsOperatorConnect', 'azureOperatorCallProtection'] as const
  const services = Object.fromEntries(keys.map((key) => [key, { enabled: true, syncEnabled: true }]))
  await operator.putAccount('contoso', services)
  await operator.putNumbers('contoso', [uploaded], [...keys])
  await operator.runAll()
  await operator.sync('aocp')
  await operator.deleteNumbers('contoso', [uploaded])
  await operator.runAll()
  expect(await states(db)).toHaveLength(2)
  await operator.sync('aocp')
  expect(await states(db)).toEqual([[stock, 'assigned']])
  await expectAtRest(db, operator, new Map([on('contoso', stock)]))
})

const refuse = (method: 'unassignNumbers' | 'releaseNumbers' | 'uploadNumbers', times?: number) =>
  operator.backends.oc.control.misbehave('refuse', { ...bad, methods: [method], ...(times !== undefined && { times }) })
const behave = () => operator.backends.oc.control.behave()
const states = async (db: Db) => (await findNumbers(db, [stock, uploaded])).map(({ e164, state }) => [e164, state])
const on = (account: string, e164: string, usage: string | null = 'FirstPartyAppAssignment') =>
  [e164, { account, usage }] as const

/** Purchases that ask billing and fulfilment first: each row of the table of outcomes in docs/hooks.md. */
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { sql } from '../../../src/db/db.js'
import { advanceByHand, type ByHand } from '../../../src/phone-numbers/commands/operations.js'
import { searchErrorCodes } from '../../../src/phone-numbers/model/search.js'
import { sweepTask } from '../../../src/workers/sweep.js'
import { PURCHASE } from '../../fixtures/buying.js'
import { openTestDatabase } from '../../fixtures/database.js'
import type { HookSystem } from '../../fixtures/hook-system.js'
import { aHookedBuyer, HOUR, MINUTE, runAs, SECOND, type HookedBuyer, type Systems } from './a-hooked-buyer.js'

const db = await openTestDatabase()
afterAll(() => db.close())

let shop: HookedBuyer
const open = async (systems: Systems, options: Parameters<typeof aHookedBuyer>[2] = {}) =>
  (shop = await aHookedBuyer(db, systems, options))
afterEach(async () => {
  try {
    await shop.expectWhole()
  } finally {
    await shop.close()
  }
})

const held = () =>
  db.query<{ e164: string; freeAt: Date | number }>(sql`
  select e164, free_at as "freeAt" from number where state = 'held' order by e164`)
const stages = () => db.query(sql`select id, stage from operation where stage is not null`)

/** A failed purchase leaves no trace but its error. */
async function expectFailed(order: { id: string; searchId: string }, code: string, message: string | RegExp) {
  expect(await shop.poll(order.id)).toMatchObject({
    status: 'failed',
    error: { code, message: expect.stringMatching(message) },
  })
  const error = code in searchErrorCodes ? code : 'UnknownErrorCode'
  expect(await shop.searchError(order.searchId)).toEqual({
    error,
    errorCode: searchErrorCodes[error as keyof typeof searchErrorCodes],
  })
  expect(await shop.owned()).toEqual([])
  expect(await held()).toEqual([])
  expect(await shop.balance()).toBe('10.0000')
}

describe('a purchase that billing approves', () => {
  it('has not started until billing is asked, runs while it is asked, and has succeeded with its answer', async () => {
    await open('billing')
    const { id, searchId, phoneNumbers } = await shop.order(2)
    expect(await shop.poll(id)).toMatchObject({ status: 'notStarted' })
    expect(shop.billing.calls).toEqual([])
    expect(await shop.owned()).toEqual([])
    expect(await shop.balance()).toBe('8.0000')
    const seen: string[] = []
    shop.billing.onCall = async () => void seen.push((await shop.poll(id)).status)
    expect(await shop.run()).toBe(1)
    expect(seen).toEqual(['running'])
    expect(await shop.poll(id)).toMatchObject({ status: 'succeeded' })
    expect((await shop.owned()).sort()).toEqual(phoneNumbers)
    expect(await shop.balance()).toBe('8.0000')
    expect(await shop.searchError(searchId)).toEqual({ error: 'NoError' })
    expect(await stages()).toEqual([])
  })

  it('tells billing who buys what on which terms, with our secret, under the key of the operation', async () => {
    await open('billing')
    const { id, phoneNumbers } = await shop.order()
    await shop.run()
    expect(shop.billing.calls).toEqual([
      {
        key: id,
        action: 'approve',
        authorization: 'Bearer hook-secret',
        request: {
          action: 'approve',
          operationId: id,
          resource: 'buyer',
          phoneNumbers: [
            {
              phoneNumber: phoneNumbers[0],
              countryCode: 'US',
              phoneNumberType: 'geographic',
              assignmentType: 'application',
              capabilities: { calling: 'inbound', sms: 'none' },
              cost: { amount: '1.00', currencyCode: 'USD', billingFrequency: 'monthly' },
            },
          ],
        },
      },
    ])
  })

  it('is carried out by fulfilment next, under the same key', async () => {
    await open('both')
    const { id, phoneNumbers } = await shop.order(2)
    const seen: string[] = []
    shop.fulfilment.onCall = async () => void seen.push((await shop.poll(id)).status)
    expect(await shop.run()).toBe(2)
    expect(seen).toEqual(['running'])
    expect(await shop.poll(id)).toMatchObject({ status: 'succeeded' })
    expect(shop.billing.actions()).toEqual(['approve'])
    expect(shop.fulfilment.actions()).toEqual(['provision'])
    expect([...shop.fulfilment.effects]).toEqual([[id, { times: 1, numbers: phoneNumbers, undone: false }]])
    expect([...shop.billing.effects.keys()]).toEqual([id])
  })

  it('is not carried out by a poll, however long ago it was due', async () => {
    await open('billing')
    const { id } = await shop.order()
    shop.service.clock.advance(HOUR)
    expect(await shop.poll(id)).toMatchObject({ status: 'notStarted' })
    expect(shop.billing.calls).toEqual([])
  })

  it('keeps its numbers however long it takes, and can be purchased again without effect meanwhile', async () => {
    await open('both', { env: { LINEBOOK_HOOK_GIVE_UP_MINUTES: '1440' } })
    const { id, searchId, phoneNumbers } = await shop.order()
    const wait = async (system: HookSystem) => {
      system.say = () => ({ status: 503 })
      await shop.run()
      shop.service.clock.advance(23 * HOUR)
      await shop.run()
      await shop.service.task(sweepTask).runOnce()
      system.say = () => undefined
    }
    await wait(shop.billing)
    await shop.settle(0)
    await wait(shop.fulfilment)
    expect(await held()).toEqual([{ e164: phoneNumbers[0], freeAt: Infinity }])
    const again = await shop.buyer.send('POST', PURCHASE, { body: { searchId } })
    expect([again.statusCode, again.headers['operation-id']]).toEqual([202, id])
    expect(await shop.poll(id)).toMatchObject({ status: 'running' })
    await shop.settle()
    expect(await shop.poll(id)).toMatchObject({ status: 'succeeded' })
    expect(shop.billing.effects.size).toBe(1)
    expect(await shop.balance()).toBe('9.0000')
  })
})

describe('a purchase that billing refuses', () => {
  it.each(Object.keys(searchErrorCodes))('fails with %s when that is what billing says', async (code) => {
    await open('both')
    shop.billing.say = () => ({ status: 402, body: { code, message: 'Not this month.' } })
    const order = await shop.order(2)
    await shop.run()
    await expectFailed(order, code, /^Not this month\.$/)
    expect(shop.billing.actions()).toEqual(['approve'])
    expect(shop.fulfilment.calls).toEqual([])
  })

  it.each([402, 409, 422])('fails with PurchaseFailed when billing gives no code with its %i', async (status) => {
    await open('billing')
    shop.billing.say = () => ({ status, body: { message: 'Not this month.' } })
    const order = await shop.order()
    await shop.run()
    await expectFailed(order, 'PurchaseFailed', /^Billing refused: Not this month\.$/)
    expect(await stages()).toEqual([])
  })

  it.each(['TooExpensive', 'toString', 'NoError'])('fails with UnknownErrorCode for the code %s', async (code) => {
    await open('billing')
    shop.billing.say = () => ({ status: 409, body: { code, message: 'No.' } })
    const order = await shop.order()
    await shop.run()
    await expectFailed(order, 'UnknownErrorCode', new RegExp(`^Billing refused with ${code}, .* code: No\\.$`))
  })

  it('has what an earlier try may have done taken back', async () => {
    await open('billing')
    shop.billing.losesAnswers = 1
    const order = await shop.order()
    await shop.run()
    shop.billing.say = ({ action }) => (action === 'approve' ? { status: 409, body: { message: 'No.' } } : undefined)
    await shop.settle()
    await expectFailed(order, 'PurchaseFailed', /No\./)
    expect(shop.billing.actions()).toEqual(['approve', 'approve', 'void'])
    expect(shop.billing.effects.get(order.id)).toEqual({ times: 1, numbers: [], undone: true })
  })
})

describe('a purchase whose billing does not answer', () => {
  it('is tried with growing pauses, fails with BillingUnavailable after five minutes, and is voided', async () => {
    await open('both')
    shop.billing.say = ({ action }) => (action === 'approve' ? { status: 503 } : undefined)
    const start = shop.service.clock.now().getTime()
    const order = await shop.order(2)
    const triedAt: number[] = []
    shop.billing.onCall = ({ action }) =>
      void (action === 'approve' && triedAt.push((shop.service.clock.now().getTime() - start) / SECOND))
    await shop.settle()
    expect(triedAt).toEqual([0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 63.5, 123.5, 183.5, 243.5, 303.5])
    await expectFailed(order, 'BillingUnavailable', /^The billing hook answered 503\. It was asked 12 times\.$/)
    expect(shop.billing.calls.at(-1)).toMatchObject({ action: 'void', key: order.id })
    expect(shop.billing.calls.at(-1)?.request.phoneNumbers.map((number) => number.phoneNumber)).toEqual(
      order.phoneNumbers,
    )
    expect(shop.fulfilment.calls).toEqual([])
    expect(await stages()).toEqual([])
  })

  it('is asked again when its answer says so', async () => {
    await open('billing')
    shop.billing.say = () => ({ status: 429, headers: { 'Retry-After': '20' } })
    await shop.order()
    await shop.run()
    const due = await db.query(sql`select due_at as "dueAt" from operation where stage is not null`)
    expect(due).toEqual([{ dueAt: new Date(shop.service.clock.now().getTime() + 20 * SECOND) }])
  })

  it('has one effect there when only the answers were lost', async () => {
    await open('both')
    shop.billing.losesAnswers = 2
    shop.fulfilment.losesAnswers = 1
    const { id, phoneNumbers } = await shop.order()
    await shop.settle()
    expect(await shop.poll(id)).toMatchObject({ status: 'succeeded' })
    expect(shop.billing.calls.map(({ key, action }) => [key, action])).toEqual(Array(3).fill([id, 'approve']))
    expect(shop.fulfilment.actions()).toEqual(['provision', 'provision'])
    expect(shop.billing.effects.get(id)).toEqual({ times: 1, numbers: phoneNumbers, undone: false })
  })

  it('needs no void when it could never be reached', async () => {
    await open('billing')
    await shop.billing.close()
    const order = await shop.order()
    await shop.settle()
    await expectFailed(order, 'BillingUnavailable', /can't be reached: ECONNREFUSED\. It was asked 12 times\.$/)
    expect(await stages()).toEqual([])
  })
})

describe('a purchase that fulfilment refuses', () => {
  it('fails with ProvisioningFailed, is refunded, and voided at billing', async () => {
    await open('both')
    shop.fulfilment.say = () => ({ status: 422, body: { code: 'OutOfStock', message: 'No trunk.' } })
    const order = await shop.order(2)
    await shop.run()
    await expectFailed(order, 'ProvisioningFailed', /^Fulfilment refused: No trunk\.$/)
    expect(shop.billing.actions()).toEqual(['approve', 'void'])
    expect(shop.fulfilment.actions()).toEqual(['provision'])
    expect(shop.billing.effects.get(order.id)).toEqual({ times: 1, numbers: [], undone: true })
  })

  it('in part gets the other numbers, pays for those alone, and has the refused ones voided at billing', async () => {
    await open('both')
    const order = await shop.order(3)
    const [first = '', second = '', third = ''] = order.phoneNumbers
    shop.fulfilment.refuses.set(second, 'Ported out.')
    await shop.run()
    expect(await shop.poll(order.id)).toMatchObject({
      status: 'failed',
      error: {
        code: 'NumbersPartiallyAcquired',
        message: '2 of 3 numbers were acquired; the others are not charged.',
        details: [
          { code: 'ProvisioningFailed', message: `${second} could not be provisioned: Ported out.`, target: second },
        ],
      },
    })
    expect(await shop.searchError(order.searchId)).toMatchObject({ error: 'NumbersPartiallyAcquired' })
    expect((await shop.owned()).sort()).toEqual([first, third])
    expect(await held()).toEqual([])
    expect(await shop.balance()).toBe('8.0000')
    expect(shop.billing.actions()).toEqual(['approve', 'void'])
    expect(shop.billing.effects.get(order.id)?.numbers).toEqual([first, third])
    expect(shop.fulfilment.actions()).toEqual(['provision'])
  })

  it('altogether, number by number, fails with AllNumbersNotAcquired', async () => {
    await open('fulfilment')
    const order = await shop.order(2)
    for (const e164 of order.phoneNumbers) shop.fulfilment.refuses.set(e164, 'Ported out.')
    await shop.run()
    await expectFailed(order, 'AllNumbersNotAcquired', /^None /)
    expect(shop.fulfilment.actions()).toEqual(['provision'])
  })
})

describe('a purchase whose fulfilment does not answer', () => {
  it('fails with ProvisioningFailed in the end, and is undone at both', async () => {
    await open('both')
    shop.fulfilment.losesAnswers = 1
    shop.fulfilment.say = ({ action }) =>
      action === 'provision' && shop.fulfilment.losesAnswers === 0 ? { status: 502 } : undefined
    const order = await shop.order(2)
    await shop.settle()
    await expectFailed(order, 'ProvisioningFailed', /^The fulfilment hook answered 502\. It was asked 12 times\.$/)
    expect(shop.fulfilment.actions().at(-1)).toBe('cancel')
    expect(shop.billing.actions()).toEqual(['approve', 'void'])
    expect(shop.fulfilment.effects.get(order.id)).toEqual({ times: 1, numbers: [], undone: true })
    expect(await stages()).toEqual([])
  })

  it('is given its own time, whatever billing took', async () => {
    await open('both')
    shop.billing.say = () => ({ status: 503 })
    const { id } = await shop.order()
    await shop.settle(4 * MINUTE)
    shop.billing.say = () => undefined
    shop.fulfilment.say = () => ({ status: 202 })
    await shop.settle(4 * MINUTE)
    expect(await shop.poll(id)).toMatchObject({ status: 'running' })
    shop.fulfilment.say = () => undefined
    await shop.settle()
    expect(await shop.poll(id)).toMatchObject({ status: 'succeeded' })
  })
})

describe('what has to be undone', () => {
  it('is tried until it is done, days if need be, and one system that is away does not hold up the other', async () => {
    await open('both')
    shop.fulfilment.say = () => ({ status: 500 })
    const order = await shop.order()
    await shop.settle(20 * MINUTE)
    expect(await shop.poll(order.id)).toMatchObject({ status: 'failed' })
    expect(shop.billing.actions()).toEqual(['approve', 'void'])
    shop.service.clock.advance(72 * HOUR)
    await shop.run()
    await shop.service.task(sweepTask).runOnce()
    expect(await stages()).toEqual([{ id: order.id, stage: 'undo-fulfilment' }])
    shop.fulfilment.say = () => undefined
    await shop.settle()
    expect(shop.fulfilment.effects.get(order.id)).toMatchObject({ undone: true })
    expect(await stages()).toEqual([])
    expect(shop.billing.actions()).toEqual(['approve', 'void'])
  })

  it('does not hold up the numbers: they can be bought again meanwhile', async () => {
    await open('fulfilment')
    shop.fulfilment.say = ({ action }) => (action === 'cancel' ? { status: 500 } : undefined)
    shop.fulfilment.losesAnswers = 1
    const order = await shop.order(4)
    await shop.run()
    shop.fulfilment.say = ({ request }) => (request.operationId === order.id ? { status: 500 } : undefined)
    await shop.settle(6 * MINUTE)
    const next = await shop.order(4)
    await shop.settle(MINUTE)
    expect(await shop.poll(next.id)).toMatchObject({ status: 'succeeded' })
    shop.fulfilment.say = () => undefined
    await shop.settle()
    expect(shop.fulfilment.effects.get(order.id)).toMatchObject({ numbers: [], undone: true })
    expect(shop.fulfilment.effects.get(next.id)).toMatchObject({ numbers: next.phoneNumbers, undone: false })
  })
})

describe('a purchase that is cancelled', () => {
  it('before any call never makes one: its money is back, its numbers are held as long as before', async () => {
    await open('both')
    const { id, searchId, phoneNumbers } = await shop.order(2)
    expect((await shop.buyer.send('DELETE', `/phoneNumbers/operations/${id}`)).statusCode).toBe(204)
    expect(await shop.poll(id)).toMatchObject({ status: 'failed', error: { code: 'OperationCanceled' } })
    await shop.settle()
    expect([...shop.billing.calls, ...shop.fulfilment.calls]).toEqual([])
    expect(await shop.balance()).toBe('10.0000')
    const until = new Date(shop.service.clock.now().getTime() + 15 * MINUTE)
    expect(await held()).toEqual(phoneNumbers.map((e164) => ({ e164, freeAt: until })))

    const again = await shop.buyer.send('POST', PURCHASE, { body: { searchId } })
    expect(again.headers['operation-id']).toBe(id)
    await shop.run()
    expect(await shop.poll(id)).toMatchObject({ status: 'succeeded' })
    expect(await shop.balance()).toBe('8.0000')
  })

  it('after the first call has begun goes on', async () => {
    await open('both')
    shop.billing.say = () => ({ status: 503 })
    const { id } = await shop.order()
    await shop.run()
    const cancel = () => shop.buyer.send('DELETE', `/phoneNumbers/operations/${id}`)
    expect((await cancel()).statusCode).toBe(204)
    shop.billing.say = () => undefined
    shop.fulfilment.onCall = async () => void (await cancel())
    await shop.settle()
    expect(await shop.poll(id)).toMatchObject({ status: 'succeeded' })
    expect(await shop.owned()).toHaveLength(1)
  })

  it('goes on although the clock of the process that calls is ahead', async () => {
    await open('billing')
    const { id } = await shop.order()
    const other = await shop.otherProcess()
    const ahead = { now: () => new Date(shop.service.clock.now().getTime() + SECOND) }
    shop.billing.say = () => ({ status: 503 })
    await runAs({ ...other, clock: ahead })
    await shop.buyer.send('DELETE', `/phoneNumbers/operations/${id}`)
    shop.billing.say = () => undefined
    await shop.settle()
    expect(await shop.poll(id)).toMatchObject({ status: 'succeeded' })
  })
})

describe('several processes', () => {
  it('make each call once between them', async () => {
    await open('both')
    const orders = [await shop.order(), await shop.order(), await shop.order()]
    const others = [await shop.otherProcess(), await shop.otherProcess()]
    let calls = 0
    for (let round = 0; round < 4; round++) {
      const done = await Promise.all([shop.run(), ...others.map(runAs)])
      calls += done.reduce((sum, count) => sum + count)
    }
    expect(calls).toBe(6)
    expect(shop.billing.calls.map(({ key }) => key).sort()).toEqual(orders.map(({ id }) => id).sort())
    expect(shop.fulfilment.calls.map(({ key }) => key).sort()).toEqual(orders.map(({ id }) => id).sort())
    expect(await shop.owned()).toHaveLength(3)
  })
})

describe('a hook that is not configured any more', () => {
  it('is waited for, and refuses the purchase in the end: it was never asked, so nothing is undone', async () => {
    await open('billing')
    const order = await shop.order()
    const without = await shop.otherProcess('none')
    await runAs(without)
    expect(await shop.poll(order.id)).toMatchObject({ status: 'running' })
    shop.service.clock.advance(5 * MINUTE)
    await runAs(without)
    await expectFailed(order, 'BillingUnavailable', /^No billing hook is configured any more\. It was asked 2 times\.$/)
    expect(await stages()).toEqual([])
  })

  it('is told what has to be undone when it is back', async () => {
    await open('both')
    shop.fulfilment.say = () => ({ status: 422 })
    const { id } = await shop.order()
    const without = await shop.otherProcess('fulfilment')
    await runAs(await shop.otherProcess())
    await runAs(await shop.otherProcess())
    await runAs(without)
    shop.service.clock.advance(HOUR)
    await runAs(without)
    expect(await stages()).toEqual([{ id, stage: 'undo-billing' }])
    await shop.settle()
    expect(shop.billing.actions()).toEqual(['approve', 'void'])
  })
})

describe('with a delay', () => {
  it('the first call is made when the delay is over', async () => {
    await open('billing', { env: { LINEBOOK_PURCHASE_DELAY_MS: '60000' } })
    const { id } = await shop.order()
    shop.service.clock.advance(59_999)
    expect(await shop.run()).toBe(0)
    expect(await shop.poll(id)).toMatchObject({ status: 'notStarted' })
    shop.service.clock.advance(1)
    expect(await shop.run()).toBe(1)
    expect(await shop.poll(id)).toMatchObject({ status: 'succeeded' })
  })
})

it('a purchase that Linebook can not complete ends as failed, and is undone', async () => {
  await open('both')
  const order = await shop.order()
  await db.query(sql`update search set calling = 'by no rule' where id = ${order.searchId}`)
  await shop.settle()
  await expectFailed(order, 'PurchaseFailed', /internal error/)
  expect(shop.billing.effects.get(order.id)).toMatchObject({ undone: true })
  expect(shop.fulfilment.effects.get(order.id)).toMatchObject({ undone: true })
})

describe('a purchase that an emulator has wait', () => {
  it('for polls makes its calls when it was polled often enough', async () => {
    await open('billing')
    const { id } = await shop.order()
    await db.query(sql`update operation set waits_for = 'polls', polls_left = 2 where id = ${id}`)
    expect(await shop.run()).toBe(0)
    await shop.poll(id)
    expect(await shop.run()).toBe(0)
    expect(await shop.poll(id)).toMatchObject({ status: 'running' })
    expect(await shop.run()).toBe(1)
    expect(await shop.poll(id)).toMatchObject({ status: 'succeeded' })
  })

  it('for a person makes its calls when that one says so, and none when it is to fail', async () => {
    await open('billing')
    const { deps } = shop.service.wiring
    const [good, bad] = [await shop.order(), await shop.order()]
    await db.query(sql`update operation set waits_for = 'hand' where kind = 'purchase'`)
    const rows = await db.query<{ resourceId: string }>(sql`select resource_id as "resourceId" from operation limit 1`)
    const advance = (id: string, say: ByHand) => advanceByHand(deps, rows[0]?.resourceId ?? '', id, say)
    await advance(good.id, { to: 'running' })
    await advance(good.id, { to: 'succeeded' })
    await advance(bad.id, { to: 'failed', failure: { code: 'NotEnoughCredit', message: 'By hand.' } })
    expect(await shop.poll(bad.id)).toMatchObject({ status: 'failed', error: { code: 'NotEnoughCredit' } })
    await shop.settle()
    expect(await shop.poll(good.id)).toMatchObject({ status: 'succeeded' })
    expect(shop.billing.calls.map(({ key }) => key)).toEqual([good.id])
  })
})

it('a purchase that billing has approved can not be ended by hand', async () => {
  await open('both')
  const { id } = await shop.order()
  const { deps } = shop.service.wiring
  expect(await runAs(deps)).toBe(1)
  const [row] = await db.query<{ resourceId: string }>(
    sql`select resource_id as "resourceId" from operation where id = ${id}`,
  )
  const failure = { code: 'PurchaseFailed', message: 'By hand.' }
  await expect(advanceByHand(deps, row?.resourceId ?? '', id, { to: 'failed', failure })).rejects.toMatchObject({
    kind: 'state-conflict',
  })
  await shop.settle()
  expect(await shop.poll(id)).toMatchObject({ status: 'succeeded' })
})

it('a hook is asked about nothing that is refused before', async () => {
  await open('billing', { env: { LINEBOOK_WALLET_REQUIRED: 'on' }, wallet: false })
  const { id } = await shop.order()
  expect(await shop.poll(id)).toMatchObject({ status: 'failed', error: { code: 'NoWallet' } })
  await shop.settle()
  expect(shop.billing.calls).toEqual([])
})

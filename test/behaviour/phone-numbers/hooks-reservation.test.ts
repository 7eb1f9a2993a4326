/** A reservation's purchase asks billing and fulfilment as a search's does. */
import { afterEach, expect } from 'vitest'
import { sql } from '../../../src/db/db.js'
import { reserve, type ReservationAnswer } from '../../fixtures/reserving.js'
import type { TestClient } from '../../fixtures/service.js'
import { it } from '../../fixtures/test.js'
import { aHookedBuyer, HOUR, type HookedBuyer, type ShownOperation } from './a-hooked-buyer.js'

let shop: HookedBuyer
it.beforeEach(async ({ db }) => {
  shop = await aHookedBuyer(db, 'both')
})
afterEach(async () => {
  try {
    await shop.expectWhole()
  } finally {
    await shop.close()
  }
})

it('is approved, provisioned and complete, under one key', async () => {
  const { id, e164s, poll, read } = await order(2)
  expect([(await poll()).status, (await read()).status]).toEqual(['notStarted', 'submitted'])
  expect(await shop.run()).toBe(2)
  expect([(await poll()).status, (await read()).status]).toEqual(['succeeded', 'completed'])
  expect((await shop.owned()).sort()).toEqual(e164s)
  expect(await shop.balance()).toBe('8.0000')
  const [call] = shop.billing.calls
  expect(call?.request).toMatchObject({ operationId: `reservationPurchase_${id}`, resource: 'buyer' })
  expect(shop.fulfilment.calls.map(({ key }) => key)).toEqual([call?.key])
})

it('fails when billing refuses: every number says why, and the money is back', async () => {
  shop.billing.say = () => ({ status: 402, body: { code: 'NotEnoughLicenses', message: 'Two at most.' } })
  const { e164s, poll, read } = await order(2)
  await shop.run()
  expect(await poll()).toMatchObject({
    status: 'failed',
    error: { code: 'NotEnoughLicenses', message: 'Two at most.' },
  })
  const { status, phoneNumbers } = await read()
  expect(status).toBe('completed')
  expect(Object.keys(phoneNumbers)).toHaveLength(e164s.length)
  for (const { status, error } of Object.values(phoneNumbers)) {
    expect(status).toBe('error')
    expect(JSON.stringify(error)).toContain('NotEnoughLicenses')
  }
  expect(await shop.owned()).toEqual([])
  expect(await shop.balance()).toBe('10.0000')
})

it('gets in part what fulfilment takes, and says of the others why not', async () => {
  const [first = '', second = ''] = shop.stock
  shop.fulfilment.refuses.set(second, 'Ported out.')
  const { poll, read } = await order(2)
  await shop.run()
  expect(await poll()).toMatchObject({ status: 'failed', error: { code: 'NumbersPartiallyAcquired' } })
  expect(await shop.owned()).toEqual([first])
  const { phoneNumbers } = await read()
  expect(phoneNumbers[first.slice(1)]).toMatchObject({ status: 'purchased' })
  expect(phoneNumbers[second.slice(1)]).toMatchObject({ status: 'error' })
  expect(JSON.stringify(phoneNumbers[second.slice(1)])).toContain('Ported out.')
  expect(await shop.balance()).toBe('9.0000')
  expect([...shop.billing.effects.values()]).toEqual([{ times: 1, numbers: [first], undone: true }])
})

it('can be called off before any call: the reservation is active again, and can be changed', async () => {
  const { id, read, reservation } = await order(2)
  await shop.buyer.send('DELETE', `/phoneNumbers/operations/reservationPurchase_${id}`)
  expect((await read()).status).toBe('active')
  expect(await shop.balance()).toBe('10.0000')
  expect((await reservation.patch({ phoneNumbers: { [(shop.stock[0] ?? '').slice(1)]: null } })).statusCode).toBe(200)
  await reservation.purchase({ agreeToNotResell: true })
  await shop.settle()
  expect(await shop.owned()).toEqual([shop.stock[1]])
  expect(shop.billing.actions()).toEqual(['approve'])
})

it('has a key of its own when another resource, or the same one a month later, has chosen the same id', async ({
  db,
}) => {
  const { id, e164s } = await order(1)
  await shop.run()
  const stranger = await shop.service.client('stranger')
  const other = await reserve(stranger, [shop.stock[1] ?? ''], id)
  await other.purchase({ agreeToNotResell: true })
  await shop.run()
  shop.service.clock.advance(32 * 24 * HOUR)
  const later = await reserve(shop.buyer, [shop.stock[2] ?? ''], id)
  await later.purchase({ agreeToNotResell: true })
  await shop.run()
  expect(new Set(shop.billing.calls.map(({ key }) => key)).size).toBe(3)
  expect([...shop.billing.effects.values()].map(({ numbers }) => numbers).sort()).toEqual([
    e164s,
    [shop.stock[1]],
    [shop.stock[2]],
  ])
  expect(await db.query(sql`select from number where state = 'owned'`)).toHaveLength(3)
})

/** Reserves the first numbers of the stock and asks for their purchase. */
async function order(count: number, { client = shop.buyer, id }: { client?: TestClient; id?: string } = {}) {
  const e164s = shop.stock.slice(0, count)
  const reservation = await reserve(client, e164s, id)
  const answer = await reservation.purchase({ agreeToNotResell: true })
  expect(answer.statusCode).toBe(202)
  const poll = async () => (await reservation.poll()).json<ShownOperation>()
  const read = async () => (await reservation.read()).json<ReservationAnswer>()
  return { id: reservation.id, e164s, poll, read, reservation }
}

/** What operators are told of purchases that have not ended yet. */
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest'
import { purchasesText } from '../../../src/cli/text/purchases-text.js'
import { later } from '../../../src/clock.js'
import type { StatusJson } from '../../../src/operator/status/views.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { operatorApiOf } from '../../fixtures/operator-api.js'
import { aToken } from '../provisioning/a-token.js'
import { aHookedBuyer, HOUR, MINUTE, SECOND, type HookedBuyer } from './a-hooked-buyer.js'

const db = await openTestDatabase()
afterAll(() => db.close())

let shop: HookedBuyer
beforeEach(async () => {
  shop = await aHookedBuyer(db, 'both')
})
afterEach(() => shop.close())

const status = async (): Promise<StatusJson> => (await (await operatorApiOf(shop.service)).get('/sync')).json()
const texts = async () => {
  const { purchases, at } = await status()
  return purchases.map((waiting) => purchasesText(waiting, at))
}

it('nothing waits while every purchase has ended', async () => {
  await shop.order()
  await shop.settle()
  expect((await status()).purchases).toEqual([])
})

it('a purchase whose billing is away is told, since when and why, the oldest first', async () => {
  const { clock } = shop.service
  const start = clock.now()
  shop.billing.say = () => ({ status: 503 })
  const first = await shop.order()
  await shop.settle(MINUTE)
  await shop.order()
  await shop.run()
  expect((await status()).purchases).toEqual([
    {
      stage: 'billing',
      count: 2,
      oldest: {
        operationId: first.id,
        resource: 'buyer',
        since: start.toISOString(),
        ageSeconds: Math.floor((clock.now().getTime() - start.getTime()) / SECOND),
      },
      lastError: 'The billing hook answered 503.',
      nextAttemptAt: later(clock.now(), SECOND / 2).toISOString(),
    },
  ])
  expect(await texts()).toEqual([
    [
      '2 purchases wait for billing to approve.',
      `  The oldest since 2026-03-01 12:00:00 UTC (32 s ago): ${first.id} of resource buyer`,
      '  The billing hook answered 503.',
      '  It is tried again by itself, next now.',
      '  To do: look at that system, and at the way to it; see docs/hooks.md.',
    ].join('\n'),
  ])
})

it('one that nobody takes up is told, but not one whose delay is not over', async () => {
  const { id } = await shop.order()
  shop.service.clock.advance(HOUR)
  expect((await texts()).join()).toMatch(
    new RegExp(`1 purchase waits for billing.*\n.*60 min ago.*${id}.*\n  Nobody takes`),
  )
  await shop.close()
  shop = await aHookedBuyer(db, 'both', { env: { LINEBOOK_PURCHASE_DELAY_MS: '60000' } })
  await shop.order()
  expect((await status()).purchases).toEqual([])
})

it('what has failed and can not be undone is told of each system, however long ago that was', async () => {
  shop.fulfilment.say = () => ({ status: 500 })
  shop.billing.say = ({ action }) => (action === 'void' ? { status: 404 } : undefined)
  const { id } = await shop.order()
  await shop.settle(HOUR)
  shop.service.clock.advance(48 * HOUR)
  await shop.run()
  const [waiting, ...others] = (await status()).purchases
  expect(others).toEqual([])
  expect(waiting).toMatchObject({ count: 1, oldest: { operationId: id } })
  expect(waiting?.stage).toMatch(/^undo-/)
  expect((await texts()).join()).toMatch(/1 purchase waits to be (voided|cancelled) at .*they have failed/)
})

it('is part of GET /status, too', async () => {
  shop.billing.say = () => ({ status: 503 })
  await shop.order()
  await shop.run()
  const token = await aToken(shop.service)
  const answer = await shop.service.server.inject({ url: '/status', headers: { authorization: `Bearer ${token}` } })
  expect(answer.json()).toMatchObject({ purchases: (await status()).purchases })
})

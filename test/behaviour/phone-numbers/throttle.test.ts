import { describe, expect } from 'vitest'
import type { Db } from '../../../src/db/db.js'
import { aSearch, US } from '../../fixtures/buying.js'
import { createTestService, HOST } from '../../fixtures/service.js'
import { enterStock } from '../../fixtures/stock.js'
import { it } from '../../fixtures/test.js'

describe('a throttled operation', () => {
  it('is refused with when to come again, and is let through then', async ({ db }) => {
    const { service, search } = await aThrottledBuyer(db, 'search=2/60')
    await enterStock(db, { count: 10 })
    expect([(await search()).statusCode, (await search()).statusCode]).toEqual([202, 202])
    const refused = await search()
    expect([refused.statusCode, refused.json()]).toEqual([
      429,
      {
        error: {
          code: 'TooManyRequests',
          message: 'Too many requests for search: this resource may make 2 in 60 seconds. Try again in 30 seconds.',
        },
      },
    ])
    expect(refused.headers).toMatchObject({ 'retry-after': '30', 'x-ms-error-code': 'TooManyRequests' })
    service.clock.advance(29_999)
    expect((await search()).statusCode).toBe(429)
    service.clock.advance(1)
    expect((await search()).statusCode).toBe(202)
  })

  it('leaves other resources and other operations alone', async ({ db }) => {
    const { service, buyer, search } = await aThrottledBuyer(db, 'search=1/60')
    await search()
    expect((await search()).statusCode).toBe(429)
    expect((await buyer.send('GET', '/phoneNumbers')).statusCode).toBe(200)
    const second = await service.client('second')
    expect((await second.send('POST', `${US}/:search`, { body: aSearch() })).statusCode).toBe(202)
  })

  it('is refused after who asks was shown, and before the request is looked at', async ({ db }) => {
    const { service, buyer } = await aThrottledBuyer(db, '*=1/60')
    const broken = () => buyer.send('POST', `${US}/:search`, { body: '{', version: '1999-01-01' })
    expect((await broken()).statusCode).toBe(400)
    expect((await broken()).statusCode).toBe(429)
    const url = `${US}/:search?api-version=2025-06-01`
    for (let i = 0; i < 3; i++) {
      const stranger = await service.server.inject({ method: 'POST', url, headers: { host: HOST } })
      expect(stranger.statusCode).toBe(401)
    }
  })
})

it('nothing is throttled unless it is asked for', async ({ db }) => {
  const service = await createTestService(db)
  const buyer = await service.client()
  const answers = await Promise.all(Array.from({ length: 50 }, () => buyer.send('GET', '/phoneNumbers')))
  expect(answers.every(({ statusCode }) => statusCode === 200)).toBe(true)
})

async function aThrottledBuyer(db: Db, rates: string) {
  const service = await createTestService(db, { LINEBOOK_THROTTLE: rates })
  const buyer = await service.client()
  return { service, buyer, search: () => buyer.send('POST', `${US}/:search`, { body: aSearch() }) }
}

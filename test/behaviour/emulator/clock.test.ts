/** The clock of an emulator: what moving it does to holds, operations and quarantine, and what it leaves alone. */
import { describe, expect } from 'vitest'
import { everyService } from '../../fixtures/accounts.js'
import { buy, buyOne, PURCHASE, search } from '../../fixtures/buying.js'
import { anEmulator, type Emulator } from '../../fixtures/emulator.js'
import { anOperator } from '../../fixtures/operator.js'
import { TEST_START } from '../../fixtures/service.js'
import { enterStock } from '../../fixtures/stock.js'
import { it as test } from '../../fixtures/test.js'

const it = test.extend('env', { LINEBOOK_PURCHASE_DELAY_MS: '60000', LINEBOOK_QUARANTINE_DAYS: '30' })

describe('the clock', () => {
  it('shows the time, which is the real one until it is moved', async ({ emulator }) => {
    expect(await emulator.send('GET', '/clock')).toMatchObject({
      status: 200,
      body: { now: START, real: START, offsetMs: 0 },
    })
  })

  it('moves by milliseconds and by durations, also those of the calendar', async ({ emulator }) => {
    expect((await advance(emulator, 1_500)).body).toMatchObject({
      now: '2026-03-01T12:00:01.500Z',
      real: START,
      offsetMs: 1_500,
    })
    expect((await advance(emulator, 'PT58.5S')).body).toMatchObject({ now: '2026-03-01T12:01:00.000Z' })
    expect((await advance(emulator, 'P1M2DT3H')).body).toMatchObject({ now: '2026-04-03T15:01:00.000Z' })
  })

  it('is set to an instant ahead, whatever its offset, and goes back to real time', async ({ emulator }) => {
    const set = await emulator.send('PUT', '/clock', { now: '2026-03-02T00:00:00+01:00' })
    expect(set.body).toMatchObject({ now: '2026-03-01T23:00:00.000Z', real: START })
    expect((await emulator.send('PUT', '/clock', { now: 'real' })).body).toMatchObject({ now: START, offsetMs: 0 })
  })

  it('goes on by itself after it was moved', async ({ service, emulator }) => {
    await advance(emulator, 'P1D')
    service.clock.advance(5_000)
    expect((await emulator.send('GET', '/clock')).body).toMatchObject({ now: '2026-03-02T12:00:05.000Z' })
  })

  it.for([
    ['POST', { advance: 'a day' }, /milliseconds.*ISO 8601/],
    ['POST', { advance: -5 }, /advance/],
    ['POST', { advance: 'P' }, /ISO 8601/],
    ['POST', { advance: 'P9999Y' }, /hundred years/],
    ['POST', { advance: 9e15 }, /./],
    ['POST', {}, /advance/],
    ['POST', { advance: 5, more: 1 }, /more/],
    ['PUT', { now: 'soon' }, /an instant.*real/],
    ['PUT', { now: '2026-02-30T25:00:00Z' }, /an instant/],
    ['PUT', { now: '2026-03-01T11:59:59Z' }, /does not go back.*real/],
    ['PUT', { now: '2200-01-01T00:00:00Z' }, /hundred years/],
    ['PUT', '{"now": ', /not JSON/],
  ] as const)('refuses %s %j, saying what would be right', async ([method, body, message], { emulator }) => {
    const { status, body: answer } = await emulator.send(method, '/clock', body)
    expect(status).toBe(400)
    expect(JSON.stringify(answer)).toMatch(message)
    expect((await emulator.send('GET', '/clock')).body).toMatchObject({ offsetMs: 0 })
  })
})

describe('moving the clock forward', () => {
  it('ends holds: their numbers can be found by others', async ({ db, service, buyer, emulator }) => {
    await enterStock(db, { count: 1 })
    const { searchId } = await search(buyer)
    expect((await advance(emulator, 'PT16M')).body).toMatchObject({ done: { swept: expect.any(Number) as number } })
    const other = await service.client('other')
    expect((await search(other)).phoneNumbers).toHaveLength(1)
    expect((await buyer.send('POST', PURCHASE, { body: { searchId } })).statusCode).toBe(400)
  })

  it('has operations end that are due by then, before it answers', async ({ db, buyer, emulator }) => {
    await enterStock(db, { count: 1 })
    const { searchId } = await search(buyer)
    await buyer.send('POST', PURCHASE, { body: { searchId } })
    expect((await buyer.send('GET', '/phoneNumbers')).json()).toMatchObject({ phoneNumbers: [] })
    expect((await advance(emulator, 'PT1M')).body).toMatchObject({ done: { operations: 1 } })
    expect((await buyer.send('GET', '/phoneNumbers')).json<{ phoneNumbers: object[] }>().phoneNumbers).toHaveLength(1)
  })

  it('ends the rest of released numbers', async ({ db, service, buyer, emulator }) => {
    await enterStock(db, { count: 1 })
    const phoneNumber = await buyOne(buyer)
    await advance(emulator, 'PT1M')
    await buyer.send('DELETE', `/phoneNumbers/${phoneNumber}`)
    // Two requests alike in the same second are one request.
    service.clock.advance(1_000)
    expect((await search(buyer)).phoneNumbers).toEqual([])
    await advance(emulator, service.config.quarantineMs)
    service.clock.advance(1_000)
    expect(await buy(buyer)).toEqual([phoneNumber])
  })

  it('leaves alone what shows who asks: signatures and tokens of the real time are good', async ({
    buyer,
    emulator,
  }) => {
    await advance(emulator, 'P30D')
    expect((await buyer.send('GET', '/phoneNumbers')).statusCode).toBe(200)
    expect((await emulator.send('GET', '/clock')).status).toBe(200)
  })
})

it('repeatable requests are dated by the real time, as clients have it', async ({ service, emulator }) => {
  await advance(emulator, 'P2D')
  const operator = await anOperator(service)
  const headers = { 'Repeatability-Request-ID': 'one', 'Repeatability-First-Sent': START }
  const put = () => operator.put('/accounts/contoso', { serviceDetails: everyService() }, headers)
  expect((await put()).statusCode).toBe(201)
  const again = await put()
  expect([again.statusCode, again.headers['repeatability-result']]).toEqual([201, 'accepted'])
})

it('another process on the same database learns of a move, and goes by it', async ({ db, service, emulator }) => {
  const other = service.replicaOn(db)
  await other.server.ready()
  await advance(emulator, 'P1D')
  await other.wiring.controls?.load()
  const there = await anEmulator({ ...service, server: other.server })
  expect((await there.send('GET', '/clock')).body).toMatchObject({ now: '2026-03-02T12:00:00.000Z' })
  // What both have advanced adds up.
  await there.send('POST', '/clock', { advance: 'PT1H' })
  expect((await advance(emulator, 'PT1H')).body).toMatchObject({ now: '2026-03-02T14:00:00.000Z' })
  await other.close()
})

it('a clock that was moved is as far ahead after a restart', async ({ db, service, emulator }) => {
  await advance(emulator, 'P1D')
  const restarted = service.replicaOn(db)
  await restarted.server.ready()
  const again = await anEmulator({ ...service, server: restarted.server })
  expect((await again.send('GET', '/clock')).body).toMatchObject({ now: '2026-03-02T12:00:00.000Z' })
  await restarted.close()
})

const advance = (emulator: Emulator, by: string | number) => emulator.send('POST', '/clock', { advance: by })
const START = TEST_START.toISOString()

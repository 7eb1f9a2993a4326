/** How long a reservation lives, how its purchase goes, and what is left of it then. */
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { sql } from '../../../src/db/db.js'
import { listHistory } from '../../../src/ledger/reads.js'
import { retireNumbers } from '../../../src/ledger/retirement.js'
import { operationsTask } from '../../../src/workers/operations.js'
import { sweepTask } from '../../../src/workers/sweep.js'
import { search } from '../../fixtures/buying.js'
import { openTestDatabase } from '../../fixtures/database.js'
import {
  adding,
  keyOf,
  reservationOf,
  RESERVATIONS,
  reserve,
  type ReservationAnswer,
} from '../../fixtures/reserving.js'
import {
  createTestService,
  TEST_START,
  type TestClient,
  type TestService,
  minutes,
  iso,
} from '../../fixtures/service.js'
import { enterStock } from '../../fixtures/stock.js'

const db = await openTestDatabase()
afterAll(() => db.close())

let service: TestService
let buyer: TestClient
let stock: [string, string, string]
const begin = async (env: Record<string, string> = {}) => {
  service = await createTestService(db, env)
  buyer = await service.client()
  stock = (await enterStock(db, { count: 3 })) as typeof stock
}
beforeEach(() => begin())

const DAY_MS = minutes(24 * 60)
const elapsed = () => service.clock.now().getTime() - TEST_START.getTime()
const events = async (e164: string) => (await listHistory(db, e164)).map(({ event }) => event)
const owned = async (client = buyer) =>
  (await client.send('GET', '/phoneNumbers')).json<{ phoneNumbers: { phoneNumber: string }[] }>().phoneNumbers
const statuses = ({ phoneNumbers }: ReservationAnswer) => Object.values(phoneNumbers).map(({ status }) => status)
const notActive = { error: { code: 'BadRequest', innererror: { code: 'ReservationNotActive' } } }

describe('the time of a reservation', () => {
  it('begins again with every change, even one that changes nothing', async () => {
    const { patch, read } = await reserve(buyer, [stock[0]])
    for (const body of [adding([stock[1]]), adding([], [stock[1]]), adding([stock[0]]), {}, undefined]) {
      service.clock.advance(minutes(10))
      expect((await patch(body)).json()).toMatchObject({ expiresAt: iso(elapsed() + minutes(15)), status: 'active' })
    }
    service.clock.advance(minutes(15) - 1)
    expect((await read()).json()).toMatchObject({ status: 'active' })
    expect((await search(buyer, { quantity: 3 })).phoneNumbers).not.toContain(stock[0])
  })

  it('is prolonged by changes that partly fail too, but not by looking', async () => {
    const { patch, read } = await reserve(buyer, [stock[0]])
    service.clock.advance(minutes(10))
    expect((await patch(adding(['+12065550999']))).statusCode).toBe(207)
    service.clock.advance(minutes(14))
    expect((await read()).json()).toMatchObject({ expiresAt: iso(minutes(25)), status: 'active' })
    service.clock.advance(minutes(1))
    expect((await read()).json()).toMatchObject({ expiresAt: iso(minutes(25)), status: 'expired' })
  })

  it('ends two hours after its creation, whatever is done; until then changes go on working', async () => {
    const { patch, read } = await reserve(buyer, [stock[0]])
    while (elapsed() < minutes(110)) {
      service.clock.advance(minutes(10))
      expect((await patch()).statusCode).toBe(200)
    }
    expect((await read()).json()).toMatchObject({ expiresAt: iso(minutes(120)) })
    service.clock.advance(minutes(10) - 1)
    const last = await patch(adding([stock[1]]))
    expect([last.statusCode, last.json()]).toMatchObject([200, { expiresAt: iso(minutes(120)), status: 'active' }])
    service.clock.advance(1)
    expect((await read()).json()).toMatchObject({ status: 'expired' })
    expect((await search(buyer, { quantity: 3 })).phoneNumbers).toEqual(stock)
  })

  it('can be set otherwise, and so can how many numbers there may be', async () => {
    await begin({
      LINEBOOK_RESERVATION_HOLD_MINUTES: '2',
      LINEBOOK_RESERVATION_MAX_MINUTES: '3',
      LINEBOOK_MAX_RESERVATION_NUMBERS: '1',
    })
    const { patch } = reservationOf(buyer)
    expect((await patch(adding(stock))).json<ReservationAnswer>()).toMatchObject({ expiresAt: iso(minutes(2)) })
    service.clock.advance(minutes(1.5))
    const answer = await patch(adding(stock))
    expect(statuses(answer.json()).sort()).toEqual(['error', 'error', 'reserved'])
    expect(answer.json()).toMatchObject({ expiresAt: iso(minutes(3)) })
  })

  it('when it is over frees the numbers for others at that instant, swept or not', async () => {
    const { read } = await reserve(buyer, [stock[0]])
    const other = await service.client('other', ['other.example.test'])
    service.clock.advance(minutes(15) - 1)
    expect((await reservationOf(other).patch(adding([stock[0]]))).statusCode).toBe(207)
    service.clock.advance(1)
    const taken = await reserve(other, [stock[0]])
    expect(await events(stock[0])).toEqual(['enter', 'hold', 'expire', 'hold'])
    const expired = (await read()).json<ReservationAnswer>()
    expect([expired.status, statuses(expired)]).toEqual(['expired', ['expired']])
    // The sweep of what has expired takes nothing from whoever has it now.
    await service.task(sweepTask).runOnce()
    expect((await taken.purchase()).statusCode).toBe(202)
  })
})

describe('an expired reservation', () => {
  it('can be read but not changed, given up or purchased', async () => {
    const { patch, drop, purchase, read } = await reserve(buyer, [stock[0]])
    service.clock.advance(minutes(15))
    for (const answer of [await patch(adding([stock[1]])), await patch(), await drop(), await purchase()]) {
      expect([answer.statusCode, answer.json()]).toMatchObject([400, notActive])
    }
    const answer = await read()
    expect([answer.statusCode, answer.json()]).toMatchObject([
      200,
      { expiresAt: iso(minutes(15)), status: 'expired', phoneNumbers: { [keyOf(stock[0])]: { status: 'expired' } } },
    ])
    expect(await events(stock[1])).toEqual(['enter'])
  })

  it('is forgotten a month after its creation; its id can then be chosen again', async () => {
    const { id, read, patch, purchase } = await reserve(buyer, [stock[0]])
    service.clock.advance(31 * DAY_MS - 1)
    expect((await read()).statusCode).toBe(200)
    expect((await buyer.send('GET', RESERVATIONS)).json()).toMatchObject({ reservations: [{ id }] })
    service.clock.advance(1)
    expect((await read()).statusCode).toBe(404)
    expect((await purchase()).statusCode).toBe(404)
    expect((await buyer.send('GET', RESERVATIONS)).json()).toEqual({ reservations: [], nextLink: null })
    const again = await patch(adding([stock[1]]))
    expect([again.statusCode, Object.keys(again.json<ReservationAnswer>().phoneNumbers)]).toEqual([
      201,
      [keyOf(stock[1])],
    ])
  })

  it('is removed by the sweep after a month, and only then', async () => {
    await reserve(buyer, [stock[0]])
    service.clock.advance(DAY_MS)
    await reserve(buyer, [stock[1]])
    const sweep = service.task(sweepTask)
    const left = () => db.query(sql`select e164 from reservation_number order by e164`)
    service.clock.advance(30 * DAY_MS - 1)
    await sweep.runOnce()
    expect(await left()).toEqual([{ e164: stock[0] }, { e164: stock[1] }])
    service.clock.advance(1)
    await sweep.runOnce()
    expect(await left()).toEqual([{ e164: stock[1] }])
  })
})

describe('a reservation that is given up', () => {
  it('answers 204, frees its numbers at once and is not found any more', async () => {
    const { drop, read } = await reserve(buyer, [stock[0], stock[1]])
    const answer = await drop()
    expect([answer.statusCode, answer.body]).toEqual([204, ''])
    for (const call of [read, drop]) {
      expect((await call()).json()).toMatchObject({ error: { code: 'ReservationNotFound' } })
    }
    expect(await events(stock[0])).toEqual(['enter', 'hold', 'cancel'])
    const other = await service.client('other', ['other.example.test'])
    await reserve(other, [stock[0], stock[1]])
  })

  it('leaves its id free for another one', async () => {
    const { id, drop } = await reserve(buyer, [stock[0]])
    await drop()
    const again = await reserve(buyer, [stock[1]], id)
    expect((await again.purchase()).statusCode).toBe(202)
    expect((await owned()).map(({ phoneNumber }) => phoneNumber)).toEqual([stock[1]])
  })
})

describe('the purchase of a reservation', () => {
  it('answers 202 with its headers and no body, and its polls repeat them', async () => {
    const { id, purchase, poll } = await reserve(buyer, [stock[0], stock[1]])
    service.clock.advance(5_000)
    const answer = await purchase()
    expect([answer.statusCode, answer.body]).toEqual([202, ''])
    const links = {
      'operation-location': `/phoneNumbers/operations/reservationPurchase_${id}?api-version=2025-06-01`,
      'operation-id': `reservationPurchase_${id}`,
      'reservation-purchase-id': id,
    }
    expect(answer.headers).toMatchObject({
      ...links,
      'access-control-expose-headers': 'Location,Operation-Location,operation-id,reservation-purchase-id',
    })
    expect(answer.headers.location).toBeUndefined()
    const polled = await poll()
    expect(polled.headers).toMatchObject({
      ...links,
      'access-control-expose-headers': 'Location,Operation-Location,operation-id,reservationPurchase-id',
    })
    expect(polled.headers.location).toBeUndefined()
    expect(Object.entries(polled.json())).toEqual([
      ['operationType', 'reservationPurchase'],
      ['status', 'succeeded'],
      ['resourceLocation', null],
      ['createdDateTime', iso(0)],
      ['id', `reservationPurchase_${id}`],
      ['lastActionDateTime', iso(5_000)],
    ])
  })

  it('makes the numbers owned with all that they can do, and the reservation completed', async () => {
    const { purchase, read } = await reserve(buyer, [stock[0], stock[1]])
    await purchase()
    // In whichever order the database took them.
    const bought = (await owned()).sort((one, other) => (one.phoneNumber < other.phoneNumber ? -1 : 1))
    expect(bought).toMatchObject([
      { phoneNumber: stock[0], capabilities: { calling: 'inbound+outbound', sms: 'inbound+outbound' } },
      { phoneNumber: stock[1], assignmentType: 'application', cost: { amount: 1 } },
    ])
    const after = (await read()).json<ReservationAnswer>()
    expect([after.status, statuses(after)]).toEqual(['completed', ['purchased', 'purchased']])
    expect(await events(stock[0])).toEqual(['enter', 'hold', 'purchase'])
  })

  it('works in the last millisecond and not at the end', async () => {
    const first = await reserve(buyer, [stock[0]])
    const second = await reserve(buyer, [stock[1]])
    service.clock.advance(minutes(15) - 1)
    expect((await first.purchase()).statusCode).toBe(202)
    expect((await first.poll()).json()).toMatchObject({ status: 'succeeded' })
    service.clock.advance(1)
    const late = await second.purchase()
    expect([late.statusCode, late.json()]).toMatchObject([400, notActive])
    expect((await owned()).map(({ phoneNumber }) => phoneNumber)).toEqual([stock[0]])
  })

  it('asked for again has no second effect and the same answer, even when its operation is forgotten', async () => {
    const { purchase, patch, drop } = await reserve(buyer, [stock[0]])
    const { headers } = await purchase()
    for (const pause of [0, minutes(20), 2 * DAY_MS]) {
      service.clock.advance(pause)
      await service.task(sweepTask).runOnce()
      const again = await purchase()
      expect(again.statusCode).toBe(202)
      for (const name of ['operation-location', 'operation-id', 'reservation-purchase-id']) {
        expect(again.headers[name]).toBe(headers[name])
      }
    }
    expect(await events(stock[0])).toEqual(['enter', 'hold', 'purchase'])
    for (const answer of [await patch(adding([stock[1]])), await drop()]) {
      expect([answer.statusCode, answer.json()]).toMatchObject([400, notActive])
    }
  })

  it('of an empty reservation is refused', async () => {
    const { purchase, read } = await reserve(buyer, [])
    const answer = await purchase()
    expect([answer.statusCode, answer.json()]).toMatchObject([400, { error: { code: 'BadRequest' } }])
    expect(answer.json()).not.toHaveProperty('error.innererror')
    expect((await read()).json()).toMatchObject({ status: 'active' })
  })

  it('of numbers that may not be resold needs the agreement; without it the reservation stays active', async () => {
    const place = { countryCode: 'FR', numberType: 'geographic', areaCode: '1' } as const
    const [e164] = (await enterStock(db, {
      from: '+33199000000',
      count: 1,
      place: { ...place, administrativeDivision: '', locality: 'Paris' },
    })) as [string]
    const { purchase, read, patch } = await reserve(buyer, [e164, stock[0]])
    for (const body of [undefined, {}, { agreeToNotResell: false }, { agreeToNotResell: null }]) {
      const answer = await purchase(body)
      expect([answer.statusCode, answer.json()]).toEqual([
        400,
        {
          error: {
            code: 'BadRequest',
            message: 'Do not resell agreement was not provided and it is required for this purchase.',
          },
        },
      ])
    }
    expect((await read()).json()).toMatchObject({ status: 'active' })
    expect((await patch()).statusCode).toBe(200)
    expect((await purchase({ agreeToNotResell: true })).statusCode).toBe(202)
    expect(await owned()).toHaveLength(2)
  })

  it('gets what it can: a number that was taken out of service is an error, the others are purchased', async () => {
    const { purchase, poll, read } = await reserve(buyer, [stock[0], stock[1]])
    const cause = { at: service.clock.now(), actor: 'operator', reason: 'test' }
    await db.transaction((tx) => retireNumbers(tx, [stock[1]], cause, { evenHeld: true }))
    await purchase()
    expect((await poll()).json()).toMatchObject({ status: 'failed', error: { code: 'NumbersPartiallyAcquired' } })
    expect((await read()).json()).toMatchObject({
      status: 'completed',
      phoneNumbers: {
        [keyOf(stock[0])]: { status: 'purchased' },
        [keyOf(stock[1])]: { status: 'error', error: { code: 'NumberGone', message: expect.any(String) } },
      },
    })
    expect((await owned()).map(({ phoneNumber }) => phoneNumber)).toEqual([stock[0]])
  })

  it('that is refused fails, frees the numbers and says why of each', async () => {
    await db.query(sql`update resource set number_limit = 1`)
    const { purchase, poll, read } = await reserve(buyer, [stock[0], stock[1]])
    expect((await purchase()).statusCode).toBe(202)
    expect((await poll()).json()).toMatchObject({ status: 'failed', error: { code: 'NotEnoughLicenses' } })
    const after = (await read()).json<ReservationAnswer>()
    expect([after.status, statuses(after)]).toEqual(['completed', ['error', 'error']])
    expect(await events(stock[0])).toEqual(['enter', 'hold', 'cancel'])
    expect((await purchase()).statusCode).toBe(202)
    expect(await events(stock[0])).toEqual(['enter', 'hold', 'cancel'])
  })
})

describe('a purchase of a reservation that takes time', () => {
  const DELAY_MS = 1_000
  beforeEach(() => begin({ LINEBOOK_PURCHASE_DELAY_MS: `${DELAY_MS}` }))

  it('has the reservation submitted until it ends, which it does after the time of the hold as well', async () => {
    const { purchase, read, poll, patch, drop } = await reserve(buyer, [stock[0]])
    service.clock.advance(minutes(15) - 1)
    await purchase()
    service.clock.advance(DELAY_MS - 1)
    expect((await poll()).json()).toMatchObject({ status: 'running' })
    const meanwhile = (await read()).json<ReservationAnswer>()
    expect([meanwhile.status, statuses(meanwhile)]).toEqual(['submitted', ['reserved']])
    for (const answer of [await patch(), await drop()]) {
      expect([answer.statusCode, answer.json()]).toMatchObject([400, notActive])
    }
    expect((await purchase()).statusCode).toBe(202)
    expect(await owned()).toEqual([])
    service.clock.advance(1)
    expect((await service.task(operationsTask).runOnce()).done).toBe(1)
    expect((await read()).json()).toMatchObject({ status: 'completed' })
    expect(await owned()).toHaveLength(1)
  })

  it('can be cancelled before it starts: the reservation is active again, until its time', async () => {
    const { id, purchase, read, poll } = await reserve(buyer, [stock[0]])
    await purchase()
    service.clock.advance(DELAY_MS / 2 - 1)
    expect((await buyer.send('DELETE', `/phoneNumbers/operations/reservationPurchase_${id}`)).statusCode).toBe(204)
    expect((await poll()).json()).toMatchObject({ status: 'failed', error: { code: 'OperationCanceled' } })
    expect((await read()).json()).toMatchObject({ status: 'active', expiresAt: iso(minutes(15)) })
    await purchase()
    expect((await poll()).json()).toMatchObject({ status: 'notStarted', createdDateTime: iso(0) })
    service.clock.advance(DELAY_MS)
    expect((await poll()).json()).toMatchObject({ status: 'succeeded' })
    expect(await owned()).toHaveLength(1)
  })

  it('cancelled after the time of the hold leaves the reservation expired and its numbers free', async () => {
    const { id, purchase, read } = await reserve(buyer, [stock[0]])
    service.clock.advance(minutes(15) - 1)
    await purchase()
    service.clock.advance(1)
    await buyer.send('DELETE', `/phoneNumbers/operations/reservationPurchase_${id}`)
    expect((await read()).json()).toMatchObject({ status: 'expired' })
    const other = await service.client('other', ['other.example.test'])
    await reserve(other, [stock[0]])
  })

  it('is not forgotten while it lasts, however long that is', async () => {
    const { purchase, read, poll } = await reserve(buyer, [stock[0]])
    await purchase()
    service.clock.advance(40 * DAY_MS)
    await service.task(sweepTask).runOnce()
    expect((await read()).json()).toMatchObject({ status: 'submitted' })
    expect((await poll()).json()).toMatchObject({ status: 'succeeded' })
    expect(await owned()).toHaveLength(1)
    expect((await read()).statusCode).toBe(404)
  })
})

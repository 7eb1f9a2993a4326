/** What a reservation does not get, and requests about one that are refused. */
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { sql } from '../../../src/db/db.js'
import { listHistory } from '../../../src/ledger/reads.js'
import { retireNumbers } from '../../../src/ledger/retirement.js'
import { buyOne, search } from '../../fixtures/buying.js'
import { openTestDatabase } from '../../fixtures/database.js'
import {
  adding,
  keyOf,
  reservationOf,
  RESERVATIONS,
  reserve,
  shownNumber,
  type ReservationAnswer,
} from '../../fixtures/reserving.js'
import { createTestService, type TestClient, type TestService, minutes, iso } from '../../fixtures/service.js'
import { enterStock, paris } from '../../fixtures/stock.js'

const db = await openTestDatabase()
afterAll(() => db.close())

let service: TestService
let buyer: TestClient
let stock: [string, string, ...string[]]
beforeEach(async () => {
  service = await createTestService(db)
  buyer = await service.client()
  stock = (await enterStock(db)) as typeof stock
})

describe('numbers that can not be had', () => {
  const errors = (body: ReservationAnswer) =>
    Object.fromEntries(
      Object.entries(body.phoneNumbers)
        .filter(([, { status }]) => status === 'error')
        .map(([key, { error }]) => [key, error?.innererror?.code]),
    )

  it('are refused as a whole when there are far too many, and nothing is reserved', async () => {
    const { patch, read } = reservationOf(buyer)
    const many = Array.from({ length: 60_000 }, (_, index) => `+1425${String(5_550_000 + index)}`)
    const answer = await patch(adding([stock[0], ...many]))
    expect([answer.statusCode, answer.json()]).toMatchObject([
      400,
      { error: { code: 'InvalidInput', target: 'phoneNumbers' } },
    ])
    expect(answer.body.length).toBeLessThan(1_000)
    expect((await read()).statusCode).toBe(404)
  })

  it('make the answer 207, say why, and are not remembered', async () => {
    const { id, patch, read } = reservationOf(buyer)
    const answer = await patch(adding([stock[0], '+12065550999']))
    expect(answer.statusCode).toBe(207)
    expect(answer.headers.location).toBe(`${RESERVATIONS}/${id}`)
    expect(answer.json()).toEqual({
      id,
      expiresAt: iso(minutes(15)),
      status: 'active',
      phoneNumbers: {
        [keyOf(stock[0])]: shownNumber(stock[0]),
        '12065550999': {
          id: '12065550999',
          countryCode: 'ZZ',
          phoneNumber: '+12065550999',
          capabilities: { calling: 'none', sms: 'none' },
          phoneNumberType: 'unknown',
          assignmentType: 'unknown',
          status: 'error',
          error: {
            code: 'FailedToReserveNumber',
            message: 'Failed to add the number to the reservation.',
            innererror: { code: 'NotInInventory', message: 'The number is not in the inventory.' },
          },
        },
      },
    })
    expect((await read()).json<ReservationAnswer>().phoneNumbers).toEqual({ [keyOf(stock[0])]: shownNumber(stock[0]) })
  })

  it('are told apart by what is in the way, never by whom', async () => {
    const other = await service.client('other', ['other.example.test'])
    const owned = await buyOne(other)
    const ownOwned = await buyOne(buyer)
    const free = stock.filter((e164) => e164 !== owned && e164 !== ownOwned) as [string, string, string, string]
    const { phoneNumbers: held } = await search(other, { quantity: 1 })
    const [, , retired, mine] = free.filter((e164) => !held.includes(e164)) as [string, string, string, string]
    await db.transaction((tx) => retireNumbers(tx, [retired], { at: new Date(), actor: 'operator', reason: 'test' }))
    await reserve(buyer, [mine])
    const answer = await reservationOf(buyer).patch(adding([owned, ownOwned, ...held, retired, mine]))
    expect(answer.statusCode).toBe(207)
    expect(errors(answer.json())).toEqual({
      [keyOf(owned)]: 'NumberOwned',
      [keyOf(ownOwned)]: 'NumberOwned',
      [keyOf(held[0] as string)]: 'NumberHeld',
      [keyOf(retired)]: 'NotInInventory',
      [keyOf(mine)]: 'NumberHeld',
    })
    expect(answer.body).not.toMatch(/other/)
    expect(answer.json<ReservationAnswer>().phoneNumbers[keyOf(owned)]).toMatchObject({ countryCode: 'US' })
  })

  it('may be resting after a release', async () => {
    service = await createTestService(db, { LINEBOOK_QUARANTINE_DAYS: '1' })
    buyer = await service.client()
    await enterStock(db, { count: 1 })
    const e164 = await buyOne(buyer)
    await buyer.send('DELETE', `/phoneNumbers/${e164}`)
    const { patch } = reservationOf(buyer)
    expect(errors((await patch(adding([e164]))).json())).toEqual({ [keyOf(e164)]: 'NumberResting' })
    service.clock.advance(minutes(24 * 60))
    expect((await reservationOf(buyer).patch(adding([e164]))).statusCode).toBe(201)
    expect((await listHistory(db, e164)).map(({ event }) => event).slice(-2)).toEqual(['rest', 'hold'])
  })

  it('may be of a country or a kind that is not sold', async () => {
    const [abroad] = (await enterStock(db, {
      from: '+99955501',
      count: 1,
      place: { ...paris, countryCode: 'QQ', locality: '' },
    })) as [string]
    const [mobile] = (await enterStock(db, {
      from: '+12065559900',
      count: 1,
      place: { ...paris, countryCode: 'US', numberType: 'mobile', areaCode: '206', locality: '' },
    })) as [string]
    const answer = await reservationOf(buyer).patch(adding([abroad, mobile]))
    expect([answer.statusCode, errors(answer.json())]).toEqual([
      207,
      { [keyOf(abroad)]: 'CountryNotServed', [keyOf(mobile)]: 'OfferingWithdrawn' },
    ])
  })

  it('are those over a hundred; what is removed in the same request makes room', async () => {
    const many = await enterStock(db, { from: '+14255550100', count: 103, place: { ...paris, countryCode: 'US' } })
    const { patch } = reservationOf(buyer)
    const first = await patch(adding(many.slice(0, 101)))
    expect(first.statusCode).toBe(207)
    expect(errors(first.json())).toEqual({ [keyOf(many[100] as string)]: 'TooManyNumbers' })
    const second = await patch(adding(many.slice(101, 103), [many[0] as string]))
    expect(errors(second.json())).toEqual({ [keyOf(many[102] as string)]: 'TooManyNumbers' })
    const { phoneNumbers } = second.json<ReservationAnswer>()
    expect(Object.values(phoneNumbers).filter(({ status }) => status === 'reserved')).toHaveLength(100)
  })

  it.each(['x', '', '0123', '+', '1', '1234567890123456', '１２０６', '__proto__', 'constructor', '\u0000', '-1'])(
    'have keys that are numbers: %j is refused like an unknown one',
    async (key) => {
      const body = `{"phoneNumbers":{${JSON.stringify(key)}:{},"${keyOf(stock[0])}":{}}}`
      const answer = await reservationOf(buyer).patch(body)
      expect(answer.statusCode).toBe(207)
      const { phoneNumbers } = JSON.parse(answer.body) as ReservationAnswer
      expect(Object.keys(phoneNumbers).sort()).toEqual([key.replace(/^\+/, ''), keyOf(stock[0])].sort())
      expect(errors({ phoneNumbers } as ReservationAnswer)).toEqual(
        Object.fromEntries([[key.replace(/^\+/, ''), 'NotAPhoneNumber']]),
      )
    },
  )

  it('that were never there are no error when they are removed', async () => {
    const answer = await reservationOf(buyer).patch({ phoneNumbers: { nonsense: null, '12065550999': null } })
    expect([answer.statusCode, answer.json()]).toMatchObject([201, { phoneNumbers: {} }])
  })

  it('may be all of them: the reservation is there all the same', async () => {
    const { patch, read } = reservationOf(buyer)
    expect((await patch(adding(['+12065550999']))).statusCode).toBe(207)
    expect([(await read()).statusCode, (await read()).json()]).toMatchObject([200, { phoneNumbers: {} }])
  })
})

describe('a request that is wrong', () => {
  const ID = '378ddf60-81be-452a-ba4f-613198ea6c28'

  it.each(['x', '378ddf60', `${ID}0`, '%00', '+12065550100', `%7B${ID}%7D`])(
    'with the id %s is refused',
    async (id) => {
      for (const [method, path] of [
        ['PATCH', id],
        ['GET', id],
        ['DELETE', id],
        ['POST', `${id}/:purchase`],
      ] as const) {
        const answer = await buyer.send(method, `${RESERVATIONS}/${path}`)
        expect([answer.statusCode, answer.json()]).toMatchObject([
          400,
          { error: { code: 'InvalidInput', target: 'reservationid' } },
        ])
      }
    },
  )

  it.each([
    [{ phoneNumbers: [] }, 'phonenumbers'],
    [{ phoneNumbers: 'x' }, 'phonenumbers'],
    [{ phoneNumbers: 5 }, 'phonenumbers'],
    [{ phoneNumbers: { 14255550100: 'x' } }, 'phonenumbers.14255550100'],
    [{ phoneNumbers: { 14255550100: true } }, 'phonenumbers.14255550100'],
    [{ phoneNumbers: { 14255550100: [] } }, 'phonenumbers.14255550100'],
    ['[]', undefined],
    ['null', undefined],
    ['"x"', undefined],
    ['{', undefined],
  ])('with the body %j is refused and makes no reservation', async (body, target) => {
    const { patch, read } = reservationOf(buyer)
    const answer = await patch(body)
    expect(answer.statusCode).toBe(400)
    const { error } = answer.json<{ error: { code: string; target?: string } }>()
    expect([error.code, error.target]).toEqual(['InvalidInput', target])
    expect((await read()).statusCode).toBe(404)
  })

  it.each([{ agreeToNotResell: 'yes' }, { agreeToNotResell: 1 }, '[]', 'null', '{'])(
    'to purchase with the body %j is refused, and leaves it active',
    async (body) => {
      const { purchase, read } = await reserve(buyer, [stock[0]])
      const answer = await purchase(body)
      expect([answer.statusCode, answer.json()]).toMatchObject([400, { error: { code: 'InvalidInput' } }])
      expect((await read()).json()).toMatchObject({ status: 'active' })
    },
  )

  it('about a reservation that nobody knows is not found', async () => {
    const { read, drop, purchase } = reservationOf(buyer)
    for (const call of [read, drop, purchase]) {
      const answer = await call()
      expect([answer.statusCode, answer.json()]).toEqual([
        404,
        {
          error: {
            code: 'ReservationNotFound',
            message: 'The reservation was not found and the operation could not be completed.',
          },
        },
      ])
      expect(answer.headers['x-ms-error-code']).toBe('ReservationNotFound')
    }
  })

  it('of an older version is told which versions there are', async () => {
    const answer = await buyer.send('GET', RESERVATIONS, { version: '2025-02-11' })
    expect([answer.statusCode, answer.json()]).toMatchObject([400, { error: { code: 'UnsupportedApiVersion' } }])
    expect(answer.headers['api-supported-versions']).toBe('2025-04-01, 2025-06-01')
  })

  it('with another method is told which there are', async () => {
    const one = await buyer.send('PUT', `${RESERVATIONS}/${ID}`)
    expect([one.statusCode, one.headers.allow?.split(', ').sort()]).toEqual([405, ['DELETE', 'GET', 'PATCH']])
    expect((await buyer.send('POST', RESERVATIONS)).headers.allow).toBe('GET')
    expect((await buyer.send('GET', `${RESERVATIONS}/${ID}/:purchase`)).headers.allow).toBe('POST')
  })
})

describe('stock of a pool', () => {
  it('is nothing that a resource of another pool could reserve', async () => {
    await db.query(sql`update place set pool = 'apart'`)
    const answer = await reservationOf(buyer).patch(adding([stock[0]]))
    expect([answer.statusCode, answer.json()]).toMatchObject([
      207,
      { phoneNumbers: { [keyOf(stock[0])]: { error: { innererror: { code: 'NotInInventory' } } } } },
    ])
    await db.query(sql`update resource set pool = 'apart'`)
    // A replica reads its resources afresh.
    const replica = service.replicaOn(db)
    expect((await reservationOf(replica.sameClient(buyer)).patch(adding([stock[0]]))).statusCode).toBe(201)
    await replica.close()
  })
})

/** Status codes, headers, key sets and texts of reservations, as recorded from the service or as its swagger has them. */
import { describe, expect } from 'vitest'
import { newId } from '../../../src/ids.js'
import { listHistory } from '../../../src/ledger/reads.js'
import {
  adding,
  keyOf,
  reservationOf,
  RESERVATIONS,
  reserve,
  shownNumber,
  type ReservationAnswer,
} from '../../fixtures/reserving.js'
import { minutes, iso } from '../../fixtures/service.js'
import { enterStock, tollFree, paris } from '../../fixtures/stock.js'
import { it } from '../../fixtures/test.js'

let stock: [string, string, ...string[]]
it.beforeEach(async ({ db }) => {
  stock = (await enterStock(db)) as typeof stock
})

describe('a new reservation', () => {
  it('is answered 201 with its place, without a query, and with its numbers on the terms of the catalogue', async ({
    buyer,
  }) => {
    const { id, patch } = reservationOf(buyer)
    const answer = await patch(adding([stock[0]]))
    expect(answer.statusCode).toBe(201)
    expect(answer.headers).toMatchObject({
      location: `${RESERVATIONS}/${id}`,
      'content-type': 'application/json; charset=utf-8',
      'api-supported-versions': '2025-04-01, 2025-06-01',
    })
    const body = answer.json<ReservationAnswer>()
    expect(Object.entries(body)).toEqual([
      ['id', id],
      ['expiresAt', iso(minutes(15))],
      ['phoneNumbers', { [keyOf(stock[0])]: shownNumber(stock[0]) }],
      ['status', 'active'],
    ])
    expect(Object.keys(body.phoneNumbers[keyOf(stock[0])] as object)).toEqual(Object.keys(shownNumber(stock[0])))
  })

  it('may be without numbers: with an empty map, a null one, an empty body or none at all', async ({ buyer }) => {
    for (const body of [{ phoneNumbers: {} }, { phoneNumbers: null }, {}, undefined]) {
      const answer = await reservationOf(buyer).patch(body)
      expect([answer.statusCode, answer.json()]).toMatchObject([201, { phoneNumbers: {}, status: 'active' }])
    }
  })

  it('has its id in lower case, and is found in any letter case', async ({ buyer }) => {
    const id = newId()
    const answer = await reservationOf(buyer, id.toUpperCase()).patch()
    expect(answer.headers.location).toBe(`${RESERVATIONS}/${id}`)
    expect(answer.json()).toMatchObject({ id })
    expect((await reservationOf(buyer, id).read()).statusCode).toBe(200)
    expect((await reservationOf(buyer, id.toUpperCase()).patch()).statusCode).toBe(200)
  })

  it('looks at nothing but the keys: what browsing gave may be sent back as it is', async ({ buyer }) => {
    const { patch } = reservationOf(buyer)
    const answer = await patch({
      id: 'ignored',
      status: 'completed',
      expiresAt: 'never',
      phoneNumbers: {
        [keyOf(stock[0])]: shownNumber(stock[0], { status: 'available', cost: { amount: -1 }, countryCode: 5 }),
        [stock[1]]: { phoneNumber: '+4915199999999', deep: [[{}]] },
      },
    })
    expect(answer.statusCode).toBe(201)
    expect(answer.json()).toMatchObject({
      phoneNumbers: { [keyOf(stock[0])]: shownNumber(stock[0]), [keyOf(stock[1])]: shownNumber(stock[1]) },
    })
  })

  it('says of numbers that may not be resold that the agreement is needed', async ({ db, buyer }) => {
    const [e164] = (await enterStock(db, { from: '+33199000000', count: 1, place: paris })) as [string]
    const { phoneNumbers } = (await reservationOf(buyer).patch(adding([e164, stock[0]]))).json<ReservationAnswer>()
    expect(phoneNumbers[keyOf(e164)]).toMatchObject({ countryCode: 'FR', isAgreementToNotResellRequired: true })
    expect(phoneNumbers[keyOf(stock[0])]).not.toHaveProperty('isAgreementToNotResellRequired')
  })

  it('takes the only assignment that its kind of number is offered for', async ({ db, service, buyer }) => {
    const offered = service.wiring.deps.catalogue.offerings('US').filter(({ numberType }) => numberType === 'tollFree')
    expect(offered).toHaveLength(1)
    const [e164] = (await enterStock(db, { from: '+18885550100', count: 1, place: tollFree })) as [string]
    const { phoneNumbers } = (await reservationOf(buyer).patch(adding([e164]))).json<ReservationAnswer>()
    expect(phoneNumbers[keyOf(e164)]).toMatchObject({
      phoneNumberType: 'tollFree',
      assignmentType: offered[0]?.assignmentType,
      capabilities: offered[0]?.capabilities,
    })
  })
})

describe('a change of a reservation', () => {
  it('adds and removes in one request and answers 200 with all of it', async ({ db, buyer }) => {
    const { patch, read } = await reserve(buyer, [stock[0], stock[1]])
    const answer = await patch(adding([stock[2] as string], [stock[0]]))
    expect(answer.statusCode).toBe(200)
    expect(answer.headers.location).toBeUndefined()
    const { phoneNumbers } = answer.json<ReservationAnswer>()
    expect(phoneNumbers).toEqual({
      [keyOf(stock[1])]: shownNumber(stock[1]),
      [keyOf(stock[2] as string)]: shownNumber(stock[2] as string),
    })
    expect((await read()).json()).toMatchObject({ phoneNumbers })
    const events = (await listHistory(db, stock[0])).map(({ event, reason }) => [event, reason])
    expect(events.slice(1).map(([event]) => event)).toEqual(['hold', 'cancel'])
    expect((await reserve(buyer, [stock[0]])).id).toBeDefined()
  })

  it('ignores what is in it already and what is not in it, and so may be repeated', async ({ db, buyer }) => {
    const { patch } = await reserve(buyer, [stock[0], stock[1]])
    const change = adding([stock[1], stock[2] as string], [stock[0], stock[5] as string, '+99912345'])
    const first = await patch(change)
    const second = await patch(change)
    expect(first.statusCode).toBe(200)
    expect([second.statusCode, second.json()]).toEqual([200, first.json()])
    const events = (await listHistory(db, stock[1])).map(({ event }) => event)
    expect(events).toEqual(['enter', 'hold'])
  })

  it('that was already made, in a request sent again as it was, leaves everything as it is', async ({ db, buyer }) => {
    const { patch } = reservationOf(buyer)
    const headers = { 'x-ms-client-request-id': newId(), 'content-type': 'application/json' }
    const first = await patch(adding([stock[0]]), { headers })
    const second = await patch(adding([stock[0]]), { headers })
    expect([first.statusCode, second.statusCode]).toEqual([201, 200])
    expect(second.json()).toEqual(first.json())
    expect((await listHistory(db, stock[0])).map(({ event }) => event)).toEqual(['enter', 'hold'])
  })

  it('removes a number whichever way its key is written', async ({ buyer }) => {
    const { patch } = await reserve(buyer, [stock[0]])
    const answer = await patch({ phoneNumbers: { [stock[0]]: null } })
    expect(answer.json()).toMatchObject({ phoneNumbers: {} })
  })
})

describe('two resources with the same id', () => {
  it('have each a reservation of their own', async ({ service, buyer }) => {
    const other = await service.client('other', ['other.example.test'])
    const mine = await reserve(buyer, [stock[0]])
    const theirs = await reserve(other, [stock[1]], mine.id)
    expect(Object.keys((await mine.read()).json<ReservationAnswer>().phoneNumbers)).toEqual([keyOf(stock[0])])
    expect(Object.keys((await theirs.read()).json<ReservationAnswer>().phoneNumbers)).toEqual([keyOf(stock[1])])
    expect((await mine.purchase()).statusCode).toBe(202)
    expect((await theirs.poll()).statusCode).toBe(404)
    expect((await theirs.read()).json()).toMatchObject({ status: 'active' })
    expect((await theirs.purchase()).statusCode).toBe(202)
    expect((await theirs.poll()).json()).toMatchObject({ status: 'succeeded' })
    const owned = await other.send('GET', '/phoneNumbers')
    expect(owned.json()).toMatchObject({ phoneNumbers: [{ phoneNumber: stock[1] }] })
  })

  it('know nothing of one another', async ({ service, buyer }) => {
    const other = await service.client('other', ['other.example.test'])
    const { id } = await reserve(buyer, [stock[0]])
    const foreign = reservationOf(other, id)
    for (const call of [foreign.read, foreign.drop, foreign.purchase]) expect((await call()).statusCode).toBe(404)
    expect((await other.send('GET', RESERVATIONS)).json()).toEqual({ reservations: [], nextLink: null })
  })
})

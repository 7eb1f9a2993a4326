/**
 * What the real service answered, as the public test recordings of the SDKs have it: status, headers of note, keys in
 * their order, exact texts. One test for each answer on record.
 */
import type { LightMyRequestResponse } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../../../src/ids.js'
import { aSearch, buyOne, PURCHASE, search, US } from '../../fixtures/buying.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { createTestService, type TestClient, type TestService } from '../../fixtures/service.js'
import { enterStock, tollFree } from '../../fixtures/stock.js'

const db = await openTestDatabase()
let service: TestService
let buyer: TestClient
beforeAll(async () => {
  service = await createTestService(db)
  buyer = await service.client()
  await enterStock(db, { count: 60 })
  await enterStock(db, { from: '+18885550100', count: 60, place: tollFree })
  await enterStock(db, {
    from: '+33199000000',
    count: 5,
    place: { countryCode: 'FR', numberType: 'tollFree', areaCode: '800', administrativeDivision: '', locality: '' },
  })
  // More localities than a page has.
  for (let i = 0; i < 130; i++) {
    const place = {
      countryCode: 'US',
      numberType: 'geographic',
      areaCode: '425',
      administrativeDivision: 'WA',
      locality: `Town ${i}`,
    } as const
    await enterStock(db, { from: `+1425555${1000 + i}`, count: 1, place })
  }
})
afterAll(async () => {
  await service.close()
  await db.close()
})

const V = '2025-06-01'
const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'
const uuid = expect.stringMatching(new RegExp(`^${UUID}$`)) as string
const operationId = (kind: string) => expect.stringMatching(new RegExp(`^${kind}_${UUID}$`)) as string
const operationUrl = (kind: string) =>
  expect.stringMatching(new RegExp(`^/phoneNumbers/operations/${kind}_${UUID}\\?api-version=${V}$`)) as string
const dateTime = expect.stringMatching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,7})?\+00:00$/) as string
const keys = (value: object) => Object.keys(value)
const minutesFrom = (now: Date, text: string) => (Date.parse(text) - now.getTime()) / 60_000

const ALL_VERSIONS = '2021-03-07, 2022-12-01, 2024-03-01, 2025-02-11, 2025-04-01, 2025-06-01'

const post = (target: string, body?: unknown, options = {}) => buyer.send('POST', target, { body, ...options })
const get = (target: string) => buyer.send('GET', target)
const operationOf = async (answer: LightMyRequestResponse) =>
  get(`/phoneNumbers/operations/${answer.headers['operation-id'] as string}`)
const frTollFree = { phoneNumberType: 'tollFree', capabilities: { calling: 'inbound', sms: 'none' } }
const FR = '/availablePhoneNumbers/countries/FR'

describe('every answer', () => {
  it('carries the headers of the service', async () => {
    const { headers } = await get('/phoneNumbers')
    expect(headers).toMatchObject({
      'api-supported-versions': ALL_VERSIONS,
      'ms-cv': expect.stringMatching(/^[A-Za-z0-9+/]{22}\.0$/),
      'x-processing-time': expect.stringMatching(/^\d+ms$/),
      'content-type': 'application/json; charset=utf-8',
    })
  })
})

describe('searching', () => {
  it('1: a search is accepted with its links and ids', async () => {
    const answer = await post(`${US}/:search`, aSearch())
    expect(answer.statusCode).toBe(202)
    expect(answer.headers).toMatchObject({
      location: expect.stringMatching(new RegExp(`^/availablePhoneNumbers/searchResults/${UUID}\\?api-version=${V}$`)),
      'operation-location': operationUrl('search'),
      'operation-id': operationId('search'),
      'search-id': uuid,
      'access-control-expose-headers': 'Location,Operation-Location,operation-id,search-id',
      'api-supported-versions': ALL_VERSIONS,
    })
  })

  it('2: its operation', async () => {
    const answer = await operationOf(await post(`${US}/:search`, aSearch()))
    expect(answer.statusCode).toBe(200)
    const body = answer.json<Record<string, string>>()
    expect(keys(body)).toEqual([
      'operationType',
      'status',
      'resourceLocation',
      'createdDateTime',
      'id',
      'lastActionDateTime',
    ])
    expect(body).toMatchObject({ operationType: 'search', status: 'succeeded', id: operationId('search') })
    expect(body.resourceLocation).toMatch(
      new RegExp(`^/availablePhoneNumbers/searchResults/${UUID}\\?api-version=${V}$`),
    )
    expect(answer.headers).toMatchObject({
      location: body.resourceLocation,
      'access-control-expose-headers': 'Location',
    })
    expect([body.createdDateTime, body.lastActionDateTime]).toEqual([dateTime, dateTime])
  })

  it('3: its result', async () => {
    const { searchId } = await search(buyer, {
      phoneNumberType: 'tollFree',
      capabilities: { calling: 'none', sms: 'outbound' },
    })
    const answer = await get(`/availablePhoneNumbers/searchResults/${searchId}`)
    const body = answer.json<{ searchExpiresBy: string }>()
    expect([answer.statusCode, keys(body)]).toEqual([
      200,
      [
        'searchId',
        'phoneNumbers',
        'phoneNumberType',
        'assignmentType',
        'capabilities',
        'cost',
        'searchExpiresBy',
        'isAgreementToNotResellRequired',
        'error',
      ],
    ])
    expect(body).toEqual({
      searchId,
      phoneNumbers: [expect.stringMatching(/^\+1888/)],
      phoneNumberType: 'tollFree',
      assignmentType: 'application',
      capabilities: { calling: 'none', sms: 'outbound' },
      cost: { amount: 2, currencyCode: 'USD', billingFrequency: 'monthly' },
      searchExpiresBy: dateTime,
      isAgreementToNotResellRequired: false,
      error: 'NoError',
    })
    expect(minutesFrom(service.clock.now(), body.searchExpiresBy)).toBe(15)
  })

  it('4: the result for a number that must not be resold', async () => {
    const found = await post(`${FR}/:search`, aSearch(frTollFree))
    expect(found.json()).toMatchObject({ cost: { amount: 8 }, isAgreementToNotResellRequired: true })
  })

  it('15: the result of an unknown search, its id repeated as it came', async () => {
    const id = 'A1B2C3D4-0000-4000-8000-ABCDEFABCDEF'
    const answer = await get(`/availablePhoneNumbers/searchResults/${id}`)
    expect([answer.statusCode, answer.json()]).toEqual([
      404,
      { error: { code: 'NotFound', message: `Input searchId ${id} cannot be found.`, target: 'searchid' } },
    ])
    expect(answer.headers['content-type']).toBe('application/json')
  })

  it('18: toll-free numbers for a person', async () => {
    const answer = await post(`${US}/:search`, aSearch({ phoneNumberType: 'tollFree', assignmentType: 'person' }))
    const { error } = answer.json<{ error: { innererror: object } }>()
    expect([answer.statusCode, keys(error)]).toEqual([400, ['code', 'message', 'innererror']])
    expect(error).toMatchObject({
      code: 'InternalError',
      message: 'The server encountered an internal error.',
      innererror: {
        code: 'BadRequest',
        message: 'We are unable to find phone plans to match your requested capabilities.',
      },
    })
  })

  it.each(['XX/:search', 'INVALID/:browse'])('19: an unknown country, %s', async (path) => {
    const answer = await post(`/availablePhoneNumbers/countries/${path}`, aSearch())
    expect([answer.statusCode, answer.json()]).toEqual([
      400,
      { error: { code: 'InvalidInput', message: 'Unable to parse country code.', target: 'countrycode' } },
    ])
  })
})

describe('purchasing', () => {
  it('5 and 6: a purchase and its operation, which tells the time of the search', async () => {
    const { searchId } = await search(buyer)
    const searched = (await get(`/phoneNumbers/operations/search_${searchId}`)).json<{ createdDateTime: string }>()
    service.clock.advance(60_000)
    const answer = await post(PURCHASE, { searchId })
    expect([answer.statusCode, answer.body]).toEqual([202, ''])
    expect(answer.headers).toMatchObject({
      'operation-location': `/phoneNumbers/operations/purchase_${searchId}?api-version=${V}`,
      'operation-id': `purchase_${searchId}`,
      'purchase-id': searchId,
      'access-control-expose-headers': 'Operation-Location,operation-id,purchase-id',
    })
    expect(answer.headers.location).toBeUndefined()
    const poll = await operationOf(answer)
    expect(poll.headers.location).toBeUndefined()
    expect(poll.json()).toMatchObject({
      operationType: 'purchase',
      resourceLocation: null,
      createdDateTime: searched.createdDateTime,
    })
  })

  it('16: a purchase of an unknown search, whose id need not be a UUID', async () => {
    const answer = await post(PURCHASE, { searchId: 'some-invalid-id', agreeToNotResell: false })
    expect([answer.statusCode, answer.json()]).toEqual([
      404,
      { error: { code: 'NotFound', message: 'Input searchId some-invalid-id cannot be found.', target: 'searchid' } },
    ])
  })

  it('17: a purchase without the agreement that it needs', async () => {
    const { searchId } = (await post(`${FR}/:search`, aSearch(frTollFree))).json<{ searchId: string }>()
    const answer = await post(PURCHASE, { searchId })
    expect([answer.statusCode, answer.json()]).toEqual([
      400,
      {
        error: {
          code: 'BadRequest',
          message: 'Do not resell agreement was not provided and it is required for this purchase.',
        },
      },
    ])
  })
})

describe('owned numbers', () => {
  it('7: one of them', async () => {
    const e164 = await buyOne(buyer)
    const answer = await get(`/phoneNumbers/${encodeURIComponent(e164)}`)
    expect([answer.statusCode, keys(answer.json<object>())]).toEqual([
      200,
      ['id', 'phoneNumber', 'countryCode', 'phoneNumberType', 'capabilities', 'assignmentType', 'purchaseDate', 'cost'],
    ])
    expect(answer.json()).toMatchObject({ id: e164.slice(1), phoneNumber: e164, purchaseDate: dateTime })
  })

  it('8 and 9: a release and its operation', async () => {
    const e164 = await buyOne(buyer)
    const answer = await buyer.send('DELETE', `/phoneNumbers/${encodeURIComponent(e164)}`)
    expect([answer.statusCode, answer.body]).toEqual([202, ''])
    expect(answer.headers).toMatchObject({
      'operation-location': operationUrl('release'),
      'operation-id': operationId('release'),
      'release-id': uuid,
      'access-control-expose-headers': 'Operation-Location,operation-id,release-id',
    })
    expect(answer.headers.location).toBeUndefined()
    expect((await operationOf(answer)).json()).toMatchObject({
      operationType: 'releasePhoneNumber',
      resourceLocation: null,
    })
  })

  it.each(['2021-03-07', '2022-12-01', '2024-03-01', V])('10 and 11: a change of capabilities, %s', async (version) => {
    const e164 = await buyOne(buyer)
    const target = `/phoneNumbers/${encodeURIComponent(e164)}/capabilities`
    const answer = await buyer.send('PATCH', target, {
      body: { calling: 'inbound' },
      headers: { 'content-type': 'application/merge-patch+json' },
      version,
    })
    expect([answer.statusCode, answer.json()]).toEqual([202, { capabilitiesUpdateId: uuid }])
    const location = `/phoneNumbers/${e164}?api-version=${version}`
    expect(answer.headers).toMatchObject({
      location,
      'operation-id': operationId('capabilities'),
      'capabilities-id': answer.json<{ capabilitiesUpdateId: string }>().capabilitiesUpdateId,
      'access-control-expose-headers': 'Operation-Location,Location,operation-id,capabilities-id',
    })
    const id = answer.headers['operation-id'] as string
    const poll = await buyer.send('GET', `/phoneNumbers/operations/${id}`, { version })
    expect(poll.headers.location).toBe(location)
    expect(poll.json()).toMatchObject({
      operationType: 'updatePhoneNumberCapabilities',
      resourceLocation: location,
    })
  })

  it.each(['+14255550100', '+invalid_phone_number'])('12: a change of %s, which is not ours', async (number) => {
    const target = `/phoneNumbers/${encodeURIComponent(number)}/capabilities`
    const answer = await buyer.send('PATCH', target, { body: { calling: 'none' } })
    expect([answer.statusCode, answer.json()]).toEqual([
      403,
      {
        error: {
          code: 'InsufficientPermissions',
          message: 'Phone number not owned by this resource.',
          target: 'phonenumber',
        },
      },
    ])
  })

  it('14: an unknown number', async () => {
    const answer = await get('/phoneNumbers/%2B14155550100')
    expect([answer.statusCode, answer.json()]).toEqual([
      404,
      {
        error: {
          code: 'NotFound',
          message: 'Input phoneNumber +14155550100 cannot be found.',
          target: 'phonenumber',
        },
      },
    ])
  })

  it('20: the list, which has no nextLink on its last page', async () => {
    await buyOne(buyer)
    const answer = await get('/phoneNumbers')
    expect([answer.statusCode, keys(answer.json<object>())]).toEqual([200, ['phoneNumbers']])
  })
})

describe('the catalogue', () => {
  it.each([
    ['countries', '', 'countries'],
    ['offerings', '/US/offerings', 'phoneNumberOfferings'],
    ['areaCodes', '/US/areaCodes?phoneNumberType=tollFree&assignmentType=application', 'areaCodes'],
  ])('21: %s', async (_list, path, items) => {
    const answer = await get(`/availablePhoneNumbers/countries${path}`)
    expect([answer.statusCode, keys(answer.json<object>())]).toEqual([200, [items, 'nextLink']])
    expect(answer.json()).toMatchObject({ nextLink: null })
    expect(answer.headers['cache-control']).toBe('max-age=21600, private, stale-while-revalidate=86400')
  })

  it('22: a full page of localities, and the link to the next', async () => {
    const answer = await get(`${US}/localities?skip=0&maxPageSize=100`)
    const body = answer.json<{ phoneNumberLocalities: object[]; nextLink: string }>()
    expect(body.phoneNumberLocalities).toHaveLength(100)
    expect(body.nextLink).toBe(`${US}/localities?api-version=${V}&skip=100&maxPageSize=100`)
    expect(answer.headers['cache-control']).toBe('max-age=21600, private, stale-while-revalidate=86400')
  })

  it('23: area codes of a locality that is none', async () => {
    const answer = await get(`${US}/areaCodes?phoneNumberType=geographic&locality=XX`)
    expect([answer.statusCode, answer.json()]).toEqual([
      404,
      { error: { code: 'NotFound', message: 'No area codes were found for the given parameters' } },
    ])
  })

  it('24: what browsing shows', async () => {
    const answer = await post(`${US}/:browse`, { phoneNumberType: 'tollFree' })
    const { phoneNumbers } = answer.json<{ phoneNumbers: object[] }>()
    expect([answer.statusCode, phoneNumbers.length]).toEqual([200, 25])
    for (const number of phoneNumbers) {
      expect(keys(number)).toEqual([
        'id',
        'countryCode',
        'phoneNumber',
        'capabilities',
        'phoneNumberType',
        'assignmentType',
        'cost',
        'status',
      ])
      expect(number).toMatchObject({ status: 'available', capabilities: { sms: 'inbound+outbound' } })
    }
    const french = await post(`${FR}/:browse`, { phoneNumberType: 'tollFree' })
    expect(french.json<{ phoneNumbers: object[] }>().phoneNumbers[0]).toMatchObject({
      isAgreementToNotResellRequired: true,
    })
  })
})

describe('reservations', () => {
  const at = (id: string) => `/availablePhoneNumbers/reservations/${id}`
  const patch = (id: string, phoneNumbers: Record<string, object | null>) =>
    buyer.send('PATCH', at(id), {
      body: { phoneNumbers },
      headers: { 'content-type': 'application/merge-patch+json' },
    })
  const browse = async (path = US) => {
    const answer = await post(`${path}/:browse`, { phoneNumberType: 'tollFree' })
    return answer.json<{ phoneNumbers: { id: string }[] }>().phoneNumbers
  }
  const reserve = async (path = US) => {
    const [number] = await browse(path)
    if (!number) throw new Error('nothing is for sale')
    const id = newId()
    return { id, digits: number.id, answer: await patch(id, { [number.id]: number }) }
  }

  it('25: one is made', async () => {
    const { id, digits, answer } = await reserve()
    const body = answer.json<{ expiresAt: string }>()
    expect([answer.statusCode, keys(body)]).toEqual([201, ['id', 'expiresAt', 'phoneNumbers', 'status']])
    expect(answer.headers.location).toBe(at(id))
    expect(body).toMatchObject({ id, phoneNumbers: { [digits]: { status: 'reserved' } }, status: 'active' })
    expect(minutesFrom(service.clock.now(), body.expiresAt)).toBe(15)
  })

  it('26: it is changed, and goes on for as long again', async () => {
    const { id, digits } = await reserve()
    service.clock.advance(60_000)
    const other = (await browse()).find((number) => number.id !== digits)
    if (!other) throw new Error('nothing is for sale')
    const answer = await patch(id, { [digits]: null, [other.id]: other })
    expect(answer.statusCode).toBe(200)
    const body = answer.json<{ expiresAt: string; phoneNumbers: object }>()
    expect(keys(body.phoneNumbers)).toEqual([other.id])
    expect(minutesFrom(service.clock.now(), body.expiresAt)).toBe(15)
  })

  it('27: it is deleted, and then unknown', async () => {
    const { id } = await reserve()
    const answer = await buyer.send('DELETE', at(id))
    expect([answer.statusCode, answer.body]).toEqual([204, ''])
    const gone = await get(at(id))
    expect([gone.statusCode, gone.json()]).toEqual([
      404,
      {
        error: {
          code: 'ReservationNotFound',
          message: 'The reservation was not found and the operation could not be completed.',
        },
      },
    ])
  })

  it('28: the list, without their numbers', async () => {
    await reserve()
    const answer = await get('/availablePhoneNumbers/reservations')
    const body = answer.json<{ reservations: object[] }>()
    expect([answer.statusCode, keys(body)]).toEqual([200, ['reservations', 'nextLink']])
    for (const reservation of body.reservations) expect(keys(reservation)).toEqual(['id', 'expiresAt', 'status'])
    expect(answer.json()).toMatchObject({ nextLink: null })
  })

  it('29: its purchase, asked for without a body', async () => {
    const { id } = await reserve()
    const answer = await buyer.send('POST', `${at(id)}/:purchase`, { headers: { 'content-type': 'application/json' } })
    expect([answer.statusCode, answer.body]).toEqual([202, ''])
    expect(answer.headers).toMatchObject({
      'operation-location': `/phoneNumbers/operations/reservationPurchase_${id}?api-version=${V}`,
      'operation-id': `reservationPurchase_${id}`,
      'reservation-purchase-id': id,
      'access-control-expose-headers': 'Location,Operation-Location,operation-id,reservation-purchase-id',
    })
    expect(answer.headers.location).toBeUndefined()
    const poll = await operationOf(answer)
    expect(poll.json()).toMatchObject({
      operationType: 'reservationPurchase',
      status: 'succeeded',
      resourceLocation: null,
    })
    expect(poll.headers).toMatchObject({
      'operation-location': `/phoneNumbers/operations/reservationPurchase_${id}?api-version=${V}`,
      'operation-id': `reservationPurchase_${id}`,
      'reservation-purchase-id': id,
      'access-control-expose-headers': 'Location,Operation-Location,operation-id,reservationPurchase-id',
    })
  })

  it('30: its purchase without the agreement that it needs, after which it is still active', async () => {
    const { id } = await reserve(FR)
    const answer = await post(`${at(id)}/:purchase`, { agreeToNotResell: false })
    expect([answer.statusCode, answer.json()]).toEqual([
      400,
      {
        error: {
          code: 'BadRequest',
          message: 'Do not resell agreement was not provided and it is required for this purchase.',
        },
      },
    ])
    expect((await buyer.send('DELETE', at(id))).statusCode).toBe(204)
  })
})

describe('operator information', () => {
  const lookUp = (phoneNumbers: string[], includeAdditionalOperatorDetails: boolean) =>
    post('/operatorInformation/:search', { phoneNumbers, options: { includeAdditionalOperatorDetails } })

  it('31: without and with details', async () => {
    const without = await lookUp(['+18332016898'], false)
    expect([without.statusCode, without.json()]).toEqual([
      200,
      {
        values: [
          {
            phoneNumber: '+18332016898',
            nationalFormat: '(833) 201-6898',
            internationalFormat: '+1 833-201-6898',
            isoCountryCode: null,
            numberType: null,
            operatorDetails: null,
          },
        ],
      },
    ])
    const withDetails = (await lookUp(['+18885550100'], true)).json<{ values: object[] }>().values[0] ?? {}
    expect(keys(withDetails)).toEqual([
      'phoneNumber',
      'nationalFormat',
      'internationalFormat',
      'isoCountryCode',
      'numberType',
      'operatorDetails',
    ])
    expect(withDetails).toMatchObject({
      isoCountryCode: 'US',
      numberType: 'other',
      operatorDetails: { mobileNetworkCode: null, mobileCountryCode: null },
    })
  })

  it.each([[['+14255550100', '+14255550101']], [['', '']]])('32: of %j, more than one number', async (numbers) => {
    const answer = await lookUp(numbers, true)
    expect([answer.statusCode, answer.json()]).toEqual([
      400,
      { error: { code: 'BadRequest', message: 'Can only accept one phoneNumber' } },
    ])
  })
})

describe('SIP routing', () => {
  const sip = (method: string, body?: unknown) => buyer.send(method, '/sip', { body, version: '2023-03-01' })

  it('33: the configuration', async () => {
    const answer = await sip('GET')
    expect([answer.statusCode, answer.json()]).toEqual([200, { trunks: {}, routes: [] }])
    expect(answer.headers['api-supported-versions']).toContain('2023-03-01')
    const changed = await sip('PATCH', { trunks: { 'sbc.contoso.com': { sipSignalingPort: 5061 } } })
    expect([changed.statusCode, changed.json()]).toEqual([
      200,
      { trunks: { 'sbc.contoso.com': { sipSignalingPort: 5061 } }, routes: [] },
    ])
  })

  const aRoute = (over: object = {}) => ({ name: 'A', numberPattern: '^+[1-9][0-9]{3,23}$', trunks: [], ...over })
  const port = (sipSignalingPort: number) => ({ sipSignalingPort })
  it.each([
    [422, 'MissingTrunk', 'Route targeting a missing trunk.', { routes: [aRoute({ trunks: ['no.contoso.com'] })] }],
    [422, 'InvalidTrunkFqdn', "Domain '-1' is not properly formatted domnain name.", { trunks: { '-1': port(5061) } }],
    [
      422,
      'InvalidTrunkSipSignalingPort',
      'Trunk with an invalid SIP signaling port.',
      { trunks: { 'sbc2.contoso.com': port(0) } },
    ],
    [422, 'InvalidRouteName', 'Route with an invalid name.', { routes: [aRoute({ name: '' })] }],
    [
      422,
      'InvalidRouteNumberPattern',
      'Route with an invalid number pattern.',
      { routes: [aRoute({ numberPattern: '' })] },
    ],
    [400, 'DuplicatedRoute', 'There is a duplicated route.', { routes: [aRoute(), aRoute()] }],
    [
      400,
      'RouteWithDuplicatedTrunk',
      'There is a duplicated trunk in a route.',
      {
        trunks: { 'sbc3.contoso.com': port(5061) },
        routes: [aRoute({ trunks: ['sbc3.contoso.com', 'sbc3.contoso.com'] })],
      },
    ],
  ])('34: %s %s', async (status, code, message, body) => {
    const answer = await sip('PATCH', body)
    const { error } = answer.json<{ error: object }>()
    expect([answer.statusCode, keys(error)]).toEqual([status, ['code', 'message', 'innererror']])
    expect(error).toMatchObject({
      code: 'UnprocessableConfiguration',
      message: 'One or more request inputs are not valid.',
      innererror: { code, message },
    })
  })
})

/** What bad input gets: a clear error in the published envelope, the recorded text where there is one, nothing changed. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { sql } from '../../../src/db/db.js'
import { aSearch, buyOne, PURCHASE, US } from '../../fixtures/buying.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { createTestService, HOST, signedHeaders, type TestClient, type TestService } from '../../fixtures/service.js'
import { enterStock } from '../../fixtures/stock.js'

const db = await openTestDatabase()
afterAll(() => db.close())

let service: TestService
let buyer: TestClient
let e164: string
beforeAll(async () => {
  service = await createTestService(db)
  buyer = await service.client()
  await enterStock(db)
  e164 = await buyOne(buyer)
})

const fingerprint = async () => {
  const rows = await db.query<{ print: string }>(sql`
    select (select md5(string_agg(n::text, ',' order by e164)) from number n)
        || (select count(*) from number_history) || ' ' || (select count(*) from operation)
        || ' ' || (select count(*) from search) as print`)
  return rows[0]?.print
}
let before: string | undefined
beforeEach(async () => {
  before = await fingerprint()
})
const expectNothingChanged = async () => expect(await fingerprint()).toBe(before)

const NUL_ID = 'a%00b'
const LONG = 'x'.repeat(300)
const noPlan = {
  code: 'InternalError',
  message: 'The server encountered an internal error.',
  innererror: {
    code: 'BadRequest',
    message: 'We are unable to find phone plans to match your requested capabilities.',
    // What is offered instead.
    details: [
      ['geographic', 'person', 'none'],
      ['geographic', 'application', 'inbound+outbound'],
      ['tollFree', 'application', 'inbound+outbound'],
    ].map(([type, assignment, sms]) => ({
      code: 'Offering',
      message: `US has ${type} for ${assignment} with calling inbound+outbound and sms ${sms}.`,
    })),
  },
}
const country = { code: 'InvalidInput', message: 'Unable to parse country code.', target: 'countrycode' }
const search = (over: object) => ['POST', `${US}/:search`, aSearch(over)] as const
const deep = '['.repeat(200_000) + ']'.repeat(200_000)

describe('a search', () => {
  it.each([
    ['of an unknown country', 'POST', '/availablePhoneNumbers/countries/XX/:search', aSearch(), country],
    ['of a country that is none', 'POST', '/availablePhoneNumbers/countries/INVALID/:search', aSearch(), country],
    ['of a country with a NUL', 'POST', '/availablePhoneNumbers/countries/U%00/:search', aSearch(), country],
    ['for toll-free numbers for persons', ...search({ phoneNumberType: 'tollFree', assignmentType: 'person' }), noPlan],
    ['for no capability', ...search({ capabilities: { calling: 'none', sms: 'none' } }), noPlan],
    [
      'beyond the offering',
      ...search({ assignmentType: 'person', capabilities: { calling: 'inbound', sms: 'inbound' } }),
      noPlan,
    ],
  ])('%s is refused with the recorded text', async (_what, method, target, body, error) => {
    const answer = await buyer.send(method, target, { body })
    expect([answer.statusCode, answer.json()]).toEqual([400, { error }])
    expect(answer.headers['content-type']).toBe('application/json')
    expect(answer.headers['x-ms-error-code']).toBe(error.code)
    await expectNothingChanged()
  })

  it.each([
    [{ quantity: 0 }, 'quantity', 'quantity must be a whole number, 1 or more, not 0.'],
    [{ quantity: -1 }, 'quantity', 'quantity must be a whole number, 1 or more, not -1.'],
    [{ quantity: 1.5 }, 'quantity', 'quantity must be a whole number, 1 or more, not 1.5.'],
    [{ quantity: 101 }, 'quantity', 'quantity must be a whole number from 1 to 100, not 101.'],
    [{ quantity: 3_000_000_000 }, 'quantity', 'quantity'],
    [{ quantity: '1' }, 'quantity', 'quantity'],
    [{ areaCode: 'abc' }, 'areacode', 'areaCode must be 1 to 8 digits, e.g. "425".'],
    [{ areaCode: '' }, 'areacode', 'areaCode'],
    [{ areaCode: 425 }, 'areacode', 'areaCode must be a text, not 425.'],
    [{ areaCode: '4\u0000' }, 'areacode', 'areaCode'],
    [{ areaCode: '１２３' }, 'areacode', 'areaCode'],
    [
      { phoneNumberType: undefined },
      'phonenumbertype',
      'phoneNumberType is required: one of geographic, tollFree, mobile.',
    ],
    [
      { phoneNumberType: 'satellite' },
      'phonenumbertype',
      'phoneNumberType must be one of geographic, tollFree, mobile, not "satellite".',
    ],
    [{ phoneNumberType: null }, 'phonenumbertype', 'phoneNumberType'],
    [{ assignmentType: 7 }, 'assignmenttype', 'assignmentType'],
    [{ capabilities: undefined }, 'capabilities', 'capabilities is required: a JSON object.'],
    [{ capabilities: [] }, 'capabilities', 'capabilities must be a JSON object, not an array.'],
    [{ capabilities: { calling: 'inbound' } }, 'capabilities.sms', 'capabilities.sms is required'],
    [
      { capabilities: { calling: 'up', sms: 'none' } },
      'capabilities.calling',
      'capabilities.calling must be one of none',
    ],
  ])('with %o is refused, naming the property and what would be right', async (over, target, message) => {
    const answer = await buyer.send(...(search(over).slice(0, 2) as [string, string]), { body: aSearch(over) })
    expect(answer.statusCode).toBe(400)
    expect(answer.json()).toMatchObject({ error: { code: 'InvalidInput', target } })
    expect(answer.json<{ error: { message: string } }>().error.message).toContain(message)
    await expectNothingChanged()
  })

  it.each([
    ['empty', ''],
    ['not JSON', '{"phoneNumberType":'],
    ['null', 'null'],
    ['an array', '[]'],
    ['a text', '"x"'],
    ['nested very deeply', deep],
    ['nested very deeply inside of it', `{"capabilities":${deep}}`],
    ['not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])],
    ['a prototype in disguise', '{"__proto__":{"phoneNumberType":"geographic"}}'],
  ])('with a body that is %s is refused', async (_what, body) => {
    const answer = await buyer.send('POST', `${US}/:search`, { body })
    expect([answer.statusCode, answer.json()]).toMatchObject([400, { error: { code: 'InvalidInput' } }])
    await expectNothingChanged()
  })

  it('with a body over 1 MiB is refused as too large', async () => {
    const answer = await buyer.send('POST', `${US}/:search`, { body: `{"x":"${'y'.repeat(1024 * 1024)}"}` })
    expect([answer.statusCode, answer.json()]).toMatchObject([413, { error: { code: 'RequestBodyTooLarge' } }])
  })

  it('with a body in another media type is refused; without a media type it is not', async () => {
    const send = (type: string) =>
      buyer.send('POST', `${US}/:search`, { body: '{}', headers: { 'content-type': type } })
    for (const type of ['text/plain', 'application/xml', 'multipart/form-data']) {
      const answer = await send(type)
      expect([answer.statusCode, answer.json()]).toMatchObject([415, { error: { code: 'UnsupportedMediaType' } }])
    }
    expect((await send('')).json()).toMatchObject({ error: { code: 'InvalidInput' } })
  })
})

describe('what is not there', () => {
  const notFound = (message: string, target: string) => ({ error: { code: 'NotFound', message, target } })

  it.each(['378ddf60-81be-452a-ba4f-613198ea6c28', 'SOME-ID', LONG, NUL_ID])('a search %s', async (id) => {
    const shown = decodeURIComponent(id)
    const expected = [404, notFound(`Input searchId ${shown} cannot be found.`, 'searchid')]
    const read = await buyer.send('GET', `/availablePhoneNumbers/searchResults/${id}`)
    expect([read.statusCode, read.json()]).toEqual(expected)
    const bought = await buyer.send('POST', PURCHASE, { body: { searchId: shown, agreeToNotResell: false } })
    expect([bought.statusCode, bought.json()]).toEqual(expected)
  })

  it.each(['search_378ddf60-81be-452a-ba4f-613198ea6c28', 'purchase_', 'x', LONG, NUL_ID])(
    'an operation %s',
    async (id) => {
      for (const method of ['GET', 'DELETE']) {
        const answer = await buyer.send(method, `/phoneNumbers/operations/${id}`)
        const message = `Input operationId ${decodeURIComponent(id)} cannot be found.`
        expect([answer.statusCode, answer.json()]).toEqual([404, notFound(message, 'operationid')])
      }
    },
  )

  it.each(['+14155550100', '%2B14155550100', 'x', '+', LONG, NUL_ID, '+0', '%20'])('a number %s', async (number) => {
    const message = `Input phoneNumber ${decodeURIComponent(number)} cannot be found.`
    for (const method of ['GET', 'DELETE']) {
      const answer = await buyer.send(method, `/phoneNumbers/${number}`)
      expect([answer.statusCode, answer.json()]).toEqual([404, notFound(message, 'phonenumber')])
    }
    const patched = await buyer.send('PATCH', `/phoneNumbers/${number}/capabilities`, { body: { sms: 'none' } })
    expect([patched.statusCode, patched.json()]).toEqual([
      403,
      {
        error: {
          code: 'InsufficientPermissions',
          message: 'Phone number not owned by this resource.',
          target: 'phonenumber',
        },
      },
    ])
    await expectNothingChanged()
  })

  it('a path: 404 with an empty body', async () => {
    for (const target of ['/', '/phone', `${US}/unknown`, '/phoneNumbers/a/b/c', '/availablePhoneNumbers/search']) {
      const answer = await buyer.send('GET', target)
      expect([answer.statusCode, answer.body]).toEqual([404, ''])
    }
  })

  it('a method: 405 with those there are', async () => {
    const answer = await buyer.send('PUT', `/phoneNumbers/${e164}`)
    expect([answer.statusCode, answer.headers.allow]).toEqual([405, 'GET, DELETE'])
    expect(answer.json()).toMatchObject({ error: { code: 'MethodNotAllowed' } })
    expect((await buyer.send('HEAD', '/phoneNumbers')).statusCode).toBe(405)
    expect((await buyer.send('GET', PURCHASE)).headers.allow).toBe('POST')
  })
})

describe('a capability change', () => {
  it.each([
    ['without a body', undefined],
    ['with an empty object', {}],
    ['with nothing known', { fax: 'inbound' }],
    ['with only nulls', { calling: null, sms: null }],
    ['with a value that is none', { sms: 'sideways' }],
    ['with an array', []],
  ])('%s is refused', async (_what, body) => {
    const answer = await buyer.send('PATCH', `/phoneNumbers/${e164}/capabilities`, { body })
    expect([answer.statusCode, answer.json()]).toMatchObject([400, { error: { code: 'InvalidInput' } }])
    await expectNothingChanged()
  })
})

describe('a purchase', () => {
  it.each([[{}], [{ searchId: 7 }], [{ searchId: null }], [{ searchId: 'x', agreeToNotResell: 'yes' }]])(
    'with %o is refused',
    async (body) => {
      const answer = await buyer.send('POST', PURCHASE, { body })
      expect([answer.statusCode, answer.json()]).toMatchObject([400, { error: { code: 'InvalidInput' } }])
    },
  )
})

describe('a query', () => {
  it.each([
    ['/phoneNumbers?skip=-1', 'skip'],
    ['/phoneNumbers?skip=x', 'skip'],
    ['/phoneNumbers?skip=1.5', 'skip'],
    ['/phoneNumbers?skip=', 'skip'],
    ['/phoneNumbers?skip=99999999999999999999', 'skip'],
    ['/phoneNumbers?top=0', 'top'],
    ['/phoneNumbers?top=1&top=1', 'top'],
    ['/phoneNumbers?after=-1', 'after'],
    ['/phoneNumbers?after=x', 'after'],
    [`${US}/localities?maxPageSize=0`, 'maxpagesize'],
    [`${US}/localities?phoneNumberType=x`, 'phonenumbertype'],
    [`${US}/localities?administrativeDivision=%00`, 'administrativedivision'],
    [`${US}/localities?administrativeDivision=${LONG}`, 'administrativedivision'],
    [`${US}/areaCodes`, 'phonenumbertype'],
    [`${US}/areaCodes?phoneNumberType=geographic`, 'locality'],
    [`${US}/areaCodes?phoneNumberType=geographic&locality=a&Locality=b`, 'locality'],
    [`${US}/offerings?assignmentType=x`, 'assignmenttype'],
  ])('%s is refused, naming the parameter', async (target, name) => {
    const answer = await buyer.send('GET', target)
    expect([answer.statusCode, answer.json()]).toMatchObject([400, { error: { code: 'InvalidInput', target: name } }])
  })

  it('with a skip beyond the end gets an empty page', async () => {
    for (const [target, key] of [
      ['/phoneNumbers?skip=999999999999', 'phoneNumbers'],
      [`${US}/localities?skip=999999`, 'phoneNumberLocalities'],
      [`${US}/areaCodes?phoneNumberType=tollFree&skip=999999`, 'areaCodes'],
      ['/availablePhoneNumbers/countries?skip=999999', 'countries'],
    ] as const) {
      const answer = await buyer.send('GET', target)
      expect([answer.statusCode, answer.json<Record<string, unknown>>()[key]]).toEqual([200, []])
    }
  })
})

describe('an api-version', () => {
  const send = (target: string) => buyer.send('GET', target, { version: null })

  it.each([
    ['/phoneNumbers', 'ApiVersionUnspecified', 'An API version is required, but was not specified.'],
    ['/phoneNumbers?api-version=', 'ApiVersionUnspecified', 'An API version is required, but was not specified.'],
    ['/phoneNumbers?api-version=foo', 'InvalidApiVersion', "'foo'"],
    ['/phoneNumbers?api-version=2020-01-01', 'UnsupportedApiVersion', "does not support the API version '2020-01-01'"],
    ['/phoneNumbers?api-version=2021-03-07-preview', 'UnsupportedApiVersion', 'does not support'],
    ['/phoneNumbers?api-version=2021-03-07&api-version=2025-06-01', 'AmbiguousApiVersion', '2021-03-07, 2025-06-01'],
    ['/phoneNumbers?api-version=2021-03-07&API-Version=2025-06-01', 'AmbiguousApiVersion', '2021-03-07, 2025-06-01'],
    [
      '/availablePhoneNumbers/countries?api-version=2021-03-07',
      'UnsupportedApiVersion',
      '/availablePhoneNumbers/countries',
    ],
  ])('as in %s is refused as %s', async (target, code, text) => {
    const answer = await send(target)
    expect(answer.statusCode).toBe(400)
    const { error } = answer.json<{ error: { code: string; message: string } }>()
    expect(error.code).toBe(code)
    expect(error.message).toContain(text)
    expect(answer.headers['api-supported-versions']).toContain('2025-06-01')
  })

  it('given twice the same is taken, and so is its name in other letters', async () => {
    expect((await send('/phoneNumbers?api-version=2025-06-01&api-version=2025-06-01')).statusCode).toBe(200)
    expect((await send('/phoneNumbers?Api-Version=2025-06-01')).statusCode).toBe(200)
  })
})

describe('broken requests', () => {
  it('with broken percent-encoding are refused', async () => {
    for (const target of ['/phoneNumbers/%zz', '/phoneNumbers/%', '/phoneNumbers/%c3%28']) {
      const answer = await service.server.inject({ method: 'GET', url: target, headers: { host: HOST } })
      expect([answer.statusCode, answer.json()]).toMatchObject([400, { error: { code: 'InvalidInput' } }])
    }
  })

  it('with a media type that is none are answered all the same when they have no body', async () => {
    const answer = await buyer.send('GET', '/phoneNumbers', { headers: { 'content-type': ';;;' } })
    expect(answer.statusCode).toBe(200)
  })

  it('with a body on a GET are read, since the body is signed', async () => {
    const target = '/phoneNumbers?api-version=2025-06-01'
    const headers = signedHeaders({ method: 'GET', target, body: '{}', key: buyer.key, date: service.clock.now() })
    const send = (payload: string) => service.server.inject({ method: 'GET', url: target, payload, headers })
    expect((await send('{}')).statusCode).toBe(200)
    expect((await send('{ }')).statusCode).toBe(401)
  })
})

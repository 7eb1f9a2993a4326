/** Status codes, headers, key sets and texts of the buyer's journey, as recorded from the service. */
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { listHistory } from '../../../src/ledger/reads.js'
import { aSearch, buy, buyOne, PURCHASE, search, US } from '../../fixtures/buying.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { createTestService, type TestClient, type TestService, minutes, iso } from '../../fixtures/service.js'
import { enterStock, paris } from '../../fixtures/stock.js'

const db = await openTestDatabase()
afterAll(() => db.close())

let service: TestService
let buyer: TestClient
beforeEach(async () => {
  service = await createTestService(db)
  buyer = await service.client()
})

interface NumbersPage {
  phoneNumbers: { phoneNumber: string }[]
  nextLink?: string
}

describe('a search', () => {
  it('answers 202 with its links, its id headers and, being done, its result', async () => {
    const stock = await enterStock(db, { count: 1 })
    const answer = await buyer.send('POST', `${US}/:search`, { body: aSearch() })
    expect(answer.statusCode).toBe(202)
    const id = answer.headers['search-id'] as string
    expect(answer.headers).toMatchObject({
      'operation-location': `/phoneNumbers/operations/search_${id}?api-version=2025-06-01`,
      location: `/availablePhoneNumbers/searchResults/${id}?api-version=2025-06-01`,
      'operation-id': `search_${id}`,
      'access-control-expose-headers': 'Location,Operation-Location,operation-id,search-id',
      'content-type': 'application/json; charset=utf-8',
    })
    expect(Object.entries(answer.json())).toEqual([
      ['searchId', id],
      ['phoneNumbers', stock],
      ['phoneNumberType', 'geographic'],
      ['assignmentType', 'application'],
      ['capabilities', { calling: 'inbound', sms: 'none' }],
      ['cost', { amount: 1, currencyCode: 'USD', billingFrequency: 'monthly' }],
      ['searchExpiresBy', iso(minutes(15))],
      ['isAgreementToNotResellRequired', false],
      ['error', 'NoError'],
    ])
  })

  it('is succeeded at the first poll, and its result can be read', async () => {
    await enterStock(db)
    const { searchId } = await search(buyer)
    const poll = await buyer.send('GET', `/phoneNumbers/operations/search_${searchId}`)
    expect(poll.statusCode).toBe(200)
    expect(poll.headers).toMatchObject({
      location: `/availablePhoneNumbers/searchResults/${searchId}?api-version=2025-06-01`,
      'access-control-expose-headers': 'Location',
    })
    expect(Object.entries(poll.json())).toEqual([
      ['operationType', 'search'],
      ['status', 'succeeded'],
      ['resourceLocation', `/availablePhoneNumbers/searchResults/${searchId}?api-version=2025-06-01`],
      ['createdDateTime', iso(0)],
      ['id', `search_${searchId}`],
      ['lastActionDateTime', iso(0)],
    ])
    const result = await buyer.send('GET', `/availablePhoneNumbers/searchResults/${searchId}`)
    expect(result.statusCode).toBe(200)
    expect(result.json()).toMatchObject({ searchId, error: 'NoError' })
  })

  it('that finds fewer numbers than asked for succeeds with those', async () => {
    const stock = await enterStock(db, { count: 3 })
    expect((await search(buyer, { quantity: 10 })).phoneNumbers.sort()).toEqual(stock)
  })

  it('that finds nothing fails with OutOfStock, and its result says so', async () => {
    const answer = await buyer.send('POST', `${US}/:search`, { body: aSearch({ areaCode: '425' }) })
    expect(answer.statusCode).toBe(202)
    const id = answer.headers['search-id'] as string
    const poll = await buyer.send('GET', `/phoneNumbers/operations/search_${id}`)
    expect(poll.json()).toMatchObject({
      status: 'failed',
      error: { code: 'OutOfStock', message: 'No geographic numbers are available in area code 425 of US now.' },
    })
    const result = await buyer.send('GET', `/availablePhoneNumbers/searchResults/${id}`)
    expect(result.statusCode).toBe(200)
    expect(result.json()).toMatchObject({
      phoneNumbers: [],
      error: 'OutOfStock',
      errorCode: 1000,
      searchExpiresBy: iso(0),
    })
  })

  it('reads as expired for a day after its hold, and then is forgotten', async () => {
    await enterStock(db)
    const { searchId, phoneNumbers } = await search(buyer)
    const read = () => buyer.send('GET', `/availablePhoneNumbers/searchResults/${searchId}`)
    service.clock.advance(minutes(15))
    expect((await read()).json()).toMatchObject({ phoneNumbers, error: 'ReservationExpired', errorCode: 1010 })
    service.clock.advance(minutes(24 * 60) - 1)
    expect((await read()).statusCode).toBe(200)
    service.clock.advance(1)
    expect((await read()).statusCode).toBe(404)
  })

  it('takes enums in any letter case, null for what is optional, and ignores what it does not know', async () => {
    await enterStock(db)
    const answer = await buyer.send('POST', `/AvailablePhoneNumbers/Countries/us/:SEARCH`, {
      body: {
        phoneNumberType: 'GeoGraphic',
        assignmentType: 'Application',
        capabilities: { calling: 'INBOUND+outbound', sms: 'None', fax: 'inbound' },
        areaCode: null,
        quantity: null,
        status: 'available',
      },
    })
    expect(answer.statusCode).toBe(202)
    expect(answer.json()).toMatchObject({
      phoneNumberType: 'geographic',
      capabilities: { calling: 'inbound+outbound', sms: 'none' },
    })
  })
})

describe('a purchase', () => {
  it('answers 202 with nothing but its headers, and no Location', async () => {
    await enterStock(db)
    const { searchId } = await search(buyer)
    const answer = await buyer.send('POST', PURCHASE, { body: { searchId, agreeToNotResell: false } })
    expect(answer.statusCode).toBe(202)
    expect(answer.body).toBe('')
    expect(answer.headers).toMatchObject({
      'operation-location': `/phoneNumbers/operations/purchase_${searchId}?api-version=2025-06-01`,
      'operation-id': `purchase_${searchId}`,
      'purchase-id': searchId,
      'access-control-expose-headers': 'Operation-Location,operation-id,purchase-id',
    })
    expect(answer.headers.location).toBeUndefined()
  })

  it('tells the creation time of its search, a null resource and no Location', async () => {
    await enterStock(db)
    const { searchId } = await search(buyer)
    service.clock.advance(1000)
    await buyer.send('POST', PURCHASE, { body: { searchId } })
    const poll = await buyer.send('GET', `/phoneNumbers/operations/purchase_${searchId}`)
    expect(poll.headers.location).toBeUndefined()
    expect(poll.json()).toEqual({
      operationType: 'purchase',
      status: 'succeeded',
      resourceLocation: null,
      createdDateTime: iso(0),
      id: `purchase_${searchId}`,
      lastActionDateTime: iso(1000),
    })
  })

  it('makes the numbers readable with the capabilities that were asked for', async () => {
    await enterStock(db, { count: 1 })
    service.clock.advance(5)
    const e164 = await buyOne(buyer)
    for (const form of [e164, encodeURIComponent(e164), e164.replace('+', '%2b'), e164.slice(1)]) {
      const answer = await buyer.send('GET', `/phoneNumbers/${form}`)
      expect(answer.statusCode).toBe(200)
      expect(Object.entries(answer.json())).toEqual([
        ['id', e164.slice(1)],
        ['phoneNumber', e164],
        ['countryCode', 'US'],
        ['phoneNumberType', 'geographic'],
        ['capabilities', { calling: 'inbound', sms: 'none' }],
        ['assignmentType', 'application'],
        ['purchaseDate', iso(5)],
        ['cost', { amount: 1, currencyCode: 'USD', billingFrequency: 'monthly' }],
      ])
    }
  })

  it('asked for again has no second effect and the same answer', async () => {
    await enterStock(db)
    const { searchId, phoneNumbers } = await search(buyer)
    const first = await buyer.send('POST', PURCHASE, { body: { searchId } })
    service.clock.advance(minutes(20))
    const second = await buyer.send('POST', PURCHASE, { body: { searchId } })
    expect(second.statusCode).toBe(202)
    expect(second.headers['operation-id']).toBe(first.headers['operation-id'])
    const events = (await listHistory(db, phoneNumbers[0] as string)).map(({ event }) => event)
    expect(events).toEqual(['enter', 'hold', 'purchase'])
  })

  it('of an expired search is refused, and so is one of a failed search', async () => {
    await enterStock(db, { count: 1 })
    const { searchId } = await search(buyer)
    const failed = await buyer.send('POST', `${US}/:search`, { body: aSearch() })
    service.clock.advance(minutes(15))
    const expired = await buyer.send('POST', PURCHASE, { body: { searchId } })
    expect(expired.statusCode).toBe(400)
    expect(expired.json()).toMatchObject({ error: { code: 'BadRequest', innererror: { code: 'ReservationExpired' } } })
    const ofFailed = await buyer.send('POST', PURCHASE, { body: { searchId: failed.headers['search-id'] } })
    expect(ofFailed.json()).toMatchObject({ error: { code: 'BadRequest', target: 'searchid' } })
    expect((await buyer.send('GET', '/phoneNumbers')).json()).toEqual({ phoneNumbers: [] })
  })

  it('of numbers that may not be resold needs the agreement, which older versions can not give', async () => {
    await enterStock(db, { from: '+33199000000', count: 1, place: paris })
    const found = await buyer.send('POST', '/availablePhoneNumbers/countries/FR/:search', { body: aSearch() })
    const { searchId, isAgreementToNotResellRequired } = found.json<{
      searchId: string
      isAgreementToNotResellRequired: boolean
    }>()
    expect(isAgreementToNotResellRequired).toBe(true)
    const refusal = {
      error: {
        code: 'BadRequest',
        message: 'Do not resell agreement was not provided and it is required for this purchase.',
      },
    }
    const without = await buyer.send('POST', PURCHASE, { body: { searchId, agreeToNotResell: false } })
    expect([without.statusCode, without.json()]).toEqual([400, refusal])
    const older = await buyer.send('POST', PURCHASE, {
      body: { searchId, agreeToNotResell: true },
      version: '2025-02-11',
    })
    expect([older.statusCode, older.json()]).toEqual([400, refusal])
    const agreed = await buyer.send('POST', PURCHASE, { body: { searchId, agreeToNotResell: true } })
    expect(agreed.statusCode).toBe(202)
  })
})

describe('a capability change', () => {
  it('answers 202 with its id and leads to the number, plus sign and all', async () => {
    await enterStock(db)
    const e164 = await buyOne(buyer)
    const answer = await buyer.send('PATCH', `/phoneNumbers/${e164}/capabilities`, {
      body: { sms: 'inbound' },
      headers: { 'content-type': 'application/merge-patch+json; charset=utf-8' },
    })
    expect(answer.statusCode).toBe(202)
    const id = answer.headers['capabilities-id'] as string
    expect(answer.json()).toEqual({ capabilitiesUpdateId: id })
    expect(answer.headers).toMatchObject({
      'operation-location': `/phoneNumbers/operations/capabilities_${id}?api-version=2025-06-01`,
      location: `/phoneNumbers/${e164}?api-version=2025-06-01`,
      'operation-id': `capabilities_${id}`,
      'access-control-expose-headers': 'Operation-Location,Location,operation-id,capabilities-id',
    })
    const poll = await buyer.send('GET', `/phoneNumbers/operations/capabilities_${id}`)
    expect(poll.json()).toMatchObject({
      operationType: 'updatePhoneNumberCapabilities',
      status: 'succeeded',
      resourceLocation: `/phoneNumbers/${e164}?api-version=2025-06-01`,
    })
    const number = await buyer.send('GET', `/phoneNumbers/${e164}`)
    expect(number.json()).toMatchObject({ capabilities: { calling: 'inbound', sms: 'inbound' } })
  })

  it('to what the number has already is no error', async () => {
    await enterStock(db)
    const e164 = await buyOne(buyer)
    const answer = await buyer.send('PATCH', `/phoneNumbers/${e164}/capabilities`, { body: { calling: 'inbound' } })
    expect(answer.statusCode).toBe(202)
  })

  it('beyond the offering is refused as having no phone plan', async () => {
    const london = {
      countryCode: 'GB',
      numberType: 'geographic',
      areaCode: '20',
      administrativeDivision: '',
      locality: 'London',
    } as const
    await enterStock(db, { from: '+442079460000', count: 1, place: london })
    const found = await buyer.send('POST', '/availablePhoneNumbers/countries/GB/:search', { body: aSearch() })
    const { searchId, phoneNumbers } = found.json<{ searchId: string; phoneNumbers: string[] }>()
    await buyer.send('POST', PURCHASE, { body: { searchId } })
    const answer = await buyer.send('PATCH', `/phoneNumbers/${phoneNumbers[0]}/capabilities`, {
      body: { sms: 'inbound+outbound' },
    })
    expect(answer.statusCode).toBe(400)
    expect(answer.json()).toMatchObject({ error: { code: 'InternalError', innererror: { code: 'BadRequest' } } })
  })
})

describe('a release', () => {
  it('answers 202 without body and Location; the number is gone then', async () => {
    await enterStock(db)
    const e164 = await buyOne(buyer)
    const answer = await buyer.send('DELETE', `/phoneNumbers/${encodeURIComponent(e164)}`)
    expect(answer.statusCode).toBe(202)
    expect(answer.body).toBe('')
    const id = answer.headers['release-id'] as string
    expect(answer.headers).toMatchObject({
      'operation-location': `/phoneNumbers/operations/release_${id}?api-version=2025-06-01`,
      'operation-id': `release_${id}`,
      'access-control-expose-headers': 'Operation-Location,operation-id,release-id',
    })
    expect(answer.headers.location).toBeUndefined()
    const poll = await buyer.send('GET', `/phoneNumbers/operations/release_${id}`)
    expect(poll.json()).toMatchObject({
      operationType: 'releasePhoneNumber',
      status: 'succeeded',
      resourceLocation: null,
    })
    expect((await buyer.send('GET', `/phoneNumbers/${e164}`)).statusCode).toBe(404)
    expect((await buyer.send('DELETE', `/phoneNumbers/${e164}`)).statusCode).toBe(404)
    const patched = await buyer.send('PATCH', `/phoneNumbers/${e164}/capabilities`, { body: { sms: 'none' } })
    expect(patched.statusCode).toBe(403)
  })

  it('puts the number into quarantine for as long as is set, and then back on sale', async () => {
    service = await createTestService(db, { LINEBOOK_QUARANTINE_DAYS: '1' })
    buyer = await service.client()
    await enterStock(db, { count: 1 })
    const e164 = await buyOne(buyer)
    await buyer.send('DELETE', `/phoneNumbers/${e164}`)
    service.clock.advance(minutes(24 * 60) - 1)
    expect((await search(buyer)).phoneNumbers).toEqual([])
    service.clock.advance(1)
    expect((await search(buyer)).phoneNumbers).toEqual([e164])
  })

  it('has its whole story told: who did what, when and by which operation', async () => {
    await enterStock(db, { count: 1 })
    const e164 = await buyOne(buyer)
    service.clock.advance(10)
    const { headers } = await buyer.send('DELETE', `/phoneNumbers/${e164}`)
    const lines = await listHistory(db, e164)
    expect(lines.map(({ event }) => event)).toEqual(['enter', 'hold', 'purchase', 'release'])
    expect(lines.at(-1)).toEqual({
      at: service.clock.now(),
      event: 'release',
      fromState: 'owned',
      toState: 'quarantined',
      actor: 'resource:buyer',
      reason: headers['operation-id'],
    })
  })
})

describe('cancelling an operation', () => {
  it('of a finished search gives its numbers back at once, and the search reads as expired', async () => {
    const stock = await enterStock(db, { count: 1 })
    const { searchId } = await search(buyer)
    const cancel = () => buyer.send('DELETE', `/phoneNumbers/operations/search_${searchId}`)
    const answer = await cancel()
    expect([answer.statusCode, answer.body]).toEqual([204, ''])
    expect((await cancel()).statusCode).toBe(204)
    const result = await buyer.send('GET', `/availablePhoneNumbers/searchResults/${searchId}`)
    expect(result.json()).toMatchObject({ error: 'ReservationExpired' })
    expect((await search(buyer)).phoneNumbers).toEqual(stock)
    expect((await buyer.send('POST', PURCHASE, { body: { searchId } })).statusCode).toBe(400)
  })

  it('that has ended otherwise has no effect', async () => {
    await enterStock(db, { count: 1 })
    const { searchId, phoneNumbers } = await search(buyer)
    await buyer.send('POST', PURCHASE, { body: { searchId } })
    for (const id of [`purchase_${searchId}`, `search_${searchId}`]) {
      expect((await buyer.send('DELETE', `/phoneNumbers/operations/${id}`)).statusCode).toBe(204)
    }
    expect((await buyer.send('GET', `/phoneNumbers/${phoneNumbers[0]}`)).statusCode).toBe(200)
  })
})

describe('the list of owned numbers', () => {
  it('has no nextLink on its last page', async () => {
    expect((await buyer.send('GET', '/phoneNumbers')).json()).toEqual({ phoneNumbers: [] })
    await enterStock(db)
    await buyOne(buyer)
    expect(Object.keys((await buyer.send('GET', '/phoneNumbers')).json())).toEqual(['phoneNumbers'])
  })

  it('is walked in the order of purchase, by link or by skip, each number once', async () => {
    await enterStock(db, { count: 25 })
    const bought = [...(await buy(buyer, 20)), ...(await buy(buyer, 5))]
    const walk = async (first: string) => {
      const pages: string[][] = []
      for (let target: string | undefined = first; target !== undefined;) {
        const page: NumbersPage = (await buyer.send('GET', target, { version: null })).json<NumbersPage>()
        pages.push(page.phoneNumbers.map(({ phoneNumber }) => phoneNumber))
        target = page.nextLink
      }
      return pages
    }
    const pages = await walk('/phoneNumbers?api-version=2025-06-01&skip=0&top=10')
    expect(pages.map((page) => page.length)).toEqual([10, 10, 5])
    expect(pages.flat().sort()).toEqual([...bought].sort())
    expect(pages.flat().slice(0, 20).sort()).toEqual(bought.slice(0, 20).sort())
    expect((await walk('/phoneNumbers?api-version=2025-06-01&skip=12&top=10')).flat()).toEqual(pages.flat().slice(12))
    expect((await walk('/phoneNumbers?api-version=2025-06-01&skip=99')).flat()).toEqual([])
  })

  it('links to the next page relatively, with the version and where to go on', async () => {
    await enterStock(db, { count: 3 })
    await buy(buyer, 3)
    const { nextLink } = (await buyer.send('GET', '/phoneNumbers?top=2&skip=0', { version: '2022-12-01' })).json<{
      nextLink: string
    }>()
    expect(nextLink).toMatch(/^\/phoneNumbers\?api-version=2022-12-01&skip=2&top=2&after=\d+$/)
  })

  it('loses no number when one of an earlier page is released while it is walked', async () => {
    await enterStock(db, { count: 6 })
    await buy(buyer, 6)
    const first = (await buyer.send('GET', '/phoneNumbers?top=3')).json<{
      phoneNumbers: { phoneNumber: string }[]
      nextLink: string
    }>()
    await buyer.send('DELETE', `/phoneNumbers/${first.phoneNumbers[0]?.phoneNumber}`)
    const second = (await buyer.send('GET', first.nextLink, { version: null })).json<{ phoneNumbers: object[] }>()
    expect(second.phoneNumbers).toHaveLength(3)
  })
})

describe('two resources', () => {
  it("never see one another's searches, operations or numbers", async () => {
    const stranger = await service.client('stranger')
    await enterStock(db, { count: 2 })
    const { searchId } = await search(buyer)
    const e164 = await buyOne(buyer)
    const { headers } = await buyer.send('PATCH', `/phoneNumbers/${e164}/capabilities`, { body: { sms: 'inbound' } })
    const operationId = headers['operation-id'] as string

    const expectations: [string, string, unknown, number][] = [
      ['GET', `/availablePhoneNumbers/searchResults/${searchId}`, undefined, 404],
      ['POST', PURCHASE, { searchId }, 404],
      ['GET', `/phoneNumbers/operations/search_${searchId}`, undefined, 404],
      ['DELETE', `/phoneNumbers/operations/search_${searchId}`, undefined, 404],
      ['GET', `/phoneNumbers/operations/${operationId}`, undefined, 404],
      ['GET', `/phoneNumbers/${e164}`, undefined, 404],
      ['DELETE', `/phoneNumbers/${e164}`, undefined, 404],
      ['PATCH', `/phoneNumbers/${e164}/capabilities`, { sms: 'none' }, 403],
    ]
    for (const [method, target, body, status] of expectations) {
      expect((await stranger.send(method, target, { body })).statusCode, `${method} ${target}`).toBe(status)
    }
    expect((await stranger.send('GET', '/phoneNumbers')).json()).toEqual({ phoneNumbers: [] })
    expect((await buyer.send('GET', `/phoneNumbers/${e164}`)).json()).toMatchObject({
      capabilities: { sms: 'inbound' },
    })
    expect((await buyer.send('POST', PURCHASE, { body: { searchId } })).statusCode).toBe(202)
  })
})

import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { later } from '../../../src/clock.js'
import { aSearch, search, US } from '../../fixtures/buying.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { createTestService, type TestClient, type TestService } from '../../fixtures/service.js'
import { enterStock, seattle, tollFree } from '../../fixtures/stock.js'

const db = await openTestDatabase()
afterAll(() => db.close())

let service: TestService
let buyer: TestClient
beforeEach(async () => {
  service = await createTestService(db)
  buyer = await service.client()
})

const get = async <T>(target: string, options: Parameters<TestClient['send']>[2] = {}) => {
  const answer = await buyer.send('GET', target, options)
  expect(answer.statusCode).toBe(200)
  return answer.json<T>()
}
interface Localities {
  phoneNumberLocalities: { localizedName: string; administrativeDivision: { abbreviatedName: string } | null }[]
  nextLink: string | null
}

describe('the countries', () => {
  it('are the 42 of the service, by name, on one page', async () => {
    const { countries, nextLink } = await get<{
      countries: { localizedName: string; countryCode: string }[]
      nextLink: null
    }>('/availablePhoneNumbers/countries')
    expect(countries).toHaveLength(42)
    expect(nextLink).toBeNull()
    expect(countries[0]).toEqual({ localizedName: 'Argentina', countryCode: 'AR' })
    expect(countries.map(({ localizedName }) => localizedName)).toContain('United Kingdom')
  })

  it.each([
    ['de-DE', 'Vereinigte Staaten'],
    ['tr', 'Amerika Birleşik Devletleri'],
    ['xx-invalid-tag-here!, de;q=0.5', 'Vereinigte Staaten'],
    ['fr;q=0.1, de;q=0.9', 'Vereinigte Staaten'],
    ['*', 'United States'],
  ])('are named in the language of "%s"', async (language, name) => {
    const { countries } = await get<{ countries: { localizedName: string; countryCode: string }[] }>(
      '/availablePhoneNumbers/countries',
      { headers: { 'accept-language': language } },
    )
    expect(countries.find(({ countryCode }) => countryCode === 'US')?.localizedName).toBe(name)
  })

  it('are paged on request', async () => {
    const first = await get<{ countries: object[]; nextLink: string }>(
      '/availablePhoneNumbers/countries?maxPageSize=40',
    )
    expect(first.nextLink).toBe('/availablePhoneNumbers/countries?api-version=2025-06-01&skip=40&maxPageSize=40')
    const second = await get<{ countries: object[]; nextLink: null }>(first.nextLink, { version: null })
    expect([first.countries.length, second.countries.length, second.nextLink]).toEqual([40, 2, null])
  })

  it('may be cached by the client', async () => {
    const { headers } = await buyer.send('GET', '/availablePhoneNumbers/countries')
    expect(headers['cache-control']).toBe('max-age=21600, private, stale-while-revalidate=86400')
    expect((await buyer.send('GET', '/phoneNumbers')).headers['cache-control']).toBeUndefined()
  })
})

describe('the localities', () => {
  it('are those that have numbers for sale, by division and name', async () => {
    await enterStock(db, { count: 1 })
    await enterStock(db, {
      from: '+15035550100',
      count: 1,
      place: { ...seattle, areaCode: '503', administrativeDivision: 'OR', locality: 'Portland' },
    })
    await enterStock(db, { from: '+15095550100', count: 1, place: { ...seattle, areaCode: '509', locality: 'Pasco' } })
    await enterStock(db, { from: '+18885550100', count: 1, place: tollFree })
    const { phoneNumberLocalities, nextLink } = await get<Localities>(`${US}/localities`)
    expect(phoneNumberLocalities).toEqual([
      { localizedName: 'Portland', administrativeDivision: { localizedName: 'OR', abbreviatedName: 'OR' } },
      { localizedName: 'Pasco', administrativeDivision: { localizedName: 'WA', abbreviatedName: 'WA' } },
      { localizedName: 'Seattle', administrativeDivision: { localizedName: 'WA', abbreviatedName: 'WA' } },
    ])
    expect(nextLink).toBeNull()
    await search(buyer, { areaCode: '503' })
    expect((await get<Localities>(`${US}/localities?administrativeDivision=or`)).phoneNumberLocalities).toEqual([])
    service.clock.advance(15 * 60_000)
    expect((await get<Localities>(`${US}/localities?administrativeDivision=or`)).phoneNumberLocalities).toHaveLength(1)
  })

  it('have no division where there is none', async () => {
    await enterStock(db, {
      from: '+353209100000',
      count: 1,
      place: {
        countryCode: 'IE',
        numberType: 'mobile',
        areaCode: '20',
        administrativeDivision: '',
        locality: 'Dublin',
      },
    })
    const { phoneNumberLocalities } = await get<Localities>(
      '/availablePhoneNumbers/countries/IE/localities?phoneNumberType=mobile',
    )
    expect(phoneNumberLocalities).toEqual([{ localizedName: 'Dublin', administrativeDivision: null }])
  })

  it('are paged with links that hold version and filters, and the walk is the whole', async () => {
    for (let i = 0; i < 130; i++) {
      const place = {
        ...seattle,
        areaCode: String(200 + i),
        locality: `Town ${i}`,
        administrativeDivision: i % 2 ? 'WA' : "New York (it's)",
      }
      await enterStock(db, { from: `+1${200 + i}5550100`, count: 1, place })
    }
    const first = await get<Localities>(`${US}/localities?skip=0&maxPageSize=100`)
    expect(first.nextLink).toBe(`${US}/localities?api-version=2025-06-01&skip=100&maxPageSize=100`)
    const second = await get<Localities>(first.nextLink as string, { version: null })
    const names = [...first.phoneNumberLocalities, ...second.phoneNumberLocalities].map(
      ({ localizedName }) => localizedName,
    )
    expect([names.length, new Set(names).size, second.nextLink]).toEqual([130, 130, null])

    const filtered = await get<Localities>(
      `${US}/localities?administrativeDivision=New%20York%20%28it%27s%29&maxPageSize=60`,
    )
    expect(filtered.nextLink).toBe(
      `${US}/localities?api-version=2025-06-01&administrativeDivision=New%20York%20%28it%27s%29&skip=60&maxPageSize=60`,
    )
    expect((await get<Localities>(filtered.nextLink as string, { version: null })).phoneNumberLocalities).toHaveLength(
      5,
    )
  })

  it('cut a page that is asked for too large', async () => {
    for (let i = 0; i < 101; i++) {
      await enterStock(db, {
        from: `+1${200 + i}5550100`,
        count: 1,
        place: { ...seattle, areaCode: String(200 + i), locality: `Town ${i}` },
      })
    }
    expect((await get<Localities>(`${US}/localities?maxPageSize=100000`)).phoneNumberLocalities).toHaveLength(100)
  })
})

describe('the area codes', () => {
  const areaCodes = `${US}/areaCodes`
  interface AreaCodes {
    areaCodes: { areaCode: string }[]
    nextLink: string | null
  }

  it('are those of the locality that have numbers for sale', async () => {
    await enterStock(db, { count: 1 })
    await enterStock(db, { from: '+15645550100', count: 1, place: { ...seattle, areaCode: '564' } })
    await enterStock(db, {
      from: '+14255550100',
      count: 1,
      place: { ...seattle, areaCode: '425', locality: 'Redmond' },
    })
    const query = '?phoneNumberType=geographic&assignmentType=person&locality=seattle&administrativeDivision=WA'
    expect(await get<AreaCodes>(areaCodes + query)).toEqual({
      areaCodes: [{ areaCode: '206' }, { areaCode: '564' }],
      nextLink: null,
    })
    const paged = await get<AreaCodes>(`${areaCodes}${query}&maxPageSize=1`, { version: '2021-03-07' })
    expect(paged.nextLink).toBe(
      `${areaCodes}?api-version=2021-03-07&phoneNumberType=geographic&assignmentType=person&locality=seattle&administrativeDivision=WA&skip=1&maxPageSize=1`,
    )
  })

  it('need no locality for toll-free numbers', async () => {
    await enterStock(db, { from: '+18885550100', count: 1, place: tollFree })
    expect(await get<AreaCodes>(`${areaCodes}?phoneNumberType=tollFree&assignmentType=application`)).toMatchObject({
      areaCodes: [{ areaCode: '888' }],
    })
  })

  it.each([
    'phoneNumberType=geographic&locality=XX',
    'phoneNumberType=tollFree',
    'phoneNumberType=tollFree&assignmentType=person',
    'phoneNumberType=mobile&locality=Seattle',
  ])('of which none is left are not found: %s', async (query) => {
    const answer = await buyer.send('GET', `${areaCodes}?${query}`)
    expect([answer.statusCode, answer.json()]).toEqual([
      404,
      { error: { code: 'NotFound', message: 'No area codes were found for the given parameters' } },
    ])
  })
})

describe('the offerings', () => {
  interface Offerings {
    phoneNumberOfferings: { phoneNumberType: string; assignmentType: string }[]
    nextLink: null
  }

  it('have type, assignment, capabilities and cost', async () => {
    const { phoneNumberOfferings } = await get<Offerings>(`${US}/offerings`)
    expect(phoneNumberOfferings).toContainEqual({
      phoneNumberType: 'tollFree',
      assignmentType: 'application',
      availableCapabilities: { calling: 'inbound+outbound', sms: 'inbound+outbound' },
      cost: { amount: 2, currencyCode: 'USD', billingFrequency: 'monthly' },
    })
  })

  it('are filtered by type and assignment', async () => {
    const { phoneNumberOfferings } = await get<Offerings>(
      `${US}/offerings?phoneNumberType=Geographic&assignmentType=person`,
    )
    expect(phoneNumberOfferings).toMatchObject([{ phoneNumberType: 'geographic', assignmentType: 'person' }])
  })
})

describe('older api-versions', () => {
  it('do not see what came later', async () => {
    await enterStock(db, { count: 5 })
    const keysOf = async (version: string) =>
      Object.keys((await buyer.send('POST', `${US}/:search`, { body: aSearch(), version })).json())
    const base = [
      'searchId',
      'phoneNumbers',
      'phoneNumberType',
      'assignmentType',
      'capabilities',
      'cost',
      'searchExpiresBy',
    ]
    expect(await keysOf('2021-03-07')).toEqual(base)
    expect(await keysOf('2022-12-01')).toEqual([...base, 'error'])
    expect(await keysOf('2024-03-01')).toEqual([...base, 'error'])
    expect(await keysOf('2025-02-11')).toEqual([...base, 'error'])
    expect(await keysOf('2025-04-01')).toEqual([...base, 'isAgreementToNotResellRequired', 'error'])
  })

  it('have no mobile numbers', async () => {
    const body = aSearch({ phoneNumberType: 'mobile', capabilities: { calling: 'none', sms: 'inbound' } })
    const send = (version: string) =>
      buyer.send('POST', '/availablePhoneNumbers/countries/IE/:search', { body, version })
    const refused = await send('2025-04-01')
    expect([refused.statusCode, refused.json()]).toMatchObject([400, { error: { target: 'phonenumbertype' } }])
    expect((await send('2025-06-01')).statusCode).toBe(202)
    const typesIn = async (version: string) =>
      (
        await get<{ phoneNumberOfferings: { phoneNumberType: string }[] }>(
          '/availablePhoneNumbers/countries/IE/offerings',
          { version },
        )
      ).phoneNumberOfferings.map(({ phoneNumberType }) => phoneNumberType)
    expect(await typesIn('2025-06-01')).toContain('mobile')
    expect(await typesIn('2025-04-01')).not.toContain('mobile')
  })

  it('are told apart in api-supported-versions by operation, oldest first', async () => {
    const versionsOf = async (target: string) => (await buyer.send('GET', target)).headers['api-supported-versions']
    const all = '2021-03-07, 2022-12-01, 2024-03-01, 2025-02-11, 2025-04-01, 2025-06-01'
    expect(await versionsOf('/phoneNumbers')).toBe(all)
    expect(await versionsOf('/availablePhoneNumbers/countries')).toBe(all.replace('2021-03-07, ', ''))
    expect(await versionsOf(`${US}/offerings`)).toBe(all)
  })
})

describe('a later api-version', () => {
  const LATER = '2027-01-01'

  it('is served as the newest in emulator mode, with a warning, and goes on in the links', async () => {
    await enterStock(db)
    const answer = await buyer.send('POST', `${US}/:search`, { body: aSearch(), version: LATER })
    expect(answer.statusCode).toBe(202)
    expect(answer.headers.warning).toBe(`299 - "api-version ${LATER} is not known here; served as 2025-06-01"`)
    expect(answer.headers['operation-location']).toContain(`?api-version=${LATER}`)
    expect((await buyer.send('GET', '/phoneNumbers', { version: '2027-01-01-preview' })).statusCode).toBe(200)
  })

  it('is refused where versions are strict', async () => {
    service = await createTestService(db, { LINEBOOK_TOLERANT_API_VERSIONS: 'off' })
    buyer = await service.client()
    const answer = await buyer.send('GET', '/phoneNumbers', { version: LATER })
    expect([answer.statusCode, answer.json()]).toMatchObject([400, { error: { code: 'UnsupportedApiVersion' } }])
  })
})

describe('every answer', () => {
  it('carries the common headers, and echoes a client request id that is plain', async () => {
    const { headers } = await buyer.send('GET', '/phoneNumbers', { headers: { 'x-ms-client-request-id': 'abc-1' } })
    expect(headers['ms-cv']).toMatch(/^[A-Za-z0-9+/]{22}\.0$/)
    expect(headers['x-processing-time']).toMatch(/^\d+ms$/)
    expect(headers['x-ms-client-request-id']).toBe('abc-1')
    expect(headers['content-type']).toBe('application/json; charset=utf-8')
    expect(headers['strict-transport-security']).toBeUndefined()
    const odd = await buyer.send('GET', '/phoneNumbers', { headers: { 'x-ms-client-request-id': 'ü'.repeat(10) } })
    expect(odd.headers['x-ms-client-request-id']).toBeUndefined()
  })

  it('is routed whatever the slashes, the letter case and the spelling of the colon', async () => {
    for (const target of ['//phoneNumbers', '/phoneNumbers/', '/PHONENUMBERS', '///availablePhoneNumbers//countries']) {
      expect((await buyer.send('GET', target)).statusCode, target).toBe(200)
    }
    await enterStock(db)
    for (const action of [':search', '%3Asearch', '%3asearch', ':Search/']) {
      const answer = await buyer.send('POST', `//availablePhoneNumbers/countries/US/${action}`, { body: aSearch() })
      expect(answer.statusCode, action).toBe(202)
    }
  })
})

it('time is one clock for all of it', async () => {
  await enterStock(db)
  const { searchId } = await search(buyer)
  const { searchExpiresBy } = await get<{ searchExpiresBy: string }>(`/availablePhoneNumbers/searchResults/${searchId}`)
  expect(new Date(searchExpiresBy)).toEqual(later(service.clock.now(), 15 * 60_000))
})

/** What no official client shows: headers, keys of bodies and their order, answers to requests that none sends. */
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { borrowLinebook, type Linebook } from '../fixtures/linebook-process.js'
import { aSearch } from './clients.js'
import { API_VERSION, signedFetch, type Answer, type RequestOptions } from './signed-fetch.js'

const ALL_VERSIONS = '2021-03-07, 2022-12-01, 2024-03-01, 2025-02-11, 2025-04-01, 2025-06-01'
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

let linebook: Linebook
beforeAll(async () => {
  linebook = await borrowLinebook()
})

const send = (target: string, options?: RequestOptions) => signedFetch(linebook, target, options)
const keysOf = (answer: Answer) => Object.keys(answer.body as object)

const startSearch = (wanted: Parameters<typeof aSearch>[0] = {}, options: RequestOptions = {}) => {
  const { countryCode, ...body } = aSearch(wanted)
  return send(`/availablePhoneNumbers/countries/${countryCode}/:search`, { method: 'POST', body, ...options })
}
const startPurchase = (body: object) => send('/availablePhoneNumbers/:purchase', { method: 'POST', body })
async function buy(wanted?: Parameters<typeof aSearch>[0]): Promise<string> {
  const { headers } = await startSearch(wanted)
  await startPurchase({ searchId: headers['search-id'] })
  const { body } = await send(headers.location as string)
  return (body as { phoneNumbers: string[] }).phoneNumbers[0] as string
}

describe('a search', () => {
  it('is accepted with links to its operation and its result, and their ids', async () => {
    const { status, headers } = await startSearch()
    const searchId = headers['search-id'] as string
    expect(status).toBe(202)
    expect(searchId).toMatch(UUID)
    expect(headers).toMatchObject({
      'operation-location': `/phoneNumbers/operations/search_${searchId}?api-version=${API_VERSION}`,
      location: `/availablePhoneNumbers/searchResults/${searchId}?api-version=${API_VERSION}`,
      'operation-id': `search_${searchId}`,
      'access-control-expose-headers': 'Location,Operation-Location,operation-id,search-id',
      'api-supported-versions': ALL_VERSIONS,
    })
  })

  it('repeats the api-version of the request in its links', async () => {
    const { countryCode, ...body } = aSearch()
    const { headers } = await send(`/availablePhoneNumbers/countries/${countryCode}/:search?api-version=2021-03-07`, {
      method: 'POST',
      body,
    })
    expect(headers['operation-location']).toMatch(/\?api-version=2021-03-07$/)
    expect(headers.location).toMatch(/\?api-version=2021-03-07$/)
  })

  it('has an operation that says where the result is', async () => {
    const { headers } = await startSearch()
    const operation = await send(headers['operation-location'] as string)
    expect(operation.status).toBe(200)
    expect(operation.headers).toMatchObject({
      location: headers.location,
      'access-control-expose-headers': 'Location',
      'content-type': 'application/json; charset=utf-8',
    })
    expect(keysOf(operation)).toEqual([
      'operationType',
      'status',
      'resourceLocation',
      'createdDateTime',
      'id',
      'lastActionDateTime',
    ])
    expect(operation.body).toMatchObject({
      operationType: 'search',
      status: 'succeeded',
      resourceLocation: headers.location,
      createdDateTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00$/),
      id: headers['operation-id'],
    })
  })

  it('has a result without errorCode when nothing is wrong', async () => {
    const { headers } = await startSearch()
    const result = await send(headers.location as string)
    expect(result.status).toBe(200)
    expect(keysOf(result)).toEqual([
      'searchId',
      'phoneNumbers',
      'phoneNumberType',
      'assignmentType',
      'capabilities',
      'cost',
      'searchExpiresBy',
      'isAgreementToNotResellRequired',
      'error',
    ])
    expect(result.body).toMatchObject({ error: 'NoError', isAgreementToNotResellRequired: false })
  })

  it('has a result with fewer keys in the first api-version', async () => {
    const { headers } = await startSearch()
    const searchId = headers['search-id'] as string
    const result = await send(`/availablePhoneNumbers/searchResults/${searchId}?api-version=2021-03-07`)
    expect(keysOf(result)).toEqual([
      'searchId',
      'phoneNumbers',
      'phoneNumberType',
      'assignmentType',
      'capabilities',
      'cost',
      'searchExpiresBy',
    ])
  })

  it('that finds nothing has a failed operation and a result with the published errorCode', async () => {
    const { headers } = await startSearch({ areaCode: '999' })
    const { body } = await send(headers['operation-location'] as string)
    expect(body).toMatchObject({ status: 'failed', error: { code: 'OutOfStock', message: expect.any(String) } })
    const result = await send(headers.location as string)
    expect(result).toMatchObject({ status: 200, body: { phoneNumbers: [], error: 'OutOfStock', errorCode: 1000 } })
  })

  it('is refused with the reason inside when no plan fits', async () => {
    const refused = await startSearch({ phoneNumberType: 'tollFree', assignmentType: 'person' })
    expect(refused.status).toBe(400)
    expect(refused.headers['x-ms-error-code']).toBe('InternalError')
    expect(refused.body).toEqual({
      error: {
        code: 'InternalError',
        message: 'The server encountered an internal error.',
        innererror: {
          code: 'BadRequest',
          message: 'We are unable to find phone plans to match your requested capabilities.',
          details: expect.arrayContaining([
            {
              code: 'Offering',
              message: 'US has tollFree for application with calling inbound+outbound and sms inbound+outbound.',
            },
          ]),
        },
      },
    })
  })

  it('that is not known is not found, under the id as it was written', async () => {
    const searchId = randomUUID().toUpperCase()
    expect(await send(`/availablePhoneNumbers/searchResults/${searchId}`)).toMatchObject({
      status: 404,
      body: { error: { code: 'NotFound', message: `Input searchId ${searchId} cannot be found.`, target: 'searchid' } },
    })
  })

  it('that is canceled gives its numbers back', async () => {
    // All the mobile numbers of the country, so that nobody else has any while they are held.
    const all = { countryCode: 'AU', phoneNumberType: 'mobile', quantity: 4 } as const
    const { headers } = await startSearch(all)
    const operation = headers['operation-location'] as string
    const before = await startSearch(all)
    expect((await send(before.headers.location as string)).body).toMatchObject({ error: 'OutOfStock' })

    expect(await send(operation, { method: 'DELETE' })).toMatchObject({ status: 204, text: '' })
    const after = await startSearch(all)
    const { body } = await send(after.headers.location as string)
    expect((body as { phoneNumbers: string[] }).phoneNumbers).toHaveLength(4)
    expect(await startPurchase({ searchId: headers['search-id'] })).toMatchObject({
      status: 400,
      body: { error: { code: 'BadRequest', innererror: { code: 'ReservationExpired' } } },
    })
  })

  it('sent again by a client that lost the answer is the same search', async () => {
    const same = { date: new Date().toUTCString(), headers: { 'x-ms-client-request-id': randomUUID() } }
    const [first, second] = [await startSearch({}, same), await startSearch({}, same)]
    expect(second.status).toBe(202)
    expect(second.headers['search-id']).toBe(first.headers['search-id'])
  })

  it('of another client that asks for the same in the same second is another search', async () => {
    const date = new Date().toUTCString()
    const [first, second] = [await startSearch({}, { date }), await startSearch({}, { date })]
    expect(second.headers['search-id']).not.toBe(first.headers['search-id'])
  })
})

describe('a purchase', () => {
  it('is accepted with an empty body and no Location', async () => {
    const { headers: searched } = await startSearch()
    const searchId = searched['search-id'] as string
    const { status, headers, text } = await startPurchase({ searchId })
    expect(status).toBe(202)
    expect(text).toBe('')
    expect(headers).not.toHaveProperty('location')
    expect(headers).toMatchObject({
      'operation-location': `/phoneNumbers/operations/purchase_${searchId}?api-version=${API_VERSION}`,
      'operation-id': `purchase_${searchId}`,
      'purchase-id': searchId,
      'access-control-expose-headers': 'Operation-Location,operation-id,purchase-id',
    })
  })

  it('has an operation without a result, as old as the search', async () => {
    const { headers: searched } = await startSearch()
    const { headers } = await startPurchase({ searchId: searched['search-id'] })
    const search = await send(searched['operation-location'] as string)
    const operation = await send(headers['operation-location'] as string)
    expect(operation.headers).not.toHaveProperty('location')
    expect(operation.body).toMatchObject({
      operationType: 'purchase',
      status: 'succeeded',
      resourceLocation: null,
      createdDateTime: (search.body as { createdDateTime: string }).createdDateTime,
      id: headers['operation-id'],
    })
  })

  it('without the agreement that it needs is refused', async () => {
    const { headers } = await startSearch({ countryCode: 'FR' })
    const refused = await startPurchase({ searchId: headers['search-id'], agreeToNotResell: false })
    expect(refused).toMatchObject({ status: 400, body: { error: { code: 'BadRequest' } } })
  })

  it('of an unknown search is not found', async () => {
    expect(await startPurchase({ searchId: 'some-invalid-id', agreeToNotResell: false })).toMatchObject({
      status: 404,
      body: {
        error: { code: 'NotFound', message: 'Input searchId some-invalid-id cannot be found.', target: 'searchid' },
      },
    })
  })

  it('without a search is invalid', async () => {
    expect(await startPurchase({})).toMatchObject({
      status: 400,
      body: { error: { code: 'InvalidInput', target: 'searchid' } },
    })
  })
})

describe('an owned number', () => {
  it('has its keys in the published order, with the plus sign written in any way', async () => {
    const number = await buy()
    const answers = await Promise.all(
      ['+', '%2B', '%2b', ''].map((plus) => send(`/phoneNumbers/${plus}${number.slice(1)}`)),
    )
    for (const answer of answers) {
      expect(answer.status).toBe(200)
      expect(keysOf(answer)).toEqual([
        'id',
        'phoneNumber',
        'countryCode',
        'phoneNumberType',
        'capabilities',
        'assignmentType',
        'purchaseDate',
        'cost',
      ])
      expect(answer.body).toMatchObject({ id: number.slice(1), phoneNumber: number })
    }
  })

  it('is listed without a link when there is no further page', async () => {
    await buy()
    const list = await send('/phoneNumbers')
    expect(list.status).toBe(200)
    expect(keysOf(list)).toEqual(['phoneNumbers'])
  })

  it('takes new capabilities with a link to itself, the plus sign bare', async () => {
    const number = await buy()
    const { status, headers, body } = await send(`/phoneNumbers/${number}/capabilities`, {
      method: 'PATCH',
      body: { sms: 'inbound' },
      headers: { 'content-type': 'application/merge-patch+json' },
    })
    const id = headers['capabilities-id'] as string
    const self = `/phoneNumbers/${number}?api-version=${API_VERSION}`
    expect(status).toBe(202)
    expect(id).toMatch(UUID)
    expect(body).toEqual({ capabilitiesUpdateId: id })
    expect(headers).toMatchObject({
      'operation-location': `/phoneNumbers/operations/capabilities_${id}?api-version=${API_VERSION}`,
      location: self,
      'operation-id': `capabilities_${id}`,
      'access-control-expose-headers': 'Operation-Location,Location,operation-id,capabilities-id',
    })
    const operation = await send(headers['operation-location'] as string)
    expect(operation.headers.location).toBe(self)
    expect(operation.body).toMatchObject({ operationType: 'updatePhoneNumberCapabilities', resourceLocation: self })
  })

  it('is released with an empty body and no Location', async () => {
    const number = await buy()
    const { status, headers, text } = await send(`/phoneNumbers/${number}`, { method: 'DELETE' })
    const id = headers['release-id'] as string
    expect(status).toBe(202)
    expect(text).toBe('')
    expect(id).toMatch(UUID)
    expect(headers).not.toHaveProperty('location')
    expect(headers).toMatchObject({
      'operation-location': `/phoneNumbers/operations/release_${id}?api-version=${API_VERSION}`,
      'operation-id': `release_${id}`,
      'access-control-expose-headers': 'Operation-Location,operation-id,release-id',
    })
    expect((await send(headers['operation-location'] as string)).body).toMatchObject({
      operationType: 'releasePhoneNumber',
      resourceLocation: null,
    })
  })
})

it.each(['GET', 'DELETE'])('an operation that is not known is not found by %s', async (method) => {
  expect(await send(`/phoneNumbers/operations/search_${randomUUID()}`, { method })).toMatchObject({
    status: 404,
    body: { error: { code: 'NotFound', target: 'operationid' } },
  })
})

describe('a list of what is for sale', () => {
  it.each([
    ['/availablePhoneNumbers/countries', 'countries'],
    ['/availablePhoneNumbers/countries/US/localities', 'phoneNumberLocalities'],
    ['/availablePhoneNumbers/countries/US/areaCodes?phoneNumberType=tollFree', 'areaCodes'],
    ['/availablePhoneNumbers/countries/US/offerings', 'phoneNumberOfferings'],
  ])('%s may be cached, and its last page has a null link', async (target, items) => {
    const list = await send(target)
    expect(list.status).toBe(200)
    expect(list.headers['cache-control']).toBe('max-age=21600, private, stale-while-revalidate=86400')
    expect(keysOf(list)).toEqual([items, 'nextLink'])
    expect(list.body).toMatchObject({ nextLink: null })
  })

  it('links to its next page with the filters of the request', async () => {
    const target = '/availablePhoneNumbers/countries/US/localities?administrativeDivision=WA&maxPageSize=2'
    const first = (await send(target)).body as { phoneNumberLocalities: unknown[]; nextLink: string }
    expect(first.phoneNumberLocalities).toHaveLength(2)
    expect(first.nextLink).toBe(
      `/availablePhoneNumbers/countries/US/localities?api-version=${API_VERSION}` +
        '&administrativeDivision=WA&skip=2&maxPageSize=2',
    )
    expect((await send(first.nextLink)).body).toMatchObject({
      phoneNumberLocalities: [{ localizedName: 'Tacoma' }],
      nextLink: null,
    })
  })
})

describe('every answer', () => {
  it('carries a correlation vector, the time it took and the client’s request id', async () => {
    const id = randomUUID()
    const answers = [
      await send('/phoneNumbers', { headers: { 'x-ms-client-request-id': id } }),
      await send('/phoneNumbers/+1', { headers: { 'x-ms-client-request-id': id } }),
    ]
    for (const { headers } of answers) {
      expect(headers['ms-cv']).toMatch(/^[A-Za-z0-9+/]{22}\.0$/)
      expect(headers['x-processing-time']).toMatch(/^\d+ms$/)
      expect(headers['x-ms-client-request-id']).toBe(id)
      expect(headers).toHaveProperty('date')
    }
    expect(answers[0]?.headers['ms-cv']).not.toBe(answers[1]?.headers['ms-cv'])
  })

  it('asks for HTTPS from then on, when it came over HTTPS', async () => {
    const { headers } = await send('/phoneNumbers', { scheme: 'https' })
    expect(headers['strict-transport-security']).toBe('max-age=31536000; includeSubDomains')
    expect((await send('/phoneNumbers')).headers).not.toHaveProperty('strict-transport-security')
  })

  it('to a request without an api-version names those there are', async () => {
    const { status, headers, body } = await send('/availablePhoneNumbers/countries?api-version=')
    expect(status).toBe(400)
    expect(headers['api-supported-versions']).toBe(ALL_VERSIONS.replace('2021-03-07, ', ''))
    expect(body).toMatchObject({ error: { code: 'ApiVersionUnspecified' } })
  })

  it('to a request that is not signed says how to sign', async () => {
    const { status, headers, body } = await send('/phoneNumbers', { accessKey: null })
    expect(status).toBe(401)
    expect(headers['www-authenticate']).toBe('HMAC-SHA256, Bearer')
    expect(body).toEqual({ error: { code: 'Denied', message: 'Denied by the resource provider.' } })
  })

  it('to a request whose body was changed on the way says so', async () => {
    const { countryCode, ...body } = aSearch()
    const denied = await send(`/availablePhoneNumbers/countries/${countryCode}/:search`, {
      method: 'POST',
      body,
      headers: { 'x-ms-content-sha256': '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' },
    })
    expect(denied.status).toBe(401)
    expect(denied.body).toMatchObject({
      error: { code: 'Denied', message: expect.stringMatching(/differs from generated content hash/) },
    })
  })

  it('to a method that a path does not have names those it has', async () => {
    const { status, headers } = await send('/phoneNumbers', { method: 'DELETE' })
    expect(status).toBe(405)
    expect(headers.allow).toBe('GET')
  })

  it('to an unknown path is 404 and empty', async () => {
    expect(await send('/nowhere')).toMatchObject({ status: 404, text: '' })
  })

  it('is the same with slashes doubled', async () => {
    expect((await send('//phoneNumbers/')).status).toBe(200)
  })
})

it('the health of the process can be read without a key', async () => {
  for (const target of ['/healthz', '/readyz']) {
    expect((await send(target, { accessKey: null })).status).toBe(200)
  }
})

describe('the certificate of the emulator', () => {
  const listCountries = fileURLToPath(new URL('list-countries.mjs', import.meta.url))
  const run = (env: Record<string, string>) =>
    promisify(execFile)(process.execPath, [listCountries, linebook.connectionString('https')], {
      env: { PATH: process.env.PATH ?? '', ...env },
    })

  it('is trusted by a program that was started with NODE_EXTRA_CA_CERTS', async () => {
    const { stdout } = await run({ NODE_EXTRA_CA_CERTS: linebook.certFile })
    expect(stdout).toMatch(/^42 countries, \d+ numbers\n$/)
  })

  it('is not trusted by a program that is not configured to', async () => {
    await expect(run({})).rejects.toMatchObject({ stderr: expect.stringMatching(/self-signed certificate/) })
  })
})

/** What a program in a browser meets: preflights, which bring no credentials, and the headers that let it read answers. */
import { describe, expect } from 'vitest'
import type { Db } from '../../../src/db/db.js'
import { aSearch, PURCHASE, search, US } from '../../fixtures/buying.js'
import { createTestService, HOST, type TestClient, type TestService } from '../../fixtures/service.js'
import { enterStock } from '../../fixtures/stock.js'
import { it } from '../../fixtures/test.js'

const PORTAL = 'https://portal.example'
const LIST = '/phoneNumbers?api-version=2025-06-01'

describe('a preflight', () => {
  it('of an origin that is set is answered without credentials', async ({ db }) => {
    const { service } = await opened(db, `${PORTAL},http://localhost:3000`)
    for (const origin of [PORTAL, 'http://localhost:3000']) {
      const answer = await preflight(service, LIST, origin)
      expect([answer.statusCode, answer.body]).toEqual([204, ''])
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': origin,
        'access-control-allow-methods': 'GET, POST, PATCH, DELETE',
        'access-control-max-age': '7200',
        vary: 'Origin',
      })
      expect(answer.headers).not.toHaveProperty('access-control-allow-credentials')
    }
  })

  it('allows every header that the SDKs send', async ({ db }) => {
    const { service } = await opened(db, PORTAL)
    const { headers } = await preflight(service, `${US}/:search`)
    expect(names(headers['access-control-allow-headers'])).toEqual(
      expect.arrayContaining([
        'authorization',
        'x-ms-date',
        'x-ms-content-sha256',
        'x-ms-client-request-id',
        'x-ms-return-client-request-id',
        'x-ms-useragent',
        'accept-language',
        'accept',
        'content-type',
        'traceparent',
      ]),
    )
  })

  it('of any path of this API is answered', async ({ db }) => {
    const { service } = await opened(db, PORTAL)
    for (const url of [LIST, `${US}/:search`, PURCHASE, '/sip', '/nowhere', '/PhoneNumbers/operations/x']) {
      expect((await preflight(service, url)).statusCode).toBe(204)
    }
  })

  it.for([
    'https://elsewhere.example',
    'https://portal.example.elsewhere.example',
    'http://portal.example',
    'null',
  ] as const)('of %s is denied like any request without credentials', async (origin, { db }) => {
    const { service } = await opened(db, PORTAL)
    const answer = await preflight(service, LIST, origin)
    expect(answer.statusCode).toBe(401)
    expect(corsHeaders(answer.headers)).toEqual(['vary'])
  })

  it('of everybody is answered when that was asked for', async ({ db }) => {
    const { service } = await opened(db, '*')
    const answer = await preflight(service, LIST, 'https://elsewhere.example')
    expect([answer.statusCode, answer.headers['access-control-allow-origin']]).toEqual([204, '*'])
    expect(answer.headers).not.toHaveProperty('vary')
  })

  it('is not one without the method that is to come', async ({ db }) => {
    const { service } = await opened(db, PORTAL)
    const answer = await service.server.inject({
      method: 'OPTIONS',
      url: LIST,
      headers: { host: HOST, origin: PORTAL },
    })
    expect(answer.statusCode).toBe(401)
  })

  it('of the Provisioning API is none of this', async ({ db }) => {
    const { service } = await opened(db, PORTAL)
    const answer = await preflight(service, '/accounts?api-version=2024-02-29')
    expect(answer.statusCode).toBe(405)
    expect(corsHeaders(answer.headers)).toEqual([])
  })
})

describe('an answer', () => {
  it('may be read by a page of an origin that is set', async ({ db }) => {
    const { buyer } = await opened(db, PORTAL)
    const { headers } = await buyer.send('GET', '/phoneNumbers', { headers: { origin: PORTAL } })
    expect(headers).toMatchObject({ 'access-control-allow-origin': PORTAL, vary: 'Origin' })
    expect(names(headers['access-control-expose-headers'])).toEqual(
      expect.arrayContaining([
        'ms-cv',
        'api-supported-versions',
        'x-processing-time',
        'x-ms-error-code',
        'retry-after',
      ]),
    )
  })

  it('lets a page read what starts an operation, beside what every answer has', async ({ db }) => {
    const { buyer } = await opened(db, PORTAL)
    const answer = await buyer.send('POST', `${US}/:search`, { body: aSearch(), headers: { origin: PORTAL } })
    const exposed = names(answer.headers['access-control-expose-headers'])
    expect(exposed).toEqual(
      expect.arrayContaining(['operation-location', 'location', 'operation-id', 'search-id', 'ms-cv']),
    )
    expect(new Set(exposed).size).toBe(exposed.length)
  })

  it('that refuses may be read too', async ({ db }) => {
    const { service, buyer } = await opened(db, PORTAL)
    const origin = { headers: { origin: PORTAL } }
    const { searchId } = await search(buyer)
    const refusals = [
      await service.server.inject({ method: 'GET', url: LIST, headers: { host: HOST, origin: PORTAL } }),
      await buyer.send('GET', '/phoneNumbers/+14155550100', origin),
      await buyer.send('GET', '/nowhere', origin),
      await buyer.send('PUT', '/phoneNumbers', origin),
      await buyer.send('POST', `${US}/:search`, { ...origin, body: '{' }),
      await buyer.send('POST', PURCHASE, { ...origin, body: 'x'.repeat(2 ** 20 + 1) }),
      await buyer.send('POST', PURCHASE, { ...origin, body: { searchId }, version: '1999-01-01' }),
    ]
    expect(refusals.map(({ statusCode }) => statusCode)).toEqual([401, 404, 404, 405, 400, 413, 400])
    for (const { headers } of refusals) {
      expect(headers).toMatchObject({ 'access-control-allow-origin': PORTAL, vary: 'Origin' })
      expect(names(headers['access-control-expose-headers'])).toContain('x-ms-error-code')
    }
  })

  it('to no page is the same for all, and kept apart by caches', async ({ db }) => {
    const { buyer } = await opened(db, PORTAL)
    const { headers } = await buyer.send('GET', '/phoneNumbers')
    expect(corsHeaders(headers)).toEqual(['vary'])
  })
})

it('without origins there is no CORS: a preflight is denied, and answers have the headers of the original alone', async ({
  db,
}) => {
  const service = await createTestService(db)
  await enterStock(db, { count: 10 })
  const buyer = await service.client()
  const denied = await preflight(service, LIST)
  expect([denied.statusCode, corsHeaders(denied.headers)]).toEqual([401, []])
  const answer = await buyer.send('POST', `${US}/:search`, { body: aSearch(), headers: { origin: PORTAL } })
  expect(corsHeaders(answer.headers)).toEqual(['access-control-expose-headers'])
  expect(answer.headers['access-control-expose-headers']).toBe('Location,Operation-Location,operation-id,search-id')
})

async function opened(db: Db, origins: string): Promise<{ service: TestService; buyer: TestClient }> {
  const service = await createTestService(db, { LINEBOOK_CORS_ORIGINS: origins })
  await enterStock(db, { count: 10 })
  return { service, buyer: await service.client() }
}

const preflight = ({ server }: TestService, url: string, origin: string = PORTAL, headers: object = {}) =>
  server.inject({
    method: 'OPTIONS',
    url,
    headers: {
      host: HOST,
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,x-ms-date',
      ...headers,
    },
  })

/** The names in a header that lists some, in lower case. */
const names = (header: unknown): string[] =>
  String(header)
    .toLowerCase()
    .split(/\s*,\s*/)

const corsHeaders = (headers: object): string[] =>
  Object.keys(headers).filter((name) => name.startsWith('access-control-') || name === 'vary')

/** Faults that are asked for: which requests they meet, and what is left of them. */
import type { AddressInfo } from 'node:net'
import { describe, expect } from 'vitest'
import { sql } from '../../../src/db/db.js'
import { aSearch, PURCHASE, US } from '../../fixtures/buying.js'
import type { Emulator } from '../../fixtures/emulator.js'
import { anOperator } from '../../fixtures/operator.js'
import { NEWEST, signedHeaders, type TestClient } from '../../fixtures/service.js'
import { enterStock } from '../../fixtures/stock.js'
import { it, type With } from '../../fixtures/test.js'

const LIST = 'PhoneNumbers_ListPhoneNumbers'

describe('a fault that answers', () => {
  it('gives its status in the envelope of the API, with the headers of every answer', async ({ buyer, emulator }) => {
    await fault(emulator, { route: LIST, effect: 'answer', status: 503, retryAfterSeconds: 7 })
    const answer = await list(buyer)
    expect(answer.statusCode).toBe(503)
    expect(answer.json()).toEqual({ error: { code: 'ServiceUnavailable', message: expect.any(String) as string } })
    expect(answer.headers).toMatchObject({
      'retry-after': '7',
      'x-ms-error-code': 'ServiceUnavailable',
      'content-type': 'application/json',
      'api-supported-versions': expect.stringContaining(NEWEST) as string,
      'ms-cv': expect.any(String) as string,
    })
  })

  it.for([
    [429, 'TooManyRequests'],
    [500, 'InternalError'],
    [502, 'BadGateway'],
    [504, 'GatewayTimeout'],
    [507, 'InternalError'],
    [418, 'BadRequest'],
  ] as const)('calls a %i %s unless it says otherwise', async ([status, code], { buyer, emulator }) => {
    await fault(emulator, { route: LIST, effect: 'answer', status, times: 1 })
    await fault(emulator, { route: LIST, effect: 'answer', status, code: 'Own', message: 'As asked.' })
    const usual = await list(buyer)
    expect([usual.statusCode, usual.json<{ error: { code: string } }>().error.code]).toEqual([status, code])
    expect((await list(buyer)).json()).toEqual({ error: { code: 'Own', message: 'As asked.' } })
  })

  it('is for the other API too, in its words', async ({ service, emulator }) => {
    const operator = await anOperator(service)
    await fault(emulator, { route: 'GET /accounts/{name}', effect: 'answer', status: 500 })
    const answer = await operator.get('/accounts/contoso')
    expect([answer.statusCode, answer.json<{ error: { code: string } }>().error.code]).toEqual([
      500,
      'InternalServerError',
    ])
    expect(answer.headers['x-ms-request-id']).toEqual(expect.any(String))
    expect((await operator.get('/accounts')).statusCode).toBe(200)
  })

  it('comes before anything is done', async ({ db, buyer, emulator }) => {
    await enterStock(db)
    await fault(emulator, { route: 'PhoneNumbers_SearchAvailablePhoneNumbers', effect: 'answer', status: 500 })
    expect((await buyer.send('POST', `${US}/:search`, { body: aSearch() })).statusCode).toBe(500)
    expect(await db.query(sql`select id from search`)).toEqual([])
  })
})

describe('a fault', () => {
  it('strikes so often, and is shown with how often it did', async ({ buyer, emulator }) => {
    await fault(emulator, { route: LIST, effect: 'answer', status: 500, times: 2 })
    const seen = [await list(buyer), await list(buyer), await list(buyer)].map(({ statusCode }) => statusCode)
    expect(seen).toEqual([500, 500, 200])
    expect((await emulator.send('GET', '/faults')).body).toMatchObject({ faults: [{ times: 2, struck: 2, met: 2 }] })
  })

  it('strikes by chance, the same for the same seed', async ({ buyer, emulator }) => {
    const struck = async (seed: number) => {
      await emulator.send('PUT', '/faults', {
        faults: [{ route: LIST, effect: 'answer', status: 500, probability: 0.5, seed }],
      })
      const statuses: number[] = []
      for (let index = 0; index < 40; index++) statuses.push((await list(buyer)).statusCode)
      return statuses
    }
    const first = await struck(7)
    expect(await struck(7)).toEqual(first)
    expect(await struck(8)).not.toEqual(first)
    expect(first.filter((status) => status === 500).length).toBeGreaterThan(8)
    expect(first.filter((status) => status === 200).length).toBeGreaterThan(8)
  })

  it.for([
    ['GET /phoneNumbers', true],
    ['get /PHONENUMBERS', true],
    ['* /phoneNumbers', true],
    ['* /*', true],
    ['GET /phone*', true],
    [LIST.toLowerCase(), true],
    ['POST /phoneNumbers', false],
    ['GET /phoneNumbers/{number}', false],
    ['GET /phonenumberS.', false],
    ['SipRouting_Get', false],
  ] as const)('for %s is met by the list of numbers: %s', async ([route, isMet], { buyer, emulator }) => {
    expect((await fault(emulator, { route, effect: 'answer', status: 500 })).status).toBe(201)
    expect((await list(buyer)).statusCode).toBe(isMet ? 500 : 200)
  })

  it('is never for its own control, nor for probes', async ({ service, emulator }) => {
    await fault(emulator, { route: '* /*', effect: 'answer', status: 500 })
    expect((await emulator.send('GET', '/faults')).status).toBe(200)
    expect((await service.server.inject('/healthz')).statusCode).toBe(200)
    expect((await service.server.inject('/readyz')).statusCode).toBe(200)
    expect((await service.server.inject('/healthzz')).statusCode).toBe(500)
  })

  it('can delay, and another strikes after that', async ({ buyer, emulator }) => {
    await fault(emulator, { route: LIST, effect: 'delay', delayMs: 30 })
    await fault(emulator, { route: LIST, effect: 'delay', delayMs: 30 })
    await fault(emulator, { route: LIST, effect: 'answer', status: 500 })
    const startedAt = performance.now()
    expect((await list(buyer)).statusCode).toBe(500)
    expect(performance.now() - startedAt).toBeGreaterThan(55)
  })

  it('that waits lets the server close', async ({ service, buyer, emulator }) => {
    await fault(emulator, { route: LIST, effect: 'delay', delayMs: 60_000 })
    const waiting = list(buyer)
    await expect.poll(async () => (await emulator.send('GET', '/faults')).body).toMatchObject({ faults: [{ met: 1 }] })
    await service.close()
    await waiting
  })

  it('is ended by its id, or with all others', async ({ buyer, emulator }) => {
    const { id } = (await fault(emulator, { route: LIST, effect: 'answer', status: 500 })).body
    await fault(emulator, { route: 'SipRouting_Get', effect: 'cut' })
    expect((await emulator.send('DELETE', `/faults/${id}`)).status).toBe(204)
    expect((await emulator.send('DELETE', `/faults/${id}`)).status).toBe(404)
    expect((await list(buyer)).statusCode).toBe(200)
    expect((await emulator.send('DELETE', '/faults')).status).toBe(204)
    expect((await emulator.send('GET', '/faults')).body).toEqual({ faults: [] })
  })

  it.for([
    [{}, /route/],
    [{ route: LIST }, /effect/],
    [{ route: LIST, effect: 'explode' }, /answer, delay, cut, lose-answer/],
    [{ route: 'PhoneNumbers_Search', effect: 'cut' }, /Is PhoneNumbers_SearchAvailablePhoneNumbers or .* meant/],
    [{ route: '/phoneNumbers', effect: 'cut' }, /no method with a path/],
    [{ route: 'GET phoneNumbers', effect: 'cut' }, /no method with a path/],
    [{ route: LIST, effect: 'answer' }, /needs status/],
    [{ route: LIST, effect: 'answer', status: 200 }, /status/],
    [{ route: LIST, effect: 'delay' }, /needs delayMs/],
    [{ route: LIST, effect: 'delay', delayMs: 60_001 }, /delayMs/],
    [{ route: LIST, effect: 'cut', status: 500 }, /status goes with the effect answer, not with cut/],
    [{ route: LIST, effect: 'answer', status: 500, delayMs: 5 }, /delayMs goes with the effect delay/],
    [{ route: LIST, effect: 'cut', probability: 0 }, /probability/],
    [{ route: LIST, effect: 'cut', probability: 1.5 }, /probability/],
    [{ route: LIST, effect: 'cut', seed: -1 }, /seed/],
    [{ route: LIST, effect: 'cut', often: 3 }, /often/],
    [{ route: LIST, effect: 'answer', status: 500, code: 'a\r\nb' }, /code/],
  ] as const)('is refused where it is not one: %j', async ([body, message], { emulator }) => {
    const { status, body: answer } = await emulator.send('POST', '/faults', body)
    expect(status).toBe(400)
    expect(JSON.stringify(answer)).toMatch(message)
    expect((await emulator.send('PUT', '/faults', { faults: [body] })).status).toBe(400)
    expect((await emulator.send('GET', '/faults')).body).toEqual({ faults: [] })
  })
})

describe('over the wire', () => {
  let origin: string
  it.beforeEach(async ({ service }) => {
    await service.server.listen({ host: '127.0.0.1', port: 0 })
    origin = `http://127.0.0.1:${(service.server.server.address() as AddressInfo).port}`
  })

  const send = (
    { service, buyer }: With<'service' | 'buyer'>,
    method: string,
    path: string,
    body?: unknown,
  ): Promise<Response> => {
    const target = `${path}?api-version=${NEWEST}`
    const text = body === undefined ? '' : JSON.stringify(body)
    const { host: _host, ...headers } = signedHeaders({
      method,
      target,
      body: text,
      key: buyer.key,
      date: service.clock.now(),
      host: new URL(origin).host,
    })
    return fetch(`${origin}${target}`, {
      method,
      headers: { ...headers, 'x-ms-client-request-id': 'one', 'content-type': 'application/json' },
      ...(text !== '' && { body: text }),
    })
  }

  it('a connection is cut before anything is done', async ({ db, service, buyer, emulator }) => {
    await enterStock(db)
    await fault(emulator, { route: 'PhoneNumbers_SearchAvailablePhoneNumbers', effect: 'cut', times: 1 })
    await expect(send({ service, buyer }, 'POST', `${US}/:search`, aSearch())).rejects.toThrow()
    expect(await db.query(sql`select id from search`)).toEqual([])
    expect((await send({ service, buyer }, 'POST', `${US}/:search`, aSearch())).status).toBe(202)
  })

  it('a purchase is made and its answer lost; asked again it is the same one', async ({
    db,
    service,
    buyer,
    emulator,
  }) => {
    await enterStock(db, { count: 3 })
    const found = (await (await send({ service, buyer }, 'POST', `${US}/:search`, aSearch())).json()) as {
      searchId: string
    }
    await fault(emulator, { route: 'PhoneNumbers_PurchasePhoneNumbers', effect: 'lose-answer', times: 1 })
    await expect(send({ service, buyer }, 'POST', PURCHASE, { searchId: found.searchId })).rejects.toThrow()
    expect(await db.query(sql`select e164 from number where state = 'owned'`)).toHaveLength(1)
    const again = await send({ service, buyer }, 'POST', PURCHASE, { searchId: found.searchId })
    expect(again.status).toBe(202)
    expect(await db.query(sql`select id from operation where kind = 'purchase'`)).toHaveLength(1)
  })
})

const fault = (emulator: Emulator, body: object) => emulator.send<{ id: string }>('POST', '/faults', body)
const list = (buyer: TestClient) => buyer.send('GET', '/phoneNumbers')

/** Access tokens instead of access keys: which open this API. */
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { listGrants } from '../../../src/auth/grant-store.js'
import { ensureEmulatorGrants, grantAccess } from '../../../src/auth/grants.js'
import { ensureEmulatorResource } from '../../../src/auth/resources.js'
import { addClient, ensureEmulatorClients, emulatorClientIds } from '../../../src/issuer/clients.js'
import { operations } from '../../../src/phone-numbers/contract/operations.js'
import { aSearch, US } from '../../fixtures/buying.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { BY_TEST, createTestService, HOST, type TestClient, type TestService } from '../../fixtures/service.js'
import { enterStock } from '../../fixtures/stock.js'
import { AUDIENCE, aForgedToken, anUnsignedToken, secondsAt } from '../provisioning/a-token.js'
import * as caller from './with-a-token.js'
import { expectDenied, expectForbidden, LIST, SCOPE } from './with-a-token.js'

const db = await openTestDatabase()
afterAll(() => db.close())

let service: TestService
let buyer: TestClient
beforeEach(async () => {
  service = await createTestService(db)
  buyer = await service.client()
})

const grant = (clientId: string, resource = 'buyer', issuer?: string) =>
  grantAccess(service.store, { resource, clientId, issuer }, BY_TEST)
const tokenFor = (clientId: string, claims?: Record<string, unknown>) => caller.tokenFor(service, clientId, claims)
const send = (token: string, sent?: Parameters<typeof caller.sendWithToken>[2]) =>
  caller.sendWithToken(service, token, sent)
const ask = (clientId: string, secret: string, scope: string) => caller.askForToken(service, clientId, secret, scope)

describe('a token', () => {
  beforeEach(() => grant('shop'))

  it('of a client that is granted opens the resource', async () => {
    expect((await send(await tokenFor('shop'))).statusCode).toBe(200)
  })

  it('may be for the audience without its last slash', async () => {
    expect((await send(await tokenFor('shop', { aud: 'https://communication.azure.com' }))).statusCode).toBe(200)
  })

  it('needs no role of the Provisioning API', async () => {
    expect((await send(await tokenFor('shop', { roles: undefined }))).statusCode).toBe(200)
  })

  it.each<[string, () => Promise<string> | string]>([
    ['of the Provisioning API', () => tokenFor('shop', { aud: AUDIENCE })],
    ['for another audience', () => tokenFor('shop', { aud: 'https://communication.azure.com/.default' })],
    ['for no audience', () => tokenFor('shop', { aud: undefined })],
    ['that expired five minutes ago', () => tokenFor('shop', { exp: secondsAt(service, -300) })],
    ['that never expires', () => tokenFor('shop', { exp: undefined })],
    ['that is valid from in six minutes', () => tokenFor('shop', { nbf: secondsAt(service, 360) })],
    ['of an issuer that nobody trusts', () => tokenFor('shop', { iss: 'https://id.example' })],
    ['of another tenant of this issuer', () => tokenFor('shop', { iss: 'http://localhost/other/v2.0' })],
    ['that names no client', () => tokenFor('shop', { appid: undefined })],
    ['that somebody else has signed', () => aForgedToken(service)],
    ['that nobody has signed', () => anUnsignedToken(service)],
    ['with its last character gone', async () => (await tokenFor('shop')).slice(0, -1)],
    ['that is no token', () => 'abc'],
    ['that is empty', () => ''],
  ])('%s is denied, without a word why', async (_what, token) => {
    expectDenied(await send(await token()))
  })

  it('is good for five minutes around its times', async () => {
    expect((await send(await tokenFor('shop', { exp: secondsAt(service, -299) }))).statusCode).toBe(200)
    expect((await send(await tokenFor('shop', { nbf: secondsAt(service, 299) }))).statusCode).toBe(200)
  })

  it('stops when its time is over, though it was accepted before', async () => {
    const token = await tokenFor('shop')
    expect((await send(token)).statusCode).toBe(200)
    service.clock.advance(3_600_000 + 300_000)
    expectDenied(await send(token))
  })

  it('of this API does not open the Provisioning API', async () => {
    const token = await tokenFor('shop', { roles: ['ProvisioningAPI.Admin'] })
    const headers = { authorization: `Bearer ${token}` }
    const answer = await service.server.inject({ url: '/accounts?api-version=2024-02-29', headers })
    expect([answer.statusCode, answer.json()]).toMatchObject([401, { error: { code: 'Unauthorized' } }])
  })

  it('is denied by every operation unless it is good, and forbidden without a grant', async () => {
    const stranger = await tokenFor('stranger')
    for (const { method, path } of operations) {
      const target = path.replace(/\{\w+\}/g, 'US')
      expectDenied(await send('abc', { method, target }))
      expectForbidden(await send(stranger, { method, target }), 'stranger')
    }
  })

  it('is denied where no issuer is trusted', async () => {
    const token = await tokenFor('shop')
    const closed = await createTestService(db, { LINEBOOK_BUILT_IN_ISSUER: 'off' })
    const headers = { host: HOST, authorization: `Bearer ${token}` }
    expectDenied(await closed.server.inject({ url: `${LIST}?api-version=2025-06-01`, headers }))
    await closed.close()
  })

  it('of an issuer whose keys can not be had is neither accepted nor denied, without a word about the issuer', async () => {
    service = await createTestService(db, { LINEBOOK_TOKEN_ISSUERS: 'http://127.0.0.1:1|http://127.0.0.1:1/keys' })
    const answer = await send(await tokenFor('shop', { iss: 'http://127.0.0.1:1' }))
    expect([answer.statusCode, answer.headers['retry-after'], answer.json()]).toEqual([
      503,
      '5',
      {
        error: {
          code: 'ServiceUnavailable',
          message: 'Access tokens can not be verified at the moment. Try again.',
        },
      },
    ])
  })

  it('may be for other audiences when those are set', async () => {
    service = await createTestService(db, { LINEBOOK_PHONE_NUMBERS_AUDIENCES: 'api://numbers' })
    await service.client()
    await grant('shop')
    expect((await send(await tokenFor('shop', { aud: 'api://numbers' }))).statusCode).toBe(200)
    expectDenied(await send(await tokenFor('shop')))
  })

  it('leaves access keys as they are', async () => {
    expect((await buyer.send('GET', LIST)).statusCode).toBe(200)
    expect((await buyer.send('GET', LIST, { headers: { authorization: 'Bearer abc' } })).statusCode).toBe(401)
  })
})

describe('the built-in issuer', () => {
  it('gives a token for the scope that the SDKs ask for, and it works', async () => {
    const secret = (await addClient(service.store, { clientId: 'shop', roles: [] }, BY_TEST)) as string
    await grant('shop')
    const answer = await ask('shop', secret, SCOPE)
    expect(answer.statusCode).toBe(200)
    const { access_token: token } = answer.json<{ access_token: string }>()
    expect((await send(token)).statusCode).toBe(200)
  })

  it('serves it when only this API is served', async () => {
    service = await createTestService(db, { LINEBOOK_APIS: 'phone-numbers' })
    await ensureEmulatorClients(service.store)
    expect((await ask('linebook-reader', 'linebook-standin', SCOPE)).statusCode).toBe(200)
    // The Operator API, which is always served, has the audiences of the other one.
    expect((await ask('linebook-reader', 'linebook-standin', `${AUDIENCE}/.default`)).statusCode).toBe(200)
  })

  it('serves no scope of this API when only the other one is served', async () => {
    service = await createTestService(db, { LINEBOOK_APIS: 'provisioning' })
    await ensureEmulatorClients(service.store)
    expect((await ask('linebook-reader', 'linebook-standin', SCOPE)).statusCode).toBe(400)
    expect((await ask('linebook-reader', 'linebook-standin', `${AUDIENCE}/.default`)).statusCode).toBe(200)
  })
})

it('who asks is judged by the real time, though the clock of the numbers was moved', async () => {
  await ensureEmulatorClients(service.store)
  const credentials = Buffer.from('linebook-admin:linebook-standin').toString('base64')
  const set = await service.server.inject({
    method: 'PUT',
    url: '/_emulator/clock',
    headers: { authorization: `Basic ${credentials}` },
    payload: { now: '2030-01-01T00:00:00Z' },
  })
  expect(set.statusCode).toBe(200)
  await grant('shop')
  await enterStock(db, { count: 1 })
  const found = await send(await tokenFor('shop'), { method: 'POST', target: `${US}/:search`, body: aSearch() })
  expect(found.json()).toMatchObject({ searchExpiresBy: expect.stringMatching(/^2030-01-01T00:15:00/) })
})

describe('the well-known clients of emulator mode', () => {
  it('may use its well-known resource, with tokens of its own issuer alone', async () => {
    await ensureEmulatorResource(service.store)
    await ensureEmulatorClients(service.store)
    await ensureEmulatorGrants(service.store, emulatorClientIds)
    await ensureEmulatorGrants(service.store, emulatorClientIds)
    for (const clientId of ['linebook-admin', 'linebook-reader', 'linebook-writer', 'linebook-deleter']) {
      const { access_token: token } = (await ask(clientId, 'linebook-standin', SCOPE)).json<{ access_token: string }>()
      expect((await send(token, { host: 'localhost:8443' })).statusCode).toBe(200)
    }
    expect(await listGrants(db)).toHaveLength(4)
    expect((await listGrants(db)).every(({ issuer }) => issuer === 'built-in')).toBe(true)
  })
})

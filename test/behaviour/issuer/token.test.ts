import { decodeJwt, decodeProtectedHeader } from 'jose'
import { afterEach, describe, expect } from 'vitest'
import { addClient, ensureEmulatorClients, rotateSecret } from '../../../src/issuer/clients.js'
import { listClients } from '../../../src/issuer/store.js'
import { BY_TEST } from '../../fixtures/service.js'
import { it } from '../../fixtures/test.js'
import {
  APPLICATION_ID,
  aRequest,
  AUDIENCE,
  COMMUNICATION,
  createTestIssuer,
  HOST,
  TOKEN_PATH,
  type TestIssuer,
} from './an-issuer.js'

let issuer: TestIssuer
it.beforeEach(async ({ db }) => {
  issuer = await createTestIssuer(db)
  await ensureEmulatorClients(issuer.deps)
})
afterEach(() => issuer.server.close())

describe('the token endpoint', () => {
  it('gives a client that shows its secret a token that our own verifier accepts', async () => {
    const answer = await issuer.ask(aRequest())
    expect(answer.statusCode).toBe(200)
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      pragma: 'no-cache',
    })
    const { access_token: token, ...rest } = answer.json<{ access_token: string }>()
    expect(rest).toEqual({ token_type: 'Bearer', expires_in: 3600, ext_expires_in: 3600 })
    expect(await verify(token)).toEqual({
      callerId: 'linebook-reader',
      issuer: 'built-in',
      name: 'linebook-reader',
      roles: new Set(['Read']),
      operatorRoles: new Set(['Read']),
      actor: 'client:linebook-reader',
      isUser: false,
    })
  })

  it.each([
    ['linebook-admin', 'Admin'],
    ['linebook-reader', 'Read'],
    ['linebook-writer', 'Write'],
    ['linebook-deleter', 'Delete'],
  ])('gives the emulator client %s the role %s', async (clientId, role) => {
    expect((await verify(await tokenOf(aRequest({ client_id: clientId })))).roles).toEqual(new Set([role]))
  })

  it('signs with ES256 and says in the claims what Entra says', async () => {
    const token = await tokenOf(aRequest())
    expect(decodeProtectedHeader(token)).toMatchObject({ typ: 'JWT', alg: 'ES256', kid: expect.any(String) })
    const now = issuer.clock.now().getTime() / 1000
    expect(decodeJwt(token)).toMatchObject({
      iss: `http://${HOST}/linebook/v2.0`,
      aud: AUDIENCE,
      iat: now,
      nbf: now,
      exp: now + 3600,
      appid: 'linebook-reader',
      azp: 'linebook-reader',
      azpacr: '1',
      tid: 'linebook',
      roles: ['ProvisioningAPI.Read', 'Operator.Read'],
      ver: '2.0',
    })
  })

  it('takes the secret as Basic credentials too', async () => {
    const form = aRequest({ client_id: undefined, client_secret: undefined })
    const headers = basic('linebook-reader', 'linebook-standin')
    expect(await verify(await tokenOf(form, headers))).toMatchObject({ callerId: 'linebook-reader' })
    expect((await issuer.ask({ ...form, client_id: 'linebook-reader' }, headers)).statusCode).toBe(200)
    expect((await issuer.ask({ ...form, client_id: 'linebook-admin' }, headers)).statusCode).toBe(400)
  })

  it.each([
    [`${AUDIENCE}/.default`, AUDIENCE],
    [`${APPLICATION_ID}/.default`, APPLICATION_ID],
    [`api://${APPLICATION_ID}/.default`, APPLICATION_ID],
    ['https://communication.azure.com//.default', COMMUNICATION],
  ])('gives for the scope %s a token for %s', async (scope, audience) => {
    const token = await tokenOf(aRequest({ scope }))
    expect(decodeJwt(token).aud).toBe(audience)
    expect(await verify(token)).toBeDefined()
  })

  it("gives tokens that expire by the server's clock", async () => {
    const token = await tokenOf(aRequest())
    issuer.clock.advance(3_659_000)
    expect(await verify(token)).toBeDefined()
    issuer.clock.advance(1_000)
    await expect(verify(token)).rejects.toMatchObject({ message: expect.stringContaining('expired') })
  })

  it('finds the tenant and the parameters whatever else is sent', async () => {
    const answer = await issuer.server.inject({
      method: 'POST',
      url: `${TOKEN_PATH.replace('linebook', 'LineBook')}?client-request-id=5`,
      headers: { host: HOST, 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' },
      payload: new URLSearchParams({ ...(aRequest() as Record<string, string>), client_info: '1' }).toString(),
    })
    expect(answer.statusCode).toBe(200)
    expect(decodeJwt(answer.json<{ access_token: string }>().access_token).tid).toBe('linebook')
  })
})

describe('a refusal of the token endpoint', () => {
  it("has Entra's shape", async () => {
    const correlationId = 'c1b5a1e0-6a5d-4f0e-9a3a-0d6f7c1f2b3a'
    const answer = await issuer.ask(aRequest({ client_secret: 'wrong' }), { 'client-request-id': correlationId })
    expect(answer.statusCode).toBe(401)
    expect(answer.headers).toMatchObject({
      'cache-control': 'no-store',
      'www-authenticate': 'Basic realm="linebook"',
      'content-type': 'application/json; charset=utf-8',
    })
    const body = answer.json()
    expect(body).toEqual({
      error: 'invalid_client',
      error_description: expect.stringMatching(
        /^AADSTS7000215: .* Trace ID: [0-9a-f-]{36} Correlation ID: c1b5a1e0-.* Timestamp: 2026-03-01 12:00:00Z$/,
      ),
      error_codes: [7000215],
      timestamp: '2026-03-01 12:00:00Z',
      trace_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      correlation_id: correlationId,
    })
    expect(answer.headers['x-ms-request-id']).toBe(body.trace_id)
  })

  const refusals: [string, Record<string, string | undefined>, Record<string, string>, number, string, number][] = [
    ['a wrong secret', { client_secret: 'linebook-standin ' }, {}, 401, 'invalid_client', 7000215],
    ['an unknown client', { client_id: 'nobody' }, {}, 401, 'invalid_client', 7000215],
    ['a client id that can be none', { client_id: '\u0000' }, {}, 401, 'invalid_client', 7000215],
    ['no secret', { client_secret: undefined }, {}, 401, 'invalid_client', 7000216],
    ['an empty secret', { client_secret: '' }, {}, 401, 'invalid_client', 7000216],
    ['no client', { client_id: undefined }, {}, 400, 'invalid_request', 900144],
    ['no grant type', { grant_type: undefined }, {}, 400, 'invalid_request', 900144],
    ['another grant type', { grant_type: 'password' }, {}, 400, 'unsupported_grant_type', 70003],
    ['no scope', { scope: undefined }, {}, 400, 'invalid_request', 900144],
    ['a scope that is no .default', { scope: `${AUDIENCE}/read` }, {}, 400, 'invalid_scope', 1002012],
    ['two scopes', { scope: `${AUDIENCE}/.default ${AUDIENCE}/.default` }, {}, 400, 'invalid_scope', 1002012],
    ['another resource', { scope: 'https://graph.microsoft.com/.default' }, {}, 400, 'invalid_resource', 500011],
    ['no resource', { scope: '/.default' }, {}, 400, 'invalid_resource', 500011],
    ['a slash too many', { scope: `${AUDIENCE}//.default` }, {}, 400, 'invalid_resource', 500011],
    ['two ways to show who it is', {}, basic('linebook-reader', 'linebook-standin'), 400, 'invalid_request', 90013],
    ['another media type', {}, { 'content-type': 'application/json' }, 400, 'invalid_request', 90013],
    ['no media type', {}, { 'content-type': '' }, 400, 'invalid_request', 90013],
    ['what is no media type', {}, { 'content-type': 'form' }, 400, 'invalid_request', 90013],
    ['an endless body', { padding: 'x'.repeat(64 * 1024) }, {}, 413, 'invalid_request', 90013],
  ]
  it.each(refusals)('for %s', async (_, form, headers, status, error, code) => {
    const answer = await issuer.ask(aRequest(form), headers)
    expect([answer.statusCode, answer.json()]).toMatchObject([status, { error, error_codes: [code] }])
  })

  it.each([
    ['a wrong secret', basic('linebook-reader', 'wrong'), 401],
    ['another scheme', { authorization: 'Bearer x' }, 400],
    ['no colon', { authorization: `Basic ${Buffer.from('linebook-reader').toString('base64')}` }, 400],
    ['what is no base64', { authorization: 'Basic $' }, 400],
    ['broken encoding', { authorization: `Basic ${Buffer.from('%zz:%').toString('base64')}` }, 401],
  ])('for Basic credentials with %s', async (_, headers, status) => {
    expect((await issuer.ask(aRequest({ client_id: undefined, client_secret: undefined }), headers)).statusCode).toBe(
      status,
    )
  })

  it('for a parameter given twice', async () => {
    const answer = await issuer.server.inject({
      method: 'POST',
      url: TOKEN_PATH,
      headers: { host: HOST, 'content-type': 'application/x-www-form-urlencoded' },
      payload: 'grant_type=client_credentials&scope=a&scope=b',
    })
    expect([answer.statusCode, answer.json()]).toMatchObject([400, { error: 'invalid_request' }])
  })

  it('for another tenant', async () => {
    for (const [method, path] of [
      ['POST', '/other/oauth2/v2.0/token'],
      ['GET', '/other/v2.0/.well-known/openid-configuration'],
      ['GET', '/other/discovery/v2.0/keys'],
    ] as const) {
      const answer = await issuer.server.inject({ method, url: path, headers: { host: HOST } })
      expect([answer.statusCode, answer.json()]).toMatchObject([400, { error: 'invalid_tenant', error_codes: [90002] }])
      expect(answer.json().error_description).toContain("Tenant 'other' not found")
    }
  })

  it('for another method, naming the right one', async () => {
    const answer = await issuer.server.inject({ method: 'GET', url: TOKEN_PATH })
    expect([answer.statusCode, answer.headers.allow]).toEqual([405, 'POST'])
    expect(answer.json()).toMatchObject({ error: 'invalid_request', error_codes: [900561] })
    const other = await issuer.server.inject({ method: 'POST', url: '/linebook/discovery/v2.0/keys' })
    expect([other.statusCode, other.headers.allow]).toEqual([405, 'GET'])
  })

  it('while the database is out of reach, saying when to come again', async ({ db }) => {
    const query = () => Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }))
    const other = await createTestIssuer(db, { over: { db: { ...db, query } } })
    const answer = await other.ask(aRequest())
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '5'])
    expect(answer.json()).toMatchObject({ error: 'temporarily_unavailable', error_codes: [90033] })
    await other.server.close()
  })

  it('for a Host that is none', async () => {
    for (const host of ['', 'a b', 'a/b', 'a@b', 'a:b']) {
      const answer = await issuer.server.inject({ method: 'POST', url: TOKEN_PATH, headers: { host } })
      expect(answer.statusCode, host).toBe(400)
    }
  })
})

describe('the emulator clients', () => {
  it('are made once, and what is there stays as it is', async ({ db }) => {
    const before = await listClients(db)
    issuer.clock.advance(1000)
    await ensureEmulatorClients(issuer.deps)
    expect(await listClients(db)).toEqual(before)
    expect(before.map(({ clientId }) => clientId)).toEqual([
      'linebook-admin',
      'linebook-deleter',
      'linebook-reader',
      'linebook-writer',
    ])
  })

  it('get nothing in production, even from a database that an emulator has used', async ({ db }) => {
    const production = await createTestIssuer(db, { over: { acceptEmulatorSecret: false } })
    expect((await production.ask(aRequest())).statusCode).toBe(401)
    const secret = await rotateSecret({ db }, 'linebook-reader', {}, BY_TEST)
    expect((await production.ask(aRequest({ client_secret: secret }))).statusCode).toBe(200)
    await production.server.close()
  })
})

describe("a client of the operator's own", () => {
  it('gets its roles with the secret it was made with, which is stored nowhere', async ({ db }) => {
    const roles = ['ProvisioningAPI.Read', 'ProvisioningAPI.Write']
    const secret = await addClient(issuer.deps, { clientId: 'billing', roles }, BY_TEST)
    expect(secret).toMatch(/^[\w-]{43}$/)
    const token = await tokenOf(aRequest({ client_id: 'billing', client_secret: secret }))
    expect((await verify(token)).roles).toEqual(new Set(['Read', 'Write']))
    expect(JSON.stringify(await listClients(db))).not.toContain(secret)
  })

  it('changes over to a new secret while the one before still works, unless that is dropped', async ({ db }) => {
    const works = async (secret: string | undefined) =>
      (await issuer.ask(aRequest({ client_id: 'billing', client_secret: secret }))).statusCode === 200
    const first = await addClient(issuer.deps, { clientId: 'billing', roles: ['ProvisioningAPI.Read'] }, BY_TEST)
    const second = await rotateSecret({ db }, 'billing', {}, BY_TEST)
    expect([await works(first), await works(second)]).toEqual([true, true])
    const third = await rotateSecret({ db }, 'billing', {}, BY_TEST)
    expect([await works(first), await works(second), await works(third)]).toEqual([false, true, true])
    const fourth = await rotateSecret({ db }, 'billing', { dropEarlier: true }, BY_TEST)
    expect([await works(second), await works(third), await works(fourth)]).toEqual([false, false, true])
  })
})

describe('the metadata', () => {
  const metadata = async (headers: Record<string, string>, server = issuer.server) =>
    (await server.inject({ url: '/linebook/v2.0/.well-known/openid-configuration', headers })).json()

  it('names the issuer and its endpoints as the client addressed them', async () => {
    expect(await metadata({ host: 'LOGIN.example:8443' })).toMatchObject({
      issuer: 'http://login.example:8443/linebook/v2.0',
      token_endpoint: 'http://login.example:8443/linebook/oauth2/v2.0/token',
      jwks_uri: 'http://login.example:8443/linebook/discovery/v2.0/keys',
      authorization_endpoint: 'http://login.example:8443/linebook/oauth2/v2.0/authorize',
      token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic', 'private_key_jwt'],
    })
    expect(await metadata({ host: '[::1]' })).toMatchObject({ issuer: 'http://[::1]/linebook/v2.0' })
  })

  it('names them by the public address when there is one', async ({ db }) => {
    const other = await createTestIssuer(db, { over: { publicUrl: 'https://numbers.example/auth' } })
    expect(await metadata({ host: '10.0.0.1' }, other.server)).toMatchObject({
      issuer: 'https://numbers.example/auth/linebook/v2.0',
      token_endpoint: 'https://numbers.example/auth/linebook/oauth2/v2.0/token',
    })
    const token = (await other.ask(aRequest())).json<{ access_token: string }>().access_token
    expect(await verify(token)).toBeDefined()
    await other.server.close()
  })

  it('lets a token through that was asked for under any name of this host', async () => {
    for (const host of ['localhost:8080', '127.0.0.1', 'numbers.example']) {
      const token = await tokenOf(aRequest(), { host })
      expect(decodeJwt(token).iss).toBe(`http://${host}/linebook/v2.0`)
      expect(await verify(token)).toBeDefined()
    }
  })
})

const basic = (id: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`,
})

const tokenOf = async (form: Record<string, string | undefined>, headers?: Record<string, string>): Promise<string> => {
  const answer = await issuer.ask(form, headers)
  expect(answer.statusCode, answer.body).toBe(200)
  return answer.json<{ access_token: string }>().access_token
}

const verify = (token: string) => issuer.verifier.verify(`Bearer ${token}`)

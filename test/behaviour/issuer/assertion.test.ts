import { decodeJwt, SignJWT, type JWK } from 'jose'
import { createHash, generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto'
import { generate } from 'selfsigned'
import { afterEach, describe, expect } from 'vitest'
import { sql } from '../../../src/db/db.js'
import { addClient, ensureEmulatorClients } from '../../../src/issuer/clients.js'
import { readPublicKey } from '../../../src/issuer/public-key.js'
import { BY_TEST } from '../../fixtures/service.js'
import { it } from '../../fixtures/test.js'
import { aRequest, ASSERTION_TYPE, createTestIssuer, HOST, TOKEN_PATH, type TestIssuer } from './an-issuer.js'

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })

let issuer: TestIssuer
it.beforeEach(async ({ db }) => {
  issuer = await createTestIssuer(db)
  await register('billing', pem(ec.publicKey))
})
afterEach(() => issuer.server.close())

describe('a client that signs an assertion', () => {
  it('gets a token that says how it showed who it is', async () => {
    const answer = await askWith(await anAssertion())
    expect(answer.statusCode, answer.body).toBe(200)
    const token = answer.json<{ access_token: string }>().access_token
    expect(decodeJwt(token)).toMatchObject({ appid: 'billing', azpacr: '2' })
    expect(await issuer.verifier.verify(`Bearer ${token}`)).toMatchObject({ callerId: 'billing' })
  })

  it('need not name itself beside it', async () => {
    expect((await askWith(await anAssertion(), { client_id: undefined })).statusCode).toBe(200)
  })

  it('may address it to the issuer, among others', async () => {
    const aud = ['https://else.example', `http://${HOST}/linebook/v2.0`]
    expect((await askWith(await anAssertion({ claims: { aud } }))).statusCode).toBe(200)
  })

  it.each(['RS256', 'PS256'])('may sign with %s and be known by its certificate', async (alg) => {
    const { cert, private: key } = await generate([{ name: 'commonName', value: 'crm' }], { keySize: 2048 })
    await register('crm', cert)
    const { createPrivateKey } = await import('node:crypto')
    const claims = { iss: 'crm', sub: 'crm' }
    const assertion = await anAssertion({ claims, alg, key: createPrivateKey(key) })
    expect((await askWith(assertion, { client_id: 'crm' })).statusCode).toBe(200)
  })

  it('may be known by a JSON Web Key', async () => {
    await register('crm', JSON.stringify({ ...(rsa.publicKey.export({ format: 'jwk' }) as JWK), kid: 'x' }))
    const assertion = await anAssertion({ claims: { iss: 'crm', sub: 'crm' }, alg: 'PS256', key: rsa.privateKey })
    expect((await askWith(assertion, { client_id: 'crm' })).statusCode).toBe(200)
  })
})

describe('an assertion', () => {
  it('counts once while it is valid, even when it comes twice at once', async () => {
    const assertion = await anAssertion()
    const answers = await Promise.all([askWith(assertion), askWith(assertion), askWith(assertion)])
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, 401, 401])
    issuer.clock.advance(600_000)
    expect((await askWith(assertion)).json()).toMatchObject({
      error: 'invalid_client',
      error_description: expect.stringContaining('was used before'),
    })
    issuer.clock.advance(60_000)
    expect((await askWith(assertion)).json()).toMatchObject({ error_codes: [700024] })
  })

  it('is forgotten once it could not be shown again', async ({ db }) => {
    await askWith(await anAssertion())
    issuer.clock.advance(660_000)
    await askWith(await anAssertion())
    expect(await db.query(sql`select jti_hash from issuer_assertion`)).toHaveLength(1)
  })

  const refusals: [string, () => Assertion, number][] = [
    [
      'is signed with another key',
      () => ({ key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey }),
      700027,
    ],
    ['is signed with another kind of key', () => ({ alg: 'RS256', key: rsa.privateKey }), 700027],
    [
      'is signed with the public key as a shared secret',
      () => ({ alg: 'HS256', key: Buffer.from(pem(ec.publicKey)) }),
      700027,
    ],
    ['is of an unknown client', () => ({ claims: { iss: 'nobody', sub: 'nobody' } }), 700021],
    ['is of two clients', () => ({ claims: { iss: 'crm' } }), 700021],
    ['is of no client', () => ({ claims: { iss: undefined, sub: undefined } }), 700021],
    ['is for another server', () => ({ claims: { aud: 'https://else.example/linebook/oauth2/v2.0/token' } }), 700027],
    ['is for nobody', () => ({ claims: { aud: undefined } }), 700027],
    ['has expired', () => ({ claims: { exp: seconds(-61) } }), 700024],
    ['never expires', () => ({ claims: { exp: undefined } }), 700024],
    ['lives for more than a day', () => ({ claims: { exp: seconds(24 * 3600 + 61) } }), 700024],
    ['is not valid yet', () => ({ claims: { nbf: seconds(61) } }), 700024],
    ['can not be known again', () => ({ claims: { jti: undefined } }), 700027],
  ]
  it.each(refusals)('is refused when it %s', async (_, parts, code) => {
    const answer = await askWith(await anAssertion(parts()))
    expect([answer.statusCode, answer.json()]).toMatchObject([401, { error: 'invalid_client', error_codes: [code] }])
  })

  it('is refused when it is of an unknown client that names itself nowhere else', async () => {
    const answer = await askWith(await anAssertion({ claims: { iss: 'nobody', sub: 'nobody' } }), {
      client_id: undefined,
    })
    expect([answer.statusCode, answer.json()]).toMatchObject([401, { error_codes: [700027] }])
  })

  it('is refused when the client shows its secret otherwise', async () => {
    await ensureEmulatorClients(issuer.deps)
    const claims = { iss: 'linebook-reader', sub: 'linebook-reader' }
    const hash = createHash('sha256').update('linebook-standin').digest('hex')
    const assertion = await anAssertion({ claims, alg: 'HS256', key: Buffer.from(hash) })
    expect((await askWith(assertion, { client_id: 'linebook-reader' })).statusCode).toBe(401)
  })

  it.each(['', 'x', 'a.b.c', 'e30.e30.AA'])('is refused when it is "%s"', async (text) => {
    expect((await askWith(text)).statusCode).toBe(401)
  })

  it('is refused without its type', async () => {
    const answer = await askWith(await anAssertion(), { client_assertion_type: undefined })
    expect([answer.statusCode, answer.json()]).toMatchObject([400, { error: 'invalid_request' }])
  })

  it('has to be addressed to the public address when there is one, whatever Host the request claims', async ({
    db,
  }) => {
    const other = await createTestIssuer(db, { over: { publicUrl: 'https://numbers.example' } })
    const ask = async (aud: string) =>
      other.ask({
        ...aRequest({ client_id: 'billing', client_secret: undefined, client_assertion_type: ASSERTION_TYPE }),
        client_assertion: await anAssertion({ claims: { aud } }),
      })
    expect((await ask(`http://${HOST}${TOKEN_PATH}`)).statusCode).toBe(401)
    expect((await ask(`https://numbers.example${TOKEN_PATH}`)).statusCode).toBe(200)
    await other.server.close()
  })
})

const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }) as string

const register = (clientId: string, key: string) =>
  addClient(issuer.deps, { clientId, roles: ['ProvisioningAPI.Read'], publicJwk: readPublicKey(key, 'key') }, BY_TEST)

const seconds = (offset = 0) => Math.floor(issuer.clock.now().getTime() / 1000) + offset

interface Assertion {
  claims?: Record<string, unknown>
  alg?: string
  key?: KeyObject | Uint8Array
}

const anAssertion = ({ claims = {}, alg = 'ES256', key = ec.privateKey }: Assertion = {}): Promise<string> =>
  new SignJWT({
    iss: 'billing',
    sub: 'billing',
    aud: `http://${HOST}${TOKEN_PATH}`,
    exp: seconds(600),
    nbf: seconds(),
    jti: randomUUID(),
    ...claims,
  })
    .setProtectedHeader({ alg, typ: 'JWT' })
    .sign(key)

const askWith = (assertion: string, over: Record<string, string | undefined> = {}) =>
  issuer.ask(
    aRequest({
      client_id: 'billing',
      client_secret: undefined,
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: assertion,
      ...over,
    }),
  )

import { SignJWT, UnsecuredJWT, type JWTHeaderParameters, type JWTPayload } from 'jose'
import { createHmac, createPublicKey, generateKeyPairSync, type JsonWebKey, type KeyObject } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fetchIssuerKeys, parseIssuers } from '../../src/auth/tokens/issuers.js'
import { allows } from '../../src/auth/tokens/roles.js'
import { TokenCache } from '../../src/auth/tokens/token-cache.js'
import { TokenVerifier } from '../../src/auth/tokens/token-verifier.js'
import { ManualClock } from '../../src/clock.js'

const AUDIENCE = 'https://func-voiceservice-rp-prod-eastuseuap.azurewebsites.net'
const OTHER_AUDIENCE = '8502a0ec-c76d-412f-836c-398018e2312b'

interface Key {
  kid: string
  alg: string
  privateKey: KeyObject
  jwk: JsonWebKey & { kid: string }
}

function aKey(kid: string, alg: 'ES256' | 'RS256' | 'PS256' = 'ES256'): Key {
  const { privateKey, publicKey } =
    alg === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { kid, alg, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig' } }
}

/** An identity provider on a port of this machine. */
interface Provider {
  issuer: string
  keys: Key[]
  /** How often its keys were fetched. */
  fetched: number
  /** Answers instead, when set. */
  answer: ((path: string) => { status?: number; body: string } | 'nothing' | undefined) | undefined
  server: Server
}

async function startProvider(): Promise<Provider> {
  const provider = { keys: [aKey('one')], fetched: 0 } as unknown as Provider
  provider.server = createServer((request, response) => {
    const path = request.url ?? ''
    if (path === '/keys') provider.fetched++
    const own = provider.answer?.(path)
    if (own === 'nothing') return
    const body =
      path === '/keys'
        ? { keys: provider.keys.map(({ jwk }) => jwk) }
        : { issuer: provider.issuer, jwks_uri: `${provider.issuer}/keys` }
    response.writeHead(own?.status ?? 200, { 'content-type': 'application/json' })
    response.end(own?.body ?? JSON.stringify(body))
  })
  await new Promise<void>((resolve) => provider.server.listen(0, '127.0.0.1', resolve))
  provider.issuer = `http://127.0.0.1:${(provider.server.address() as AddressInfo).port}`
  return provider
}

const clock = new ManualClock(new Date('2026-03-01T12:00:00.000Z'))
const seconds = (offset = 0) => Math.floor(clock.now().getTime() / 1000) + offset

let provider: Provider
let verifier: TokenVerifier
const makeVerifier = () =>
  new TokenVerifier({ clock, issuers: [{ issuer: provider.issuer }], audiences: [AUDIENCE, OTHER_AUDIENCE] })

beforeEach(async () => {
  provider = await startProvider()
  verifier = makeVerifier()
})
afterEach(() => {
  provider.server.closeAllConnections()
  provider.server.close()
})

const goodClaims = (): JWTPayload => ({
  iss: provider.issuer,
  aud: AUDIENCE,
  exp: seconds(3600),
  nbf: seconds(),
  appid: 'billing',
  roles: ['ProvisioningAPI.Read'],
})

const firstKey = (): Key => {
  const [key] = provider.keys
  if (key === undefined) throw new Error('the provider has no key')
  return key
}

/** A token whose claims and header differ from a good one's by what is given. */
const aToken = (
  claims: Record<string, unknown> = {},
  header: Partial<JWTHeaderParameters> = {},
  key?: Key,
): Promise<string> => {
  const signer = key ?? firstKey()
  return new SignJWT({ ...goodClaims(), ...claims })
    .setProtectedHeader({ typ: 'JWT', alg: signer.alg, kid: signer.kid, ...header })
    .sign(signer.privateKey)
}

const verify = (token: string) => verifier.verify(`Bearer ${token}`)
const refusal = (message: string) => ({ kind: 'unauthenticated', message: expect.stringContaining(message) })
const unavailable = { kind: 'unavailable' }

describe('a token of a configured issuer', () => {
  it('says who is asking and what they may do', async () => {
    expect(await verify(await aToken({ app_displayname: 'Billing' }))).toEqual({
      callerId: 'billing',
      issuer: provider.issuer,
      name: 'Billing',
      roles: new Set(['Read']),
      operatorRoles: new Set([]),
      actor: 'client:billing',
      isUser: false,
    })
  })

  it('may be announced in any letter case', async () => {
    expect(await verifier.verify(`bearer  ${await aToken()} `)).toMatchObject({ callerId: 'billing' })
  })

  it.each(['ES256', 'RS256', 'PS256'] as const)('may be signed with %s', async (alg) => {
    provider.keys = [aKey('other'), aKey('mine', alg)]
    expect(await verify(await aToken({}, {}, provider.keys[1]))).toMatchObject({ callerId: 'billing' })
  })

  it('may be for any accepted audience, alone or among others', async () => {
    expect(await verify(await aToken({ aud: OTHER_AUDIENCE }))).toBeDefined()
    expect(await verify(await aToken({ aud: ['https://else.example', AUDIENCE] }))).toBeDefined()
  })

  it('costs one fetch of the keys, however many tokens come', async () => {
    const tokens = await Promise.all(Array.from({ length: 10 }, (_, i) => aToken({ appid: `app ${i}` })))
    await Promise.all(tokens.map(verify))
    expect(provider.fetched).toBe(1)
  })

  it.each([
    ['appid first', { appid: 'a', azp: 'b', oid: 'c', sub: 'd' }, 'a'],
    ['then azp', { appid: undefined, azp: 'b', oid: 'c', sub: 'd' }, 'b'],
    ['then oid', { appid: undefined, oid: 'c', sub: 'd' }, 'c'],
    ['then sub', { appid: undefined, sub: 'd' }, 'd'],
    ['not what is no text', { appid: 7, sub: 'd' }, 'd'],
    ['not what has control characters', { appid: 'a\u0000b', sub: 'd' }, 'd'],
  ])('names its caller by %s', async (_, claims, callerId) => {
    expect(await verify(await aToken(claims))).toMatchObject({ callerId, name: callerId })
  })

  it('names a user apart from the program they use', async () => {
    const claims = { scp: 'user_impersonation', oid: 'u-1', preferred_username: 'ada@example.com' }
    expect(await verify(await aToken({ ...claims, roles: ['ProvisioningAPI.WriteUser'] }))).toEqual({
      callerId: 'user/u-1',
      issuer: provider.issuer,
      name: 'ada@example.com',
      roles: new Set(['Write']),
      operatorRoles: new Set([]),
      actor: 'client:user/u-1',
      isUser: true,
    })
  })

  it.each([
    ['an array', ['ProvisioningAPI.Read', 'ProvisioningAPI.Delete'], ['Read', 'Delete']],
    ['a single text', 'ProvisioningAPI.Write', ['Write']],
    ['the roles of portal users', ['ProvisioningAPI.ReadUser', 'ProvisioningAPI.AdminUser'], ['Read', 'Admin']],
    ['names of other APIs', ['User.Read', 'provisioningapi.admin', 'Admin', '__proto__'], []],
    ['what is no text', [1, null, { a: 1 }], []],
    ['nothing', undefined, []],
  ])('grants roles by %s', async (_, claim, roles) => {
    expect((await verify(await aToken({ roles: claim }))).roles).toEqual(new Set(roles))
  })

  it('grants by one role what that role allows and no more, but by Admin everything', () => {
    expect(allows(new Set(['Write']), 'Write')).toBe(true)
    expect(allows(new Set(['Write', 'Delete']), 'Read')).toBe(false)
    expect(allows(new Set(['Admin']), 'Delete')).toBe(true)
    expect(allows(new Set(), 'Read')).toBe(false)
  })
})

describe('no one gets in', () => {
  it.each([
    ['without a token', undefined, 'There is no access token'],
    ['with an empty header', '  ', 'There is no access token'],
    ['with another scheme', 'Basic eDp5', 'not of the form "Bearer <token>"'],
    ['with two tokens', 'Bearer a.b.c d.e.f', 'not of the form'],
    ['with what is no token', 'Bearer abc', 'not a signed JWT'],
    ['with dots alone', 'Bearer ..', 'not a signed JWT'],
    ['with a header that is no object', `Bearer ${Buffer.from('7').toString('base64url')}.e30.AA`, 'not a signed JWT'],
  ])('%s', async (_, header, message) => {
    await expect(verifier.verify(header)).rejects.toMatchObject(refusal(message))
  })

  it('with a signature of another key', async () => {
    const forged = await aToken({ roles: ['ProvisioningAPI.Admin'] }, {}, aKey('one'))
    await expect(verify(forged)).rejects.toMatchObject(refusal('signature is wrong'))
  })

  it('with a claim changed behind the signature', async () => {
    const [header, , signature] = (await aToken()).split('.')
    const changed = Buffer.from(JSON.stringify({ ...goodClaims(), roles: ['ProvisioningAPI.Admin'] }))
    await expect(verify(`${header}.${changed.toString('base64url')}.${signature}`)).rejects.toMatchObject(
      refusal('signature is wrong'),
    )
  })

  it('with an unsigned token', async () => {
    const unsigned = new UnsecuredJWT(goodClaims()).encode()
    await expect(verify(unsigned)).rejects.toMatchObject(refusal('signed with "none"'))
    const [header, , signature] = (await aToken()).split('.')
    await expect(verify(unsigned.replace(/\.$/, `.${signature}`))).rejects.toMatchObject(refusal('"none"'))
    await expect(verify(unsigned.replace(/^[^.]+/, header as string))).rejects.toMatchObject(refusal('signature'))
  })

  it('with a token that is signed with the published key as a shared secret', async () => {
    provider.keys = [aKey('one', 'RS256')]
    const { privateKey, jwk } = provider.keys[0] as Key
    const secrets = [createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }), JSON.stringify(jwk)]
    for (const secret of secrets) {
      const parts = [{ alg: 'HS256', kid: 'one', typ: 'JWT' }, goodClaims()]
      const text = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
      const forged = `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
      await expect(verify(forged)).rejects.toMatchObject(refusal('signed with "HS256"'))
    }
  })

  it('with a token that brings its own key', async () => {
    const own = aKey('mine')
    const forged = await aToken({}, { jwk: own.jwk, jku: 'https://evil.example' }, own)
    await expect(verify(forged)).rejects.toMatchObject(refusal('does not publish (kid "mine")'))
  })

  it('with a header that must be understood and is not', async () => {
    const signer = provider.keys[0] as Key
    const header = { alg: 'ES256', kid: 'one', crit: ['x'], x: 1 }
    const token = await new SignJWT(goodClaims())
      .setProtectedHeader(header)
      .sign(signer.privateKey, { crit: { x: true } })
    await expect(verify(token)).rejects.toMatchObject({ kind: 'unauthenticated' })
  })

  it.each([
    ['an expired token', () => ({ exp: seconds(-61) }), 'expired at 2026-03-01T11:58:59.000Z'],
    ['a token that never expires', () => ({ exp: undefined }), 'no time at which it expires'],
    ['a token that expires at no time', () => ({ exp: '2099-01-01' as never }), 'no time at which it expires'],
    ['a token that is not valid yet', () => ({ nbf: seconds(61) }), 'not valid before 2026-03-01T12:01:01.000Z'],
    ['a token that begins at no time', () => ({ nbf: 'now' as never }), '"nbf" is not a time'],
    [
      'a token for another API',
      () => ({ aud: 'https://else.example' }),
      `audience is "${AUDIENCE}" or "${OTHER_AUDIENCE}"`,
    ],
    ['a token for no API', () => ({ aud: undefined }), 'for no audience'],
    ['a token of nobody', () => ({ appid: undefined }), 'names no caller'],
    ['a token of another issuer', () => ({ iss: 'https://else.example/v2.0' }), 'issuer "https://else.example/v2.0"'],
    ['a token of no issuer', () => ({ iss: undefined }), 'names no issuer'],
    ['a token of an issuer that is no text', () => ({ iss: ['x'] as never }), 'names no issuer'],
  ])('with %s', async (_, claims, message) => {
    await expect(verify(await aToken(claims()))).rejects.toMatchObject(refusal(message))
  })

  it.each([
    ['expired', () => ({ exp: seconds(-59) })],
    ['not yet valid', () => ({ nbf: seconds(59) })],
  ])('but a token that is %s by a clock less than a minute off is good', async (_, claims) => {
    expect(await verify(await aToken(claims()))).toBeDefined()
  })

  it('and a name that a token made up does not flood the answer', async () => {
    const error = await verify(await aToken({ iss: 'https://'.padEnd(9000, 'x') })).catch((e: unknown) => e)
    expect((error as Error).message.length).toBeLessThan(400)
  })
})

describe('the keys of an issuer', () => {
  it('need no name in the token while there is only one', async () => {
    expect(await verify(await aToken({}, { kid: undefined as never }))).toBeDefined()
    provider.keys.push(aKey('two'))
    verifier = makeVerifier()
    await expect(verify(await aToken({}, { kid: undefined as never }))).rejects.toMatchObject(
      refusal('does not say which key'),
    )
  })

  it('may be replaced: tokens of the old and the new one are good, at once', async () => {
    const before = await aToken()
    await verify(before)
    clock.advance(30_000)
    provider.keys.push(aKey('two'))
    expect(await verify(await aToken({}, {}, provider.keys[1]))).toBeDefined()
    expect(await verify(before)).toBeDefined()
    expect(provider.fetched).toBe(2)
  })

  it('are not fetched again for each made-up name', async () => {
    await verify(await aToken())
    clock.advance(30_000)
    for (const kid of ['a', 'b', 'c', 7 as never]) {
      await expect(verify(await aToken({}, { kid }))).rejects.toMatchObject(refusal('does not publish'))
    }
    expect(provider.fetched).toBe(2)
  })

  it('stop being accepted when they are withdrawn, for tokens seen before too', async () => {
    const token = await aToken()
    await verify(token)
    provider.keys = [aKey('two')]
    clock.advance(10 * 60_000 + 1)
    await expect(verify(token)).rejects.toMatchObject(refusal('does not publish'))
  })

  it('are found where the configuration says, without discovery', async () => {
    const issuers = parseIssuers(`https://id.example/tenant|${provider.issuer}/keys`)
    verifier = new TokenVerifier({ clock, issuers, audiences: [AUDIENCE] })
    expect(await verify(await aToken({ iss: 'https://id.example/tenant' }))).toBeDefined()
  })

  it.each([
    ['does not answer properly', () => ({ status: 500, body: '{}' })],
    ['answers with what is no JSON', () => ({ body: '<html>' })],
    ['answers with what is no object', () => ({ body: 'null' })],
    ['is another one', () => ({ body: JSON.stringify({ issuer: 'https://else.example', jwks_uri: 'x' }) })],
    ['publishes no keys', (path: string) => (path === '/keys' ? { body: '{"keys":{}}' } : undefined)],
    ['answers without end', () => ({ body: ' '.repeat(1024 * 1024 + 1) })],
  ])('being out of reach is no fault of the caller: the issuer %s', async (_, answer) => {
    provider.answer = answer
    await expect(verify(await aToken())).rejects.toMatchObject(unavailable)
  })

  it('are not waited for without end', async () => {
    provider.answer = () => 'nothing'
    await expect(fetchIssuerKeys({ issuer: provider.issuer }, 20)).rejects.toMatchObject(unavailable)
  })

  it('are tried again some seconds after the issuer was out of reach, and not before', async () => {
    provider.answer = (path) => (path === '/keys' ? { status: 503, body: '' } : undefined)
    const token = await aToken()
    for (let i = 0; i < 3; i++) await expect(verify(token)).rejects.toMatchObject(unavailable)
    expect(provider.fetched).toBe(1)
    provider.answer = undefined
    clock.advance(5_000)
    expect(await verify(token)).toBeDefined()
  })

  it('go on being used while the issuer is out of reach, for a day', async () => {
    const token = await aToken({ exp: seconds(1_000_000) })
    await verify(token)
    provider.answer = () => ({ status: 503, body: '' })
    clock.advance(60 * 60_000)
    expect(await verify(token)).toBeDefined()
    await expect(verify(await aToken({}, {}, aKey('two')))).rejects.toMatchObject(unavailable)
    clock.advance(24 * 60 * 60_000)
    await expect(verify(token)).rejects.toMatchObject(unavailable)
  })

  it('that are of no use are no fault of the caller', async () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 })
    provider.keys = [aKey('one', 'RS256')]
    const token = await aToken()
    ;(provider.keys[0] as Key).jwk = { ...weak.publicKey.export({ format: 'jwk' }), kid: 'one' }
    await expect(verify(token)).rejects.toMatchObject(unavailable)
  })
})

describe('a token that was verified before', () => {
  it('is known again without looking at the keys, until it expires', async () => {
    const token = await aToken({ exp: seconds(120) })
    const principal = await verify(token)
    provider.keys = []
    expect(await verify(token)).toBe(principal)
    clock.advance(179_000)
    expect(await verify(token)).toBe(principal)
    clock.advance(1_000)
    await expect(verify(token)).rejects.toMatchObject(refusal('expired'))
  })

  it('is not known before its time when the clock is set back', async () => {
    const token = await aToken()
    await verify(token)
    clock.advance(-120_000)
    await expect(verify(token)).rejects.toMatchObject(refusal('not valid before'))
    clock.advance(120_000)
  })

  it('is forgotten when too many others came since', () => {
    const cache = new TokenCache(2)
    const validity = { fromMs: 0, untilMs: 10 }
    const principal = {
      callerId: 'a',
      issuer: 'https://id.example',
      name: 'a',
      roles: new Set<never>(),
      operatorRoles: new Set<never>(),
      actor: 'client:a',
      isUser: false,
    }
    cache.set('a', principal, validity)
    cache.set('b', principal, validity)
    expect(cache.get('a', 5)).toBe(principal)
    cache.set('c', principal, validity)
    expect(cache.size).toBe(2)
    expect(cache.get('b', 5)).toBeUndefined()
    expect(cache.get('a', 10)).toBeUndefined()
    expect(cache.size).toBe(1)
  })
})

describe('the configuration of issuers', () => {
  it('is a list of addresses, each with the address of its keys or without', () => {
    expect(parseIssuers('')).toEqual([])
    expect(parseIssuers('https://a.example/v2.0, http://b.example | http://b.example/keys ,')).toEqual([
      { issuer: 'https://a.example/v2.0' },
      { issuer: 'http://b.example', jwksUri: 'http://b.example/keys' },
    ])
  })

  it.each([
    'a.example',
    'ftp://a.example',
    'https://a.example|keys',
    'https://a|https://b|https://c',
    'https://a.example|',
  ])('is not %s, and the refusal tells what it is', (text) => {
    expect(() => parseIssuers(text)).toThrow('issuers separated by commas')
  })
})

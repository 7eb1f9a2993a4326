import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import {
  addResource,
  ensureEmulatorResource,
  revealResource,
  rotateKey,
  EMULATOR_ACCESS_KEY,
} from '../../../src/auth/resources.js'
import { sql } from '../../../src/db/db.js'
import { operations } from '../../../src/phone-numbers/contract/operations.js'
import { openTestDatabase } from '../../fixtures/database.js'
import {
  BY_TEST,
  createTestService,
  HOST,
  signedHeaders,
  type TestClient,
  type TestService,
} from '../../fixtures/service.js'

const db = await openTestDatabase()
afterAll(() => db.close())

let service: TestService
let buyer: TestClient
beforeEach(async () => {
  service = await createTestService(db)
  buyer = await service.client()
})

const DENIED = { error: { code: 'Denied', message: 'Denied by the resource provider.' } }
const TARGET = '/phoneNumbers?api-version=2025-06-01'

/** A request with the headers of a signed one, some of them replaced. */
const send = (
  over: Partial<Parameters<typeof signedHeaders>[0]> = {},
  replaced: Record<string, string | undefined> = {},
) => {
  const headers = signedHeaders({
    method: 'GET',
    target: TARGET,
    body: '',
    key: buyer.key,
    date: service.clock.now(),
    ...over,
  })
  const entries = Object.entries({ ...headers, ...replaced }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  )
  return service.server.inject({ method: 'GET', url: TARGET, headers: Object.fromEntries(entries) })
}

const offset = (minutes: number) => new Date(service.clock.now().getTime() + minutes * 60_000)

describe('a request', () => {
  it('that is signed is answered', async () => {
    expect((await send()).statusCode).toBe(200)
  })

  it('may repeat a signature', async () => {
    await send()
    expect((await send()).statusCode).toBe(200)
  })

  it.each([
    ['without Authorization', () => send({}, { authorization: undefined })],
    ['of an unknown scheme', () => send({}, { authorization: 'Basic eDp5' })],
    ['signed with another key', () => send({ key: EMULATOR_ACCESS_KEY })],
    ['signed for another path', () => send({ target: '/phoneNumbers/1?api-version=2025-06-01' })],
    ['signed for another query', () => send({ target: `${TARGET}&skip=1` })],
    ['signed for another host', () => send({ host: 'other.example.test' }, { host: HOST })],
    ['signed for another method', () => send({ method: 'DELETE' })],
    ['without a date', () => send({}, { 'x-ms-date': undefined })],
    ['16 minutes old', () => send({ date: offset(-16) })],
    ['16 minutes ahead', () => send({ date: offset(16) })],
    ['without a body hash', () => send({}, { 'x-ms-content-sha256': undefined })],
  ])('%s is denied', async (_what, request) => {
    const answer = await request()
    const { message } = answer.json<typeof DENIED>().error
    expect(answer.statusCode).toBe(401)
    expect(answer.json()).toEqual({ error: { code: 'Denied', message } })
    expect(answer.headers).toMatchObject({
      'www-authenticate': 'HMAC-SHA256, Bearer',
      'x-ms-error-code': 'Denied',
      'content-type': 'application/json',
    })
  })

  it('14 minutes off is answered', async () => {
    expect((await send({ date: offset(-14) })).statusCode).toBe(200)
    expect((await send({ date: offset(14) })).statusCode).toBe(200)
  })

  it('whose body is not the one that was signed is told so, in the recorded words', async () => {
    const answer = await service.server.inject({
      method: 'POST',
      url: TARGET,
      payload: '{"a":1}',
      headers: signedHeaders({
        method: 'POST',
        target: TARGET,
        body: '{"a":2}',
        key: buyer.key,
        date: service.clock.now(),
      }),
    })
    expect([answer.statusCode, answer.json()]).toEqual([
      401,
      { error: { code: 'Denied', message: "Request 'x-ms-content-sha256' differs from generated content hash." } },
    ])
  })

  it.each(operations.map(({ operationId, method, path }) => [operationId, method, path] as const))(
    'to %s is denied without credentials and with wrong ones',
    async (_id, method, path) => {
      const url = `${path.replace(/\{\w+\}/g, 'US')}?api-version=2025-06-01`
      const without = await service.server.inject({ method, url, headers: { host: HOST } })
      expect([without.statusCode, without.json()]).toEqual([401, DENIED])
      const key = Buffer.from('wrong').toString('base64')
      const headers = signedHeaders({ method, target: url, body: '', key, date: service.clock.now() })
      const wrong = await service.server.inject({ method, url, headers })
      expect([wrong.statusCode, wrong.json()]).toEqual([401, DENIED])
    },
  )

  it('for an unknown path or method is denied before it is told that', async () => {
    for (const [method, url] of [
      ['GET', '/nowhere'],
      ['PUT', '/phoneNumbers'],
    ] as const) {
      expect((await service.server.inject({ method, url, headers: { host: HOST } })).statusCode).toBe(401)
    }
  })

  it('for health needs no credentials', async () => {
    expect((await service.server.inject('/healthz')).json()).toEqual({ status: 'ok' })
    expect((await service.server.inject('/readyz')).json()).toEqual({ status: 'ready' })
  })
})

describe('a resource with a host name', () => {
  it('answers to it with its own keys only, whatever the port', async () => {
    const contoso = await service.client('contoso', ['contoso.example.test'])
    expect((await contoso.send('GET', '/phoneNumbers')).statusCode).toBe(200)
    const headers = (host: string, key: string) =>
      signedHeaders({ method: 'GET', target: TARGET, body: '', key, host, date: service.clock.now() })
    const at = (host: string, key: string) =>
      service.server.inject({ method: 'GET', url: TARGET, headers: headers(host, key) })
    expect((await at('contoso.example.test:8443', contoso.key)).statusCode).toBe(200)
    expect((await at('Contoso.Example.Test', contoso.key)).statusCode).toBe(200)
    expect((await at('contoso.example.test', buyer.key)).statusCode).toBe(401)
    expect((await at(HOST, contoso.key)).statusCode).toBe(401)
  })

  it('is found behind a proxy that rewrites Host when its name is among the public ones', async () => {
    service = await createTestService(db, { LINEBOOK_PUBLIC_HOSTS: 'contoso.example.test:8443' })
    const contoso = await service.client('contoso', ['contoso.example.test'])
    const sendVia = (host: string) =>
      service.server.inject({
        method: 'GET',
        url: TARGET,
        headers: {
          ...signedHeaders({
            method: 'GET',
            target: TARGET,
            body: '',
            key: contoso.key,
            host,
            date: service.clock.now(),
          }),
          host: 'internal:8080',
        },
      })
    expect((await sendVia('contoso.example.test:8443')).statusCode).toBe(200)
    expect((await sendVia('contoso.example.test')).statusCode).toBe(200)
    expect((await sendVia('other.example.test')).statusCode).toBe(401)
  })
})

describe('access keys', () => {
  it('both sign; a replaced one stops, the other goes on', async () => {
    const { keys } = await revealResource(service.store, 'buyer')
    expect((await send({ key: keys.primary })).statusCode).toBe(200)
    expect((await send({ key: keys.secondary })).statusCode).toBe(200)
    const fresh = await rotateKey(service.store, 'buyer', 'primary', BY_TEST)
    expect((await send({ key: fresh })).statusCode).toBe(200)
    expect((await send({ key: keys.primary })).statusCode).toBe(401)
    expect((await send({ key: keys.secondary })).statusCode).toBe(200)
  })

  it('are not in the database as they are', async () => {
    const dump = JSON.stringify(
      await db.query(
        sql`select encode(primary_key_sealed, 'base64') a, encode(primary_key_sealed, 'hex') b from resource`,
      ),
    )
    const bytes = Buffer.from(buyer.key, 'base64')
    expect(dump).not.toContain(buyer.key.slice(0, 20))
    expect(dump).not.toContain(bytes.toString('hex').slice(0, 20))
  })

  it('of the emulator are the well-known one, made once', async () => {
    await ensureEmulatorResource(service.store)
    await ensureEmulatorResource(service.store)
    expect((await revealResource(service.store, 'local')).keys.primary).toBe(EMULATOR_ACCESS_KEY)
    expect((await send({ key: EMULATOR_ACCESS_KEY })).statusCode).toBe(200)
  })
})

describe('a new resource', () => {
  it.each([
    [{ name: 'buyer', hosts: [] }, 'already a resource named "buyer"'],
    [{ name: 'Big Co', hosts: [] }, "can't name a resource"],
    [{ name: 'contoso', hosts: ['https://contoso'] }, 'is not a host name'],
    [{ name: 'contoso', hosts: ['contoso:8443'] }, 'is not a host name'],
  ])('%o is refused with a reason', async (wanted, reason) => {
    await expect(addResource(service.store, wanted, BY_TEST)).rejects.toThrow(reason)
  })

  it('can not take the host of another', async () => {
    await addResource(service.store, { name: 'one', hosts: ['one.test'] }, BY_TEST)
    await expect(addResource(service.store, { name: 'two', hosts: ['ONE.test'] }, BY_TEST)).rejects.toThrow(
      'Another resource',
    )
    await expect(revealResource(service.store, 'two')).rejects.toThrow('There is no resource named "two"')
  })

  it('without a host is refused when there are many of those', async () => {
    for (let i = 1; i < 20; i++) await addResource(service.store, { name: `r${i}`, hosts: [] }, BY_TEST)
    await expect(addResource(service.store, { name: 'r20', hosts: [] }, BY_TEST)).rejects.toThrow(
      'Give this one a host',
    )
  })
})

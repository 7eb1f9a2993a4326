/** Buyers through the Operator API: resources, keys, terms, grants, money; and the issuer's clients. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { sql, type Db } from '../../../src/db/db.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { operatorApiOf, type OperatorApi } from '../../fixtures/operator-api.js'
import { createClient, createTestService, HOST, type TestService } from '../../fixtures/service.js'

let db: Db
let service: TestService
let api: OperatorApi
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.close())
beforeEach(async () => {
  service = await createTestService(db)
  api = await operatorApiOf(service)
})
afterEach(() => service.close())

interface Keys {
  primary: string
  secondary: string
}
const make = async (name = 'contoso') => (await api.post('/resources', { name })).json<Keys>()
const ownedWith = (key: string) =>
  createClient(service.server, service.clock, { name: 'contoso', key, host: HOST }).send('GET', '/phoneNumbers')
const expectRefused = async (sent: ReturnType<OperatorApi['get']>, status: number, detail: RegExp) => {
  const answer = await sent
  expect(answer.statusCode, answer.body).toBe(status)
  expect(answer.json<{ detail: string }>().detail).toMatch(detail)
}

describe('a resource', () => {
  it('is made with keys that open the Phone Numbers API at once, and are shown this once', async () => {
    const answer = await api.post('/resources', { name: 'contoso', hosts: ['Contoso.example'] })
    expect(answer.statusCode).toBe(201)
    expect(answer.headers['cache-control']).toBe('no-store')
    const { primary } = answer.json<Keys>()
    const client = createClient(service.server, service.clock, {
      name: 'contoso',
      key: primary,
      host: 'contoso.example',
    })
    expect((await client.send('GET', '/phoneNumbers')).statusCode).toBe(200)
    const shown = await api.get('/resources/contoso')
    expect(shown.json()).toMatchObject({ name: 'contoso', hosts: ['contoso.example'], numberLimit: null, wallets: [] })
    expect(shown.body + (await api.get('/resources')).body).not.toContain(primary)
    expect((await api.get('/resources/contoso/keys')).json()).toMatchObject({ primary })
  })

  it('is refused with what would be right: a bad name, a taken one, an unknown property', async () => {
    await make()
    await expectRefused(api.post('/resources', { name: 'Contoso!' }), 400, /lower-case letters/)
    await expectRefused(api.post('/resources', { name: 'contoso' }), 409, /already a resource/)
    await expectRefused(api.get('/resources/fabrikam'), 404, /There are: contoso/)
    const answer = await api.post('/resources', { name: 5, color: 'red' })
    expect(answer.json()).toMatchObject({
      status: 400,
      errors: expect.arrayContaining([
        expect.objectContaining({ in: 'body', pointer: '/name', code: 'wrong-type' }),
        expect.objectContaining({ in: 'body', pointer: '/color', code: 'unknown-property' }),
      ]) as unknown,
    })
  })

  it('has a key replaced: the new one opens, the old one no longer', async () => {
    const { primary, secondary } = await make()
    const rotated = await api.post('/resources/contoso/keys/primary:rotate')
    expect((await ownedWith(rotated.json<{ key: string }>().key)).statusCode).toBe(200)
    expect((await ownedWith(primary)).statusCode).toBe(401)
    expect((await ownedWith(secondary)).statusCode).toBe(200)
    expect((await api.post('/resources/contoso/keys/third:rotate')).statusCode).toBe(404)
  })

  it('is shut out while it is disabled', async () => {
    const { primary } = await make()
    expect((await api.post('/resources/contoso:disable')).statusCode).toBe(204)
    expect((await ownedWith(primary)).statusCode).toBe(401)
    expect((await api.get('/resources/contoso')).json()).toMatchObject({ disabledAt: expect.any(String) as string })
    await api.post('/resources/contoso:enable')
    expect((await ownedWith(primary)).statusCode).toBe(200)
  })

  it('has its terms changed only at the version that was read', async () => {
    await make()
    const tag = String((await api.get('/resources/contoso')).headers['etag'])
    const patch = (body: object, headers: Record<string, string> = {}) =>
      api.send('PATCH', '/resources/contoso/terms', { body, headers })
    const changed = await patch({ numberLimit: 3, entitledTo: ['us:tollFree'] }, { 'if-match': tag })
    expect(changed.json()).toMatchObject({ numberLimit: 3, entitledTo: ['US:tollFree'] })
    await expectRefused(patch({ numberLimit: 9 }, { 'if-match': tag }), 412, /has changed since/)
    expect((await api.get('/resources/contoso')).json()).toMatchObject({ numberLimit: 3 })
    const address = { line: '1 Main Street', city: 'Dublin', postalCode: 'D02 X285' }
    expect((await patch({ addresses: { IE: address } })).json()).toMatchObject({
      numberLimit: 3,
      addresses: { IE: address },
    })
    expect((await patch({ addresses: { IE: null } })).json()).toMatchObject({ addresses: {} })
  })

  it('is removed only when nothing is left of it', async () => {
    await make()
    await make('fabrikam')
    await api.post('/resources/fabrikam/wallets', { amount: '5', currency: 'USD' })
    await expectRefused(api.send('DELETE', '/resources/fabrikam'), 409, /the journal of its wallet in USD.*disable/)
    expect((await api.send('DELETE', '/resources/contoso')).statusCode).toBe(204)
    expect((await api.get('/resources/contoso')).statusCode).toBe(404)
  })

  it('answers to other hosts once they are put, unless another has them', async () => {
    await make()
    await api.post('/resources', { name: 'fabrikam', hosts: ['fabrikam.example'] })
    const put = (hosts: string[]) => api.send('PUT', '/resources/contoso/hosts', { body: { hosts } })
    expect((await put(['numbers.example'])).statusCode).toBe(204)
    await expectRefused(put(['fabrikam.example']), 409, /Another resource/)
    expect((await api.get('/resources/contoso')).json()).toMatchObject({ hosts: ['numbers.example'] })
  })

  it('may be used by the clients that it is granted to', async () => {
    await make()
    expect((await api.post('/resources/contoso/grants', { clientId: 'user/ab c' })).statusCode).toBe(201)
    expect((await api.get('/resources/contoso/grants')).json()).toEqual({
      items: [{ clientId: 'user/ab c', issuer: null }],
      next: null,
    })
    expect((await api.send('DELETE', '/resources/contoso/grants/user%2Fab%20c')).statusCode).toBe(204)
    expect((await api.send('DELETE', '/resources/contoso/grants/user%2Fab%20c')).statusCode).toBe(404)
  })
})

describe('a wallet', () => {
  it('is credited once however often a request with one key is sent, and says who did it', async () => {
    await make()
    const credit = (amount: string, key: string) =>
      api.post('/resources/contoso/wallets', { amount, currency: 'usd', note: 'invoice' }, { 'idempotency-key': key })
    const first = await credit('50', '"k-1"')
    expect(first.json()).toEqual({ resource: 'contoso', currency: 'USD', balance: '50.00' })
    const again = await credit('50', 'k-1')
    expect([again.statusCode, again.body]).toEqual([first.statusCode, first.body])
    expect((await credit('60', 'k-1')).statusCode).toBe(422)
    expect((await credit('50', 'with space')).statusCode).toBe(400)
    await credit('-20.5', 'k-2')
    const page = await api.get('/resources/contoso/wallets/usd/entries?limit=1')
    const { items, next } = page.json<{ items: object[]; next: string }>()
    expect(items).toMatchObject([
      { amount: '-20.50', balance: '29.50', actor: 'client:linebook-admin', reference: 'invoice' },
    ])
    const rest = await api.get(`/resources/contoso/wallets/usd/entries?limit=1&cursor=${next}`)
    expect(rest.json()).toMatchObject({ items: [{ amount: '50.00' }], next: null })
    await expectRefused(api.get(`/wallets?cursor=${next}`), 400, /belongs to a list with other filters|no cursor/)
    const csv = await api.get('/wallets', { accept: 'text/csv' })
    expect(csv.body).toBe('resource,currency,balance\r\ncontoso,USD,29.50\r\n')
  })

  it('keeps the secret of a repeated response sealed', async () => {
    const keyed = () => api.post('/resources', { name: 'contoso' }, { 'idempotency-key': 'k-3' })
    const { primary } = (await keyed()).json<Keys>()
    expect((await keyed()).json<Keys>().primary).toBe(primary)
    const [row] = await db.query<{ body: string }>(sql`select body from repeatable_request where request_id = 'k-3'`)
    expect(row?.body).not.toContain(primary)
  })

  it('is charged for a month by a job', async () => {
    const answer = await api.post('/wallets:chargeMonth', {})
    expect(answer.statusCode).toBe(202)
    expect(answer.headers['location']).toMatch(/^\/operator\/v1\/jobs\/[0-9a-f-]{36}$/)
  })
})

describe('a client of the built-in issuer', () => {
  it('is made with a secret, has a new one, and is removed', async () => {
    const made = await api.post('/clients', { clientId: 'billing', roles: ['Operator.Read'] })
    expect(made.json()).toMatchObject({
      clientId: 'billing',
      roles: ['Operator.Read'],
      secret: expect.any(String) as string,
    })
    const { secret } = (await api.post('/clients/billing:rotateSecret')).json<{ secret: string }>()
    expect(secret).not.toBe(made.json<{ secret: string }>().secret)
    expect((await api.get('/clients?limit=1')).json()).toMatchObject({ items: [{ clientId: 'billing', secrets: 2 }] })
    expect((await api.send('DELETE', '/clients/billing')).statusCode).toBe(204)
    await expectRefused(api.post('/clients/billing:rotateSecret'), 404, /no client named "billing"/)
    await expectRefused(api.post('/clients', { clientId: 'x', roles: ['God'] }), 400, /is no role/)
    await expectRefused(api.post('/clients', { clientId: 'x', publicKey: 'nonsense' }), 400, /no public key/)
  })

  it('keeps its tokens when the signing key is replaced, unless the earlier keys are dropped', async () => {
    expect((await api.post('/issuer/keys:rotate')).json()).toMatchObject({ kid: expect.any(String) as string })
    expect((await api.get('/clients')).statusCode).toBe(200)
  })
})

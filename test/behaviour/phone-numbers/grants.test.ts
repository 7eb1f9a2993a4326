/** Grants: which resource an access token opens. */
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { listGrants } from '../../../src/auth/grant-store.js'
import { grantAccess, MAX_GRANTS_OF_A_RESOURCE, revokeAccess } from '../../../src/auth/grants.js'
import { sql } from '../../../src/db/db.js'
import { aSearch, US } from '../../fixtures/buying.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { BY_TEST, createTestService, HOST, type TestService } from '../../fixtures/service.js'
import { enterStock } from '../../fixtures/stock.js'
import * as caller from './with-a-token.js'
import { expectForbidden } from './with-a-token.js'

const db = await openTestDatabase()
afterAll(() => db.close())

let service: TestService
beforeEach(async () => {
  service = await createTestService(db)
  await service.client()
})

const grant = (clientId: string, resource = 'buyer', issuer?: string) =>
  grantAccess(service.store, { resource, clientId, issuer }, BY_TEST)
const tokenFor = (clientId: string, claims?: Record<string, unknown>) => caller.tokenFor(service, clientId, claims)
const send = (token: string, sent?: Parameters<typeof caller.sendWithToken>[2]) =>
  caller.sendWithToken(service, token, sent)

describe('a grant', () => {
  it('is needed, and its lack is told with what to do', async () => {
    const token = await tokenFor('shop')
    expectForbidden(await send(token), 'linebook resource grant <name> shop')
    expect((await send(token)).body).not.toContain('buyer')
  })

  it('works at once', async () => {
    const token = await tokenFor('shop')
    expect((await send(token)).statusCode).toBe(403)
    await grant('shop')
    expect((await send(token)).statusCode).toBe(200)
  })

  it('that is revoked ends', async () => {
    await grant('shop')
    const token = await tokenFor('shop')
    expect((await send(token)).statusCode).toBe(200)
    await revokeAccess(service.store, { resource: 'buyer', clientId: 'shop' }, BY_TEST)
    // Somebody without a grant makes the server read them again before the five seconds are over.
    await send(await tokenFor('stranger'))
    expectForbidden(await send(token), 'shop')
    await expect(revokeAccess(service.store, { resource: 'buyer', clientId: 'shop' }, BY_TEST)).rejects.toThrow(
      'Nobody has one',
    )
  })

  it('is for a person apart from the programs they use', async () => {
    await grant('user/u-1')
    const person = { scp: 'user_impersonation', oid: 'u-1' }
    expect((await send(await tokenFor('shop', person))).statusCode).toBe(200)
    expectForbidden(await send(await tokenFor('u-1')), 'u-1')
  })

  it('may be for the tokens of one issuer', async () => {
    await grant('shop', 'buyer', 'https://id.example')
    expectForbidden(await send(await tokenFor('shop')), 'shop')
    await grant('shop', 'buyer', 'built-in')
    expect((await send(await tokenFor('shop'))).statusCode).toBe(200)
  })

  it.each([
    [{ resource: 'nobody', clientId: 'shop' }, 'There is no resource named "nobody"'],
    [{ resource: 'buyer', clientId: '' }, "can't be a client"],
    [{ resource: 'buyer', clientId: 'a\nb' }, "can't be a client"],
    [{ resource: 'buyer', clientId: 'shop', issuer: 'id.example' }, 'is no issuer'],
  ])('%o is refused with a reason', async (wanted, reason) => {
    await expect(grantAccess(service.store, wanted, BY_TEST)).rejects.toThrow(reason)
  })

  it('may be given twice, and is there once', async () => {
    await grant('shop')
    await grant('shop')
    expect(await listGrants(db)).toMatchObject([{ clientId: 'shop', issuer: '' }])
  })

  it('is refused when a resource has very many', async () => {
    await db.query(sql`
      insert into resource_grant (resource_id, client_id, issuer, created_at)
      select id, 'client-' || n, '', now() from resource, generate_series(1, ${MAX_GRANTS_OF_A_RESOURCE}::integer) n`)
    await expect(grant('shop')).rejects.toThrow('100 grants already')
  })
})

describe('the resource of a token', () => {
  /** Which resource it opened, by a search that only its own resource can read. */
  async function opened(token: string, host: string): Promise<string | number> {
    const found = await send(token, { method: 'POST', target: `${US}/:search`, body: aSearch(), host })
    if (found.statusCode !== 202) return found.statusCode
    const [row] = await db.query<{ name: string }>(sql`
      select r.name from search s join resource r on r.id = s.resource_id order by s.created_at desc limit 1`)
    service.clock.advance(1000)
    return row?.name ?? 'none'
  }

  beforeEach(async () => {
    await enterStock(db, { count: 50 })
    await service.client('contoso', ['contoso.example.test'])
  })

  it('is the one that claims the host, if the client is granted on it', async () => {
    await grant('shop')
    await grant('shop', 'contoso')
    const token = await tokenFor('shop')
    expect(await opened(token, 'Contoso.example.test:8443')).toBe('contoso')
    expect(await opened(token, HOST)).toBe('buyer')
  })

  it('is not another one than that of the host', async () => {
    await grant('shop')
    expectForbidden(await send(await tokenFor('shop'), { host: 'contoso.example.test' }), 'shop')
    await grant('fleet', 'contoso')
    expectForbidden(await send(await tokenFor('fleet'), { host: HOST }), 'fleet')
  })

  it('has to be told by the host name when the client is granted on several without', async () => {
    await service.client('second')
    await grant('shop')
    expect(await opened(await tokenFor('shop'), HOST)).toBe('buyer')
    await grant('shop', 'second')
    // Somebody without a grant makes the server read them again before the five seconds are over.
    await send(await tokenFor('stranger'))
    expectForbidden(await send(await tokenFor('shop')), 'several resources')
  })

  it('is found behind a proxy that rewrites Host, among those of the public names', async () => {
    service = await createTestService(db, { LINEBOOK_PUBLIC_HOSTS: 'contoso.example.test:8443' })
    await enterStock(db, { count: 5 })
    await service.client('contoso', ['contoso.example.test'])
    await grant('fleet', 'contoso')
    expect(await opened(await tokenFor('fleet'), 'internal:8080')).toBe('contoso')
  })

  it('keeps what is its own from the tokens of others', async () => {
    await grant('shop')
    await grant('fleet', 'contoso')
    const found = await send(await tokenFor('shop'), { method: 'POST', target: `${US}/:search`, body: aSearch() })
    const { searchId } = found.json<{ searchId: string }>()
    const target = `/availablePhoneNumbers/searchResults/${searchId}`
    expect((await send(await tokenFor('shop'), { target })).statusCode).toBe(200)
    const other = await send(await tokenFor('fleet'), { target, host: 'contoso.example.test' })
    expect(other.statusCode).toBe(404)
  })
})

describe('a request with a token that is sent again', () => {
  const ID = '378ddf60-81be-452a-ba4f-613198ea6c28'
  const search = async (token: string, id?: string, body: object = aSearch()) => {
    const headers: Record<string, string> = id === undefined ? {} : { 'x-ms-client-request-id': id }
    const answer = await send(token, { method: 'POST', target: `${US}/:search`, body, headers })
    expect(answer.statusCode).toBe(202)
    return answer.headers['search-id']
  }
  let token: string
  beforeEach(async () => {
    await enterStock(db, { count: 50 })
    await grant('shop')
    await grant('fleet')
    token = await tokenFor('shop')
  })

  it('has its first answer and no second effect', async () => {
    expect(await search(token, ID)).toBe(await search(token, ID))
  })

  it('is the same under a newer token of the same client', async () => {
    expect(await search(token, ID)).toBe(await search(await tokenFor('shop', { uti: 'two' }), ID))
  })

  it('without an id of its own is another request', async () => {
    expect(await search(token)).not.toBe(await search(token))
  })

  it('under words that stand for no single request is another request', async () => {
    expect(await search(token, 'shop')).not.toBe(await search(token, 'shop'))
  })

  it.each<[string, () => Promise<unknown>]>([
    ['with another id', () => search(token, '0f2f2a3e-0000-4000-8000-000000000000')],
    ['for something else', () => search(token, ID, aSearch({ quantity: 2 }))],
    ['of another client', async () => search(await tokenFor('fleet'), ID)],
  ])('%s is another request', async (_what, again) => {
    expect(await search(token, ID)).not.toBe(await again())
  })
})

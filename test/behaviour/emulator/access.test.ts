/** Who may use the test controls of an emulator; and that production has none. */
import { describe, expect } from 'vitest'
import { addClient } from '../../../src/issuer/clients.js'
import { anEmulator, basic } from '../../fixtures/emulator.js'
import { tokenOf } from '../../fixtures/operator.js'
import { BY_TEST, createTestService, type TestService } from '../../fixtures/service.js'
import { it } from '../../fixtures/test.js'

const ROUTES = [
  ['POST', '/reset'],
  ['GET', '/snapshots'],
  ['PUT', '/snapshots/a'],
  ['DELETE', '/snapshots/a'],
  ['POST', '/snapshots/a/restore'],
  ['GET', '/clock'],
  ['PUT', '/clock'],
  ['POST', '/clock'],
  ['GET', '/scripts'],
  ['PUT', '/scripts'],
  ['POST', '/scripts'],
  ['DELETE', '/scripts'],
  ['DELETE', '/scripts/a'],
  ['GET', '/operations'],
  ['POST', '/operations/a'],
  ['GET', '/faults'],
  ['PUT', '/faults'],
  ['POST', '/faults'],
  ['DELETE', '/faults'],
  ['DELETE', '/faults/a'],
  ['GET', '/resources'],
  ['POST', '/resources'],
  ['DELETE', '/resources/a'],
  ['GET', '/backends'],
  ['GET', '/unknown'],
] as const

it.beforeEach(({ service }) => anEmulator(service))

describe.each(ROUTES)('%s /_emulator%s', (method, path) => {
  it('lets in nobody who has not shown that they may', async ({ service }) => {
    await addClient(service.store, { clientId: 'rotated', roles: ['ProvisioningAPI.Admin'] }, BY_TEST)
    for (const authorization of [
      undefined,
      'Basic',
      'Basic !',
      `Basic ${btoa('no colon')}`,
      basic('linebook-admin', 'wrong'),
      basic('linebook-admin', ''),
      basic('unknown'),
      basic('rotated'),
      'Bearer nonsense',
      'HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=x',
    ]) {
      const answer = await send(service, method, path, authorization)
      expect([authorization, answer.statusCode]).toEqual([authorization, 401])
      expect(answer.headers['www-authenticate']).toBe('Basic realm="linebook emulator", Bearer')
      expect(answer.json()).toEqual({
        error: { code: 'Unauthorized', message: expect.stringMatching(/.{20}/) as string },
      })
    }
    for (const authorization of [basic('linebook-reader'), `Bearer ${await tokenOf(service.server, 'Write')}`]) {
      const answer = await send(service, method, path, authorization)
      expect([answer.statusCode, answer.json()]).toMatchObject([403, { error: { code: 'InsufficientRole' } }])
    }
  })

  it('lets in administrators, by token or by id and secret', async ({ service }) => {
    const secret = await addClient(service.store, { clientId: 'ci', roles: ['ProvisioningAPI.Admin'] }, BY_TEST)
    for (const authorization of [
      basic('linebook-admin'),
      basic('ci', secret),
      `Bearer ${await tokenOf(service.server, 'Admin')}`,
    ]) {
      const { statusCode } = await send(service, method, path, authorization)
      expect([401, 403, 500]).not.toContain(statusCode)
      await anEmulator(service)
      if (path === '/reset') return
    }
  })
})

describe('an emulator', () => {
  it('says which methods a path takes, and which paths there are', async ({ service }) => {
    const wrong = await send(service, 'PATCH', '/clock', basic('linebook-admin'))
    expect([wrong.statusCode, wrong.headers['allow']]).toEqual([405, 'GET, POST, PUT'])
    const unknown = await send(service, 'GET', '/clocks', basic('linebook-admin'))
    expect(unknown.statusCode).toBe(404)
    expect(unknown.json<{ error: { message: string } }>().error.message).toMatch(
      /The paths are .*\/_emulator\/snapshots\/\{name\}\/restore.*\/_emulator\/resources/,
    )
  })

  it('without the built-in issuer lets in nobody by a secret', async ({ db, service }) => {
    const without = await createTestService(db, {
      LINEBOOK_BUILT_IN_ISSUER: 'off',
      LINEBOOK_TOKEN_ISSUERS: '',
    })
    await anEmulator(without)
    const answer = await send(service, 'GET', '/clock', basic('linebook-admin'), without)
    expect([answer.statusCode, answer.body]).toEqual([401, expect.stringMatching(/built-in issuer is off/)])
    await without.close()
  })

  it('has no other methods: unknown bodies of all kinds are refused', async ({ service }) => {
    for (const payload of ['', '{', '[]', 'null', '"x"', '{"a":1}', '\0', '{"advance":{}}']) {
      for (const [method, path] of ROUTES) {
        const answer = await service.server.inject({
          method,
          url: `/_emulator${path}`,
          headers: { authorization: basic('linebook-admin'), 'content-type': 'application/json' },
          payload,
        })
        expect([method, path, payload, answer.statusCode < 500]).toEqual([method, path, payload, true])
        if (path === '/reset') await anEmulator(service)
      }
    }
  })
})

it('production has none of it: its answer is the one of any unknown path', async ({ db, service }) => {
  const production = await createTestService(db, {
    LINEBOOK_MODE: 'production',
    LINEBOOK_SECRET_KEY: Buffer.alloc(32, 7).toString('base64'),
    DATABASE_URL: 'postgres://unused.example/linebook',
  })
  await anEmulator(production)
  for (const [method, path] of ROUTES) {
    const answer = await send(service, method, path, basic('linebook-admin'), production)
    const unknown = await production.server.inject({
      method,
      url: `/_unknown${path}`,
      headers: { authorization: basic('linebook-admin') },
    })
    expect([path, answer.statusCode, answer.body]).toEqual([path, unknown.statusCode, unknown.body])
  }
  expect(production.wiring.controls).toBeUndefined()
  await production.close()
})

const send = (service: TestService, method: string, path: string, authorization?: string, to = service) =>
  to.server.inject({
    method: method as 'GET',
    url: `/_emulator${path}`,
    headers: { ...(authorization !== undefined && { authorization }) },
  })

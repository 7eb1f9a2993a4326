/** The manners of the Operator API that every operation has: who may, problem details, and where it is served. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import type { Db } from '../../../src/db/db.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { operatorApiOf, operatorApiWith } from '../../fixtures/operator-api.js'
import { createTestService, type TestService } from '../../fixtures/service.js'

let db: Db
let service: TestService
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.close())
afterEach(() => service.close())

it.each(['phone-numbers', 'provisioning', 'phone-numbers,provisioning'])('is served beside %s', async (apis) => {
  service = await createTestService(db, { LINEBOOK_APIS: apis })
  const api = await operatorApiOf(service, 'Read')
  const info = await api.get('/info')
  expect(info.statusCode).toBe(200)
  expect(info.json()).toMatchObject({ mode: 'emulator', apis: apis.split(','), engine: db.engine, clockOffsetMs: 0 })
  expect(
    (
      await service.server.inject({
        url: '/status',
        headers: { authorization: `Bearer ${(await operatorApiOf(service)).token}` },
      })
    ).statusCode,
  ).toBe(200)
})

it('shows no secret among the settings', async () => {
  const secret = 'c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U='
  service = await createTestService(db, { LINEBOOK_HOOK_SECRET: 'hush-hush', LINEBOOK_SECRET_KEY: secret })
  const answer = await (await operatorApiOf(service)).get('/settings')
  expect(answer.body).not.toContain('hush-hush')
  expect(answer.body).not.toContain(secret)
  const { items } = answer.json<{ items: { name: string }[] }>()
  expect(items.find(({ name }) => name === 'LINEBOOK_HOOK_SECRET')).toMatchObject({
    value: null,
    isSet: true,
    source: 'environment',
    secret: true,
  })
  expect(items.find(({ name }) => name === 'LINEBOOK_HTTP_PORT')).toMatchObject({ value: '8080', source: 'default' })
})

it('refuses with problem details: no token, a wrong role, a path or a method that is none', async () => {
  service = await createTestService(db)
  const reader = await operatorApiOf(service, 'Read')
  const nobody = operatorApiWith(service.server, 'nonsense')
  const refusals = [
    [await nobody.get('/info'), 401, 'unauthenticated'],
    [await nobody.get('/nowhere'), 401, 'unauthenticated'],
    [await reader.get('/settings'), 403, 'role-missing'],
    [await reader.get('/nowhere'), 404, 'not-found'],
    [await reader.send('DELETE', '/info'), 405, 'method-not-allowed'],
    [await reader.get('/info?color=red'), 400, 'invalid-input'],
  ] as const
  for (const [answer, status, code] of refusals) {
    expect(answer.statusCode, answer.body).toBe(status)
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
    expect(answer.json()).toMatchObject({ status, code, type: `urn:linebook:problem:${code}` })
  }
  expect(refusals[5][0].json()).toMatchObject({
    errors: [{ in: 'query', pointer: '/color', code: 'unknown-parameter' }],
  })
})

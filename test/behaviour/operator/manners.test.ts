/** The manners of the Operator API that every operation has: who may, problem details, and where it is served. */
import { createHash } from 'node:crypto'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { sql, type Db } from '../../../src/db/db.js'
import { operations } from '../../../src/operator/contract/operations.js'
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

it.each([
  ['/jobs', ['x', 'y']],
  ['/jobs', ['2026-03-01T12:00:00Z']],
  ['/stock/places', ['number']],
  ['/operations', ['pending', 'x', 'y', 'z']],
  ['/sync/items', ['oc', 'x', 'number', '+12065550100']],
  ['/resources/contoso/holds', ['search', 'x', 'y']],
])('refuses at %s a cursor that somebody made up: %o', async (path, key) => {
  service = await createTestService(db)
  await service.client('contoso')
  const api = await operatorApiOf(service)
  const contract = operations.find((operation) => operation.path === path.replace('contoso', '{name}'))
  const list = { operation: contract?.operationId, params: path.includes('contoso') ? { name: 'contoso' } : {} }
  const mark = createHash('sha256')
    .update(JSON.stringify({ list, filters: {} }))
    .digest('base64url')
    .slice(0, 8)
  const cursor = Buffer.from(JSON.stringify([mark, ...key])).toString('base64url')
  const answer = await api.get(`${path}?cursor=${cursor}`)
  expect(answer.json(), answer.body).toMatchObject({
    status: 400,
    detail: 'The cursor is no cursor of ours: take the next of the page before, unchanged.',
    errors: [{ in: 'query', pointer: '/cursor' }],
  })
})

it.each(['application/json', 'text/csv', 'application/x-ndjson'])(
  'refuses a time that no database has before a response of %s begins',
  async (accept) => {
    service = await createTestService(db)
    const api = await operatorApiOf(service)
    const answer = await api.get('/numbers?changedSince=0000-01-01T00:00:00Z', { accept })
    expect(answer.json(), answer.body).toMatchObject({
      status: 400,
      errors: [{ in: 'query', pointer: '/changedSince' }],
    })
  },
)

it('refuses a list as it does everything else, also when it would have been streamed', async () => {
  service = await createTestService(db)
  const api = await operatorApiOf(service)
  await db.query(sql`alter table place rename to elsewhere`)
  try {
    const answer = await api.get('/stock/places', { accept: 'text/csv' })
    expect(answer.json(), answer.body).toMatchObject({ status: 500, code: 'internal' })
  } finally {
    await db.query(sql`alter table elsewhere rename to place`)
  }
})

it('repeats a refusal as it was, byte by byte and with its type', async () => {
  service = await createTestService(db)
  const api = await operatorApiOf(service)
  const send = (headers = {}) => api.post('/resources', { name: 'No!' }, headers)
  const [plain, first, again] = [
    await send(),
    await send({ 'idempotency-key': 'a' }),
    await send({ 'idempotency-key': 'a' }),
  ]
  expect([first.statusCode, first.body]).toEqual([400, plain.body])
  expect([again.statusCode, again.body]).toEqual([400, plain.body])
  for (const { headers } of [plain, first, again]) {
    expect(headers).toMatchObject({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' })
  }
})

it.each([
  ['POST', '/resources/%00:disable'],
  ['GET', '/numbers/%00/timeline'],
  ['GET', '/resources/contoso/wallets/U%00D/entries'],
  ['DELETE', '/resources/contoso/grants/%00'],
  ['DELETE', '/clients/a%00'],
  ['GET', '/jobs/%ff'],
])('finds nothing at a path that no name can have: %s %s', async (method, path) => {
  service = await createTestService(db)
  await service.client('contoso')
  const answer = await (await operatorApiOf(service)).send(method, path)
  expect([400, 404], answer.body).toContain(answer.statusCode)
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
})

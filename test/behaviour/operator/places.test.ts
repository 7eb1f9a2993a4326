/** Where a fault is, whoever finds it: the schema, or a command that knows nothing of requests. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openTestDatabase } from '../../fixtures/database.js'
import { operatorApiOf, type OperatorApi } from '../../fixtures/operator-api.js'
import { createTestService } from '../../fixtures/service.js'

const db = await openTestDatabase()
afterAll(() => db.close())
let api: OperatorApi
beforeAll(async () => {
  api = await operatorApiOf(await createTestService(db))
  await api.post('/resources', { name: 'contoso' })
})

const once = { 'idempotency-key': 'a b' }
const csv = { 'content-type': 'text/csv' }
const range = { phoneNumber: '+12065550100', count: 1 }

it.each<[place: string, pointer: string, send: () => ReturnType<OperatorApi['get']>]>([
  ['query', '/pool', () => api.post('/stock/imports?pool=nobody', 'phoneNumber\n', csv)],
  ['body', '/pool', () => api.post('/stock/generate', { ...range, pool: 'nobody' })],
  ['query', '/q', () => api.get('/numbers?q=x')],
  ['query', '/prefix', () => api.get('/resources/contoso/numbers?prefix=x')],
  ['query', '/cursor', () => api.get('/jobs?cursor=x')],
  ['query', '/limit', () => api.get('/jobs?limit=0')],
  ['query', '/color', () => api.get('/jobs?color=red')],
  ['path', '/e164', () => api.get('/numbers/x')],
  ['path', '/e164', () => api.get('/numbers/+12065550199')],
  ['header', '/idempotency-key', () => api.post('/resources', { name: 'x' }, once)],
  [
    'header',
    '/if-match',
    () => api.send('PATCH', '/resources/contoso/terms', { body: {}, headers: { 'if-match': '"x"' } }),
  ],
  ['body', '/name', () => api.post('/resources', { name: 'Contoso!' })],
  ['body', '/hosts', () => api.send('PUT', '/resources/contoso/hosts', { body: { hosts: ['a b'] } })],
  ['body', '/clientId', () => api.post('/resources/contoso/grants', { clientId: '\n' })],
  ['body', '/issuer', () => api.post('/resources/contoso/grants', { clientId: 'x', issuer: 'nobody' })],
  ['body', '/entitledTo', () => api.send('PATCH', '/resources/contoso/terms', { body: { entitledTo: ['USA'] } })],
  ['body', '/amount', () => api.post('/resources/contoso/wallets', { amount: 'x', currency: 'USD' })],
  ['body', '/currency', () => api.post('/resources/contoso/wallets', { amount: '1', currency: '123' })],
  ['body', '/month', () => api.post('/wallets:chargeMonth', { month: '2999-01' })],
  ['body', '/phoneNumbers', () => api.post('/stock/retire', { phoneNumbers: ['12'] })],
  ['body', '/numbers', () => api.post('/sync:requeue', { numbers: ['12'] })],
  ['body', '/roles', () => api.post('/clients', { clientId: 'x', roles: ['Nobody'] })],
  ['body', '/publicKey', () => api.post('/clients', { clientId: 'x', publicKey: 'no key' })],
])('in %s at %s', async (place, pointer, send) => {
  const answer = await send()
  expect(answer.statusCode, answer.body).toBeGreaterThanOrEqual(400)
  const { errors } = answer.json<{ errors?: object[] }>()
  expect(errors, answer.body).toMatchObject([{ in: place, pointer }])
})

/** What clients of every API are told when the database can't do its work, and what probes are. */
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Db } from '../../src/db/db.js'
import { openTestDatabase } from '../fixtures/database.js'
import { operatorApiOf, type OperatorApi } from '../fixtures/operator-api.js'
import { anOperator, type Operator } from '../fixtures/operator.js'
import { createTestService, type TestClient, type TestService } from '../fixtures/service.js'

const engine = await openTestDatabase()
afterAll(() => engine.close())

let failure: string | undefined
const failing = (): void => {
  if (failure !== undefined) throw Object.assign(new Error(`SQLSTATE ${failure}`), { code: failure })
}
const db: Db = {
  ...engine,
  query: async (statement) => {
    failing()
    return engine.query(statement)
  },
  transaction: async (work) => {
    failing()
    return engine.transaction(work)
  },
}

let service: TestService
let buyer: TestClient
let operator: Operator
let admin: OperatorApi
beforeEach(async () => {
  service = await createTestService(db)
  buyer = await service.client()
  operator = await anOperator(service)
  admin = await operatorApiOf(service)
})
afterEach(async () => {
  failure = undefined
  await service.close()
})

describe('every API answers 503 and when to try again', () => {
  it.each([
    ['the server ends the session', '57P01'],
    ['the server is starting', '57P03'],
    ['the connection is lost', '08006'],
    ['too many connections', '53300'],
    ['the login is refused', '28P01'],
    ['the database is read-only', '25006'],
    ['a lock is not free in time', '55P03'],
    ['a deadlock that goes on', '40P01'],
    ['a statement takes too long', '57014'],
    ['the disk is full', '53100'],
    ['the memory is used up', '53200'],
    ['a transaction idles too long', '25P03'],
  ])('%s', async (_what, code) => {
    failure = code
    const bought = await buyer.send('GET', '/phoneNumbers')
    expect([bought.statusCode, bought.json()]).toMatchObject([503, { error: { code: 'ServiceUnavailable' } }])
    expect(bought.headers['retry-after']).toBe('5')
    const provisioned = await operator.get('/accounts')
    expect([provisioned.statusCode, provisioned.json()]).toMatchObject([503, { error: { code: 'ServiceUnavailable' } }])
    expect(provisioned.headers['retry-after']).toBe('5')
    const operated = await admin.get('/numbers')
    expect([operated.statusCode, operated.json()]).toMatchObject([503, { code: 'unavailable' }])
    expect(operated.headers['retry-after']).toBe('1')
  })
})

it('a statement that is wrong stays an internal error', async () => {
  failure = '42601'
  expect((await buyer.send('GET', '/phoneNumbers')).statusCode).toBe(500)
  expect((await operator.get('/accounts')).statusCode).toBe(500)
  expect((await admin.get('/numbers')).statusCode).toBe(500)
})

it.each([
  ['25006', 'database read-only'],
  ['08006', 'database unreachable'],
])('a probe is told not to send requests: %s', async (code, status) => {
  failure = code
  const probe = await service.server.inject('/readyz')
  expect([probe.statusCode, probe.json()]).toEqual([503, { status }])
  expect((await service.server.inject('/healthz')).statusCode).toBe(200)
})

/** A body that is wrong is told after what comes before it, and before anything is written. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { raw, sql, type Db, type Queryable } from '../../../src/db/db.js'
import { fictional, fictionals, operatorConnect, using } from '../../fixtures/accounts.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { anOperator, type Operator } from '../../fixtures/operator.js'
import { createTestService, type TestService } from '../../fixtures/service.js'

let db: Db
let service: TestService
let operator: Operator
/** What the database was asked since it was last emptied. */
const trips: string[] = []

beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.close())
beforeEach(async () => {
  service = await createTestService(watched(db))
  operator = await anOperator(service)
  await operator.put('/accounts/contoso', { serviceDetails: operatorConnect() })
  await operator.put(`/accounts/contoso/numbers/${there}`, number)
  await operator.put('/accounts/fabrikam', { serviceDetails: operatorConnect() })
  trips.length = 0
})
afterEach(() => service.close())

const [there, fresh] = fictionals(2) as [string, string]
const number = using('teamsOperatorConnect')
const pathOf = (e164: string, accountName = 'contoso') => `/accounts/${accountName}/numbers/${e164}`

/** The same database; each statement is a trip to it, and so are the beginning and the end of a transaction. */
const watched = (real: Db): Db => ({
  ...real,
  query: asked(real),
  transaction: async (work) => {
    trips.push('begin')
    try {
      const result = await real.transaction((tx) => work({ ...tx, query: asked(tx) }))
      trips.push('commit')
      return result
    } catch (error) {
      trips.push('rollback')
      throw error
    }
  },
})

const asked =
  (real: Queryable): Queryable['query'] =>
  (statement) => {
    trips.push(statement.text.trim())
    return real.query(statement)
  }

/** All that is stored, and where every sequence stands. */
async function everything(): Promise<unknown> {
  const tables = await db.query<{ name: string }>(sql`
    select quote_ident(tablename) as name from pg_tables where schemaname = 'public' order by 1`)
  const contents = tables.map(
    ({ name }) =>
      `select '${name}' as name, (select jsonb_agg(to_jsonb(t) order by to_jsonb(t)) from ${name} t) as rows`,
  )
  return {
    rows: await db.query(raw(contents.join(' union all '))),
    sequences: await db.query(sql`select sequencename, last_value from pg_sequences order by sequencename`),
  }
}

const WRITES = /\b(insert|update|delete|nextval)\b/i

describe('a body that is wrong leaves nothing behind', () => {
  const wrong: Record<string, unknown> = {
    'in its shape': { serviceDetails: { teamsOperatorConnect: { enabled: 'yes' } } },
    'in its syntax': '{"serviceDetails": {',
    'in what it says of the path': { ...number, telephoneNumber: '+12065550199', accountName: 'fabrikam' },
  }
  const requests: Record<string, (body: unknown) => Parameters<Operator['send']>> = {
    'a number that is new': (body) => ['PUT', pathOf(fresh), { body }],
    'a number that is there': (body) => ['PUT', pathOf(there), { body }],
    'an account that is new': (body) => ['PUT', '/accounts/tailspin', { body }],
    'an account that is there': (body) => ['PUT', '/accounts/contoso', { body }],
    'a batch': (body) => [
      'POST',
      '/accounts/contoso:createOrUpdateNumbers',
      { body: typeof body === 'string' ? body : { numbers: [{ ...number, telephoneNumber: fresh }, body] } },
    ],
    'a number of api-version 2023-10-01': (body) => ['PUT', pathOf(fresh), { body, version: '2023-10-01' }],
  }
  for (const [what, request] of Object.entries(requests)) {
    it.each(Object.entries(wrong))(`${what}: %s`, async (_, body) => {
      const before = await everything()
      const answer = await operator.send(...request(body))
      expect(answer.statusCode, answer.body).toBe(400)
      expect(trips.filter((trip) => WRITES.test(trip.replace(/\bfor update\b/g, '')))).toEqual([])
      expect(await everything()).toEqual(before)
    })
  }

  it('in four trips to the database', async () => {
    expect((await operator.put(pathOf(fresh), wrong['in its shape'])).statusCode).toBe(400)
    expect(trips).toEqual(['begin', expect.stringMatching(/ from account a /), expect.anything(), 'rollback'])
  })
})

describe('a body that is wrong is told', () => {
  const bad = { serviceDetails: 7 }
  const code = async (e164: string, headers: Record<string, string> = {}, accountName?: string) => {
    const answer = await operator.put(pathOf(e164, accountName), bad, headers)
    return [answer.statusCode, answer.json<{ error: { code: string } }>().error.code]
  }

  it('after an account that isn’t there', async () => {
    expect(await code(fresh, {}, 'tailspin')).toEqual([404, 'AccountNotFound'])
  })

  it('after a condition that isn’t met', async () => {
    const notMet = [412, 'ConditionNotMet']
    expect(await code(fresh, { 'if-match': '*' })).toEqual(notMet)
    expect(await code(there, { 'if-none-match': '*' })).toEqual(notMet)
    expect(await code(there, { 'if-match': '"stale.tag"' })).toEqual(notMet)
    // On another account it is not there.
    expect(await code(there, { 'if-match': '*' }, 'fabrikam')).toEqual(notMet)
  })

  it('before what the number may not use, and before whose it is', async () => {
    expect(await code(there, { 'if-match': '*' })).toEqual([400, 'InvalidRequestBody'])
    expect(await code(there, {}, 'fabrikam')).toEqual([400, 'InvalidRequestBody'])
  })
})

it('a new number takes nine trips to the database, and so does a batch of a hundred', async () => {
  expect((await operator.put(pathOf(fresh), number)).statusCode).toBe(201)
  expect([trips.length, trips[0], trips.at(-1)]).toEqual([9, 'begin', 'commit'])

  trips.length = 0
  const numbers = fictionals(100, 100).map((telephoneNumber) => ({ ...number, telephoneNumber }))
  expect((await operator.post('/accounts/contoso:createOrUpdateNumbers', { numbers })).statusCode).toBe(200)
  expect([trips.length, trips[0], trips.at(-1)]).toEqual([9, 'begin', 'commit'])
})

it('a number that is there takes as many as a new one', async () => {
  expect((await operator.put(pathOf(there), { serviceDetails: {} })).statusCode).toBe(200)
  trips.length = 0
  expect((await operator.put(pathOf(fictional(0)), number)).statusCode).toBe(200)
  expect(trips.length).toBeLessThanOrEqual(9)
})

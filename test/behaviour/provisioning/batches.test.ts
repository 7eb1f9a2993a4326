/** Many numbers in one request: all of them or none. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { sql, type Db, type Queryable, type Sql, type Tx } from '../../../src/db/db.js'
import {
  brokenInvariants,
  everyService,
  fictional,
  fictionals,
  operatorConnect,
  passedOn,
  using,
  fault,
} from '../../fixtures/accounts.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { anOperator, reconcileAll, type Operator } from '../../fixtures/operator.js'
import { createTestService, type TestService } from '../../fixtures/service.js'

let db: Db
let service: TestService
let operator: Operator
let statements = 0

/** The same database, and each statement counts. */
const counting = (inner: Db): Db => {
  const query: Queryable['query'] = (statement: Sql) => {
    statements++
    return inner.query(statement)
  }
  const counted = (tx: Tx): Tx =>
    ({
      query: (statement: Sql) => {
        statements++
        return tx.query(statement)
      },
    }) as Tx
  return { ...inner, query, transaction: (work) => inner.transaction((tx) => work(counted(tx))) }
}

beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.close())
beforeEach(async () => {
  service = await createTestService(counting(db))
  operator = await anOperator(service)
  await operator.put('/accounts/contoso', { serviceDetails: everyService({ teamsOperatorConnect: passedOn }) })
})
afterEach(async () => {
  expect(await brokenInvariants(db)).toEqual([])
  await service.close()
})

const CREATE = '/accounts/contoso:createOrUpdateNumbers'
const DELETE = '/accounts/contoso:deleteNumbers'
const item = (e164: string, over: object = using('teamsDirectRouting')) => ({ telephoneNumber: e164, ...over })
const create = (numbers: unknown, target = CREATE) => operator.post(target, { numbers })
const remove = (e164s: string[], target = DELETE) =>
  operator.post(target, { numbers: e164s.map((telephoneNumber) => ({ telephoneNumber })) })
interface Shown {
  telephoneNumber: string
  serviceProvisioningStatus: string
}
const listed = async (target = '/numbers') => (await operator.get(target)).json<{ value: Shown[] }>().value
const everything = async () => ({
  numbers: await db.query(sql`select * from number order by e164`),
  stored: await db.query(sql`select * from account_number order by e164`),
  history: await db.query(sql`select * from number_history order by id`),
  counts: await db.query(sql`select * from account_number_count order by account_id, slot`),
  sync: await db.query(sql`select * from sync order by kind, key, service`),
})

describe('createOrUpdateNumbers', () => {
  it('creates and replaces, and answers with all of them in the order of the request', async () => {
    await create([item(fictional(5), using('zoomPhoneCloudPeering'))])
    const order = [7, 5, 9, 6].map(fictional)
    const answer = await create([
      item(fictional(7), using('teamsOperatorConnect')),
      item(fictional(5), { serviceDetails: {}, accountName: 'contoso' }),
      item(fictional(9)),
      item(fictional(6), using('azureOperatorCallProtection')),
    ])
    expect(answer.statusCode).toBe(200)
    const { numbers } = answer.json<{ numbers: Shown[] }>()
    expect(numbers.map(({ telephoneNumber }) => telephoneNumber)).toEqual(order)
    expect(numbers.map((number) => number.serviceProvisioningStatus)).toEqual(['pending', 'synced', 'synced', 'synced'])
    // Replaced, not merged; and shown as the number itself shows.
    expect(numbers[1]).toMatchObject({ serviceDetails: {} })
    for (const number of numbers) {
      expect((await operator.get(`/accounts/contoso/numbers/${number.telephoneNumber}`)).json()).toEqual(number)
    }
    expect(answer.headers.etag).toBeUndefined()
  })

  it('takes 100 numbers with as few statements as one', async () => {
    const measured = async (e164s: string[], services: object) => {
      statements = 0
      const answer = await create(e164s.map((e164) => item(e164, services)))
      expect(answer.statusCode, answer.body).toBe(200)
      return statements
    }
    const one = await measured([fictional(500)], using('teamsOperatorConnect'))
    const many = await measured(fictionals(100), using('teamsOperatorConnect'))
    const again = await measured(fictionals(100), using('teamsOperatorConnect'))
    expect(many).toBe(one)
    // Nothing is counted anew.
    expect(again).toBeLessThan(one)
    expect(one).toBeLessThanOrEqual(10)
    expect(await listed()).toHaveLength(101)
  })

  it.each([
    ['no numbers', [], 'BatchEmpty'],
    ['101 numbers', fictionals(101).map((e164) => item(e164)), 'BatchTooLarge'],
    ['numbers that are no list', 'x', 'InvalidRequestBody'],
    ['numbers that are not there', undefined, 'InvalidRequestBody'],
    ['null for the numbers', null, 'InvalidRequestBody'],
  ])('refuses %s', async (_, numbers, code) => {
    const answer = await create(numbers)
    expect(answer.statusCode).toBe(400)
    expect(answer.json()).toMatchObject({ error: fault(code, 'numbers') })
  })

  it('refuses the second of the same number, and says which', async () => {
    const answer = await create([item(fictional(0)), item(fictional(1)), item(fictional(0))])
    expect(answer.statusCode).toBe(400)
    expect(answer.json()).toMatchObject({
      error: {
        ...fault('DuplicateNumberInBatch', 'numbers[2]'),
        details: [fault('DuplicateNumberInBatch', 'numbers[2]')],
      },
    })
  })

  it('stores nothing of a batch with a bad number, and has a detail for each bad one', async () => {
    await operator.put('/accounts/other', { serviceDetails: everyService() })
    await create([item(fictional(50))], '/accounts/other:createOrUpdateNumbers')
    await create([item(fictional(0))])
    const before = await everything()
    const good = [item(fictional(0), using('zoomPhoneCloudPeering')), item(fictional(1), using('teamsOperatorConnect'))]

    const forms = await create([...good, { telephoneNumber: '5' }, item('+1', { accountName: 'other' })])
    expect(forms.statusCode).toBe(400)
    const targets = (answer: {
      json(): { error: { details: { code: string; target: string; details: unknown }[] } }
    }) => answer.json().error.details.map(({ code, target }) => [code, target])
    expect(targets(forms)).toEqual([
      ['InvalidRequestBody', 'numbers[2]'],
      ['InvalidRequestBody', 'numbers[3]'],
    ])
    expect(forms.json<{ error: { details: { details: object[] }[] } }>().error.details[1]?.details).toMatchObject([
      fault('InvalidRequestBody', 'numbers[3].telephoneNumber'),
      fault('InvalidRequestBody', 'numbers[3].serviceDetails'),
      fault('InvalidRequestBody', 'numbers[3].accountName'),
    ])

    const rules = await create([
      ...good,
      item(fictional(2), using('teamsOperatorConnect', 'teamsDirectRouting')),
      item(fictional(3), { ...using('teamsPhoneMobile'), configuration: { customSipHeader: 'x' } }),
    ])
    expect(rules.statusCode).toBe(400)
    expect(targets(rules)).toEqual([
      ['ConflictingServices', 'numbers[2]'],
      ['CustomSipHeaderNotSupported', 'numbers[3]'],
    ])
    expect(rules.json<{ error: { details: { details: object[] }[] } }>().error.details[1]?.details).toMatchObject([
      fault('CustomSipHeaderNotSupported', 'numbers[3].configuration.customSipHeader'),
    ])

    const taken = await create([...good, item(fictional(50))])
    expect(taken.statusCode).toBe(409)
    expect(taken.json()).toMatchObject({ error: fault('NumberInOtherAccount', 'numbers[2]') })
    expect(targets(taken)).toEqual([['NumberInOtherAccount', 'numbers[2]']])
    expect(await everything()).toEqual(before)
  })

  it('finds its account first, and has no conditions', async () => {
    const nowhere = await operator.post('/accounts/nobody:createOrUpdateNumbers', 'no JSON')
    expect(nowhere.statusCode).toBe(404)
    expect(nowhere.json()).toMatchObject({ error: fault('AccountNotFound') })
    const body = { numbers: [item(fictional(0))] }
    const headers = { 'if-match': '"other"', 'if-none-match': '*', 'if-unmodified-since': 'never' }
    for (let time = 1; time <= 2; time++) expect((await operator.post(CREATE, body, headers)).statusCode).toBe(200)
  })

  it('passes each number on by itself', async () => {
    const bad = { serviceDetails: { teamsOperatorConnect: { enabled: true, configuration: { ...noUsage } } } }
    await create([item(fictional(0), using('teamsOperatorConnect')), item(fictional(1), bad), item(fictional(2))])
    await reconcileAll(service)
    expect((await listed()).map((number) => number.serviceProvisioningStatus)).toEqual(['synced', 'failed', 'synced'])
  })
  const noUsage = { usage: '', choosableCapabilities: [] }
})

describe('deleteNumbers', () => {
  it('deletes those that are on the account and passes over all others', async () => {
    await operator.put('/accounts/other', { serviceDetails: everyService() })
    await create([item(fictional(50))], '/accounts/other:createOrUpdateNumbers')
    await create(fictionals(3).map((e164) => item(e164)))
    const answer = await remove([fictional(0), fictional(50), fictional(2), fictional(0), fictional(77)])
    expect(answer.statusCode).toBe(204)
    expect(answer.body).toBe('')
    expect((await listed()).map(({ telephoneNumber }) => telephoneNumber)).toEqual([fictional(1), fictional(50)])
    expect((await remove([fictional(0)])).statusCode).toBe(204)
  })

  it('takes numbers back from their backend', async () => {
    await create(fictionals(3).map((e164) => item(e164, using('teamsOperatorConnect'))))
    await reconcileAll(service)
    await remove(fictionals(2))
    expect(await listed()).toHaveLength(1)
    await reconcileAll(service)
    const found = await service.wiring.provisioning.deps.backends.oc?.getNumbers('tenantIdString', fictionals(3))
    expect(found?.map(({ e164 }) => e164)).toEqual([fictional(2)])
  })

  it.each([
    ['no numbers', [], 'BatchEmpty', 'numbers'],
    ['101 numbers', fictionals(101), 'BatchTooLarge', 'numbers'],
    ['what is no number', ['+12', '12'], 'InvalidRequestBody', 'numbers[1]'],
  ])('refuses %s', async (_, e164s, code, target) => {
    const answer = await remove(e164s)
    expect(answer.statusCode).toBe(400)
    expect(answer.json()).toMatchObject({ error: fault(code, target) })
  })

  it('deletes nothing when one of them is wrong', async () => {
    await create([item(fictional(0))])
    expect((await remove([fictional(0), '+0'])).statusCode).toBe(400)
    expect(await listed()).toHaveLength(1)
  })

  it('takes 100 numbers with as few statements as one', async () => {
    await operator.put('/accounts/contoso', { serviceDetails: operatorConnect() })
    const measured = async (e164s: string[]) => {
      await create(e164s.map((e164) => item(e164, using('teamsOperatorConnect'))))
      await reconcileAll(service, ['oc'])
      statements = 0
      expect((await remove(e164s)).statusCode).toBe(204)
      return statements
    }
    const one = await measured([fictional(500)])
    expect(await measured(fictionals(100))).toBe(one)
    expect(one).toBeLessThanOrEqual(10)
  })

  it('finds its account first', async () => {
    const nowhere = await remove(['x'], '/accounts/nobody:deleteNumbers')
    expect(nowhere.statusCode).toBe(404)
    expect(nowhere.json()).toMatchObject({ error: fault('AccountNotFound') })
  })
})

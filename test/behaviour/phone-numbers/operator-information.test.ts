import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sql } from '../../../src/db/db.js'
import { retire } from '../../../src/ledger/commands.js'
import { everyService, using } from '../../fixtures/accounts.js'
import { buyOne, search } from '../../fixtures/buying.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { anOperator } from '../../fixtures/operator.js'
import { createTestService, type SendOptions, type TestClient, type TestService } from '../../fixtures/service.js'
import { enterStock, seattle, tollFree } from '../../fixtures/stock.js'

const db = await openTestDatabase()
afterAll(() => db.close())

let service: TestService
let buyer: TestClient
const serve = async (env: Record<string, string> = {}) => {
  service = await createTestService(db, env)
  buyer = await service.client()
}
beforeEach(() => serve())
afterEach(() => service.close())

const PATH = '/operatorInformation/:search'
const ask = (body: unknown, options: SendOptions = {}) => buyer.send('POST', PATH, { body, ...options })
const withDetails = { includeAdditionalOperatorDetails: true }

interface Value {
  isoCountryCode: string | null
  numberType: string | null
  operatorDetails: { name: string | null; mobileNetworkCode: string | null; mobileCountryCode: string | null } | null
}

/** What is said of a number when everything is asked for. */
async function about(e164: string): Promise<Value> {
  const answer = await ask({ phoneNumbers: [e164], options: withDetails })
  expect([answer.statusCode, answer.body]).toEqual([200, answer.body])
  const { isoCountryCode, numberType, operatorDetails } = answer.json<{ values: [Value] }>().values[0]
  return { isoCountryCode, numberType, operatorDetails }
}

const nobody = { name: null, mobileNetworkCode: null, mobileCountryCode: null }
const ours = { ...nobody, name: 'Linebook' }

describe('the answer, key by key', () => {
  it('has the formats, and nothing else unless asked for', async () => {
    for (const rest of [
      {},
      { options: null },
      { options: {} },
      { options: { includeAdditionalOperatorDetails: false } },
      { options: { includeAdditionalOperatorDetails: null } },
    ]) {
      const answer = await ask({ phoneNumbers: ['+18332016898'], ...rest })
      expect([answer.statusCode, answer.body]).toEqual([
        200,
        '{"values":[{"phoneNumber":"+18332016898","nationalFormat":"(833) 201-6898",' +
          '"internationalFormat":"+1 833-201-6898","isoCountryCode":null,"numberType":null,"operatorDetails":null}]}',
      ])
      expect(answer.headers['content-type']).toBe('application/json; charset=utf-8')
    }
  })

  it('has country, type and operator when asked for', async () => {
    const answer = await ask({ phoneNumbers: ['+905321234567'], options: withDetails })
    expect([answer.statusCode, answer.body]).toEqual([
      200,
      '{"values":[{"phoneNumber":"+905321234567","nationalFormat":"0532 123 45 67",' +
        '"internationalFormat":"+90 532 123 45 67","isoCountryCode":"TR","numberType":"mobile",' +
        '"operatorDetails":{"name":"Turkcell","mobileNetworkCode":"01","mobileCountryCode":"286"}}]}',
    ])
  })
})

describe('a number of somebody else', () => {
  it.each([
    ['toll-free', '+18332016898', { isoCountryCode: 'US', numberType: 'other' }],
    ['geographic', '+442079460123', { isoCountryCode: 'GB', numberType: 'geographic' }],
    ['not even possible', '+123451', { isoCountryCode: null, numberType: 'unknown' }],
    ['of no country', '+9991234567', { isoCountryCode: null, numberType: 'unknown' }],
  ])('that is %s has no operator that anybody knows', async (_, e164, expected) => {
    expect(await about(e164)).toEqual({ ...expected, operatorDetails: nobody })
  })
})

describe('a number of ours', () => {
  it('has the operator who runs this Linebook, whoever has the number and whether anybody has it', async () => {
    const numbers = await enterStock(db, { count: 5 })
    const cause = { at: service.clock.now(), actor: 'operator', reason: 'test' }
    await db.transaction((tx) => retire(tx, numbers.slice(0, 1), cause))
    const [mine, others] = [await buyOne(buyer), await buyOne(await service.client('another'))]
    const [held] = (await search(await service.client('third'))).phoneNumbers
    expect(new Set([numbers[0], mine, others, held]).size).toBe(4)
    for (const e164 of numbers) {
      expect(await about(e164)).toEqual({ isoCountryCode: 'US', numberType: 'geographic', operatorDetails: ours })
    }
  })

  it('in the stock of other buyers has it as well', async () => {
    const [e164] = (await enterStock(db, { count: 1 })) as [string]
    await db.query(sql`update place set pool = 'not the buyer’s'`)
    expect((await about(e164)).operatorDetails).toEqual(ours)
  })

  it('on an account has it too, and tells nothing of the account', async () => {
    const operator = await anOperator(service)
    await operator.put('/accounts/contoso', { serviceDetails: everyService() })
    const put = await operator.put('/accounts/contoso/numbers/+447514123456', using('teamsDirectRouting'))
    expect(put.statusCode).toBe(201)
    expect(await about('+447514123456')).toEqual({
      isoCountryCode: 'GB',
      numberType: 'mobile',
      operatorDetails: ours,
    })
  })

  it('has the country and the type that it is sold as, where the numbering plan knows neither', async () => {
    const [test] = (await enterStock(db, { from: '+9992060000', count: 1 })) as [string]
    const fiction = { ...seattle, countryCode: 'GB', numberType: 'mobile', areaCode: '7700' } as const
    const [drama] = (await enterStock(db, { from: '+447700900123', count: 1, place: fiction })) as [string]
    const [free] = (await enterStock(db, { from: '+18885550100', count: 1, place: tollFree })) as [string]
    expect(await about(test)).toMatchObject({ isoCountryCode: 'US', numberType: 'geographic' })
    expect(await about(drama)).toMatchObject({ isoCountryCode: 'GB', numberType: 'mobile' })
    expect(await about(free)).toMatchObject({ isoCountryCode: 'US', numberType: 'other' })
  })

  it('has the name that was set, and the codes of its network when it is mobile', async () => {
    await service.close()
    await serve({
      LINEBOOK_OPERATOR_NAME: 'Contoso Telecom',
      LINEBOOK_OPERATOR_MCC: '234',
      LINEBOOK_OPERATOR_MNC: '015',
    })
    const mobile = { ...seattle, countryCode: 'GB', numberType: 'mobile', areaCode: '7700' } as const
    await enterStock(db, { from: '+447700900123', count: 1, place: mobile })
    await enterStock(db, { count: 1 })
    expect((await about('+447700900123')).operatorDetails).toEqual({
      name: 'Contoso Telecom',
      mobileNetworkCode: '015',
      mobileCountryCode: '234',
    })
    expect((await about('+12065550100')).operatorDetails).toEqual({ ...nobody, name: 'Contoso Telecom' })
  })

  it('has no operator that can be told when no name was set, not even the one its block was first given to', async () => {
    await service.close()
    await serve({ LINEBOOK_OPERATOR_NAME: '' })
    const turkish = { ...seattle, countryCode: 'TR', numberType: 'mobile', areaCode: '532' } as const
    await enterStock(db, { from: '+905321234567', count: 1, place: turkish })
    expect((await about('+905321234567')).operatorDetails).toEqual(nobody)
  })
})

describe('a lookup is refused', () => {
  const error = async (body: unknown, options?: SendOptions) => {
    const answer = await ask(body, options)
    return [answer.statusCode, answer.json<{ error: object }>().error]
  }

  it.each([
    ['two numbers', ['+18332016898', '+14255550100']],
    ['two texts that are no numbers', ['', '']],
    ['the same number twice', ['+18332016898', '+18332016898']],
  ])('with %s, which are counted before they are looked at', async (_, phoneNumbers) => {
    expect(await error({ phoneNumbers })).toEqual([
      400,
      { code: 'BadRequest', message: 'Can only accept one phoneNumber' },
    ])
  })

  it('without a number', async () => {
    expect(await error({ phoneNumbers: [] })).toEqual([
      400,
      {
        code: 'BadRequest',
        message: 'phoneNumbers is empty; it takes one E.164 number, e.g. +14255550100.',
        target: 'phonenumbers',
      },
    ])
  })

  it.each([
    '',
    '14255550100',
    '+0123456',
    '+1',
    '+1234567890123456',
    '+1 425 555 0100',
    '+1425555010a',
    '＋14255550100',
  ])('with "%s", which is no E.164 number', async (text) => {
    expect(await error({ phoneNumbers: [text] })).toEqual([
      400,
      {
        code: 'BadRequest',
        message: `phoneNumbers has "${text}", which is not an E.164 number, e.g. +14255550100.`,
        target: 'phonenumbers',
      },
    ])
  })

  it.each([
    ['phoneNumbers', { phoneNumbers: '+14255550100' }],
    ['phoneNumbers', { phoneNumbers: null }],
    ['phoneNumbers', {}],
    ['phoneNumbers.0', { phoneNumbers: [14255550100] }],
    ['phoneNumbers.1', { phoneNumbers: ['+14255550100', null] }],
    ['options', { phoneNumbers: ['+14255550100'], options: [] }],
    ['options', { phoneNumbers: ['+14255550100'], options: 'all' }],
    [
      'options.includeAdditionalOperatorDetails',
      { phoneNumbers: ['+14255550100'], options: { includeAdditionalOperatorDetails: 'true' } },
    ],
  ])('when %s is of the wrong JSON type', async (path, body) => {
    expect(await error(body)).toEqual([
      400,
      {
        code: 'InvalidInput',
        message: expect.stringMatching(`^${path} (must be|is required)`) as string,
        target: path.toLowerCase(),
      },
    ])
  })

  it.each([undefined, 'null', '[]', '"+14255550100"', '{'])('with %s as its body', async (body) => {
    expect(await error(body)).toMatchObject([400, { code: 'InvalidInput' }])
  })

  it('in a version from before there were lookups', async () => {
    const body = { phoneNumbers: ['+14255550100'] }
    expect(await error(body, { version: '2022-12-01' })).toMatchObject([400, { code: 'UnsupportedApiVersion' }])
    for (const version of ['2024-03-01', '2025-02-11', '2025-04-01', '2025-06-01']) {
      const answer = await ask(body, { version })
      expect(answer.statusCode).toBe(200)
      expect(answer.headers['api-supported-versions']).toBe('2024-03-01, 2025-02-11, 2025-04-01, 2025-06-01')
    }
  })

  it('without a signature', async () => {
    expect(await error({ phoneNumbers: ['+14255550100'] }, { headers: { authorization: '' } })).toMatchObject([
      401,
      { code: 'Denied' },
    ])
  })
})

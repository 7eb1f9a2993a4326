import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { sql } from '../../../src/db/db.js'
import { newId } from '../../../src/ids.js'
import { assignNumbers } from '../../../src/ledger/assignment.js'
import { retire } from '../../../src/ledger/commands.js'
import { findNumbers, listHistory } from '../../../src/ledger/reads.js'
import { browseNumbers } from '../../../src/phone-numbers/commands/browse-numbers.js'
import type { AvailablePhoneNumber } from '../../../src/phone-numbers/contract/models.js'
import { createCatalogue } from '../../../src/phone-numbers/model/catalogue.js'
import { buyOne, search, US } from '../../fixtures/buying.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { createTestService, type TestClient, type TestService } from '../../fixtures/service.js'
import { enterStock, seattle, tollFree } from '../../fixtures/stock.js'

const db = await openTestDatabase()
afterAll(() => db.close())

const QUARANTINE_MS = 24 * 60 * 60_000

let service: TestService
let buyer: TestClient
beforeEach(async () => {
  service = await createTestService(db, { LINEBOOK_QUARANTINE_DAYS: '1' })
  buyer = await service.client()
})

const paris = { ...seattle, countryCode: 'FR', areaCode: '1', administrativeDivision: '', locality: 'Paris' }
const dublinMobile = { ...paris, countryCode: 'IE', numberType: 'mobile' as const, locality: 'Dublin' }

const post = (body: unknown, { country = 'US', version = '2025-06-01', client = buyer } = {}) =>
  client.send('POST', `/availablePhoneNumbers/countries/${country}/:browse`, { body, version })

async function browse(over: object = {}, options: Parameters<typeof post>[1] = {}): Promise<AvailablePhoneNumber[]> {
  const answer = await post({ phoneNumberType: 'geographic', ...over }, options)
  expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'application/json; charset=utf-8'])
  return answer.json<{ phoneNumbers: AvailablePhoneNumber[] }>().phoneNumbers
}
const shown = async (...asked: Parameters<typeof browse>): Promise<string[]> =>
  (await browse(...asked)).map(({ phoneNumber }) => phoneNumber).sort()

describe('a browse', () => {
  it('shows what is for sale, with all that it can do and what it costs', async () => {
    await enterStock(db, { from: '+18885550100', count: 1, place: tollFree })
    const [number] = await browse({ phoneNumberType: 'tollFree', capabilities: { calling: 'outbound' } })
    expect(number).toEqual({
      id: '18885550100',
      countryCode: 'US',
      phoneNumber: '+18885550100',
      capabilities: { calling: 'inbound+outbound', sms: 'inbound+outbound' },
      phoneNumberType: 'tollFree',
      assignmentType: 'application',
      cost: { amount: 2, currencyCode: 'USD', billingFrequency: 'monthly' },
      status: 'available',
    })
    expect(Object.keys(number as object)).toEqual([
      'id',
      'countryCode',
      'phoneNumber',
      'capabilities',
      'phoneNumberType',
      'assignmentType',
      'cost',
      'status',
    ])
  })

  it('says where buyers must agree not to resell', async () => {
    await enterStock(db, { from: '+33155501000', count: 1, place: paris })
    const [number] = await browse({}, { country: 'fr' })
    expect(number).toMatchObject({ phoneNumber: '+33155501000', isAgreementToNotResellRequired: true })
    expect(Object.keys(number as object).slice(-2)).toEqual(['status', 'isAgreementToNotResellRequired'])
  })

  it('is of 25 numbers at most, and of others the next time', async () => {
    await enterStock(db, { count: 100 })
    const [first, second] = [await shown(), await shown()]
    expect([new Set(first).size, new Set(second).size]).toEqual([25, 25])
    expect(first).not.toEqual(second)
  })

  it('is of the type and the country asked for', async () => {
    const geographic = await enterStock(db, { count: 2 })
    const free = await enterStock(db, { from: '+18885550100', count: 2, place: tollFree })
    await enterStock(db, { from: '+33155501000', count: 2, place: paris })
    expect(await shown()).toEqual(geographic)
    expect(await shown({ phoneNumberType: 'TOLLFREE' })).toEqual(free)
    expect(await shown({}, { country: 'GB' })).toEqual([])
  })

  it('holds nothing and leaves no trace', async () => {
    const [e164] = (await enterStock(db, { count: 1 })) as [string]
    await shown()
    expect(await shown()).toEqual([e164])
    expect(await findNumbers(db, [e164])).toMatchObject([{ state: 'available', holdId: null }])
    expect((await listHistory(db, e164)).map(({ event }) => event)).toEqual(['enter'])
    expect((await search(buyer)).phoneNumbers).toEqual([e164])
  })

  it('of a resource with a pool of its own is of that pool', async () => {
    const other = await service.client('other', ['other.example.test'])
    await db.query(sql`update resource set pool = 'own' where name = 'other'`)
    const shared = await enterStock(db, { count: 3 })
    const own = await enterStock(db, { from: '+14255550100', count: 3, pool: 'own' })
    expect(await shown()).toEqual(shared)
    expect(await shown({}, { client: other })).toEqual(own)
    expect(await shown({ phoneNumberPrefixes: ['1206'] }, { client: other })).toEqual([])
  })
})

describe('numbers that are not for sale', () => {
  it.each([[undefined], [['1206']]])('are not shown, with prefixes %j', async (phoneNumberPrefixes) => {
    const stock = await enterStock(db, { count: 6 })
    const cause = { at: service.clock.now(), actor: 'operator', reason: 'test' }
    const { phoneNumbers: held } = await search(buyer)
    const owned = await buyOne(buyer)
    const released = await buyOne(buyer)
    expect((await buyer.send('DELETE', `/phoneNumbers/${released}`)).statusCode).toBe(202)
    const rest = stock.filter((e164) => ![...held, owned, released].includes(e164))
    const [assigned, retired, left] = rest as [string, string, string]
    await db.transaction((tx) => assignNumbers(tx, newId(), [assigned], cause))
    await db.transaction((tx) => retire(tx, [retired], cause))

    const free = () => shown({ phoneNumberPrefixes })
    expect(await free()).toEqual([left])
    // The hold ends after fifteen minutes, the rest of the released one after a day; nobody sweeps.
    service.clock.advance(15 * 60_000)
    expect(await free()).toEqual([left, ...held].sort())
    service.clock.advance(QUARANTINE_MS - 15 * 60_000)
    expect(await free()).toEqual([left, ...held, released].sort())
  })
})

describe('prefixes', () => {
  beforeEach(async () => {
    await enterStock(db, { count: 3 })
    await enterStock(db, {
      from: '+14255550100',
      count: 3,
      place: { ...seattle, areaCode: '425', locality: 'Redmond' },
    })
    await enterStock(db, { from: '+15035550100', count: 3, place: { ...seattle, areaCode: '503', locality: 'Salem' } })
  })

  it.each([
    [['1425'], ['+14255550100', '+14255550101', '+14255550102']],
    [['+1425555'], ['+14255550100', '+14255550101', '+14255550102']],
    [
      ['14255550101', '1503555010'],
      ['+14255550101', '+15035550100', '+15035550101', '+15035550102'],
    ],
    [
      ['14255550101', '12', '12065550100'],
      ['+12065550100', '+12065550101', '+12065550102', '+14255550101'],
    ],
    [['1999'], []],
    [['44'], []],
    [['142555501010'], []],
  ])('%j choose among the numbers', async (phoneNumberPrefixes, expected) => {
    expect(await shown({ phoneNumberPrefixes })).toEqual(expected)
  })

  it('that are none leave all of them', async () => {
    expect(await shown({ phoneNumberPrefixes: [] })).toHaveLength(9)
    expect(await shown({ phoneNumberPrefixes: null })).toHaveLength(9)
  })
})

describe('capabilities', () => {
  beforeEach(async () => {
    await enterStock(db, { count: 1 })
  })

  it.each([
    [{ calling: 'inbound' }, 'person', 1],
    [{ calling: 'inbound+outbound', sms: 'none' }, 'person', 1],
    [{ calling: 'none', sms: 'none' }, 'person', 1],
    [{}, 'person', 1],
    [{ sms: 'inbound' }, 'person', 0],
    [{ calling: 'inbound', sms: 'inbound+outbound' }, 'application', 1],
  ])('%j are the least that numbers for a %s have to have', async (capabilities, assignmentType, count) => {
    expect(await shown({ capabilities, assignmentType })).toHaveLength(count)
  })
})

describe('the assignment', () => {
  it('is the one asked for', async () => {
    await enterStock(db, { count: 1 })
    expect(await browse({ assignmentType: 'person' })).toMatchObject([
      { assignmentType: 'person', capabilities: { calling: 'inbound+outbound', sms: 'none' } },
    ])
  })

  it('that nobody sells finds nothing', async () => {
    await enterStock(db, { from: '+18885550100', count: 1, place: tollFree })
    expect(await shown({ phoneNumberType: 'tollFree', assignmentType: 'person' })).toEqual([])
  })

  it('is application where nobody says and there are several', async () => {
    await enterStock(db, { count: 1 })
    expect(await browse()).toMatchObject([{ assignmentType: 'application' }])
  })

  it('is the only one that there is, withdrawn ones left out', async () => {
    await enterStock(db, { count: 1 })
    const offering = {
      countryCode: 'US',
      numberType: 'geographic',
      assignmentType: 'person',
      capabilities: { calling: 'inbound', sms: 'none' },
      price: { amount: '1', currency: 'USD' },
      resellAgreementRequired: false,
      addressRequired: false,
      withdrawn: false,
    } as const
    const withdrawn = { ...offering, assignmentType: 'application', withdrawn: true } as const
    const deps = { db, clock: service.clock, catalogue: createCatalogue([offering, withdrawn]) }
    const wanted = { countryCode: 'US', numberType: 'geographic', capabilities: {}, prefixes: [] } as const
    const sample = await browseNumbers(deps, { pool: '' }, { ...wanted, assignmentType: undefined })
    expect(sample).toMatchObject({ offering: { assignmentType: 'person' }, phoneNumbers: ['+12065550100'] })
    expect(await browseNumbers(deps, { pool: '' }, { ...wanted, assignmentType: 'application' })).toBeUndefined()
  })
})

describe('a browse that is refused', () => {
  const long = '1'.repeat(16)
  it.each([
    ['without a type', {}, 'phonenumbertype', /phoneNumberType is required/],
    ['of a type that is none', { phoneNumberType: 'satellite' }, 'phonenumbertype', /geographic, tollFree, mobile/],
    ['of a type that is no text', { phoneNumberType: 5 }, 'phonenumbertype', /geographic, tollFree, mobile/],
    ['of an assignment that is none', { assignmentType: 'robot' }, 'assignmenttype', /person, application/],
    ['of capabilities that are none', { capabilities: { sms: 'all' } }, 'capabilities.sms', /inbound\+outbound/],
    ['of capabilities that are a text', { capabilities: 'sms' }, 'capabilities', /JSON object/],
    ['with a prefix that is no list', { phoneNumberPrefixes: '1425' }, 'phonenumberprefixes', /an array/],
    ['with a prefix that is no text', { phoneNumberPrefixes: ['1', 1425] }, 'phonenumberprefixes.1', /a text/],
    ['with letters', { phoneNumberPrefixes: ['1', '14x5'] }, 'phonenumberprefixes.1', /1 to 15 digits.*"14x5"/],
    ['with two signs', { phoneNumberPrefixes: ['++1425'] }, 'phonenumberprefixes.0', /1 to 15 digits/],
    ['with other digits', { phoneNumberPrefixes: ['١٤٢٥'] }, 'phonenumberprefixes.0', /1 to 15 digits/],
    ['with an empty prefix', { phoneNumberPrefixes: [''] }, 'phonenumberprefixes.0', /1 to 15 digits/],
    ['with nothing but a sign', { phoneNumberPrefixes: ['+'] }, 'phonenumberprefixes.0', /1 to 15 digits/],
    ['with a line break', { phoneNumberPrefixes: ['1425\n'] }, 'phonenumberprefixes.0', /1 to 15 digits/],
    ['with a prefix too long', { phoneNumberPrefixes: [long] }, 'phonenumberprefixes.0', /1 to 15 digits/],
    ['with too many prefixes', { phoneNumberPrefixes: Array(11).fill('1') }, 'phonenumberprefixes', /at most 10/],
  ])('%s says what would be right', async (what, over, target, message) => {
    const answer = await post(what === 'without a type' ? over : { phoneNumberType: 'geographic', ...over })
    const expected = { code: 'InvalidInput', target, message: expect.stringMatching(message) as string }
    expect([answer.statusCode, answer.json()]).toEqual([400, { error: expected }])
  })

  it.each(['XX', 'INVALID', '%20'])('in country %s has the recorded text', async (country) => {
    const answer = await post({ phoneNumberType: 'geographic' }, { country })
    const error = { code: 'InvalidInput', message: 'Unable to parse country code.', target: 'countrycode' }
    expect([answer.statusCode, answer.json()]).toEqual([400, { error }])
  })

  it.each([[undefined], ['null'], ['[]'], ['"x"'], ['{'], [`{"phoneNumberType":"geographic"}x`]])(
    'for a body %j is one for bad input',
    async (body) => {
      const answer = await post(body)
      expect([answer.statusCode, answer.json()]).toMatchObject([400, { error: { code: 'InvalidInput' } }])
    },
  )
})

describe('the api-version of a browse', () => {
  it('is 2025-04-01 or later', async () => {
    const old = await post({ phoneNumberType: 'geographic' }, { version: '2025-02-11' })
    expect([old.statusCode, old.json()]).toMatchObject([400, { error: { code: 'UnsupportedApiVersion' } }])
    expect(old.headers['api-supported-versions']).toBe('2025-04-01, 2025-06-01')
    expect((await post({ phoneNumberType: 'geographic' }, { version: '2025-04-01' })).statusCode).toBe(200)
  })

  it('decides whether there are mobile numbers', async () => {
    const mobile = await enterStock(db, { from: '+353155501000', count: 2, place: dublinMobile })
    expect(await shown({ phoneNumberType: 'mobile' }, { country: 'IE' })).toEqual(mobile)
    const old = await post({ phoneNumberType: 'mobile' }, { country: 'IE', version: '2025-04-01' })
    expect([old.statusCode, old.json()]).toMatchObject([
      400,
      { error: { code: 'InvalidInput', target: 'phonenumbertype' } },
    ])
  })
})

it('only POST is a method of the path', async () => {
  const answer = await buyer.send('GET', `${US}/:browse`)
  expect([answer.statusCode, answer.headers.allow]).toEqual([405, 'POST'])
})

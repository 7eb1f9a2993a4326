/** Following a list from page to page, whatever mix of parameters it was asked with. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SimulatedBackend } from '../../../src/backends/simulated/simulated.js'
import { sql, type Db } from '../../../src/db/db.js'
import { everyService, fictionals, using } from '../../fixtures/accounts.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { anOperator, VERSION, type Operator } from '../../fixtures/operator.js'
import { createTestService, type TestService } from '../../fixtures/service.js'

let db: Db
let service: TestService
let operator: Operator

const NUMBERS = fictionals(1_203)
/** In another account, among the others by number. */
const ELSEWHERE = ['+1201', '+120255501', '+442079460000']
/** In the order of code points. */
const ACCOUNTS = ['-', '0', 'A', 'Zeta', '_', 'alpha', 'contoso', 'contoso2', 'z-9'].concat(
  Array.from({ length: 13 }, (_, index) => `zz${String(index).padStart(2, '0')}`),
)
const ADDRESSES = Array.from({ length: 23 }, (_, index) => `address${String(index).padStart(2, '0')}`)
const TENANTS = Array.from({ length: 12 }, (_, index) => `tenant${String(index).padStart(2, '0')}`)

beforeAll(async () => {
  db = await openTestDatabase()
  service = await createTestService(db)
  operator = await anOperator(service)
  for (const name of [...ACCOUNTS].reverse()) {
    const correlationId = name.startsWith('zz') ? 'later' : undefined
    await operator.put(`/accounts/${name}`, { serviceDetails: everyService(), correlationId })
  }
  for (let from = 0; from < NUMBERS.length; from += 100) {
    const numbers = NUMBERS.slice(from, from + 100).map((telephoneNumber, index) => ({
      telephoneNumber,
      ...using((from + index) % 3 === 0 ? 'teamsDirectRouting' : 'zoomPhoneCloudPeering'),
    }))
    const answer = await operator.post('/accounts/contoso:createOrUpdateNumbers', { numbers: numbers.reverse() })
    expect(answer.statusCode, answer.body).toBe(200)
  }
  const elsewhere = ELSEWHERE.map((telephoneNumber) => ({ telephoneNumber, serviceDetails: {} }))
  await operator.post('/accounts/alpha:createOrUpdateNumbers', { numbers: elsewhere })
  const { control } = service.wiring.provisioning.deps.backends.oc as SimulatedBackend
  await control.putCivicAddresses(
    'tenantIdString',
    [...ADDRESSES].reverse().map((id, index) => ({
      id,
      defaultLocationId: 'location',
      cityOrTown: index % 4 === 0 ? 'Seattle' : 'Redmond',
    })),
  )
  for (const { tenantId } of await control.consents()) await control.removeConsent(tenantId)
  for (const tenantId of TENANTS) {
    await control.putConsent({
      id: tenantId.replace('tenant', 'consent'),
      tenantId,
      status: tenantId.endsWith('1') ? 'suspended' : 'active',
      consentedCountries: [],
      contacts: [],
      relationship: {},
    })
  }
})
afterAll(async () => {
  await service.close()
  await db.close()
})

interface Asked {
  top?: number | undefined
  skip?: number | undefined
  maxpagesize?: number | undefined
  countRecords?: boolean | undefined
  filter?: string | undefined
}

const DEFAULT_PAGE_SIZE = 200
const MAX_PAGE_SIZE = 500

/** Follows a list to its end, and looks at each page on the way. */
async function walk(path: string, asked: Asked, keyOf: (item: never) => string, matching: number): Promise<string[]> {
  const size = Math.min(asked.maxpagesize ?? DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
  const parameters = Object.entries(asked).flatMap(([name, value]) =>
    value === undefined ? [] : `${name}=${encodeURIComponent(value)}`,
  )
  let target: string | undefined = `${path}?${[`api-version=${VERSION}`, ...parameters].join('&')}`
  const keys: string[] = []
  while (target !== undefined) {
    const answer = await operator.get(target, { version: null })
    expect(answer.statusCode, answer.body).toBe(200)
    const count = answer.headers['x-ms-record-count']
    expect(count).toBe(asked.countRecords === true ? String(matching) : undefined)
    const page: { value: never[]; nextLink?: string } = answer.json()
    expect(page.value.length).toBeLessThanOrEqual(size)
    keys.push(...page.value.map(keyOf))
    if (!('nextLink' in page)) break
    // There is more, and it is no empty page that says so.
    expect(page.value.length).toBe(size)
    const next: URL = new URL(page.nextLink)
    expect(next.searchParams.get('api-version')).toBe(VERSION)
    target = `${next.pathname}${next.search}`
  }
  return keys
}

const crossed = <A, B>(as: readonly A[], bs: readonly B[]): (A & B)[] =>
  as.flatMap((a) => bs.map((b) => ({ ...a, ...b })))
const each = <Name extends keyof Asked>(name: Name, values: readonly Asked[Name][]) =>
  values.map((value) => ({ [name]: value }) as Pick<Asked, Name>)

const expected = (matching: readonly string[], { skip = 0, top = Infinity }: Asked): string[] =>
  matching.slice(skip, skip + top)

const numberOf = ({ telephoneNumber }: { telephoneNumber: string }) => telephoneNumber

describe('1,203 numbers', () => {
  const filters: [filter: string | undefined, holds: (e164: string, index: number) => boolean][] = [
    [undefined, () => true],
    ["startswith(telephoneNumber,'+12025550')", (e164) => e164.startsWith('+12025550')],
    ['serviceDetails/teamsDirectRouting/enabled', (_, index) => index % 3 === 0],
    ["telephoneNumber gt '+12'  and not (telephoneNumber le '+1207')", (e164) => e164 > '+1207'],
    ["telephoneNumber eq '+1'", () => false],
  ]
  const mixes = crossed(
    crossed(each('top', [undefined, 1, 450, 1_203]), each('skip', [undefined, 1, 500, 1_203])),
    each('maxpagesize', [undefined, 137, 500, 2_000_000_000]),
  ).map((mix, index) => ({ ...mix, countRecords: index % 2 === 0 }))

  it.each(filters)(
    'are walked through to the end with every mix of the other parameters: filter %s',
    async (filter, holds) => {
      const matching = NUMBERS.filter((e164, index) => holds(e164, index))
      for (const mix of mixes) {
        const keys = await walk('/accounts/contoso/numbers', { ...mix, filter }, numberOf, matching.length)
        expect(keys, JSON.stringify(mix)).toEqual(expected(matching, mix))
      }
    },
  )

  it('come in pages of one, if that is wanted', async () => {
    const mix = { maxpagesize: 1, skip: 1_150, countRecords: true }
    expect(await walk('/accounts/contoso/numbers', mix, numberOf, 1_203)).toEqual(NUMBERS.slice(1_150))
  })

  it('are listed among those of all accounts', async () => {
    const all = [...NUMBERS, ...ELSEWHERE].sort()
    for (const mix of crossed(each('top', [undefined, 1_000]), each('skip', [undefined, 3, 1_205]))) {
      const asked = { ...mix, maxpagesize: 499, countRecords: true }
      expect(await walk('/numbers', asked, numberOf, all.length)).toEqual(expected(all, mix))
    }
    const filter = "accountName eq 'alpha'"
    expect(await walk('/numbers', { filter, maxpagesize: 2, countRecords: true }, numberOf, 3)).toEqual(ELSEWHERE)
  })

  it('are walked through the same by a client that counts for itself', async () => {
    const keys: string[] = []
    for (let skip = 0; ; skip += 400) {
      const answer = await operator.get(`/accounts/contoso/numbers?skip=${skip}&maxpagesize=400`)
      const { value } = answer.json<{ value: { telephoneNumber: string }[] }>()
      keys.push(...value.map(numberOf))
      if (value.length < 400) break
    }
    expect(keys).toEqual(NUMBERS)
  })
})

describe('the other lists', () => {
  const lists: [path: string, all: string[], keyOf: (item: never) => string, filter: string, match: string[]][] = [
    [
      '/accounts',
      ACCOUNTS,
      ({ name }: { name: string }) => name,
      "correlationId eq 'later'",
      ACCOUNTS.filter((name) => name.startsWith('zz')),
    ],
    [
      '/accounts/contoso/teamsCivicAddresses',
      ADDRESSES,
      ({ id }: { id: string }) => id,
      "cityOrTown eq 'Seattle'",
      ADDRESSES.filter((_, index) => (ADDRESSES.length - 1 - index) % 4 === 0),
    ],
    [
      '/teamsRequestsForInformation',
      TENANTS,
      ({ tenantId }: { tenantId: string }) => tenantId,
      "status ne 'suspended'",
      TENANTS.filter((tenantId) => !tenantId.endsWith('1')),
    ],
  ]

  it.each(lists)('are walked through the same way: %s', async (path, all, keyOf, filter, match) => {
    const mixes = crossed(
      crossed(each('top', [undefined, 1, 7]), each('skip', [undefined, 5, 22])),
      crossed(each('maxpagesize', [undefined, 4]), each('filter', [undefined, filter])),
    )
    for (const mix of mixes) {
      const matching = mix.filter === undefined ? all : match
      const keys = await walk(path, { ...mix, countRecords: true }, keyOf, matching.length)
      expect(keys, JSON.stringify(mix)).toEqual(expected(matching, mix))
    }
  })

  it.each(['/accounts/_/numbers', "/accounts?filter=name eq 'nobody'", '/numbers?skip=2147483647'])(
    'are an empty list when there is nothing: %s',
    async (target) => {
      const answer = await operator.get(encodeURI(target))
      expect(answer.statusCode).toBe(200)
      expect(answer.json()).toEqual({ value: [] })
    },
  )

  it('of an account that is not there is not there', async () => {
    for (const list of ['numbers', 'teamsCivicAddresses']) {
      const answer = await operator.get(`/accounts/nobody/${list}`)
      expect(answer.statusCode).toBe(404)
      expect(answer.json()).toMatchObject({ error: { code: 'AccountNotFound', target: 'accountName' } })
    }
  })
})

describe('2,500 numbers', () => {
  const long = fictionals(2_500, 1_300)

  beforeAll(() =>
    db.query(sql`
      with ledger as (
        insert into number (e164, shuffle, state, account_id)
        select e164, 0, 'assigned', id from unnest(${long}::text[]) as l (e164), account where name = 'A'
        returning e164, account_id
      ), put as (
        insert into account_number (e164, account_id, details, modified_at)
        select e164, account_id, '{"serviceDetails": {}}', now() from ledger
      )
      insert into account_number_count (account_id, slot, total, oc, tpm, dr, zoom, aocp, changed_at)
      select account_id, 0, count(*), 0, 0, 0, 0, 0, now() from ledger group by account_id`),
  )

  it('are walked through from anywhere', async () => {
    const skips = [undefined, 1_999, 2_000, 2_001, 2_249, 2_250, 2_400, 2_499, 2_500, 9_999]
    for (const mix of crossed(each('skip', skips), each('top', [undefined, 300]))) {
      const keys = await walk('/accounts/A/numbers', { ...mix, countRecords: true }, numberOf, long.length)
      expect(keys, JSON.stringify(mix)).toEqual(expected(long, mix))
    }
  })
})

describe('a parameter of a list', () => {
  const paths = ['/accounts', '/accounts/contoso/numbers', '/numbers', '/accounts/contoso/teamsCivicAddresses'].concat(
    '/teamsRequestsForInformation',
  )
  it.each([
    ['orderby=name', 'UnsupportedQueryParameter', 'orderby'],
    ['$top=1', 'UnsupportedQueryParameter', '$top'],
    ['select=name', 'UnsupportedQueryParameter', 'select'],
    ['expand=x', 'UnsupportedQueryParameter', 'expand'],
    ['top=0', 'InvalidParameter', 'top'],
    ['top=-1', 'InvalidParameter', 'top'],
    ['top=1.5', 'InvalidParameter', 'top'],
    ['top=', 'InvalidParameter', 'top'],
    ['top=2147483648', 'InvalidParameter', 'top'],
    ['top=1&top=2', 'InvalidParameter', 'top'],
    ['skip=-1', 'InvalidParameter', 'skip'],
    ['skip=x', 'InvalidParameter', 'skip'],
    ['maxpagesize=0', 'InvalidParameter', 'maxpagesize'],
    ['maxpagesize=1e2', 'InvalidParameter', 'maxpagesize'],
    ['countRecords=True', 'InvalidParameter', 'countRecords'],
    ['filter=', 'InvalidFilter', 'filter'],
    ["filter=colour eq 'red'", 'InvalidFilter', 'filter'],
    ["filter=name like 'x'", 'InvalidFilter', 'filter'],
    ['filter=length(name) eq 1', 'InvalidFilter', 'filter'],
    ["filter=constructor eq 'x'", 'InvalidFilter', 'filter'],
    ['filter=serviceProvisioningErrors eq null', 'InvalidFilter', 'filter'],
    ['after=%00', 'InvalidParameter', 'after'],
  ])('that is wrong is named: %s', async (query, code, target) => {
    for (const path of paths) {
      const answer = await operator.get(encodeURI(`${path}?${query}`).replace('%2500', '%00'))
      expect(answer.statusCode, path).toBe(400)
      expect(answer.json(), path).toMatchObject({ error: { code, target } })
    }
  })

  it('is named with each other one that is wrong', async () => {
    const { error } = (await operator.get('/numbers?top=0&skip=x&orderby=name&filter=(')).json<{
      error: { code: string; details: { code: string; target: string }[] }
    }>()
    expect(error.code).toBe('InvalidParameter')
    expect(error.details.map(({ code, target }) => `${code} ${target}`).sort()).toEqual([
      'InvalidFilter filter',
      'InvalidParameter skip',
      'InvalidParameter top',
      'UnsupportedQueryParameter orderby',
    ])
  })

  it('with the plus sign of a number has to be encoded', async () => {
    const target = (plus: string) =>
      `/numbers?filter=telephoneNumber%20eq%20'${plus}${(NUMBERS[0] as string).slice(1)}'`
    expect((await operator.get(target('%2B'))).json<{ value: object[] }>().value).toHaveLength(1)
    expect((await operator.get(target('+'))).json()).toEqual({ value: [] })
  })
})

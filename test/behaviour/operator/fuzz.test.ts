/** Whatever comes from somebody who may do everything: a response in the API's manners, never an internal error. */
import fc from 'fast-check'
import { createHash } from 'node:crypto'
import type { TSchema } from 'typebox'
import { afterAll, afterEach, beforeEach, expect, inject, it } from 'vitest'
import { newId } from '../../../src/ids.js'
import { runNextJob } from '../../../src/operations/jobs/run.js'
import type { OperationContract } from '../../../src/operator/contract/operation.js'
import { operations } from '../../../src/operator/contract/operations.js'
import { brokenInvariants, operatorConnect } from '../../fixtures/accounts.js'
import { search } from '../../fixtures/buying.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { anOperator } from '../../fixtures/operator.js'
import { operatorApiOf, type OperatorApi } from '../../fixtures/operator-api.js'
import { createTestService, type TestService } from '../../fixtures/service.js'
import { enterStock } from '../../fixtures/stock.js'

const db = await openTestDatabase()
afterAll(() => db.close())
let service: TestService
let api: OperatorApi
beforeEach(async () => {
  service = await createTestService(db)
  api = await operatorApiOf(service)
  await enterStock(db, { count: 20 })
  await search(await service.client('contoso'), { quantity: 2 })
  const operator = await anOperator(service)
  await operator.put('/accounts/a', { serviceDetails: operatorConnect() })
  await operator.put('/accounts/a/numbers/+12065550110', {
    serviceDetails: { teamsOperatorConnect: { enabled: true } },
  })
})
afterEach(() => service.close())

const oddText = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '\0',
    '\ud800',
    'null',
    '__proto__',
    '../..',
    "'; drop table number; --",
    '💥',
    'é'.repeat(3_000),
  ),
  fc.constantFrom('%', '+', 'constructor', '9'.repeat(400), '\u202e', '\r\nx: y', 'a:b', 'toString', '-0', '1e309'),
  fc.string({ unit: 'binary', maxLength: 30 }),
)
const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  oddText,
  fc.constantFrom(null, true, 0, -1, 1.5, 1e308, 2 ** 53 + 2, [], {}, [[]], [null]),
  fc.jsonValue({ maxDepth: 3 }),
)

/** Good values of what has the same name everywhere. */
const e164 = fc.integer({ min: 0, max: 25 }).map((n) => `+120655501${String(n).padStart(2, '0')}`)
const uuid = fc.constantFrom(newId(), newId())
const known: Record<string, fc.Arbitrary<unknown>> = {
  name: fc.constantFrom('contoso', 'fabrikam', 'local'),
  resource: fc.constantFrom('contoso', 'fabrikam'),
  account: fc.constantFrom('a', 'b'),
  e164,
  phoneNumber: e164,
  phoneNumbers: fc.array(e164, { maxLength: 3 }),
  numbers: fc.array(e164, { maxLength: 3 }),
  prefix: fc.constantFrom('+1', '1206', '+44'),
  q: fc.constantFrom('1206', 'conto'),
  count: fc.constantFrom(1, 2, 'true', 'false'),
  id: uuid,
  which: fc.constantFrom('primary', 'secondary', 'third'),
  clientId: fc.constantFrom('linebook-reader', 'billing', 'user/x'),
  currency: fc.constantFrom('USD', 'EUR', 'usd'),
  amount: fc.constantFrom('1', '-0.5', '99999999999999.9999', '1e3', '0'),
  issuer: fc.constantFrom('linebook', 'https://login.example/x', null),
  month: fc.constantFrom('2026-02', '2026-03', '2999-12', '0000-01', '2026-13'),
  pool: fc.constantFrom('', 'contoso'),
  countryCode: fc.constantFrom('US', 'gb', 'ZZ'),
  areaCode: fc.constantFrom('206', '00000000'),
  entitledTo: fc.constantFrom(null, ['US'], ['US:tollFree', 'gb']),
  hosts: fc.array(fc.constantFrom('a.test', 'B.test', 'local'), { maxLength: 2 }),
  roles: fc.constantFrom(['Operator.Read'], ['ProvisioningAPI.Admin', 'Operator.Write'], []),
  changedSince: fc.constantFrom('2026-03-01T00:00:00Z', '0000-01-01T00:00:00Z', '9999-12-31T23:59:59.999999Z'),
  addresses: fc.constantFrom({ US: { line: '1', city: 'x' } }, { GB: null }),
}

/** What fits a schema, or nearly does. */
function fitting(schema: TSchema, name = ''): fc.Arbitrary<unknown> {
  const found = schema as TSchema & {
    properties?: Record<string, TSchema>
    items?: TSchema
    enum?: unknown[]
    anyOf?: TSchema[]
    type?: string
    minimum?: number
    maximum?: number
  }
  if (Object.hasOwn(known, name)) return known[name] as fc.Arbitrary<unknown>
  if (found.properties) {
    const parts = Object.entries(found.properties).map(([key, part]) => [key, fitting(part, key)] as const)
    return fc.record(Object.fromEntries(parts), { requiredKeys: [] })
  }
  if (found.enum) return fc.constantFrom(...found.enum)
  if (found.items) return fc.array(fitting(found.items, name), { maxLength: 3 })
  if (found.anyOf) return fc.oneof(...found.anyOf.map((part) => fitting(part, name)))
  if (found.type === 'integer') {
    return fc.constantFrom(found.minimum ?? 0, 1, 2, found.maximum ?? 9, (found.maximum ?? 9) + 1)
  }
  if (found.type === 'boolean') return fc.boolean()
  if (found.type === 'null') return fc.constant(null)
  return fc.oneof(fc.constantFrom('x', 'contoso', '2026-03-01T00:00:00Z', '42'), oddText)
}

/** Puts `odd` in the place of something inside `value`, or beside it; `at` says where. */
function spoilt(value: unknown, at: readonly number[], odd: unknown): unknown {
  const [first = 0, ...rest] = at
  if (typeof value !== 'object' || value === null || rest.length === 0) return odd
  const entries = Object.entries(value)
  const index = first % (entries.length + 1)
  const [key, inner] = entries[index] ?? [typeof odd === 'string' ? odd : 'extra', undefined]
  const changed = index === entries.length ? odd : spoilt(inner, rest, odd)
  return Array.isArray(value)
    ? value.map((item: unknown, i) => (i === index ? changed : item))
    : { ...value, [key]: changed }
}

const FILE = 'phoneNumber,countryCode,phoneNumberType,areaCode\n+12065550130,US,geographic,206\n'

function bodyOf({ body, upload }: OperationContract): fc.Arbitrary<string | Buffer | undefined> {
  const valid = body ? fitting(body) : fc.constant({})
  const spoiling = fc
    .tuple(valid, fc.array(fc.nat(9), { maxLength: 6 }), oddValue)
    .map(([whole, at, odd]) => spoilt(whole, at, odd))
  const asText = (value: fc.Arbitrary<unknown>) => value.map((json) => JSON.stringify(json))
  const bytes = fc.uint8Array({ maxLength: 100 }).map((raw) => Buffer.from(raw))
  if (upload) return fc.oneof(fc.constantFrom(FILE, '', `${FILE},,"`, '\0'), bytes)
  return fc.oneof(
    { weight: 10, arbitrary: body ? asText(valid) : fc.constant(undefined) },
    { weight: 6, arbitrary: asText(spoiling) },
    { weight: 1, arbitrary: asText(oddValue) },
    fc.constantFrom('[', '['.repeat(50_000), '{"a":'.repeat(40) + '1' + '}'.repeat(40), '{"name":"a","name":1}'),
    bytes,
    fc.constant(undefined),
  )
}

const encode = (text: string): string => encodeURIComponent(text.replace(/\p{Cs}/gu, '?'))
const odd = fc.oneof(
  oddText.map(encode),
  fc.constantFrom('%ff', '%c0%af', '%00', '%', '%zz', '.', '%2F', '%3A', 'a:', ':rotate', '+0', '%2B%2B1'),
)
interface Target {
  path: string
  params: Record<string, string>
}
function targetOf({ path }: OperationContract): fc.Arbitrary<Target> {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string)
  const value = (name: string) =>
    fc.oneof(
      { weight: 9, arbitrary: (known[name] ?? oddText).map((text) => encode(String(text))) },
      { weight: 1, arbitrary: odd },
    )
  return fc.tuple(...names.map(value)).map((values) => ({
    path: names.reduce((filled, name, index) => filled.replace(`{${name}}`, () => values[index] as string), path),
    params: Object.fromEntries(names.map((name, index) => [name, values[index] as string])),
  }))
}

/** As the API itself writes them: anybody can see how. */
function forgedCursor(operation: string, params: Record<string, string>, key: readonly unknown[]): string {
  const list = { list: { operation, params }, filters: {} }
  const mark = createHash('sha256').update(JSON.stringify(list)).digest('base64url').slice(0, 8)
  return Buffer.from(JSON.stringify([mark, ...key])).toString('base64url')
}
const keyPart = fc.oneof(
  fc.constantFrom<unknown>(
    'pending',
    'ended',
    'purchase',
    'search',
    'reservation',
    'oc',
    'number',
    0,
    -1,
    1e300,
    2 ** 40,
  ),
  fc.constantFrom<unknown>('2026-03-01 12:00:00+00', '2026-03-01T12:00:00Z', 'infinity', newId(), '+12065550100', 'x'),
  oddValue,
)

function queryOf(contract: OperationContract, { params }: Target): fc.Arbitrary<string> {
  const { query, list, operationId } = contract
  const plain = fitting(query).map((found) =>
    Object.entries(found as object).flatMap(([name, value]) =>
      (Array.isArray(value) ? (value as unknown[]) : [value]).map((one) => `${name}=${encode(String(one))}`),
    ),
  )
  const stray = fc.tuple(fc.constantFrom('limit', 'cursor', 'count', 'x', '%00', ''), odd).map(([k, v]) => `${k}=${v}`)
  const text = fc.tuple(plain, fc.array(stray, { maxLength: 1 })).map(([some, more]) => [...some, ...more].join('&'))
  const decoded = Object.fromEntries(Object.entries(params).map(([name, value]) => [name, decodedOr(value)]))
  const forged = fc
    .array(keyPart, { maxLength: 5 })
    .map((key) => `limit=1&cursor=${forgedCursor(operationId, decoded, key)}`)
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant('') },
    { weight: 2, arbitrary: plain.map((some) => some.slice(0, 2).join('&')) },
    { weight: 1, arbitrary: text },
    ...(list ? [{ weight: 3, arbitrary: forged }] : []),
  )
}

function decodedOr(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const headers = fc.dictionary(
  fc.constantFrom('if-match', 'idempotency-key', 'accept', 'content-type', 'x-forwarded-for', 'traceparent'),
  fc.oneof(
    fc.constantFrom('*', '"a"', 'one', '"two"', 'text/csv', 'application/x-ndjson', 'application/json', 'a/b', '', ','),
    fc.string({ unit: fc.constantFrom(...Array.from('aZ09 ;,=/+*-_"\xe9\xff')), maxLength: 40 }),
  ),
  { maxKeys: 2 },
)
const method = fc.constantFrom('GET', 'PUT', 'POST', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS')

const call = fc.constantFrom(...operations).chain((contract) =>
  targetOf(contract).chain((target) =>
    fc.record({
      verb: fc.oneof({ weight: 19, arbitrary: fc.constant<string>(contract.method) }, method),
      path: fc.oneof(
        { weight: 29, arbitrary: fc.constant(target.path) },
        odd.map((end) => `/${end}`),
      ),
      query: queryOf(contract, target),
      body: bodyOf(contract),
      extra: headers.map((found) => ({ ...(contract.upload && { 'content-type': 'text/csv' }), ...found })),
    }),
  ),
)

const REQUESTS = inject('engine') === 'postgres' ? 1_200 : 300
/** What the generators are meant to reach: they go on until they have. */
const REACHED = [200, 201, 202, 204, 400, 404, 405, 409, 412, 415, 422]

it('no input yields an internal error, and what is stored stays whole', async () => {
  const seen = new Set<number>()
  const property = fc.asyncProperty(call, async ({ verb, path, query, body, extra }) => {
    const target = query === '' ? path : `${path}?${query}`
    const answer = await api.send(verb, target, { body, headers: extra })
    const { statusCode } = answer
    seen.add(statusCode)
    // A rotation of the issuer's key has ended the token.
    if (statusCode === 401) api = await operatorApiOf(service)
    expect(statusCode, `${verb} ${target} ${String(body)} ${JSON.stringify(extra)} ${answer.body}`).toBeLessThan(500)
    if (statusCode < 400 || verb === 'HEAD') return
    expect(answer.headers['content-type'], target).toBe('application/problem+json')
    const problem = answer.json<{ status: number; code: string; title: string; detail?: string }>()
    expect(problem).toMatchObject({ status: statusCode, type: `urn:linebook:problem:${problem.code}` })
    expect(problem.detail, answer.body).toBeTruthy()
  })
  do await fc.assert(property, { numRuns: REQUESTS, timeout: 30_000 })
  while (!REACHED.every((status) => seen.has(status)))
  while ((await runNextJob(service.wiring.jobs)).claimed > 0);
  interface Page {
    items: { error: { code: string } }[]
  }
  const { items } = (await api.get('/jobs?limit=1000&state=failed')).json<Page>()
  expect(items.filter(({ error }) => error.code === 'internal-error')).toEqual([])
  expect(await brokenInvariants(db)).toEqual([])
})

/** Whatever comes from whoever may do everything: an answer in the envelope, never an internal error, nothing half done. */
import fc from 'fast-check'
import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, it } from 'vitest'
import { serviceKeys } from '../../../src/backends/port/services.js'
import { sql, type Db } from '../../../src/db/db.js'
import { operations as operations2024 } from '../../../src/provisioning/contract/operations.js'
import { operations as operations2023 } from '../../../src/provisioning/facade-2023/operations.js'
import {
  brokenInvariants,
  directRouting,
  everyService,
  fictional,
  operatorConnect,
  passedOn,
  using,
} from '../../fixtures/accounts.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { anOperator, reconcileAll, type Operator } from '../../fixtures/operator.js'
import { createTestService, type TestService } from '../../fixtures/service.js'

let db: Db
let service: TestService
let operator: Operator

beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.close())
beforeEach(async () => {
  service = await createTestService(db)
  operator = await anOperator(service)
})
afterEach(() => service.close())

const accounts = ['a', 'B_2', 'c-3'] as const
const e164s = Array.from({ length: 6 }, (_, index) => fictional(index))
const GUID = '72f988bf-86f1-41af-91ab-2d7cd011db47'

const oddText = fc.oneof(
  fc.constantFrom('', ' ', '\0', '\ud800', '\udfff x', 'null', '__proto__', '../..', "'; drop table number; --", '💥'),
  fc.constantFrom('%', '+', '*', 'constructor', 'é'.repeat(3_000), '9'.repeat(400), '\u202e', '\r\nx: y', 'a\\'),
  fc.string({ unit: 'binary', maxLength: 30 }),
)
const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  oddText,
  fc.constantFrom(null, true, false, 0, -1, 1e308, 2 ** 53 + 2, [], {}, [[]], [null], { enabled: true }),
  fc.jsonValue({ maxDepth: 3 }),
)

// Bodies: right ones, and right ones with something in them that isn't.
const services = fc.constantFrom<object>(
  everyService(),
  everyService({ teamsOperatorConnect: passedOn, teamsDirectRouting: directRouting('one') }),
  operatorConnect({ teamsTenantId: 'contosoTenantId' }),
  { teamsDirectRouting: directRouting('two') },
  { teamsPhoneMobile: passedOn, azureOperatorCallProtection: { enabled: true } },
  {},
)
const number = fc.constantFrom<object>(
  ...serviceKeys.map((key) => using(key)),
  { ...using('teamsDirectRouting', 'azureOperatorCallProtection'), configuration: { customSipHeader: 'one' } },
  { serviceDetails: {} },
)
const e164 = fc.constantFrom(...e164s)
const items = <T extends object>(item: fc.Arbitrary<T>) =>
  fc.array(fc.tuple(e164, item), { maxLength: 5 }).map((pairs) => ({
    numbers: pairs.map(([telephoneNumber, body]) => ({ telephoneNumber, ...body })),
  }))
const account = services.map((serviceDetails) => ({ serviceDetails }))
const oldNumber = fc.constantFrom({}, { services: { teamsDrEnabled: true, teamsOcEnabled: false, zoomEnabled: false } })
/** What an operation takes, by its id. */
const fitting: Record<string, fc.Arbitrary<unknown>> = {
  Accounts_CreateOrReplace: account,
  Accounts_CreateOrReplaceNumber: number,
  Accounts_CreateOrUpdateNumbers: items(number),
  Accounts_DeleteNumbers: items(fc.constant({})),
  Accounts_GetTeamsAvailableCapabilities: items(fc.constant({})),
  TeamsRequestsForInformation_CreateOrUpdateRequestForInformation: fc.constant({
    customerRelationship: { status: 'AgreementSigned', comment: null },
  }),
  Account_CreateOrReplace: fc.constantFrom({}, { directRouting: directRouting('old').configuration }),
  Number_CreateOrReplace: oldNumber,
  Account_CreateOrReplaceNumbers: fc.array(fc.tuple(e164, oldNumber), { maxLength: 3 }).map((pairs) => ({
    numbers: pairs.map(([phoneNumber, details]) => ({ phoneNumber, details })),
  })),
}

/** Puts `odd` in the place of something inside `value`, or beside it; `at` says where. */
function spoilt(value: unknown, at: readonly number[], odd: unknown): unknown {
  const [first = 0, ...rest] = at
  if (typeof value !== 'object' || value === null || rest.length === 0) return odd
  const entries = Object.entries(value)
  const index = first % (entries.length + 1)
  const [name, inner] = entries[index] ?? [typeof odd === 'string' ? odd : 'extra', undefined]
  const changed = index === entries.length ? odd : spoilt(inner, rest, odd)
  return Array.isArray(value)
    ? value.map((item: unknown, i) => (i === index ? changed : item))
    : { ...value, [name]: changed }
}

const spoiling = (valid: fc.Arbitrary<unknown>) =>
  fc.tuple(valid, fc.array(fc.nat(9), { maxLength: 6 }), oddValue).map(([body, at, odd]) => spoilt(body, at, odd))
const broken = (text: fc.Arbitrary<string>) =>
  fc
    .tuple(text, fc.nat(200), fc.constantFrom('', ',', '\0', '}', '"', '//', '{"a":'))
    .map(([whole, at, odd]) => whole.slice(0, at) + odd + whole.slice(at + 1))

/** A body for an operation: mostly one that fits, or that nearly does. */
function contentFor(operationId: string): fc.Arbitrary<string | Buffer | undefined> {
  const valid = fitting[operationId] ?? fc.oneof(...Object.values(fitting))
  const asText = (value: fc.Arbitrary<unknown>) => value.map((json) => JSON.stringify(json))
  return fc.oneof(
    { weight: 10, arbitrary: asText(valid) },
    { weight: 8, arbitrary: asText(spoiling(valid)) },
    { weight: 1, arbitrary: asText(oddValue) },
    { weight: 1, arbitrary: broken(asText(valid)) },
    fc.constantFrom('['.repeat(50_000), '{"a":'.repeat(40) + '1' + '}'.repeat(40), '{"numbers":[],"numbers":[1]}'),
    fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
    fc.constant(undefined),
  )
}

// Targets.
const encoded = oddText.map((odd) => encodeURIComponent(odd.replace(/\p{Cs}/gu, '?')))
const odd = fc.oneof(
  encoded,
  fc.constantFrom('%ff', '%c0%af', '%00', '%', '%zz', '.', '%2F', '%3A', 'a:', ':deleteNumbers', '+0'),
)
const known: Record<string, fc.Arbitrary<string>> = {
  accountName: fc.constantFrom(...accounts),
  telephoneNumber: e164,
  phoneNumber: e164,
  civicAddressId: fc.constantFrom('civicAddressIdString', 'x'),
  tenantId: fc.constantFrom('contosoTenantId', GUID),
}
const writes = operations2024.filter(({ operationId }) => operationId in fitting)
const operation = fc.constantFrom(...operations2024, ...operations2023, ...writes, ...writes)
const pathOf = (path: string): fc.Arbitrary<string> => {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string)
  const values = names.map((name) => fc.oneof({ weight: 19, arbitrary: known[name] as fc.Arbitrary<string> }, odd))
  return fc
    .tuple(...values)
    .map((found) =>
      names.reduce((filled, name, index) => filled.replace(`{${name}}`, () => found[index] as string), path),
    )
}
const method = fc.constantFrom('GET', 'PUT', 'POST', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS')
interface Call {
  verb: string
  path: string
  version: string
  body: string | Buffer | undefined
}
const version = fc.constantFrom('2024-02-29', '2024-02-29-preview', '2023-10-01', 'x')
const call: fc.Arbitrary<Call> = operation.chain((one) =>
  fc.record({
    verb: fc.oneof({ weight: 19, arbitrary: fc.constant<string>(one.method) }, method),
    path: fc.oneof(
      { weight: 19, arbitrary: pathOf(one.path) },
      fc.array(odd, { maxLength: 4 }).map((parts) => `/accounts/${parts.join('/')}`),
    ),
    version: fc.oneof({ weight: 9, arbitrary: fc.constantFrom<string>(...one.versions) }, version),
    body: contentFor(one.operationId),
  }),
)
const parameter = fc.oneof(
  fc.tuple(fc.constantFrom('top', 'skip', 'maxpagesize'), fc.constantFrom('0', '1', '3', '-1', '2147483648', 'x')),
  fc.tuple(fc.constantFrom('countRecords', 'deleteNumbers', 'status'), fc.constantFrom('true', 'false', 'True')),
  fc.tuple(
    fc.constant('filter'),
    fc.oneof(
      encoded,
      fc
        .constantFrom(
          "startswith(telephoneNumber,'%2B1')",
          "serviceDetails/teamsDirectRouting/subdomainStatus ne 'x'",
          'serviceDetails/teamsOperatorConnect/numberCount gt -1e300',
          "accountName eq '%00' or not serviceDetails/teamsDirectRouting/enabled",
          "serviceDetails/teamsTenantId eq '%ED%A0%80' and name ge '\u{10ffff}'",
          '('.repeat(60),
        )
        .map(encodeURI),
    ),
  ),
  fc.tuple(fc.constantFrom('after', 'number', '$top', 'api-version', '%00', ''), odd),
)
const query = fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.array(parameter, { maxLength: 2 }))
const headerValue = fc.oneof(
  fc.constantFrom(
    '*',
    '"a.b"',
    'W/"a"',
    '"',
    ',',
    '',
    'Thu, 29 Feb 2024 12:00:00 GMT',
    '9999-12-31T23:59:59Z',
    'x'.repeat(300),
  ),
  fc.string({ unit: fc.constantFrom(...Array.from('aZ09 ;,=/+*-_"\xe9\xff')), maxLength: 40 }),
)
const headers = fc.oneof(
  { weight: 2, arbitrary: fc.constant<Record<string, string>>({}) },
  fc.dictionary(
    fc.constantFrom(
      ...['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'etag', 'content-type', 'accept'],
      ...[
        'repeatability-request-id',
        'repeatability-first-sent',
        'x-ms-client-request-id',
        'x-forwarded-for',
        'prefer',
      ],
    ),
    headerValue,
    { maxKeys: 3 },
  ),
)

const REQUESTS = inject('engine') === 'postgres' ? 3_000 : 600
/** What the generators are meant to reach: they go on until they have. */
const REACHED = [200, 201, 204, 400, 404, 405, 409, 412]

it('no input yields an internal error, and what is stored stays whole', async () => {
  const seen = new Set<number>()
  const property = fc.asyncProperty(call, query, headers, async ({ verb, path, version, body }, parameters, extra) => {
    const search = [`api-version=${version}`, ...parameters.map(([name, value]) => `${name}=${value}`)].join('&')
    const answer = await operator.send(verb, `${path}?${search}`, { body, headers: extra, version: null })
    const { statusCode } = answer
    seen.add(statusCode)
    expect(statusCode, `${verb} ${path}?${search} ${answer.body}`).toBeLessThan(500)
    if (statusCode < 400 || verb === 'HEAD') return
    const { error } = answer.json<{ error: { code: string; message: string } }>()
    expect(error).toMatchObject({ code: expect.any(String) as string, message: expect.any(String) as string })
    expect(answer.headers['x-ms-error-code']).toBe(error.code)
    expect(answer.headers['x-ms-request-id']).toBeDefined()
  })
  do await fc.assert(property, { numRuns: REQUESTS, timeout: 30_000 })
  while (!REACHED.every((status) => seen.has(status)))
  await reconcileAll(service)
  expect(await brokenInvariants(db)).toEqual([])
  const [stored] = await db.query<{ numbers: number }>(sql`select count(*) as numbers from number`)
  expect(stored?.numbers).toBeLessThanOrEqual(e164s.length)
})

it('no bytes do either', async () => {
  await service.server.listen({ port: 0, host: '127.0.0.1' })
  const { port } = service.server.server.address() as AddressInfo
  /** What comes back, up to the end of the first answer. */
  const send = async (bytes: Buffer): Promise<string> => {
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1')
      const [, length] = /^content-length: (\d+)\r$/im.exec(answer) ?? []
      const body = answer.split('\r\n\r\n', 2)[1]
      if (length !== undefined && body !== undefined && body.length >= Number(length)) socket.destroy()
    })
    socket.write(bytes)
    await once(socket, 'close')
    return answer
  }
  const bytes = fc.uint8Array({ maxLength: 40 }).map((raw) => Buffer.from(raw).toString('latin1'))
  const raw = fc.record({ verb: fc.oneof(method, bytes), path: bytes, header: bytes, value: bytes, body: bytes })
  let answered = 0
  await fc.assert(
    fc.asyncProperty(raw, fc.nat(4), async ({ verb, path, header, value, body }, which) => {
      const lines = [
        `${which === 0 ? verb : 'PUT'} /accounts/${which === 1 ? path : 'a'}?api-version=2024-02-29 HTTP/1.1`,
        'host: localhost',
        'connection: close',
        `authorization: Bearer ${operator.token}`,
        ...(which === 2 ? [`${header}: x`] : []),
        ...(which === 3 ? [`if-match: ${value}`] : []),
        `content-length: ${Buffer.byteLength(body, 'latin1')}`,
      ]
      const answer = await send(Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1'))
      const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(answer) ?? []
      if (status === undefined) return
      answered++
      expect(Number(status), answer).toBeLessThan(500)
      if (Number(status) >= 400 && verb !== 'HEAD') expect(answer, JSON.stringify(lines)).toContain('"error":{"code":"')
    }),
    { numRuns: 300, timeout: 30_000 },
  )
  expect(answered).toBeGreaterThan(250)
  expect(await brokenInvariants(db)).toEqual([])
})

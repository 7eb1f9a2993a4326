/** Whatever comes, signed or not: an answer, and never an internal error. */
import fc from 'fast-check'
import { connect } from 'node:net'
import { describe, expect, inject } from 'vitest'
import { sql, type Db } from '../../../src/db/db.js'
import { newId } from '../../../src/ids.js'
import { operations } from '../../../src/phone-numbers/contract/operations.js'
import { aSearch } from '../../fixtures/buying.js'
import { createTestService, NEWEST, signedHeaders, type TestClient, type TestService } from '../../fixtures/service.js'
import { enterStock } from '../../fixtures/stock.js'
import { it } from '../../fixtures/test.js'

/** Requests under way at once, and how many times so many: 20,000 on PostgreSQL, where they really run side by side. */
const AT_ONCE = 20
const ROUNDS = inject('engine') === 'postgres' ? 1_000 : 50
const RAW_REQUESTS = 300
/** What the generators are meant to reach: they go on until they have. With few requests, what is not rare. */
const REACHED =
  inject('engine') === 'postgres' ? [200, 201, 202, 204, 207, 400, 401, 403, 404, 405, 422] : [200, 202, 400, 401, 404]

const oddText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', '\0', 'null', '../..', '%', '+', "'; drop table number; --", '\ud800', '9'.repeat(400)),
  fc.constantFrom('__proto__', 'constructor', 'Infinity', '1e400', '-0', '\u202e', ' ', '\r\nX: y'),
)
const segment = oddText.map((text) => encodeURIComponent(text.replace(/\p{Cs}/gu, '?')))
/** One of ten, of which now and then a new one takes the place of the oldest: one that was purchased is done with. */
const reservations = Array.from({ length: 10 }, newId)
const REQUESTS_PER_RESERVATION = 40
const A_RESERVATION = fc.nat(9).map((index) => `{reservation${index}}`)
const NUMBERS = ['+12065550100', '+12065550101', '+12065550155', '+14255550100']
const e164 = fc.constantFrom(...NUMBERS)
const digits = e164.map((number) => number.slice(1))
const operation = fc.constantFrom(...operations)
const method = fc.constantFrom('GET', 'POST', 'PATCH', 'DELETE', 'PUT', 'HEAD', 'OPTIONS')
const call: fc.Arbitrary<Call> = fc.oneof(
  {
    weight: 8,
    arbitrary: operation.chain(({ method, path }) =>
      filledIn(path, segment).map((filled) => ({ method, path: filled, version: versionFor(path) })),
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(method, operation)
      .chain(([other, { path }]) =>
        filledIn(path, segment).map((filled) => ({ method: other, path: filled, version: versionFor(path) })),
      ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(method, fc.array(segment, { maxLength: 5 }))
      .map(([any, parts]) => ({ method: any, path: `/${parts.join('/')}`, version: NEWEST })),
  },
)
const queryName = fc.constantFrom(
  'skip',
  'top',
  'maxPageSize',
  'after',
  'phoneNumberType',
  'assignmentType',
  'locality',
  'administrativeDivision',
  'api-version',
  'x',
)

const sipRoute = { name: 'r', description: 'd', numberPattern: '^\\+1', trunks: ['sbc.contoso.com'] }
/** What operations take, by a part of their path. */
const soundBodies: readonly (readonly [path: string, body: fc.Arbitrary<unknown>])[] = [
  [':search', fc.integer({ min: 0, max: 3 }).map((quantity) => aSearch({ quantity }))],
  [
    'operatorInformation',
    fc.record({ phoneNumbers: fc.array(e164, { maxLength: 2 }), options: fc.jsonValue() }, { requiredKeys: [] }),
  ],
  [':purchase', fc.constant({ searchId: newId(), agreeToNotResell: true })],
  [
    ':browse',
    fc.record({ phoneNumberType: fc.constant('geographic'), phoneNumberPrefixes: fc.array(digits, { maxLength: 3 }) }),
  ],
  [
    '/reservations/',
    fc.dictionary(digits, fc.option(fc.constant({}), { nil: null })).map((phoneNumbers) => ({ phoneNumbers })),
  ],
  [
    '/sip',
    fc.constantFrom(
      { trunks: { 'sbc.contoso.com': { sipSignalingPort: 5061 }, 'old.contoso.com': null }, routes: [sipRoute] },
      { trunks: { 'sbc.contoso.com': { sipSignalingPort: 0 } } },
      { routes: [sipRoute, sipRoute] },
    ),
  ],
  ['/capabilities', fc.record({ calling: fc.constantFrom('inbound', 'none'), sms: fc.constantFrom('inbound', 'x') })],
]
const anySound = fc.oneof(...soundBodies.map(([, arbitrary]) => arbitrary))
const headerText = fc.string({ unit: fc.constantFrom(...Array.from('abcXYZ019 ;,=/+*-_"')), maxLength: 60 })
const headerName = fc.constantFrom(
  'content-type',
  'accept-language',
  'x-ms-client-request-id',
  'accept',
  'x-ms-date',
  'authorization',
  'host',
  'origin',
)
const headers = fc.dictionary(headerName, headerText, { maxKeys: 2 })

const HOLD_MS = 15 * 60_000

describe('no input', () => {
  it('yields an internal error or breaks the ledger, many at once', async ({ db }) => {
    const { service, buyers, stock } = await aStockedService(db)
    const seen = new Set<number>()
    let sent = 0
    const send = async (made: Request, index: number) => {
      if (++sent % REQUESTS_PER_RESERVATION === 0) {
        reservations.shift()
        reservations.push(newId())
      }
      const path = withReservation(made.path)
      const target = made.query === '' ? path : `${path}?${made.query}`
      const answer = await (buyers[index % buyers.length] as TestClient).send(made.method, target, {
        version: made.version,
        ...(made.body !== undefined && { body: made.body }),
        ...(made.headers && { headers: made.headers }),
      })
      seen.add(answer.statusCode)
      isAnswer(answer.statusCode, answer.body)
    }
    const anyRequests = fc.array(request, { minLength: AT_ONCE, maxLength: AT_ONCE })
    const property = fc.asyncProperty(anyRequests, fc.nat(7), async (requests, pause) => {
      await Promise.all(requests.map(send))
      // What was held becomes free, or the generated requests would soon find nothing.
      if (pause === 0) service.clock.advance(HOLD_MS)
    })
    do await fc.assert(property, { numRuns: ROUNDS, endOnFailure: true })
    while (!REACHED.every((status) => seen.has(status)))
    expect(await brokenRows(db, stock)).toEqual([])
    await service.close()
  }, 600_000)

  it('yields an internal error or a hang, as raw bytes on the wire', async ({ db }) => {
    const { service, buyers, stock } = await aStockedService(db)
    const [buyer] = buyers as [TestClient]
    await service.server.listen({ host: '127.0.0.1', port: 0 })
    const address = service.server.server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const latin1 = fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes).toString('latin1'))
    await fc.assert(
      fc.asyncProperty(request, latin1, latin1, latin1, fc.nat(3), async (made, inPath, name, value, where) => {
        const content = made.body ?? ''
        const target = `${withReservation(made.path)}${where === 0 ? inPath : ''}?api-version=${made.version}&${made.query}`
        const signed = signedHeaders({ ...made, target, body: content, key: buyer.key, date: service.clock.now() })
        const lines = Object.entries(signed).map(([key, text]) => `${key}: ${text}\r\n`)
        const odd = where === 1 ? `${name}: ${value}\r\n` : where === 2 ? `x-ms-client-request-id: ${value}\r\n` : ''
        const length = Buffer.byteLength(content)
        const head = `${made.method} ${target} HTTP/1.1\r\n${lines.join('')}${odd}content-length: ${length}\r\n`
        const bytes = [Buffer.from(`${head}connection: close\r\n\r\n`, 'latin1'), Buffer.from(content)]
        const answer = await exchange(port, Buffer.concat(bytes))
        const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1])
        expect(status >= 200 && status < 500, answer.slice(0, 500)).toBe(true)
      }),
      { numRuns: RAW_REQUESTS, endOnFailure: true },
    )
    expect(await brokenRows(db, stock)).toEqual([])
    await service.close()
  })
})

/** Sends bytes and reads until the server closes. */
const exchange = (port: number, bytes: Buffer): Promise<string> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.setTimeout(30_000, () => socket.destroy(new Error(`no end of the answer to ${bytes.toString('latin1')}`)))
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // What it refuses in the middle of a request it answers, and then hangs up on the rest.
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') resolve(Buffer.concat(chunks).toString('latin1'))
      else reject(error)
    })
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
  })

const withReservation = (path: string) => path.replace(/\{reservation(\d)\}/, (_, index) => reservations[index] ?? '')

/** A path of the API with something in the place of each parameter that fits, or that does not. */
const filledIn = (path: string, odd: fc.Arbitrary<string>): fc.Arbitrary<string> => {
  const fitting: Record<string, fc.Arbitrary<string>> = {
    countryCode: fc.constantFrom('US', 'us', 'FR', 'XX'),
    phoneNumber: e164.map(encodeURIComponent),
    reservationId: fc.oneof({ weight: 9, arbitrary: A_RESERVATION }, fc.constant('no-uuid')),
  }
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
  return fc
    .tuple(...names.map((name) => fc.oneof({ weight: 8, arbitrary: fitting[name] ?? odd }, odd)))
    .map((values) => names.reduce((text, name, index) => text.replace(`{${name}}`, () => values[index] ?? ''), path))
}

interface Call {
  method: string
  path: string
  version: string
}
const versionFor = (path: string) => (path === '/sip' ? '2023-03-01' : NEWEST)
const query = fc
  .array(fc.tuple(queryName, fc.oneof(segment, fc.integer().map(String), fc.constant('geographic'))), { maxLength: 4 })
  .map((pairs) => pairs.map(([name, value]) => `${name}=${value}`).join('&'))
/** A sound body for a path, or now and then for another one. */
const soundFor = (path: string): fc.Arbitrary<unknown> => {
  const fitting = soundBodies.filter(([part]) => path.includes(part)).map(([, arbitrary]) => arbitrary)
  return fc.oneof({ weight: 1, arbitrary: anySound }, ...fitting.map((arbitrary) => ({ weight: 5, arbitrary })))
}

/** Something of a body replaced, added or taken out, at any depth. */
const mutated = (sound: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc
    .tuple(sound, fc.array(fc.tuple(fc.nat(), oddText, fc.oneof(fc.jsonValue(), oddText)), { maxLength: 3 }))
    .map(([body, changes]) => changes.reduce<unknown>((text, change) => mutate(text, ...change), body))

function mutate(value: unknown, where: number, name: string, by: unknown): unknown {
  if (typeof value !== 'object' || value === null || where % 5 === 0) return by
  const entries = Object.entries(value)
  if (where % 5 === 1) return { ...value, [name]: by }
  const index = where % (entries.length || 1)
  const changed = entries.map(
    ([key, old], at) => [key, at === index ? mutate(old, where >> 2, name, by) : old] as const,
  )
  return Array.isArray(value) ? changed.map(([, item]) => item) : Object.fromEntries(changed)
}

const bodyFor = (path: string) =>
  fc.option(
    fc.oneof(
      { weight: 4, arbitrary: soundFor(path).map((value) => JSON.stringify(value)) },
      { weight: 6, arbitrary: mutated(soundFor(path)).map((value) => JSON.stringify(value) ?? '') },
      { weight: 1, arbitrary: fc.json({ maxDepth: 4 }) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
    ),
    { nil: undefined, freq: 6 },
  )

interface Request extends Call {
  query: string
  headers: Record<string, string> | undefined
  body: string | Buffer | undefined
}
const request: fc.Arbitrary<Request> = call.chain((made) =>
  fc.record({
    method: fc.constant(made.method),
    path: fc.constant(made.path),
    version: fc.constant(made.version),
    query,
    headers: fc.option(headers, { nil: undefined, freq: 2 }),
    body: bodyFor(made.path),
  }),
)

async function aStockedService(db: Db): Promise<{ service: TestService; buyers: TestClient[]; stock: string[] }> {
  const service = await createTestService(db, { LINEBOOK_CORS_ORIGINS: 'https://portal.example' })
  const buyers = [await service.client('one'), await service.client('two')]
  const stock = await enterStock(db, { count: 100 })
  return { service, buyers, stock }
}

/** The rows that no sequence of requests may lead to. */
const brokenRows = async (db: Db, stock: string[]): Promise<unknown[]> => {
  const rows = await db.query<{ e164: string }>(sql`select e164 from number order by e164`)
  expect(rows.map(({ e164 }) => e164)).toEqual(stock)
  return [
    // The story that is told of a number ends where the number is.
    ...(await db.query(sql`
      select n.e164, n.state, h.to_state from number n
      join lateral (select to_state from number_history h where h.e164 = n.e164 order by id desc limit 1) as h on true
      where n.state <> h.to_state`)),
    ...(await db.query(sql`
      select n.e164 as "held for nothing" from number n
      where n.state = 'held' and not exists (select from search s where s.id = n.hold_id)
        and not exists (select from reservation_number r where r.hold_id = n.hold_id and r.e164 = n.e164)`)),
    ...(await db.query(sql`select id as "not ended" from operation where status = 'pending'`)),
    ...(await db.query(sql`
      select id as "purchased more than there is" from search s
      where state = 'purchased' and exists (
        select from unnest(phone_numbers) as p (e164)
        where not exists (select from number_history h where h.e164 = p.e164 and h.event = 'purchase'))`)),
  ]
}

const isAnswer = (status: number, text: string): void => {
  expect(status < 500, `${status} ${text}`).toBe(true)
  if (status >= 400 && text !== '') {
    expect(JSON.parse(text)).toMatchObject({ error: { code: expect.any(String), message: expect.any(String) } })
  }
}

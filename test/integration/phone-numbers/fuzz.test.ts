/** Whatever comes, signed or not: an answer, and never an internal error. */
import fc from 'fast-check'
import { afterAll, expect, it } from 'vitest'
import { sql } from '../../../src/db/db.js'
import { operations } from '../../../src/phone-numbers/contract/operations.js'
import { aSearch } from '../../fixtures/buying.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { createTestService } from '../../fixtures/service.js'
import { enterStock } from '../../fixtures/stock.js'

const db = await openTestDatabase()
afterAll(() => db.close())

const oddText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', '\0', 'null', '../..', '%', '+', "'; drop table number; --", '\ud800', '9'.repeat(400)),
)
const segment = oddText.map((text) => encodeURIComponent(text.replace(/\p{Cs}/gu, '?')))
const operation = fc.constantFrom(...operations)
const method = fc.constantFrom('GET', 'POST', 'PATCH', 'DELETE', 'PUT', 'HEAD', 'OPTIONS')
const asKnown = (path: string) => path.replace('{countryCode}', 'US').replace(/\{\w+\}/g, '+12065550100')
const call = fc.oneof(
  { weight: 2, arbitrary: fc.constant<[string, string]>(['POST', '/availablePhoneNumbers/countries/US/:search']) },
  { weight: 4, arbitrary: operation.map(({ method, path }): [string, string] => [method, asKnown(path)]) },
  fc
    .tuple(operation, segment)
    .map(([{ method, path }, odd]): [string, string] => [method, path.replace(/\{\w+\}/g, odd)]),
  fc.tuple(method, operation).map(([other, { path }]): [string, string] => [other, asKnown(path)]),
  fc
    .tuple(method, fc.array(segment, { maxLength: 5 }))
    .map(([any, parts]): [string, string] => [any, `/${parts.join('/')}`]),
)
const queryName = fc.constantFrom(
  'skip',
  'top',
  'maxPageSize',
  'after',
  'phoneNumberType',
  'locality',
  'api-version',
  'x',
)
const query = fc
  .array(fc.tuple(queryName, fc.oneof(segment, fc.integer().map(String), fc.constant('geographic'))), { maxLength: 4 })
  .map((pairs) => pairs.map(([name, value]) => `${name}=${value}`).join('&'))
const json = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 3 }).map((quantity) => JSON.stringify(aSearch({ quantity }))) },
  fc.json({ maxDepth: 4 }),
  fc
    .record({ phoneNumberType: fc.jsonValue(), capabilities: fc.jsonValue(), quantity: fc.jsonValue() })
    .map((odd) => JSON.stringify(aSearch(odd))),
  fc
    .record({ areaCode: oddText, quantity: fc.integer() }, { requiredKeys: [] })
    .map((odd) => JSON.stringify(aSearch(odd))),
  fc
    .record({ searchId: oddText, calling: oddText, sms: fc.constantFrom('inbound', 'x') }, { requiredKeys: [] })
    .map((odd) => JSON.stringify(odd)),
)
const body = fc.option(
  fc.oneof(
    json,
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  ),
  { nil: undefined },
)
const headerText = fc.string({ unit: fc.constantFrom(...Array.from('abcXYZ019 ;,=/+*-_"')), maxLength: 60 })
const headers = fc.dictionary(
  fc.constantFrom(
    'content-type',
    'accept-language',
    'x-ms-client-request-id',
    'accept',
    'x-ms-date',
    'authorization',
    'host',
  ),
  headerText,
  { maxKeys: 2 },
)

it('no input yields an internal error, and the stock stays whole', async () => {
  const service = await createTestService(db)
  const buyer = await service.client()
  const stock = await enterStock(db, { count: 100 })
  const seen = new Set<number>()
  await fc.assert(
    fc.asyncProperty(
      call,
      query,
      fc.option(headers, { nil: undefined, freq: 2 }),
      body,
      async ([method, target], search, extra, content) => {
        const answer = await buyer.send(method, search === '' ? target : `${target}?${search}`, {
          ...(content !== undefined && { body: content }),
          ...(extra && { headers: extra }),
        })
        seen.add(answer.statusCode)
        const isFine = answer.statusCode < 500 || answer.statusCode === 501
        expect(isFine, `${answer.statusCode} ${answer.body}`).toBe(true)
        if (answer.statusCode >= 400 && answer.body !== '') {
          expect(answer.json()).toMatchObject({ error: { code: expect.any(String), message: expect.any(String) } })
        }
      },
    ),
    { numRuns: 1500 },
  )
  // The generators reach what they are meant to reach.
  for (const status of [200, 202, 400, 401, 404, 405, 501]) expect(seen).toContain(status)
  const rows = await db.query<{ e164: string }>(sql`select e164 from number order by e164`)
  expect(rows.map(({ e164 }) => e164)).toEqual(stock)
  await service.close()
}, 120_000)

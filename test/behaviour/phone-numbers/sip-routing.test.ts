/** SIP routing as it goes over the wire: what a PATCH does, what it refuses and with which words, and that nothing of a refused one stays. */
import fc from 'fast-check'
import type { LightMyRequestResponse } from 'fastify'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openTestDatabase } from '../../fixtures/database.js'
import { createTestService, signedHeaders, type TestClient, type TestService } from '../../fixtures/service.js'

const db = await openTestDatabase()
afterAll(() => db.close())

const VERSION = '2023-03-01'
const EMPTY = { trunks: {}, routes: [] }
const SBC = 'sbc.contoso.com'
const OTHER = 'sbc2.contoso.com'
const toAll = (name: string, trunks: string[] = [SBC]) => ({ name, numberPattern: '\\+[1-9][0-9]{3,23}', trunks })
const stored = {
  trunks: { [SBC]: { sipSignalingPort: 5061 }, [OTHER]: { sipSignalingPort: 5062 } },
  routes: [{ description: 'everything', ...toAll('first', [SBC, OTHER]) }, toAll('second', [])],
}

let service: TestService
let contoso: TestClient
let fabrikam: TestClient
beforeAll(async () => {
  service = await createTestService(db)
  contoso = await service.client('contoso', ['contoso.test'])
  fabrikam = await service.client('fabrikam', ['fabrikam.test'])
})
afterAll(() => service.close())

const get = (client = contoso) => client.send('GET', '/sip', { version: VERSION })
const patch = (body?: unknown, headers: Record<string, string> = {}, client = contoso) =>
  client.send('PATCH', '/sip', { version: VERSION, ...(body !== undefined && { body }), headers })
const said = (answer: LightMyRequestResponse) => [answer.statusCode, answer.json<unknown>()]

/** The keys in their order too, which `toEqual` does not look at. */
const expectConfiguration = (answer: LightMyRequestResponse, configuration: object) =>
  expect([answer.statusCode, answer.body]).toEqual([200, JSON.stringify(configuration)])

/** Brings the configuration of a resource to `configuration`, whatever it was. */
async function configure(configuration: typeof stored | typeof EMPTY, client = contoso): Promise<void> {
  const { trunks } = (await get(client)).json<typeof stored>()
  const none = Object.fromEntries(Object.keys(trunks).map((fqdn) => [fqdn, null]))
  expect((await patch({ trunks: none, routes: [] }, {}, client)).statusCode).toBe(200)
  expectConfiguration(await patch(configuration, {}, client), configuration)
}

describe('a resource that has configured nothing', () => {
  it('has the empty configuration, and still has it after a PATCH that asks for nothing', async () => {
    const newcomer = await service.client('newcomer', ['newcomer.test'])
    expectConfiguration(await get(newcomer), EMPTY)
    for (const body of [undefined, '', {}, { trunks: {} }, { trunks: null, routes: null }, { unknown: 1 }]) {
      expectConfiguration(await patch(body, {}, newcomer), EMPTY)
    }
    expectConfiguration(await get(newcomer), EMPTY)
  })
})

describe('a PATCH', () => {
  beforeEach(() => configure(stored))

  it.each<[string, unknown, object]>([
    ['without a body changes nothing', undefined, stored],
    ['of nothing changes nothing', {}, stored],
    ['of no trunks changes nothing', { trunks: {} }, stored],
    [
      'of a new trunk adds it behind the others',
      { trunks: { 'a.contoso.com': { sipSignalingPort: 1 } } },
      { ...stored, trunks: { ...stored.trunks, 'a.contoso.com': { sipSignalingPort: 1 } } },
    ],
    [
      'of a known trunk changes it in its place',
      { trunks: { [SBC]: { sipSignalingPort: 65535 } } },
      { ...stored, trunks: { ...stored.trunks, [SBC]: { sipSignalingPort: 65535 } } },
    ],
    ['of a known trunk without a port leaves its port', { trunks: { [SBC]: {} } }, stored],
    ['of null for a trunk that is not there changes nothing', { trunks: { 'gone.contoso.com': null } }, stored],
    [
      'of null for names that no trunk can have changes nothing',
      '{"trunks":{"__proto__":null,"constructor":null,"\\u0000":null,"\\ud800":null,"":null,"-1":null}}',
      stored,
    ],
    ['of no routes removes all', { routes: [] }, { ...stored, routes: [] }],
    [
      'of routes replaces all and keeps their order',
      { routes: [toAll('z'), toAll('a'), toAll('m', [])] },
      { ...stored, routes: [toAll('z'), toAll('a'), toAll('m', [])] },
    ],
    [
      'of a route without trunks answers an empty list, and leaves out a description that is null',
      { routes: [{ name: 'bare', numberPattern: '^+[1-9][0-9]{3,23}$', description: null }] },
      { ...stored, routes: [{ name: 'bare', numberPattern: '^+[1-9][0-9]{3,23}$', trunks: [] }] },
    ],
    [
      'of what only previews know leaves that out',
      {
        domains: { 'contoso.com': { enabled: true } },
        trunks: { [SBC]: { sipSignalingPort: 5061, enabled: true, privacyHeader: 'id' } },
        routes: [{ ...toAll('r'), callerIdOverride: '+12065550100' }],
      },
      { ...stored, routes: [toAll('r')] },
    ],
    [
      'that moves routes to a new trunk and removes the old ones is checked by what results',
      {
        trunks: { [SBC]: null, [OTHER]: null, 'new.contoso.com': { sipSignalingPort: 5061 } },
        routes: [toAll('r', ['new.contoso.com'])],
      },
      { trunks: { 'new.contoso.com': { sipSignalingPort: 5061 } }, routes: [toAll('r', ['new.contoso.com'])] },
    ],
    [
      'of another spelling of a trunk takes that spelling',
      { trunks: { 'SBC.Contoso.com': { sipSignalingPort: 7 }, [SBC]: null } },
      {
        ...stored,
        trunks: { 'SBC.Contoso.com': { sipSignalingPort: 7 }, [OTHER]: stored.trunks[OTHER] },
      },
    ],
  ])('%s', async (_what, body, configuration) => {
    const answer = await patch(body)
    expectConfiguration(answer, configuration)
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8')
    expect(answer.headers['api-supported-versions']).toBe(VERSION)
    expectConfiguration(await get(), configuration)
  })

  it('is taken in both media types, with parameters, and without one', async () => {
    for (const type of [
      'application/merge-patch+json',
      'application/merge-patch+json; charset=utf-8',
      'application/json',
      'application/json;charset=UTF-8',
      '',
    ]) {
      expectConfiguration(await patch(stored, { 'content-type': type }), stored)
    }
    const refused = await patch('{}', { 'content-type': 'text/plain' })
    expect(said(refused)).toMatchObject([415, { error: { code: 'UnsupportedMediaType' } }])
  })

  it('sent again changes nothing more', async () => {
    const body = { trunks: { [OTHER]: null, 'new.contoso.com': { sipSignalingPort: 1 } }, routes: [toAll('r')] }
    const first = await patch(body)
    expectConfiguration(await patch(body), first.json())
  })

  it('keeps 250 routes with 250 trunks in all their order', async () => {
    const fqdns = Array.from({ length: 250 }, (_, i) => `t${(i * 7) % 250}.de`)
    await configure(EMPTY)
    const trunks = Object.fromEntries(fqdns.map((fqdn) => [fqdn, { sipSignalingPort: 5061 }]))
    const routes = Array.from({ length: 250 }, (_, i) => toAll(`r${(i * 11) % 250}`, fqdns))
    expectConfiguration(await patch({ trunks, routes }), { trunks, routes })
    const more = await patch({ trunks: { 'one.more': { sipSignalingPort: 1 } } })
    expect(said(more)).toEqual([
      400,
      { error: { code: 'InvalidInput', message: 'There may be at most 250 trunks, not 251.', target: 'trunks' } },
    ])
    expectConfiguration(await get(), { trunks, routes })
  })

  it('keeps any text that can be stored', async () => {
    const odd = `"\\'; drop table sip_routing; -- \u0001\u2028 ünï 📞 $& %s`
    const routes = [{ description: odd, name: odd, numberPattern: odd, trunks: [] }]
    expectConfiguration(await patch({ routes }), { ...stored, routes })
  })
})

describe('a PATCH that is refused', () => {
  beforeEach(() => configure(stored))

  it.each<[string, object, number, string, string]>([
    [
      'a route to a missing trunk',
      { routes: [toAll('r', ['gone.contoso.com'])] },
      422,
      'MissingTrunk',
      'Route targeting a missing trunk.',
    ],
    [
      'the removal of a trunk in use',
      { trunks: { [SBC]: null } },
      422,
      'MissingTrunk',
      'Route targeting a missing trunk.',
    ],
    [
      'a trunk named -1',
      { trunks: { '-1': { sipSignalingPort: 5061 } } },
      422,
      'InvalidTrunkFqdn',
      "Domain '-1' is not properly formatted domnain name.",
    ],
    [
      'port 0',
      { trunks: { [SBC]: { sipSignalingPort: 0 } } },
      422,
      'InvalidTrunkSipSignalingPort',
      'Trunk with an invalid SIP signaling port.',
    ],
    [
      'a new trunk without a port',
      { trunks: { 'new.contoso.com': {} } },
      422,
      'InvalidTrunkSipSignalingPort',
      'Trunk with an invalid SIP signaling port.',
    ],
    ['an empty name', { routes: [toAll('')] }, 422, 'InvalidRouteName', 'Route with an invalid name.'],
    [
      'an empty pattern',
      { routes: [{ ...toAll('r'), numberPattern: '' }] },
      422,
      'InvalidRouteNumberPattern',
      'Route with an invalid number pattern.',
    ],
    [
      'two routes of one name',
      { routes: [toAll('r'), toAll('r')] },
      400,
      'DuplicatedRoute',
      'There is a duplicated route.',
    ],
    [
      'a trunk twice in a route',
      { routes: [toAll('r', [SBC, SBC])] },
      400,
      'RouteWithDuplicatedTrunk',
      'There is a duplicated trunk in a route.',
    ],
  ])(
    'for %s is told with the recorded text, and nothing of it is stored',
    async (_what, body, status, code, message) => {
      // Beside what is wrong it asks for something that would be right.
      const { trunks, ...rest } = body as { trunks?: object }
      const answer = await patch({ trunks: { 'right.contoso.com': { sipSignalingPort: 5061 }, ...trunks }, ...rest })
      expect(said(answer)).toMatchObject([
        status,
        {
          error: {
            code: 'UnprocessableConfiguration',
            message: 'One or more request inputs are not valid.',
            innererror: { code, message, details: [{ code }] },
          },
        },
      ])
      expect(answer.headers['x-ms-error-code']).toBe('UnprocessableConfiguration')
      expect(answer.headers['content-type']).toBe('application/json')
      expect(answer.headers['api-supported-versions']).toBe(VERSION)
      expectConfiguration(await get(), stored)
    },
  )

  it('names in its details what was wrong and what would be right', async () => {
    const { error } = (await patch({ routes: [toAll('r', ['Gone.contoso.com'])] })).json<{
      error: { innererror: { details: object[] } }
    }>()
    expect(error.innererror.details).toEqual([
      {
        code: 'MissingTrunk',
        message:
          "Route 'r' uses the trunk 'Gone.contoso.com', which the configuration would not have. " +
          'Add the trunk, or take it out of the route.',
        target: 'routes.0.trunks.0',
      },
    ])
  })

  it.each<[unknown, string | undefined, string]>([
    ['null', undefined, 'The body must be a JSON object, not null.'],
    ['[]', undefined, 'The body must be a JSON object, not an array.'],
    ['7', undefined, 'The body must be a JSON object, not 7.'],
    ['{', undefined, 'The body is not valid JSON'],
    [{ trunks: [] }, 'trunks', 'trunks must be a JSON object, not an array.'],
    [{ trunks: 'x' }, 'trunks', 'trunks must be a JSON object, not "x".'],
    [{ trunks: { [SBC]: 5061 } }, `trunks.${SBC}`, `trunks.${SBC} must be a JSON object or null, not 5061.`],
    [
      { trunks: { 'SBC.x/y~z': { sipSignalingPort: '5061' } } },
      'trunks.sbc.x/y~z.sipsignalingport',
      'trunks.SBC.x/y~z.sipSignalingPort must be a whole number, not "5061".',
    ],
    [
      { trunks: { [SBC]: { sipSignalingPort: 5061.5 } } },
      `trunks.${SBC}.sipsignalingport`,
      'must be a whole number, not 5061.5.',
    ],
    [
      '{"trunks":{"__proto__":{"sipSignalingPort":true}}}',
      'trunks.__proto__.sipsignalingport',
      'must be a whole number',
    ],
    [{ trunks: { 'a\nb': 7 } }, 'trunks.a\nb', 'must be a JSON object or null'],
    [{ routes: {} }, 'routes', 'routes must be an array, not an object.'],
    [{ routes: [null] }, 'routes.0', 'routes.0 must be a JSON object, not null.'],
    [{ routes: [toAll('r'), {}] }, 'routes.1.name', 'routes.1.name is required: a text.'],
    [{ routes: [{ name: 'r' }] }, 'routes.0.numberpattern', 'routes.0.numberPattern is required: a text.'],
    [{ routes: [{ name: null, numberPattern: 'x' }] }, 'routes.0.name', 'routes.0.name must be a text, not null.'],
    [{ routes: [{ ...toAll('r'), description: 5 }] }, 'routes.0.description', 'must be a text, not 5.'],
    [{ routes: [{ ...toAll('r'), trunks: SBC }] }, 'routes.0.trunks', 'must be an array'],
    [{ routes: [{ ...toAll('r'), trunks: [{}] }] }, 'routes.0.trunks.0', 'must be a text, not an object.'],
    [{ routes: [{ ...toAll('r'), description: 'd'.repeat(1025) }] }, 'routes.0.description', 'at most 1024'],
    [{ routes: [toAll('a\0')] }, 'routes.0.name', 'NUL'],
    [{ routes: [toAll('\ud800')] }, 'routes.0.name', 'surrogate'],
    [{ routes: [{ ...toAll('r'), numberPattern: '\0' }] }, 'routes.0.numberpattern', 'NUL'],
    [{ routes: [{ ...toAll('r'), description: '\udc00' }] }, 'routes.0.description', 'surrogate'],
  ])('for %j is told as invalid input, naming the property', async (body, target, message) => {
    const answer = await patch(body)
    const { error } = answer.json<{ error: { code: string; message: string; target?: string } }>()
    expect([answer.statusCode, error.code, error.target]).toEqual([400, 'InvalidInput', target])
    expect(error.message).toContain(message)
    expectConfiguration(await get(), stored)
  })

  it.each([
    '{"trunks":{"__proto__":{"sipSignalingPort":5061}}}',
    '{"trunks":{"constructor":{"sipSignalingPort":5061}}}',
    '{"trunks":{"\\u0000.contoso.com":{"sipSignalingPort":5061}}}',
    '{"trunks":{"\\ud800.contoso.com":{"sipSignalingPort":5061}}}',
    '{"routes":[{"name":"r","numberPattern":"x","trunks":["__proto__"]}]}',
    '{"routes":[{"name":"r","numberPattern":"x","trunks":["\\u0000"]}]}',
  ])('for %s is told as unprocessable', async (body) => {
    const answer = await patch(body)
    expect(said(answer)).toMatchObject([422, { error: { code: 'UnprocessableConfiguration' } }])
    expectConfiguration(await get(), stored)
  })

  it('for routes is told whatever is inherited by every object', async () => {
    const answer = await patch('{"__proto__":{"routes":[{"name":"r","numberPattern":"x"}]}}')
    expectConfiguration(answer, stored)
  })
})

it('whatever a PATCH has in its places, it is answered, and never with an internal error', async () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom(SBC, '', '\0', '\ud800', '__proto__', 'toString', '-1', '('.repeat(50), '9'.repeat(2_000)),
  )
  const odd = fc.oneof(text, fc.jsonValue({ maxDepth: 2 }))
  const often = <Value>(value: fc.Arbitrary<Value>) => fc.oneof({ weight: 4, arbitrary: value }, odd)
  const trunk = often(
    fc.record({ sipSignalingPort: often(fc.integer({ min: -1, max: 70_000 })) }, { requiredKeys: [] }),
  )
  const route = fc.record(
    {
      name: often(text),
      numberPattern: often(text),
      description: odd,
      trunks: often(fc.array(often(text), { maxLength: 3 })),
    },
    { requiredKeys: ['name', 'numberPattern'] },
  )
  const change = fc.record(
    {
      trunks: often(fc.dictionary(text, trunk, { maxKeys: 3 })),
      routes: often(fc.array(often(route), { maxLength: 3 })),
    },
    { requiredKeys: [] },
  )
  await fc.assert(
    fc.asyncProperty(change, async (body) => {
      expect([200, 400, 422]).toContain((await patch(body)).statusCode)
      expect((await get()).statusCode).toBe(200)
    }),
    { numRuns: 60 },
  )
})

describe('two resources', () => {
  it('have configurations of their own', async () => {
    await configure(stored)
    await configure(EMPTY, fabrikam)
    expectConfiguration(await get(), stored)
    const theirs = { trunks: { [SBC]: { sipSignalingPort: 1 } }, routes: [] }
    expectConfiguration(await patch(theirs, {}, fabrikam), theirs)
    expectConfiguration(await get(), stored)
    expect(said(await patch({ routes: [toAll('r', [OTHER])] }, {}, fabrikam))).toMatchObject([422, {}])
    expectConfiguration(await get(fabrikam), theirs)
  })

  it('who show no credentials, or those of the other, get nowhere', async () => {
    for (const method of ['GET', 'PATCH']) {
      const target = `/sip?api-version=${VERSION}`
      const signed = { method, target, body: '', host: contoso.host, date: service.clock.now() }
      for (const headers of [{ host: contoso.host }, signedHeaders({ ...signed, key: fabrikam.key })]) {
        const answer = await service.server.inject({ method: method as 'GET', url: target, headers })
        expect([answer.statusCode, answer.headers['x-ms-error-code']]).toEqual([401, 'Denied'])
      }
    }
  })
})

describe('the api-version', () => {
  it('is one of a line of its own', async () => {
    const refused = async (version: string | null, target = '/sip') => {
      const answer = await contoso.send('GET', target, { version })
      expect(answer.headers['api-supported-versions']).toBe(VERSION)
      return said(answer)
    }
    expect(await refused('2022-12-01')).toMatchObject([400, { error: { code: 'UnsupportedApiVersion' } }])
    expect(await refused(null)).toMatchObject([400, { error: { code: 'ApiVersionUnspecified' } }])
    expect(await refused('soon')).toMatchObject([
      400,
      {
        error: {
          code: 'InvalidApiVersion',
          message: `The value 'soon' is not an API version; one looks like ${VERSION}.`,
        },
      },
    ])
  })

  it('may be a later one in emulator mode, with a warning', async () => {
    for (const version of ['2023-04-01-preview', '2025-06-01', '2027-01-01']) {
      const answer = await contoso.send('GET', '/sip', { version })
      expect(answer.statusCode).toBe(200)
      expect(answer.headers.warning).toBe(`299 - "api-version ${version} is not known here; served as ${VERSION}"`)
    }
    expect((await get()).headers.warning).toBeUndefined()
  })
})

it('other methods and spellings of the path are answered as everywhere', async () => {
  const put = await contoso.send('PUT', '/sip', { version: VERSION })
  expect([put.statusCode, put.headers.allow]).toEqual([405, 'GET, PATCH'])
  for (const target of ['/SIP', '/sip/', '//sip']) {
    expect((await contoso.send('GET', target, { version: VERSION })).statusCode).toBe(200)
  }
})

/** What all answers have in common, and bodies before anyone looks at what they are about. */
import type { LightMyRequestResponse } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Db } from '../../../src/db/db.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { anOperator, type Operator, type OperatorRequest } from '../../fixtures/operator.js'
import { createTestService, type TestService } from '../../fixtures/service.js'

let db: Db
let service: TestService
let operator: Operator

const NUMBER = '/accounts/contoso/numbers/+12065550100'
const GUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/
const JSON_TYPE = 'application/json; charset=utf-8'
const empty = { serviceDetails: {} }

beforeAll(async () => {
  db = await openTestDatabase()
  service = await createTestService(db)
  operator = await anOperator(service)
  await operator.put('/accounts/contoso', empty)
  await operator.put(NUMBER, empty)
})
afterAll(async () => {
  await service.close()
  await db.close()
})

interface Wrong {
  code: string
  message: string
  target?: string
  details?: Wrong[]
}
const errorOf = (answer: LightMyRequestResponse): Wrong => answer.json<{ error: Wrong }>().error

describe('an answer', () => {
  const wrong = (headers: Record<string, string>): OperatorRequest => ({ headers })
  const answers: [status: number, method: string, target: string, request?: OperatorRequest][] = [
    [200, 'GET', '/accounts'],
    [200, 'GET', '/accounts/contoso'],
    [201, 'PUT', '/accounts/created', { body: empty }],
    [204, 'DELETE', '/accounts/nobody'],
    [
      200,
      'POST',
      '/accounts/contoso:createOrUpdateNumbers',
      { body: { numbers: [{ telephoneNumber: '+12065550101', ...empty }] } },
    ],
    [304, 'GET', '/accounts/contoso', wrong({ 'if-none-match': '*' })],
    [400, 'GET', '/accounts', { version: null }],
    [400, 'PUT', '/accounts/contoso', { body: '{' }],
    [401, 'GET', '/accounts', wrong({ authorization: '' })],
    [404, 'GET', '/accounts/nobody'],
    [404, 'GET', '/accounts/contoso/nothing'],
    [405, 'PATCH', '/accounts'],
    [405, 'HEAD', '/accounts'],
    [409, 'DELETE', '/accounts/contoso'],
    [412, 'DELETE', '/accounts/contoso', wrong({ 'if-match': '"a.b"' })],
    [413, 'PUT', '/accounts/contoso', { body: ' '.repeat(1024 * 1024 + 1) }],
    [415, 'PUT', '/accounts/contoso', { body: '{}', headers: { 'content-type': 'text/plain' } }],
  ]

  it.each(answers)(
    'of %d to %s %s has its ids, its type and, of an error, its code',
    async (status, method, target, request) => {
      const headers = { 'x-ms-client-request-id': '9c4d2270-0000-4000-8000-000000000001', 'x-unknown': 'never matters' }
      const [answer, another] = [
        await operator.send(method, target, { ...request, headers: { ...headers, ...request?.headers } }),
        await operator.send(method, target, request),
      ]
      expect(answer.statusCode).toBe(status)
      expect(answer.headers['x-ms-request-id']).toMatch(GUID)
      expect(another.headers['x-ms-request-id']).toMatch(GUID)
      expect(another.headers['x-ms-request-id']).not.toBe(answer.headers['x-ms-request-id'])
      expect(answer.headers['x-ms-client-request-id']).toBe(headers['x-ms-client-request-id'])
      expect(another.headers).not.toHaveProperty('x-ms-client-request-id')
      const hasBody = status !== 204 && status !== 304
      expect(answer.headers['content-type']).toBe(hasBody ? JSON_TYPE : undefined)
      // What stands in for the network shows the body of a HEAD, which Node leaves out.
      expect(answer.body === '').toBe(!hasBody)
      expect(answer.headers['x-ms-error-code']).toBe(status < 400 ? undefined : errorOf(answer).code)
    },
  )

  it.each([
    ['text of a client', 'order 4711 / retry!', true],
    ['128 characters', 'x'.repeat(128), true],
    ['129 characters', 'x'.repeat(129), false],
    ['a letter that is not ASCII', 'caf\u00e9', false],
    ['nothing', '', false],
  ])('repeats as the client request id %s or leaves it out', async (_what, id, repeated) => {
    const { headers } = await operator.get('/numbers', { headers: { 'x-ms-client-request-id': id } })
    expect(headers['x-ms-client-request-id']).toBe(repeated ? id : undefined)
  })

  it('has a tag and a date when it shows one resource, and neither otherwise', async () => {
    const shown = ['/accounts/contoso', NUMBER, '/teamsRequestsForInformation/contosoTenantId']
    for (const target of shown) {
      const { headers } = await operator.get(target)
      expect(headers.etag).toMatch(/^"[\w-]{12}\.[\w-]{12}"$/)
      expect(new Date(headers['last-modified'] as string).toUTCString()).toBe(headers['last-modified'])
    }
    for (const [method, target, body] of [
      ['GET', '/accounts'],
      ['GET', '/numbers'],
      ['POST', '/accounts/contoso:deleteNumbers', { numbers: [{ telephoneNumber: '+12065550199' }] }],
      ['DELETE', '/accounts/nobody'],
      ['GET', '/accounts/nobody'],
    ] as const) {
      const { headers } = await operator.send(method, target, { body })
      expect([headers.etag, headers['last-modified']]).toEqual([undefined, undefined])
    }
  })

  it('comes to bodies of GET and to parameters that nobody knows as if they were not there', async () => {
    const answer = await operator.get('/accounts/contoso?colour=blue', { body: '{', headers: { 'content-type': 'x' } })
    expect(answer.statusCode).toBe(200)
    const list = await operator.get('/accounts?colour=blue')
    expect([list.statusCode, errorOf(list).code]).toEqual([400, 'UnsupportedQueryParameter'])
  })
})

describe('a body', () => {
  const put = (body: unknown, headers: Record<string, string> = {}) => operator.put('/accounts/contoso', body, headers)
  const patch = (body: unknown, type: string) =>
    operator.patch('/teamsRequestsForInformation/contosoTenantId', body, { 'content-type': type })

  it.each([
    ['application/json', 200, 200],
    ['application/json; charset=utf-8', 200, 200],
    ['Application/JSON;CHARSET="UTF-8"', 200, 200],
    ['', 200, 200],
    ['application/merge-patch+json', 415, 200],
    ['application/json; charset=iso-8859-1', 415, 415],
    ['application/json-patch+json', 415, 415],
    ['text/plain', 415, 415],
    ['no media type', 415, 415],
  ])('of type %j is answered with %d when put and with %d as a patch', async (type, ofPut, ofPatch) => {
    const answers = [await put('{}', { 'content-type': type }), await patch('{}', type)]
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([ofPut, ofPatch])
    for (const answer of answers.filter(({ statusCode }) => statusCode === 415)) {
      expect(errorOf(answer)).toMatchObject({ code: 'UnsupportedMediaType', target: 'Content-Type' })
    }
  })

  it.each([
    ['empty', '', /empty/],
    ['blank', '  ', /line 1, column 3/],
    ['cut off', '{"serviceDetails":{}', /line 1, column 21.*body ends/],
    ['of single quotes', "{'name':1}", /line 1, column 2/],
    ['with a comment', '{\n  // mine\n}', /line 2, column 3/],
    ['with a name without quotes', '{name:"contoso"}', /line 1, column 2/],
    ['followed by more', '{}{}', /line 1, column 3/],
    ['with two commas', '{"serviceDetails":{},,}', /line 1, column 22/],
    ['of a comma alone', '[,]', /line 1, column 2/],
    ['not UTF-8', Buffer.from([0x22, 0xff, 0x22]), /UTF-8/],
    ['nested too deep', `${'['.repeat(33)}${']'.repeat(33)}`, /32 levels/],
    ['nested without end', '['.repeat(500_000), /32 levels/],
  ])('that is %s is no JSON, and is told where', async (_what, body, message) => {
    const answer = await put(body, { 'content-type': 'application/json' })
    expect([answer.statusCode, errorOf(answer).code]).toEqual([400, 'InvalidJson'])
    expect(errorOf(answer).message).toMatch(message)
  })

  it('may have commas behind the last members, as the documented samples do', async () => {
    const sample = '{"serviceDetails": {"zoomPhoneCloudPeering": {"enabled": true, "syncEnabled": false,},},}'
    expect((await put(sample)).statusCode).toBe(200)
  })

  it('may be 1 MiB large, and an octet more is too much', async () => {
    const spaced = `{${' '.repeat(1024 * 1024 - 2)}}`
    expect(spaced).toHaveLength(1024 * 1024)
    expect((await put(spaced)).statusCode).toBeLessThan(300)
    expect(errorOf(await put(`${spaced} `)).code).toBe('RequestBodyTooLarge')
  })

  it('is told each of its faults with the whole path to it', async () => {
    const answer = await put({
      name: 'fabrikam',
      colour: 'blue',
      serviceProvisioningStatus: { anything: 'goes' },
      serviceDetails: {
        teamsOperatorConnect: { enabled: 'yes', Enabled: true },
        teamsDirectRouting: {
          syncEnabled: true,
          enabled: true,
          configuration: { subdomain: 'much-too-long', subdomainTokens: { region1Token: 'a b', region3Token: '' } },
        },
        azureOperatorCallProtection: { enabled: true, syncEnabled: true },
      },
    })
    const { code, details = [] } = errorOf(answer)
    expect([answer.statusCode, code]).toEqual([400, 'InvalidRequestBody'])
    expect(details.every((fault) => fault.code === 'InvalidRequestBody' && fault.message.length > 10)).toBe(true)
    const routing = 'serviceDetails.teamsDirectRouting.configuration'
    expect(details.map(({ target }) => target).sort()).toEqual(
      [
        'colour',
        'name',
        'serviceDetails.azureOperatorCallProtection.syncEnabled',
        'serviceDetails.teamsOperatorConnect.Enabled',
        'serviceDetails.teamsOperatorConnect.enabled',
        'serviceDetails.teamsOperatorConnect.syncEnabled',
        `${routing}.subdomain`,
        `${routing}.subdomainTokens.region1Token`,
        `${routing}.subdomainTokens.region2Token`,
        `${routing}.subdomainTokens.region3Token`,
      ].sort(),
    )
  })

  it('of several numbers is told which of them are wrong, and what of each', async () => {
    const good = { telephoneNumber: '+12065550100', serviceDetails: {} }
    const answer = await operator.post('/accounts/contoso:createOrUpdateNumbers', {
      numbers: [good, { ...good, telephoneNumber: '12' }, { telephoneNumber: '+12065550102', more: 1 }, good],
    })
    const { code, details = [] } = errorOf(answer)
    expect([answer.statusCode, code]).toEqual([400, 'InvalidRequestBody'])
    expect(
      details.map(({ code: own, target, details: faults = [] }) => [own, target, faults.map((f) => f.target)]),
    ).toEqual([
      ['InvalidRequestBody', 'numbers[1]', ['numbers[1].telephoneNumber']],
      ['InvalidRequestBody', 'numbers[2]', ['numbers[2].more', 'numbers[2].serviceDetails']],
      ['DuplicateNumberInBatch', 'numbers[3]', []],
    ])
  })

  it('is not needed where nothing is said with it', async () => {
    for (const body of [undefined, '', '{}', ' { } ']) {
      const answer = await operator.send('POST', '/accounts/nobody:getTeamsCapabilityPlans', { body })
      expect(errorOf(answer).code).toBe('AccountNotFound')
    }
  })
})

// From here on other services stand over the database, each emptied at first.

describe('a link to the next page', () => {
  const linkOf = async (env: Record<string, string>, host: string) => {
    const other = await createTestService(db, env)
    try {
      const client = await anOperator(other)
      for (const name of ['a', 'b']) await client.put(`/accounts/${name}`, empty)
      const first = await client.get('/accounts?maxpagesize=1', { headers: { host } })
      const { nextLink } = first.json<{ nextLink: string }>()
      const { pathname, search } = new URL(nextLink)
      const next = (await client.get(`${pathname}${search}`, { version: null })).json<{ value: { name: string }[] }>()
      expect(next).toMatchObject({ value: [{ name: 'b' }] })
      expect(next).not.toHaveProperty('nextLink')
      return new URL(nextLink).origin
    } finally {
      await other.close()
    }
  }

  it('leads to the configured address, whatever host was asked', async () => {
    const env = { LINEBOOK_PROVISIONING_URL: 'https://provapi.voice.example/' }
    expect(await linkOf(env, 'inside:8080')).toBe('https://provapi.voice.example')
  })

  it('leads to where it was asked when nothing is configured', async () => {
    expect(await linkOf({}, 'inside:8080')).toBe('http://inside:8080')
  })
})

describe('a comma behind the last member', () => {
  it('is no JSON when that is switched off', async () => {
    const strict = await createTestService(db, { LINEBOOK_TOLERATE_TRAILING_COMMAS: 'off' })
    try {
      const answer = await (await anOperator(strict)).put('/accounts/contoso', '{"serviceDetails":{},}')
      expect([answer.statusCode, errorOf(answer).code]).toEqual([400, 'InvalidJson'])
    } finally {
      await strict.close()
    }
  })
})

/** Getting in: addresses, the order of the checks, how often, api-versions, paths, and APIs that are off. */
import type { LightMyRequestResponse } from 'fastify'
import { describe, expect } from 'vitest'
import type { Db } from '../../../src/db/db.js'
import { anOperator, operatorWith, type Operator } from '../../fixtures/operator.js'
import { createTestService, type TestService } from '../../fixtures/service.js'
import { it } from '../../fixtures/test.js'
import { aToken } from './a-token.js'

describe('a client address', () => {
  const v4 = { LINEBOOK_ALLOWED_ADDRESSES: '203.0.113.7,198.51.100.0/24' }
  const v6 = { LINEBOOK_ALLOWED_ADDRESSES: '2001:db8:1::/48' }
  const proxied = { ...v4, LINEBOOK_TRUSTED_PROXIES: '10.0.0.0/8,2001:db8:ffff::1' }
  const yes = [200, undefined]
  const no = [403, 'IpNotAllowed']
  const ours = undefined

  it.for<[string, Record<string, string>, string, string | undefined, unknown]>([
    ['this machine, unless told otherwise', {}, '127.0.0.1', ours, yes],
    ['this machine over IPv6', {}, '::1', ours, yes],
    ['another machine, unless told otherwise', {}, '192.0.2.1', ours, no],
    ['any address with an empty list', { LINEBOOK_ALLOWED_ADDRESSES: '' }, '127.0.0.1', ours, no],
    ['a listed address', v4, '203.0.113.7', ours, yes],
    ['its neighbour', v4, '203.0.113.8', ours, no],
    ['an address of a listed range', v4, '198.51.100.255', ours, yes],
    ['an IPv4 address on a socket for both', v4, '::ffff:198.51.100.3', ours, yes],
    ['this machine when the list leaves it out', v4, '127.0.0.1', ours, no],
    ['an IPv6 address of a range', v6, '2001:db8:1:2::9', ours, yes],
    ['an IPv6 address outside', v6, '2001:db8:2::9', ours, no],
    ['what somebody claims who is no proxy of ours', v4, '192.0.2.1', '203.0.113.7', no],
    ['whom a trusted proxy names', proxied, '10.1.2.3', '203.0.113.7', yes],
    ['whom a trusted proxy names, with a port', proxied, '10.1.2.3', '203.0.113.7:51234', yes],
    ['somebody else whom a trusted proxy names', proxied, '10.1.2.3', '192.0.2.1', no],
    ['who puts a listed address in front of the own one', proxied, '10.1.2.3', '203.0.113.7, 192.0.2.1', no],
    ['who is behind two trusted proxies', proxied, '2001:db8:ffff::1', '203.0.113.7, 10.9.9.9', yes],
    ['a trusted proxy itself', proxied, '10.1.2.3', ours, no],
    ['whom a trusted proxy can not name', proxied, '10.1.2.3', 'unknown', no],
  ] as const)('%s', async ([_who, env, remoteAddress, forwarded, expected], { db }) => {
    await withService(db, env, async ({ server }, { token }) => {
      const answer = await server.inject({
        url: '/accounts?api-version=2024-02-29',
        remoteAddress,
        headers: { authorization: `Bearer ${token}`, ...(forwarded && { 'x-forwarded-for': forwarded }) },
      })
      // The token was asked for from this machine, whoever is allowed to use it: the list is this API's alone.
      expect(codeOf(answer)).toEqual(expected)
    })
  })
})

const ID = 'repeatability-request-id'
const SENT = 'repeatability-first-sent'

interface Sent {
  remoteAddress: string
  method: string
  path: string
  query: string
  token: string
  /** Undefined: taken back. */
  headers: Record<string, string | undefined>
  body: string
}

describe('the order of the checks', () => {
  type Step = [fault: [number, string], target: string | undefined, healed: Partial<Sent>]

  /** Sends a request with every fault, then heals one fault after another; each time the next one is told. */
  async function expectInOrder({ server, clock }: TestService, start: Sent, steps: Step[], last: number) {
    let sent = start
    const send = () => {
      const { remoteAddress, method, path, query, token, body } = sent
      const headers = Object.entries(sent.headers).filter(([, value]) => value !== undefined)
      return server.inject({
        method: method as 'PUT',
        url: `${path}?${query}`,
        remoteAddress,
        headers: { ...(token && { authorization: `Bearer ${token}` }), ...Object.fromEntries(headers) },
        payload: body,
      })
    }
    for (const [fault, target, healed] of steps) {
      // One request a second may be made, so two at once are too many.
      if (fault[0] === 429) await send()
      else clock.advance(1000)
      const answer = await send()
      expect([...codeOf(answer), answer.json<{ error: { target?: string } }>().error.target]).toEqual([
        ...fault,
        target,
      ])
      sent = { ...sent, ...healed, headers: { ...sent.headers, ...healed.headers } }
    }
    clock.advance(1000)
    expect((await send()).statusCode).toBe(last)
  }

  const outside: Pick<Sent, 'remoteAddress' | 'method' | 'token' | 'query' | 'headers'> = {
    remoteAddress: '192.0.2.1',
    method: 'POST',
    token: '',
    query: '',
    headers: { 'if-match': 'two words', [ID]: 'an-id', 'content-type': 'text/plain' },
  }
  /** The faults that every operation tells before it looks at anything of its own. */
  const admission = (paths: { wrong: string; right: string }, tokens: { wrong: string; right: string }): Step[] => [
    [[403, 'IpNotAllowed'], undefined, { remoteAddress: '127.0.0.1' }],
    [[404, 'RouteNotFound'], undefined, { path: paths.wrong }],
    [[405, 'MethodNotAllowed'], undefined, { method: paths.right }],
    [[401, 'Unauthorized'], undefined, { token: tokens.wrong }],
    [[429, 'TooManyRequests'], undefined, {}],
    [[403, 'InsufficientRole'], undefined, { token: tokens.right }],
    [[400, 'MissingApiVersionParameter'], 'api-version', { query: 'api-version=2022-01-01' }],
    [[400, 'UnsupportedApiVersionValue'], 'api-version', { query: 'api-version=2024-02-29' }],
  ]
  const healIfMatch: Step = [[400, 'InvalidParameter'], 'If-Match', { headers: { 'if-match': '"not.this"' } }]
  const healRepeating: Step = [
    [400, 'RepeatabilityHeaderInvalid'],
    'Repeatability-First-Sent',
    { headers: { [ID]: undefined } },
  ]
  const healCondition: Step = [[412, 'ConditionNotMet'], 'If-Match', { headers: { 'if-match': undefined } }]
  const healMediaType: Step = [
    [415, 'UnsupportedMediaType'],
    'Content-Type',
    { headers: { 'content-type': 'application/json' } },
  ]
  const on = { syncEnabled: false, enabled: true }
  const limited = { LINEBOOK_RATE_LIMIT: '1/second' }
  const aServed = async (service: TestService, admin: Operator) => {
    const send = async (target: string, body: object) => {
      service.clock.advance(1000)
      expect((await admin.put(target, body)).statusCode).toBe(201)
    }
    await send('/accounts/contoso', { serviceDetails: { teamsDirectRouting: on } })
    await send('/accounts/other', { serviceDetails: { teamsDirectRouting: on } })
    await send('/accounts/other/numbers/+12065550100', { serviceDetails: {} })
    const [reader, writer, deleter] = [
      (await anOperator(service, 'Read')).token,
      (await anOperator(service, 'Write')).token,
      (await anOperator(service, 'Delete')).token,
    ]
    return { reader, writer, deleter }
  }

  it('is the published one for a write of a number', async ({ db }) => {
    await withService(db, limited, async (service, admin) => {
      const { reader, writer } = await aServed(service, admin)
      const path = (account: string, number: string) => `/accounts/${account}/numbers/${number}`
      const body = (serviceDetails: object) => ({ body: JSON.stringify({ serviceDetails }) })
      const steps: Step[] = [
        ...admission({ wrong: path('a%20b', '0'), right: 'PUT' }, { wrong: reader, right: writer }),
        [[400, 'InvalidParameter'], 'accountName', { path: path('nobody', '0') }],
        [[400, 'InvalidParameter'], 'telephoneNumber', { path: path('nobody', '+12065550100') }],
        healIfMatch,
        healRepeating,
        [[404, 'AccountNotFound'], 'accountName', { path: path('contoso', '+12065550100') }],
        healCondition,
        healMediaType,
        [[400, 'InvalidJson'], undefined, body({ zoomPhoneCloudPeering: { enabled: 'yes' } })],
        [
          [400, 'InvalidRequestBody'],
          'serviceDetails.zoomPhoneCloudPeering.enabled',
          body({ zoomPhoneCloudPeering: { enabled: true } }),
        ],
        [[400, 'ServiceNotEnabledOnAccount'], 'serviceDetails.zoomPhoneCloudPeering', body({})],
        [[409, 'NumberInOtherAccount'], 'telephoneNumber', { path: path('contoso', '+12065550101') }],
      ]
      await expectInOrder(service, { ...outside, path: '/accounts/a%20b/x/0', body: '{' }, steps, 201)
    })
  })

  it('is the published one for the deletion of an account', async ({ db }) => {
    await withService(db, limited, async (service, admin) => {
      const { writer, deleter } = await aServed(service, admin)
      const start = { ...outside, path: '/accounts/a%20b:delete', body: '' }
      const steps: Step[] = [
        ...admission({ wrong: '/accounts/a%20b', right: 'DELETE' }, { wrong: writer, right: deleter }),
        [
          [400, 'InvalidParameter'],
          'accountName',
          { path: '/accounts/nobody', query: 'api-version=2024-02-29&deleteNumbers=yes' },
        ],
        [[400, 'InvalidParameter'], 'deleteNumbers', { query: 'api-version=2024-02-29' }],
        healIfMatch,
        healRepeating,
        [[412, 'ConditionNotMet'], 'If-Match', { path: '/accounts/other' }],
        healCondition,
        [[409, 'AccountHasNumbers'], 'deleteNumbers', { query: 'api-version=2024-02-29&deleteNumbers=true' }],
      ]
      await expectInOrder(service, start, steps, 204)
    })
  })

  it('is the published one for a change of a request for information', async ({ db }) => {
    await withService(db, limited, async (service, admin) => {
      const { reader, writer } = await aServed(service, admin)
      const start = { ...outside, path: '/teamsRequestsForInformation/a/b', body: '[' }
      const steps: Step[] = [
        ...admission(
          { wrong: '/teamsRequestsForInformation/nobody', right: 'PATCH' },
          { wrong: reader, right: writer },
        ),
        healIfMatch,
        healRepeating,
        [
          [400, 'InvalidParameter'],
          'tenantId',
          { path: '/teamsRequestsForInformation/11111111-2222-3333-4444-555555555555' },
        ],
        [[404, 'RequestForInformationNotFound'], 'tenantId', { path: '/teamsRequestsForInformation/contosoTenantId' }],
        healCondition,
        healMediaType,
        [[400, 'InvalidJson'], undefined, { body: '{"customerRelationship":{"status":1}}' }],
        [
          [400, 'InvalidRequestBody'],
          'customerRelationship.status',
          { body: '{"customerRelationship":{"status":"x"}}' },
        ],
      ]
      await expectInOrder(service, start, steps, 200)
    })
  })

  it('has the answer of a repeated request before whether anything exists', async ({ db }) => {
    await withService(db, {}, async (service, operator) => {
      const repeatable = { [ID]: 'an-id', [SENT]: service.clock.now().toUTCString() }
      const put = () =>
        operator.put('/accounts/contoso', { serviceDetails: {} }, { ...repeatable, 'if-none-match': '*' })
      const [first, again] = [await put(), await put()]
      expect([first.statusCode, again.statusCode]).toEqual([201, 201])
      const number = () =>
        operator.put('/accounts/contoso/numbers/+12065550100', { serviceDetails: {} }, { ...repeatable, [ID]: 'other' })
      expect((await number()).statusCode).toBe(201)
      await operator.delete('/accounts/contoso?deleteNumbers=true')
      expect((await number()).statusCode).toBe(201)
      expect((await operator.get('/accounts/contoso')).statusCode).toBe(404)
    })
  })
})

describe('the rate limit', () => {
  it('is one bucket per client and per signed-in user, and says when to come again', async ({ db }) => {
    await withService(db, { LINEBOOK_RATE_LIMIT: '2/minute' }, async (service, operator) => {
      const other = await anOperator(service, 'Read')
      const userOf = async (oid: string) =>
        operatorWith(service.server, await aToken(service, { appid: 'linebook-admin', idtyp: 'user', oid }))
      const [ada, ben] = [await userOf('ada'), await userOf('ben')]
      for (const client of [operator, other, ada]) {
        const statuses = []
        for (let i = 0; i < 3; i++) statuses.push((await client.get('/accounts')).statusCode)
        expect(statuses).toEqual([200, 200, 429])
      }
      expect((await ben.get('/accounts')).statusCode).toBe(200)
      const refused = await operator.get('/accounts')
      expect(codeOf(refused)).toEqual([429, 'TooManyRequests'])
      expect(refused.headers).toMatchObject({ 'retry-after': '30', 'x-ms-error-code': 'TooManyRequests' })
      service.clock.advance(29_999)
      expect((await operator.get('/accounts')).headers['retry-after']).toBe('1')
      service.clock.advance(1)
      expect((await operator.get('/accounts')).statusCode).toBe(200)
    })
  })

  it('counts a batch as one, and neither who is nobody nor who comes from elsewhere', async ({ db }) => {
    await withService(db, { LINEBOOK_RATE_LIMIT: '2/minute' }, async (service, operator) => {
      for (let i = 0; i < 5; i++) {
        expect((await operator.get('/accounts', { headers: { authorization: 'Bearer x' } })).statusCode).toBe(401)
        const elsewhere = {
          url: '/accounts',
          remoteAddress: '192.0.2.1',
          headers: { authorization: `Bearer ${operator.token}` },
        }
        expect((await service.server.inject(elsewhere)).statusCode).toBe(403)
      }
      await operator.put('/accounts/contoso', { serviceDetails: {} })
      const numbers = Array.from({ length: 100 }, (_, i) => ({
        telephoneNumber: `+120655501${String(i).padStart(2, '0')}`,
        serviceDetails: {},
      }))
      expect((await operator.post('/accounts/contoso:createOrUpdateNumbers', { numbers })).statusCode).toBe(200)
      expect((await operator.get('/accounts')).statusCode).toBe(429)
    })
  })

  it('is never what a repeated request is answered with', async ({ db }) => {
    await withService(db, { LINEBOOK_RATE_LIMIT: '1/second' }, async (service, operator) => {
      const repeatable = { [ID]: 'an-id', [SENT]: service.clock.now().toUTCString() }
      const put = () => operator.put('/accounts/contoso', { serviceDetails: {} }, repeatable)
      await operator.get('/accounts')
      expect((await put()).statusCode).toBe(429)
      service.clock.advance(1000)
      expect((await put()).statusCode).toBe(201)
    })
  })
})

/** A service with these settings for the time of one test. */
async function withService(
  db: Db,
  env: Record<string, string>,
  use: (service: TestService, operator: Operator) => Promise<void>,
): Promise<void> {
  const service = await createTestService(db, env)
  try {
    await use(service, await anOperator(service))
  } finally {
    await service.close()
  }
}

const codeOf = (answer: LightMyRequestResponse): [number, string | undefined] => [
  answer.statusCode,
  answer.body === '' ? undefined : answer.json<{ error?: { code: string } }>().error?.code,
]

/** Repeatable requests, row by row: a write that is sent again has one effect and one answer. */
import type { LightMyRequestResponse } from 'fastify'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { isSimulated } from '../../../src/backends/simulated/simulated.js'
import { later } from '../../../src/clock.js'
import { sql, type Db } from '../../../src/db/db.js'
import { operations as operations2024 } from '../../../src/provisioning/contract/operations.js'
import { operations as operations2023 } from '../../../src/provisioning/facade-2023/operations.js'
import { sweepTask } from '../../../src/workers/sweep.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { anOperator, operatorWith, type Operator, type OperatorRequest } from '../../fixtures/operator.js'
import { createTestService, type TestService } from '../../fixtures/service.js'
import { aToken } from './a-token.js'

let db: Db
let service: TestService
let operator: Operator
/** What becomes of the process during its next transaction. */
let fate: 'lives' | 'dies before its commit' | 'dies after its commit'

beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.close())
beforeEach(async () => {
  fate = 'lives'
  let isDead = false
  const died = Object.assign(new Error('The process is dead.'), { code: 'ECONNRESET' })
  const mortal: Db = {
    ...db,
    query: (statement) => (isDead ? Promise.reject(died) : db.query(statement)),
    transaction: async (work) => {
      isDead = fate === 'dies before its commit'
      if (isDead) throw died
      const done = await db.transaction(work)
      isDead = fate === 'dies after its commit'
      if (isDead) throw died
      return done
    },
  }
  service = await createTestService(mortal)
  operator = await anOperator(service)
  revive = () => {
    fate = 'lives'
    isDead = false
  }
  return () => service.close()
})
let revive: () => void

const ACCOUNT = '/accounts/contoso'
const MINUTE_MS = 60_000
const empty = { serviceDetails: {} }
const configuration = { subdomain: 'contoso', subdomainTokens: { region1Token: 'one', region2Token: 'two' } }
const routed = { serviceDetails: { teamsDirectRouting: { syncEnabled: true, enabled: true, configuration } } }

const repeatable = (id = 'an-id', sentAt = service.clock.now().toUTCString()) => ({
  'repeatability-request-id': id,
  'repeatability-first-sent': sentAt,
})
const resultOf = ({ statusCode, headers }: LightMyRequestResponse) => [statusCode, headers['repeatability-result']]
const codeOf = (answer: LightMyRequestResponse) => answer.json<{ error: { code: string } }>().error.code
/** All that a client keeps of an answer. */
const kept = ({ statusCode, headers, body }: LightMyRequestResponse) => {
  const { etag, 'last-modified': modified, 'content-type': type, 'x-ms-error-code': code } = headers
  return { statusCode, etag, modified, type, code, body, result: headers['repeatability-result'] }
}
const historyLines = async () => (await db.query(sql`select id from number_history`)).length
const rememberedIds = async () =>
  (await db.query<{ id: string }>(sql`select request_id as id from repeatable_request order by 1`)).map(({ id }) => id)

describe('the headers of a repeatable request', () => {
  it('are not needed: without them each request is carried out, and none is remembered', async () => {
    const first = await operator.put(ACCOUNT, empty)
    expect(resultOf(first)).toEqual([201, undefined])
    expect(resultOf(await operator.put(ACCOUNT, empty))).toEqual([200, undefined])
    expect(await rememberedIds()).toEqual([])
  })

  it.each<[string, Record<string, string>, string]>([
    ['the id alone', { 'repeatability-request-id': 'an-id' }, 'Repeatability-First-Sent'],
    ['the date alone', { 'repeatability-first-sent': '2026-03-01T12:00:00Z' }, 'Repeatability-Request-ID'],
    ['an empty id', { 'repeatability-request-id': '' }, 'Repeatability-Request-ID'],
    ['an id of 129 characters', { 'repeatability-request-id': 'x'.repeat(129) }, 'Repeatability-Request-ID'],
    ['an id with a blank inside', { 'repeatability-request-id': 'an id' }, 'Repeatability-Request-ID'],
    ['a date that is none', { 'repeatability-first-sent': 'just now' }, 'Repeatability-First-Sent'],
    ['a date without a zone', { 'repeatability-first-sent': '2026-03-01T12:00:00' }, 'Repeatability-First-Sent'],
    ['seconds since 1970', { 'repeatability-first-sent': '1772366400' }, 'Repeatability-First-Sent'],
  ])('are refused when they are %s', async (what, headers, target) => {
    const answer = await operator.put(
      ACCOUNT,
      empty,
      what.includes('alone') ? headers : { ...repeatable(), ...headers },
    )
    expect(resultOf(answer)).toEqual([400, 'rejected'])
    expect(answer.json()).toMatchObject({ error: { code: 'RepeatabilityHeaderInvalid', target } })
    expect((await operator.get(ACCOUNT)).statusCode).toBe(404)
  })

  it.each<[string, number, boolean]>([
    ['10 minutes ago', -10 * MINUTE_MS, true],
    ['longer ago', -10 * MINUTE_MS - 1, false],
    ['5 minutes in the future', 5 * MINUTE_MS, true],
    ['further in the future', 5 * MINUTE_MS + 1, false],
  ])('that say %s are accepted or not by the window', async (_when, offsetMs, isInside) => {
    const sentAt = later(service.clock.now(), offsetMs).toISOString()
    const answer = await operator.put(ACCOUNT, empty, repeatable('x'.repeat(128), sentAt))
    expect(resultOf(answer)).toEqual(isInside ? [201, 'accepted'] : [412, 'rejected'])
    if (!isInside) expect(codeOf(answer)).toBe('RepeatabilityWindowExceeded')
    expect((await operator.get(ACCOUNT)).statusCode).toBe(isInside ? 200 : 404)
  })

  it('mean nothing on a read', async () => {
    const answer = await operator.get('/accounts', { headers: { 'repeatability-request-id': 'alone' } })
    expect(resultOf(answer)).toEqual([200, undefined])
  })
})

const NUMBER = '+12065550100'
const number = { telephoneNumber: NUMBER, ...empty }
const number2023 = { services: { teamsDrEnabled: false, teamsOcEnabled: true, zoomEnabled: false } }
type Sent = [status: number, method: string, target: string, body?: object | undefined, version?: string]
const old = '2023-10-01'
/** On `contoso`, which may use the Teams services, or on `old`, which the older version made. */
const writes: Record<string, Sent> = {
  '2024 Accounts_CreateOrReplace': [201, 'PUT', '/accounts/fresh', { correlationId: 'mine', ...empty }],
  '2024 Accounts_Delete': [204, 'DELETE', '/accounts/leaving'],
  '2024 Accounts_CreateOrUpdateNumbers': [200, 'POST', `${ACCOUNT}:createOrUpdateNumbers`, { numbers: [number] }],
  '2024 Accounts_DeleteNumbers': [204, 'POST', `${ACCOUNT}:deleteNumbers`, { numbers: [{ telephoneNumber: NUMBER }] }],
  '2024 Accounts_GetTeamsCapabilityPlans': [200, 'POST', `${ACCOUNT}:getTeamsCapabilityPlans`],
  '2024 Accounts_GetTeamsAvailableCapabilities': [
    200,
    'POST',
    `${ACCOUNT}:getTeamsAvailableCapabilities`,
    { numbers: [{ telephoneNumber: '+12065550101' }] },
  ],
  '2024 Accounts_CreateOrReplaceNumber': [201, 'PUT', `${ACCOUNT}/numbers/${NUMBER}`, empty],
  '2024 Accounts_DeleteNumber': [204, 'DELETE', `${ACCOUNT}/numbers/+12065550101`],
  '2024 TeamsRequestsForInformation_CreateOrUpdateRequestForInformation': [
    200,
    'PATCH',
    '/teamsRequestsForInformation/contosoTenantId',
    { customerRelationship: { comment: 'mine' } },
  ],
  '2023 Account_CreateOrReplace': [201, 'PUT', '/accounts/fresh', {}, old],
  '2023 Account_Delete': [204, 'DELETE', '/accounts/leaving', undefined, old],
  '2023 Account_CreateOrReplaceNumbers': [
    200,
    'POST',
    '/account/old/numbers:batch',
    { numbers: [{ phoneNumber: NUMBER, details: number2023 }] },
    old,
  ],
  '2023 Number_CreateOrReplace': [201, 'PUT', `/account/old/numbers/${NUMBER}`, number2023, old],
  '2023 Number_Delete': [204, 'DELETE', '/account/old/numbers/+12065550102', undefined, old],
}

/** What the writes above are about. */
async function aWorld(): Promise<void> {
  const teams = { teamsTenantId: 'contosoTenantId', teamsOperatorConnect: { syncEnabled: false, enabled: true } }
  await operator.put(ACCOUNT, { serviceDetails: teams })
  await operator.put('/accounts/leaving', empty)
  await operator.put(`${ACCOUNT}/numbers/+12065550101`, { serviceDetails: { teamsOperatorConnect: { enabled: true } } })
  await operator.send('PUT', '/accounts/old', { version: old, body: {} })
  await operator.send('PUT', '/account/old/numbers/+12065550102', { version: old, body: number2023 })
}

describe('a request that is repeated', () => {
  it('is one of every write and every action', () => {
    const known = [
      ...operations2024.map((one) => ['2024', one] as const),
      ...operations2023.map((one) => ['2023', one] as const),
    ]
      .filter(([, { repeatable: isRepeatable }]) => isRepeatable)
      .map(([year, { operationId }]) => `${year} ${operationId}`)
    expect(Object.keys(writes).sort()).toEqual(known.sort())
  })

  it.each(Object.entries(writes))(
    '%s has the first answer again, however things are by then',
    async (_id, [status, method, target, body, version]) => {
      await aWorld()
      const request = { ...(body && { body }), ...(version && { version }), headers: repeatable() }
      const first = await operator.send(method, target, request)
      expect(resultOf(first)).toEqual([status, 'accepted'])
      // Everything is taken away, and some of it made anew in another way.
      service.clock.advance(MINUTE_MS)
      for (const name of ['contoso', 'fresh', 'old']) await operator.delete(`/accounts/${name}?deleteNumbers=true`)
      await operator.put('/accounts/fresh', { correlationId: 'theirs', ...empty })
      const before = [await historyLines(), (await operator.get('/accounts')).body]
      expect(kept(await operator.send(method, target, request))).toEqual(kept(first))
      expect([await historyLines(), (await operator.get('/accounts')).body]).toEqual(before)
    },
  )

  it.each<[number, string, () => Promise<LightMyRequestResponse>]>([
    [400, 'InvalidJson', () => operator.put('/accounts/later', '{', repeatable())],
    [400, 'InvalidRequestBody', () => operator.put('/accounts/later', { colour: 1 }, repeatable())],
    [404, 'AccountNotFound', () => operator.put('/accounts/later/numbers/+12065550100', empty, repeatable())],
    [412, 'ConditionNotMet', () => operator.put('/accounts/later', empty, { ...repeatable(), 'if-match': '*' })],
    [409, 'AccountHasNumbers', () => operator.delete(ACCOUNT, repeatable())],
    [
      415,
      'UnsupportedMediaType',
      () => operator.put('/accounts/later', '{}', { ...repeatable(), 'content-type': 'text/plain' }),
    ],
  ])('and was refused with %d %s is refused again, though it would pass by now', async (status, code, send) => {
    await aWorld()
    const first = await send()
    expect([...resultOf(first), codeOf(first)]).toEqual([status, 'accepted', code])
    await operator.put('/accounts/later', empty)
    await operator.delete(`${ACCOUNT}/numbers/+12065550101`)
    expect(kept(await send())).toEqual(kept(first))
  })

  it('has the answer that told how DNS stands once the records were written', async () => {
    const first = await operator.put(ACCOUNT, routed, repeatable())
    expect(first.json()).toMatchObject({ serviceDetails: { teamsDirectRouting: { subdomainStatus: 'provisioned' } } })
    expect(kept(await operator.put(ACCOUNT, routed, repeatable()))).toEqual(kept(first))
  })

  it('is the same in another order of its parameters and another form of its date', async () => {
    const [at, headers] = [service.clock.now(), { authorization: `Bearer ${operator.token}` }]
    const target = (query: string) => ({ method: 'DELETE' as const, url: `${ACCOUNT}?${query}` })
    const send = (query: string, sentAt: string) =>
      service.server.inject({ ...target(query), headers: { ...headers, ...repeatable('an-id', sentAt) } })
    await operator.put(ACCOUNT, empty)
    const first = await send('api-version=2024-02-29&deleteNumbers=true', at.toUTCString())
    await operator.put(ACCOUNT, empty)
    const again = await send('deleteNumbers=true&api-version=2024-02-29', at.toISOString())
    expect([resultOf(first), resultOf(again)]).toEqual([
      [204, 'accepted'],
      [204, 'accepted'],
    ])
    expect((await operator.get(ACCOUNT)).statusCode).toBe(200)
  })

  it.each<[string, string, string, OperatorRequest, number]>([
    ['body', 'PUT', ACCOUNT, { body: { correlationId: 'x', ...empty } }, 0],
    ['body, by a blank', 'PUT', ACCOUNT, { body: '{"serviceDetails":{} }' }, 0],
    ['path', 'PUT', '/accounts/fabrikam', { body: empty }, 0],
    ['method', 'DELETE', ACCOUNT, { body: empty }, 0],
    ['version', 'PUT', ACCOUNT, { body: empty, version: '2024-02-29-preview' }, 0],
    ['query', 'PUT', `${ACCOUNT}?colour=blue`, { body: empty }, 0],
    [
      'query, behind a second question mark',
      'PUT',
      `${ACCOUNT}?api-version=2024-02-29&a=b?c`,
      { body: empty, version: null },
      0,
    ],
    ['date', 'PUT', ACCOUNT, { body: empty }, 1000],
  ])('is refused when it differs in its %s', async (what, method, target, request, ms) => {
    const first = what.includes('second') ? `${ACCOUNT}?api-version=2024-02-29&a=b?d` : ACCOUNT
    const version = what.includes('second') ? null : undefined
    await operator.send('PUT', first, { body: empty, headers: repeatable(), ...(version === null && { version }) })
    const before = (await operator.get('/accounts')).body
    const sentAt = later(service.clock.now(), ms).toUTCString()
    const answer = await operator.send(method, target, { ...request, headers: repeatable('an-id', sentAt) })
    expect([...resultOf(answer), codeOf(answer)]).toEqual([400, 'rejected', 'RepeatabilityRequestMismatch'])
    expect((await operator.get('/accounts')).body).toBe(before)
  })

  it('has nothing to do with a request of another caller under the same id', async () => {
    const writer = await anOperator(service, 'Write')
    expect(resultOf(await operator.put(ACCOUNT, empty, repeatable()))).toEqual([201, 'accepted'])
    expect(resultOf(await writer.put(ACCOUNT, empty, repeatable()))).toEqual([200, 'accepted'])
    expect(resultOf(await writer.put('/accounts/other', empty, repeatable()))).toEqual([400, 'rejected'])
  })

  it('is carried out when it was not let in before', async () => {
    const as = async (...roles: string[]) => operatorWith(service.server, await aToken(service, { roles }))
    const put = (who: Operator) => who.put(ACCOUNT, empty, repeatable())
    expect((await put(operatorWith(service.server, 'x'))).statusCode).toBe(401)
    expect((await put(await as('ProvisioningAPI.Read'))).statusCode).toBe(403)
    expect(resultOf(await put(await as('ProvisioningAPI.Write')))).toEqual([201, 'accepted'])
  })

  it('is carried out again when a backend had failed, under the id that it had', async () => {
    await aWorld()
    const { oc } = service.wiring.provisioning.deps.backends
    if (!isSimulated(oc)) throw new Error('Operator Connect is not simulated')
    await oc.control.misbehave('unavailable', { times: 1 })
    const ask = (headers = repeatable()) => operator.post(`${ACCOUNT}:getTeamsCapabilityPlans`, undefined, headers)
    const failed = await ask()
    expect([...resultOf(failed), codeOf(failed)]).toEqual([502, 'accepted', 'BackendServiceError'])
    expect(resultOf(await operator.post(`${ACCOUNT}:getTeamsCapabilityPlans`, '{}', repeatable()))).toEqual([
      400,
      'rejected',
    ])
    const answered = await ask()
    expect(resultOf(answered)).toEqual([200, 'accepted'])
    expect(kept(await ask())).toEqual(kept(answered))
  })
})

describe('a process that dies', () => {
  const put = () =>
    operator.put(ACCOUNT, empty, { ...repeatable('an-id', '2026-03-01T12:00:00Z'), 'if-none-match': '*' })

  it('before its commit leaves the request to be carried out by whoever is asked next, once it must be dead', async () => {
    fate = 'dies before its commit'
    expect((await put()).statusCode).toBe(503)
    revive()
    const early = await put()
    expect([...resultOf(early), codeOf(early)]).toEqual([409, 'accepted', 'RepeatableRequestInProgress'])
    expect((await operator.get(ACCOUNT)).statusCode).toBe(404)
    service.clock.advance(90_000)
    expect(resultOf(await put())).toEqual([201, 'accepted'])
    expect(resultOf(await put())).toEqual([201, 'accepted'])
  })

  it('before it has told DNS leaves an answer that says so, once the process must be dead', async () => {
    const sendRouted = () => operator.put(ACCOUNT, routed, repeatable('an-id', '2026-03-01T12:00:00Z'))
    fate = 'dies after its commit'
    expect((await sendRouted()).statusCode).toBe(503)
    revive()
    expect(codeOf(await sendRouted())).toBe('RepeatableRequestInProgress')
    service.clock.advance(90_000)
    const answer = await sendRouted()
    expect(resultOf(answer)).toEqual([201, 'accepted'])
    expect(answer.json()).toMatchObject({
      serviceDetails: { teamsDirectRouting: { subdomainStatus: 'notProvisioned' } },
    })
  })

  it('between its commit and its answer leaves the answer behind', async () => {
    fate = 'dies after its commit'
    expect((await put()).statusCode).toBe(503)
    revive()
    expect(resultOf(await put())).toEqual([201, 'accepted'])
    expect((await operator.get(ACCOUNT)).statusCode).toBe(200)
  })
})

describe('an answer', () => {
  it('is kept for the window and swept after it; then the id is free', async () => {
    const sweep = () => service.task(sweepTask).runOnce()
    await operator.put(ACCOUNT, empty, repeatable())
    service.clock.advance(10 * MINUTE_MS)
    await sweep()
    expect(await rememberedIds()).toEqual(['an-id'])
    expect(resultOf(await operator.put(ACCOUNT, empty, repeatable('an-id', '2026-03-01T12:00:00Z')))).toEqual([
      201,
      'accepted',
    ])
    service.clock.advance(5 * MINUTE_MS)
    expect(resultOf(await operator.put(ACCOUNT, empty, repeatable()))).toEqual([200, 'accepted'])
    service.clock.advance(15 * MINUTE_MS)
    await sweep()
    expect(await rememberedIds()).toEqual([])
  })

  it('is kept for as long as the settings say', async () => {
    const other = await createTestService(db, { LINEBOOK_REPEATABILITY_WINDOW_MINUTES: '60' })
    try {
      const headers = repeatable('an-id', other.clock.now().toUTCString())
      const put = async () => (await anOperator(other)).put(ACCOUNT, empty, headers)
      const [first] = [await put()]
      other.clock.advance(50 * MINUTE_MS)
      expect(kept(await put())).toEqual(kept(first))
    } finally {
      await other.close()
    }
  })
})

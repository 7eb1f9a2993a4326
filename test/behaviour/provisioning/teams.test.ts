/** What only the Teams tenant and its backends know: read through, and for a moment believed. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { SimulatedBackend } from '../../../src/backends/simulated/simulated.js'
import type { Db } from '../../../src/db/db.js'
import {
  configuration,
  directRouting,
  everyService,
  fictional,
  fictionals,
  keptHere,
  operatorConnect,
  passedOn,
  using,
  fault,
} from '../../fixtures/accounts.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { anOperator, reconcileAll, type Operator } from '../../fixtures/operator.js'
import { aPlainConnector } from '../../fixtures/plain-connector.js'
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

const ACCOUNT = '/accounts/contoso'
const ADDRESSES = `${ACCOUNT}/teamsCivicAddresses`
const PLANS = `${ACCOUNT}:getTeamsCapabilityPlans`
const CAPABILITIES = `${ACCOUNT}:getTeamsAvailableCapabilities`
const control = (code: 'oc' | 'tpm' = 'oc') =>
  (service.wiring.provisioning.deps.backends[code] as SimulatedBackend).control
const putAccount = async (serviceDetails: object = operatorConnect()) => {
  expect((await operator.put(ACCOUNT, { serviceDetails })).statusCode).toBeLessThan(300)
}
const putNumber = async (body: object, e164 = fictional(0)) => {
  const answer = await operator.put(`${ACCOUNT}/numbers/${e164}`, body)
  expect(answer.statusCode, answer.body).toBeLessThan(300)
}
const identified = (...e164s: string[]) => ({ numbers: e164s.map((telephoneNumber) => ({ telephoneNumber })) })
const questions: [name: string, ask: () => ReturnType<Operator['get']>][] = [
  ['civic addresses', () => operator.get(ADDRESSES)],
  ['one civic address', () => operator.get(`${ADDRESSES}/a`)],
  ['capability plans', () => operator.post(PLANS)],
  ['available capabilities', () => operator.post(CAPABILITIES, identified(fictional(0)))],
]

describe('the civic addresses of an account', () => {
  const address = (id: string, over: object = {}) => ({ id, defaultLocationId: 'l', ...over })

  it('are those of its tenant, each with its own tag, and are not kept', async () => {
    await putAccount(operatorConnect({ teamsTenantId: 'contosoTenantId' }))
    const { value } = (await operator.get(ADDRESSES)).json<{ value: { id: string }[] }>()
    expect(value.map(({ id }) => id)).toEqual(['contosoHeadOffice'])
    const one = await operator.get(`${ADDRESSES}/contosoHeadOffice`)
    expect(one.json()).toEqual(value[0])
    const headers = { 'if-none-match': String(one.headers.etag) }
    expect((await operator.get(`${ADDRESSES}/contosoHeadOffice`, { headers })).statusCode).toBe(304)
    await control().putCivicAddresses('contosoTenantId', [address('b'), address('a', { latitude: '47.64' })])
    expect((await operator.get(ADDRESSES)).json()).toEqual({
      value: [
        { ...address('a', { latitude: '47.64' }), tenantId: 'contosoTenantId' },
        { ...address('b'), tenantId: 'contosoTenantId' },
      ],
    })
    const gone = await operator.get(`${ADDRESSES}/contosoHeadOffice`, { headers })
    expect(gone.statusCode).toBe(404)
    expect(gone.json()).toMatchObject({ error: fault('CivicAddressNotFound', 'civicAddressId') })
  })

  it.each(['a b', 'é/ü', '%', "'", '+1', ':x'])('may have any id: %j', async (id) => {
    await putAccount()
    await control().putCivicAddresses('tenantIdString', [address(id)])
    const answer = await operator.get(`${ADDRESSES}/${encodeURIComponent(id)}`)
    expect(answer.json()).toMatchObject(address(id))
  })

  it('need no switch that passes numbers on', async () => {
    await putAccount({ teamsTenantId: 'tenantIdString', teamsPhoneMobile: keptHere })
    expect((await operator.get(ADDRESSES)).statusCode).toBe(200)
  })
})

describe('what is asked of a backend', () => {
  it.each(questions)('is not there for an account that is not: %s', async (_, ask) => {
    const answer = await ask()
    expect(answer.statusCode).toBe(404)
    expect(answer.json()).toMatchObject({ error: fault('AccountNotFound', 'accountName') })
  })

  it.each(questions)('needs a tenant and a Teams service that is on: %s', async (_, ask) => {
    for (const services of [
      {},
      { teamsOperatorConnect: keptHere },
      { teamsTenantId: 'x', teamsDirectRouting: directRouting() },
      { teamsTenantId: 'x', teamsOperatorConnect: { ...passedOn, enabled: false } },
    ]) {
      await putAccount(services)
      const answer = await ask()
      expect(answer.statusCode).toBe(400)
      expect(answer.json()).toMatchObject({ error: fault('TeamsTenantIdRequired') })
    }
  })

  it.each(questions)('is a 502 with the backend’s own words when it does not answer: %s', async (_, ask) => {
    await putAccount()
    await putNumber(using('teamsOperatorConnect'))
    const said = {
      unavailable: { code: 'ServiceUnavailable', message: 'The service is unavailable at the moment.' },
      throttle: { code: 'TooManyRequests', message: 'TooManyRequests: the backend asked to be called less often.' },
      'timeout-before': { code: 'Timeout', message: 'No answer came within 10000 ms.' },
    }
    for (const [name, words] of Object.entries(said) as [keyof typeof said, object][]) {
      await control().misbehave(name, { afterMs: 1, times: 1 })
      const answer = await ask()
      expect(answer.statusCode).toBe(502)
      expect(answer.headers['x-ms-error-code']).toBe('BackendServiceError')
      expect(answer.json()).toEqual({ error: { ...fault('BackendServiceError', 'oc'), details: [words] } })
    }
    expect((await ask()).statusCode).not.toBe(502)
  })

  it.each([
    { where: 'a service has no backend', oc: undefined },
    { where: 'its backend has no Teams part', oc: aPlainConnector().connector },
  ])('is nothing where $where', async ({ oc }) => {
    await service.close()
    service = await createTestService(db, {
      LINEBOOK_BACKENDS: '{"teamsOperatorConnect":"none","teamsPhoneMobile":"none"}',
    })
    Object.assign(service.wiring.provisioning.deps.backends, oc && { oc })
    operator = await anOperator(service)
    await putAccount()
    await putNumber(using('teamsOperatorConnect'))
    expect((await operator.get(ADDRESSES)).json()).toEqual({ value: [] })
    expect((await operator.get(`${ADDRESSES}/a`)).statusCode).toBe(404)
    expect((await operator.post(PLANS)).json()).toEqual({ capabilityPlans: [] })
    expect((await operator.post(CAPABILITIES, identified(fictional(0)))).json()).toEqual({
      availableCapabilities: [],
    })
    expect((await operator.get('/teamsRequestsForInformation')).json()).toEqual({ value: [] })
    const answer = await operator.patch('/teamsRequestsForInformation/contosoTenantId', {})
    expect(answer.json()).toMatchObject({ error: fault('InvalidParameter', 'tenantId') })
  })
})

describe('capability plans', () => {
  const plan = (name: string, over: object = {}) => ({
    name,
    usage: 'CallingUserAssignment',
    supportsTollFree: false,
    ...over,
  })

  it('are those of every Teams service that the account has on', async () => {
    await putAccount(everyService())
    await control('oc').putCapabilityPlans('tenantIdString', [plan('both'), plan('oc', { offerTypes: ['Calling'] })])
    await control('tpm').putCapabilityPlans('TENANTIDSTRING', [plan('both'), plan('tpm')])
    for (const body of [undefined, {}, '']) {
      const answer = await operator.post(PLANS, body)
      expect(answer.statusCode).toBe(200)
      expect(answer.json()).toEqual({
        capabilityPlans: [plan('both'), plan('oc', { offerTypes: ['Calling'] }), plan('tpm')],
      })
    }
    await putAccount(everyService({ teamsOperatorConnect: undefined }))
    expect((await operator.post(PLANS)).json()).toEqual({ capabilityPlans: [plan('both'), plan('tpm')] })
  })

  it('take no questions', async () => {
    await putAccount()
    for (const [body, code] of [
      [{ numbers: [] }, 'InvalidRequestBody'],
      [[], 'InvalidRequestBody'],
      ['{', 'InvalidJson'],
    ] as const) {
      const answer = await operator.post(PLANS, body)
      expect(answer.statusCode).toBe(400)
      expect(answer.json()).toMatchObject({ error: fault(code) })
    }
  })
})

describe('available capabilities', () => {
  const plans = (usage: string, choosableCapabilities: string[]) => ({
    name: usage,
    usage,
    choosableCapabilities,
    supportsTollFree: false,
  })
  const available = async (...e164s: string[]) =>
    (await operator.post(CAPABILITIES, identified(...e164s))).json<{ availableCapabilities: string[] }>()
      .availableCapabilities

  beforeEach(async () => {
    await putAccount(everyService({ teamsOperatorConnect: passedOn, teamsPhoneMobile: passedOn }))
    await control('oc').putCapabilityPlans('tenantIdString', [plans('A', ['c', 'b', 'a']), plans('B', ['a', 'c', 'd'])])
    await control('tpm').putCapabilityPlans('tenantIdString', [plans('A', ['d', 'a'])])
    const withUsage = (key: string, usage: string) => ({
      serviceDetails: { [key]: { enabled: true, configuration: configuration({ usage }) } },
    })
    await putNumber(withUsage('teamsOperatorConnect', 'A'), fictional(0))
    await putNumber(withUsage('teamsOperatorConnect', 'B'), fictional(1))
    await putNumber(withUsage('teamsPhoneMobile', 'A'), fictional(2))
    await reconcileAll(service)
    await putNumber(using('teamsOperatorConnect'), fictional(3))
    await putNumber(using('teamsDirectRouting'), fictional(4))
    await putNumber({ serviceDetails: { teamsOperatorConnect: { enabled: false } } }, fictional(5))
  })

  it('are what all of the numbers can have, in the order of the backend', async () => {
    expect(await available(fictional(0))).toEqual(['c', 'b', 'a'])
    expect(await available(fictional(1), fictional(1))).toEqual(['a', 'c', 'd'])
    expect(await available(fictional(0), fictional(1))).toEqual(['c', 'a'])
    expect(await available(fictional(1), fictional(0))).toEqual(['a', 'c'])
    expect(await available(...fictionals(3))).toEqual(['a'])
    // One that its backend does not know yet can have nothing.
    expect(await available(fictional(0), fictional(3))).toEqual([])
  })

  it.each([
    ['of no Teams service', [fictional(0), fictional(4)], [1]],
    ['whose Teams service is off', [fictional(5)], [0]],
    ['not on the account', [fictional(9), fictional(0), fictional(8)], [0, 2]],
  ])('are not asked for numbers %s', async (_, e164s, bad) => {
    const answer = await operator.post(CAPABILITIES, identified(...e164s))
    expect(answer.statusCode).toBe(400)
    expect(answer.json()).toMatchObject({
      error: {
        ...fault('InvalidRequestBody'),
        details: bad.map((index) => fault('InvalidRequestBody', `numbers[${index}]`)),
      },
    })
  })

  it.each([
    [[], 'BatchEmpty'],
    [fictionals(101), 'BatchTooLarge'],
    [['12'], 'InvalidRequestBody'],
  ])('are asked for 1 to 100 numbers', async (e164s, code) => {
    expect((await operator.post(CAPABILITIES, identified(...e164s))).json()).toMatchObject({ error: fault(code) })
  })
})

describe('what a backend has told of a number', () => {
  const seen = async () => {
    const answer = await operator.get(`${ACCOUNT}/numbers/${fictional(0)}`)
    expect(answer.statusCode).toBe(200)
    return answer.json<{
      serviceProvisioningStatus: string
      serviceDetails: { teamsOperatorConnect: { assignmentStatus: string } }
    }>()
  }
  const assignment = async () => (await seen()).serviceDetails.teamsOperatorConnect.assignmentStatus
  const calls = async () => {
    const all = await control().calls({ limit: 1_000 })
    return all.filter(({ method }) => method === 'getNumbers').length
  }
  /** A minute, or a moment more. */
  const wait = (more = 0) => service.clock.advance(60_000 + more)

  beforeEach(async () => {
    await putAccount()
    await putNumber(using('teamsOperatorConnect'))
    await reconcileAll(service)
    await control().drift('assignment')
  })

  it('is believed for 60 seconds, then asked for again when the number is', async () => {
    expect(await assignment()).toBe('assigned')
    wait()
    expect(await assignment()).toBe('assigned')
    expect(await calls()).toBe(0)
    wait(1)
    expect(await assignment()).toBe('unassigned')
    expect(await calls()).toBe(1)
    wait()
    await operator.get(`${ACCOUNT}/numbers`)
    expect(await assignment()).toBe('unassigned')
    expect(await calls()).toBe(1)
  })

  it('is shown as it was when the backend can not be asked', async () => {
    await control().misbehave('unavailable', {})
    wait(1)
    expect(await assignment()).toBe('assigned')
    await control().behave()
    expect(await assignment()).toBe('unassigned')
  })

  it('is not asked for while the number is being told, nor of a number that is kept here', async () => {
    wait(1)
    await putNumber(using('teamsOperatorConnect'))
    expect(await assignment()).toBe('assigned')
    await putAccount(operatorConnect({ teamsOperatorConnect: keptHere }))
    wait(1)
    await seen()
    expect(await calls()).toBe(0)
  })

  it('and has silently lost is found out, and mended', async () => {
    await control().drift('vanish')
    wait(1)
    expect((await seen()).serviceProvisioningStatus).toBe('synced')
    await reconcileAll(service, ['oc'])
    expect((await seen()).serviceProvisioningStatus).toBe('synced')
    const backend = service.wiring.provisioning.deps.backends.oc
    expect(await backend?.getNumbers('tenantIdString', fictionals(1))).toHaveLength(1)
  })
})

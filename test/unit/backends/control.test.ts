/** The routes under /_emulator/backends, over the real server. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseBackends } from '../../../src/backends/configure.js'
import { createBackends } from '../../../src/backends/create.js'
import type { Backends } from '../../../src/backends/port/backend.js'
import { MemoryDocuments } from '../../../src/backends/simulated/memory-documents.js'
import { ManualClock } from '../../../src/clock.js'
import { openBackendControl } from '../../../src/emulator/routes/backends.js'
import { DomainError } from '../../../src/errors.js'
import { createServer, type FastifyInstance } from '../../../src/http/server.js'
import { createLogger } from '../../../src/log.js'
import { aNumber, anUpload, aTenant, teamsOf } from '../../fixtures/backend-contract.js'

const logger = createLogger('fatal')
const BASE = '/_emulator/backends'

let backends: Backends
let server: FastifyInstance
beforeEach(async () => {
  const choice = parseBackends('{"zoomPhoneCloudPeering": {"url": "http://127.0.0.1:1"}}', {
    mode: 'emulator',
    env: {},
  })
  backends = createBackends(choice, { clock: new ManualClock(), documents: new MemoryDocuments() })
  server = createServer({ logger, tls: undefined })
  openBackendControl(server, {
    backends,
    logger,
    authorize: async ({ headers }) => {
      if (headers.authorization !== 'yes') throw new DomainError('unauthenticated', 'Show who you are.')
    },
  })
  await server.ready()
})
afterEach(() => server.close())

const send = async (method: 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE', path: string, body?: unknown) => {
  const answer = await server.inject({
    method,
    url: `${BASE}${path}`,
    headers: { authorization: 'yes', ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json() }
}
const get = async (path: string) => (await send('GET', path)).body
const oc = () => {
  if (!backends.oc) throw new Error('no backend')
  return backends.oc
}

describe('the control of simulated backends', () => {
  it('shows the backend of each service', async () => {
    const expected = { oc: 'simulated', tpm: 'simulated', dr: 'none', zoom: 'http', aocp: 'none' }
    expect(await get('')).toEqual({ backends: expected })
  })

  it('shows the state of a backend: what it has, and how it behaves', async () => {
    const e164 = aNumber()
    await oc().upsertTenants([aTenant('t')])
    await oc().uploadNumbers('t', [anUpload(e164)])
    await send('PUT', '/oc/misbehaviours/latency', { ms: 0 })
    expect(await get('/oc')).toMatchObject({
      service: 'oc',
      settings: { strict: false, assignOnUpload: true },
      misbehaviours: { latency: { ms: 0 } },
      numbers: [{ telephoneNumber: e164, tenantId: 't', assignmentStatus: 'assigned' }],
      tenants: [{ tenantId: 't', accountName: 'contoso', enabled: true, syncEnabled: true }],
      consents: [{ id: 'contoso', consentedOn: '2024-05-07T11:15:10.519Z' }, { id: 'contoso2' }],
    })
    expect(await get('/tpm')).toMatchObject({ numbers: [], tenants: [] })
  })

  it('lists numbers and tenants page by page', async () => {
    const e164s = [aNumber(), aNumber(), aNumber()]
    await oc().uploadNumbers(
      't',
      e164s.map((e164) => anUpload(e164)),
    )
    await oc().upsertTenants(['a', 'b'].map(aTenant))
    const first = await get('/oc/numbers?limit=2')
    expect(first).toMatchObject({ numbers: [{}, {}], next: e164s[1] })
    const second = await get(`/oc/numbers?limit=2&after=${first.next}`)
    expect(second).toMatchObject({ numbers: [{ telephoneNumber: e164s[2] }] })
    expect(second.next).toBeUndefined()
    expect(await get('/oc/tenants?limit=1&after=a')).toMatchObject({ tenants: [{ tenantId: 'b' }], next: 'b' })
  })

  it('shows the calls received and clears them', async () => {
    const command = anUpload(aNumber(), 3)
    await oc().uploadNumbers('t', [command])
    await teamsOf(oc()).listConsents()
    const { calls } = await get('/oc/calls')
    const { idempotencyKey } = command
    expect(calls).toMatchObject([
      {
        method: 'uploadNumbers',
        tenantId: 't',
        answer: 'given',
        items: [{ sequence: 3, idempotencyKey, outcome: 'done' }],
      },
      { method: 'listConsents' },
    ])
    expect((await get(`/oc/calls?after=${calls[0].id}`)).calls).toHaveLength(1)
    expect(await send('DELETE', '/oc/calls')).toEqual({ status: 204, body: undefined })
    expect(await get('/oc/calls')).toEqual({ calls: [] })
  })

  it('sets, shows and ends misbehaviours by name', async () => {
    const refusal = { code: 'No', message: 'No.', times: 3, methods: ['uploadNumbers'], keys: ['+12065550100'] }
    expect((await send('PUT', '/oc/misbehaviours/refuse', refusal)).body).toEqual({
      misbehaviours: { refuse: refusal },
    })
    await send('PUT', '/oc/misbehaviours/timeout-before')
    expect(await get('/oc/misbehaviours')).toEqual({ misbehaviours: { refuse: refusal, 'timeout-before': {} } })
    expect(
      await oc()
        .uploadNumbers('t', [])
        .catch((error: unknown) => (error as Error).name),
    ).toBe('BackendError')

    expect((await send('DELETE', '/oc/misbehaviours/timeout-before')).status).toBe(204)
    expect(await get('/oc/misbehaviours')).toEqual({ misbehaviours: { refuse: refusal } })
    await send('DELETE', '/oc/misbehaviours')
    expect(await get('/oc/misbehaviours')).toEqual({ misbehaviours: {} })
  })

  it('makes numbers drift', async () => {
    const e164 = aNumber()
    await oc().uploadNumbers('t', [anUpload(e164)])
    const drift = { effect: 'vanish', telephoneNumbers: [e164] }
    expect(await send('POST', '/oc/drift', drift)).toEqual({ status: 200, body: { telephoneNumbers: [e164] } })
    expect(await oc().getNumbers('t', [e164])).toEqual([])
  })

  it('puts and removes consents', async () => {
    const consent = { id: 'new', status: 'suspended', consentedCountries: ['DE'], contacts: [], relationship: {} }
    expect((await send('PUT', '/oc/consents/newTenant', consent)).status).toBe(200)
    await send('DELETE', '/oc/consents/CONTOSOTENANTID')
    expect((await teamsOf(oc()).listConsents()).map(({ id, tenantId }) => [id, tenantId])).toEqual([
      ['contoso2', 'contosoTenantId2'],
      ['new', 'newTenant'],
    ])
    await send('POST', '/oc/reset')
    expect((await get('/tpm/consents')).consents.map(({ id }: { id: string }) => id)).toEqual(['contoso', 'contoso2'])
  })

  it('puts civic addresses and capability plans of a tenant, and takes them back', async () => {
    const civicAddresses = [{ id: 'a', defaultLocationId: 'l' }]
    expect((await send('PUT', '/oc/civic-addresses/t', { civicAddresses })).body).toEqual({
      civicAddresses: [{ id: 'a', defaultLocationId: 'l', tenantId: 't' }],
    })
    const capabilityPlans = [{ name: 'p', usage: 'u', supportsTollFree: true }]
    expect((await send('PUT', '/oc/capability-plans/t', { capabilityPlans })).body).toEqual({ capabilityPlans })
    expect(await teamsOf(oc()).listCapabilityPlans('t')).toEqual(capabilityPlans)
    expect(await teamsOf(oc()).listCapabilityPlans('u')).toHaveLength(3)
    await send('DELETE', '/oc/civic-addresses/t')
    await send('DELETE', '/oc/capability-plans/t')
    expect((await get('/oc/civic-addresses/t')).civicAddresses).toHaveLength(2)
    expect((await get('/oc/capability-plans/t')).capabilityPlans).toHaveLength(3)
  })

  it('changes settings one by one', async () => {
    expect((await send('PATCH', '/oc/settings', { strict: true })).body).toEqual({ strict: true, assignOnUpload: true })
    await send('PATCH', '/oc/settings', { assignOnUpload: false })
    expect(await get('/oc/settings')).toEqual({ strict: true, assignOnUpload: false })
  })
})

describe('what is wrong is refused with what would be right', () => {
  it.each([
    ['GET', '/nowhere', undefined, 404, /nowhere is no service; those are oc, tpm, dr, zoom, aocp/],
    ['GET', '/zoom', undefined, 404, /backend of zoom is http, not simulated\. Simulated are: oc, tpm/],
    [
      'GET',
      '/oc/everything',
      undefined,
      404,
      /The paths are .*\/_emulator\/backends\/\{service\}\/misbehaviours\/\{name\}/,
    ],
    ['GET', '/oc/reset', undefined, 405, /takes POST/],
    ['PUT', '/oc/misbehaviours/rudeness', {}, 404, /rudeness is no misbehaviour; those are latency, refuse, /],
    ['GET', '/oc/numbers?limit=0', undefined, 400, /limit must be a whole number from 1 to 1000/],
    ['GET', '/oc/numbers?size=1', undefined, 400, /size is not known here; a list takes after and limit/],
    ['GET', '/oc/calls?after=x', undefined, 400, /after must be the id of a call/],
    ['PUT', '/oc/misbehaviours/refuse', '{oops', 400, /not JSON/],
  ] as const)('%s %s %j', async (method, path, body, status, message) => {
    const answer = await send(method, path, body)
    expect(answer.status).toBe(status)
    expect(answer.body.error.message).toMatch(message)
  })

  it.each([
    ['/oc/misbehaviours/latency', {}, 'ms', /is required/],
    ['/oc/misbehaviours/latency', { ms: -1 }, 'ms', /from 0/],
    ['/oc/misbehaviours/refuse', { code: 'x', message: 'x', times: 0 }, 'times', /from 1/],
    ['/oc/misbehaviours/job', { polls: 1, methods: ['dance'] }, 'methods.0', /upsertTenants, uploadNumbers/],
    ['/oc/misbehaviours/job', { polls: 1, speed: 3 }, 'speed', /not a property/],
    ['/oc/civic-addresses/t', { civicAddresses: [{ id: 'x' }] }, 'civicAddresses.0.defaultLocationId', /is required/],
    ['/oc/consents/t', { id: 'x' }, 'status', /is required/],
  ])('PUT %s %j', async (path, body, target, message) => {
    const answer = await send('PUT', path, body)
    expect(answer.status).toBe(400)
    expect(answer.body.error).toMatchObject({ code: 'InvalidInput' })
    const details = answer.body.error.details as { target: string; message: string }[]
    expect(
      details.some((fault) => fault.target === target && message.test(fault.message)),
      JSON.stringify(details),
    ).toBe(true)
  })

  it.each([
    ['GET', ''],
    ['GET', '/oc'],
    ['GET', '/nowhere'],
    ['POST', '/oc/reset'],
    ['DELETE', '/oc/reset'],
    ['GET', '/oc/everything'],
  ] as const)('%s %s wants to know who asks', async (method, path) => {
    const answer = await server.inject({ method, url: `${BASE}${path}` })
    expect(answer.statusCode).toBe(401)
    expect(answer.json()).toEqual({ error: { code: 'Unauthorized', message: 'Show who you are.' } })
  })
})

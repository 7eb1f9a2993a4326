/** Requests for information: what backends announce, with what the operator has said laid over it. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { SimulatedBackend } from '../../../src/backends/simulated/simulated.js'
import { sql, type Db } from '../../../src/db/db.js'
import { operatorConnect } from '../../fixtures/accounts.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { anOperator, reconcileAll, type Operator } from '../../fixtures/operator.js'
import { createTestService, type TestService } from '../../fixtures/service.js'

let db: Db
let service: TestService
let operator: Operator

const GUID = '72f988bf-86f1-41af-91ab-2d7cd011db47'
const RFIS = '/teamsRequestsForInformation'
const RFI = `${RFIS}/${GUID}`
const CONSENTED = '2026-02-01T08:00:00.123Z'

beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.close())
beforeEach(async () => {
  service = await createTestService(db)
  operator = await anOperator(service)
  for (const { tenantId } of await control().consents()) await control().removeConsent(tenantId)
  await announce(GUID)
})
afterEach(() => service.close())

const control = (code: 'oc' | 'tpm' = 'oc') =>
  (service.wiring.provisioning.deps.backends[code] as SimulatedBackend).control
const announce = (tenantId: string, over: object = {}) =>
  control().putConsent({
    id: 'consent',
    tenantId,
    status: 'active',
    consentedOn: CONSENTED,
    lastModifiedOn: CONSENTED,
    consentedCountries: ['US'],
    contacts: [{ fullName: 'Example Name', email: 'example@contoso.com' }],
    relationship: { status: 'ConsentAcknowledged', comment: 'hello', lastModifiedOn: CONSENTED },
    ...over,
  })

interface Shown {
  tenantId: string
  accountName?: string
  serviceProvisioningStatus: string
  serviceProvisioningErrors: object[] | null
  customerRelationship?: { status?: string; comment?: string; lastModifiedOn?: string }
}
const get = async (target = RFI) => (await operator.get(target)).json<Shown>()
const list = async () => (await operator.get(RFIS)).json<{ value: Shown[] }>().value
const patch = (customerRelationship: unknown, headers: Record<string, string> = {}) =>
  operator.patch(RFI, { customerRelationship }, headers)
const listings = async () => {
  const calls = await control().calls({ limit: 1_000 })
  return calls.filter(({ method }) => method === 'listConsents').length
}
const fault = (code: string, target?: string) => ({
  error: { code, message: expect.any(String) as string, ...(target !== undefined && { target }) },
})
/** What the backend has been told. */
const told = async () => (await control().consents()).find(({ tenantId }) => tenantId === GUID)?.relationship
const BELIEVED_MS = 30_000
const now = () => service.clock.now().toISOString()

/** The code of what a backend says then. */
const said = { unavailable: 'ServiceUnavailable', throttle: 'TooManyRequests', 'timeout-before': 'Timeout' }

describe('a request for information', () => {
  it('is found by its tenant in any letter case; what is no GUID only when it is there', async () => {
    await announce('contosoTenantId')
    expect(await get(`${RFIS}/${GUID.toUpperCase()}`)).toMatchObject({ tenantId: GUID })
    expect(await get(`${RFIS}/CONTOSOtenantid`)).toMatchObject({ tenantId: 'contosoTenantId' })
    const other = GUID.replace('7', '8')
    for (const method of ['GET', 'PATCH']) {
      const missing = await operator.send(method, `${RFIS}/${other}`, method === 'PATCH' ? { body: {} } : {})
      expect(missing.statusCode).toBe(404)
      expect(missing.json()).toMatchObject(fault('RequestForInformationNotFound', 'tenantId'))
      const noGuid = await operator.send(method, `${RFIS}/fabrikam`, method === 'PATCH' ? { body: '{' } : {})
      expect(noGuid.statusCode).toBe(400)
      expect(noGuid.json()).toMatchObject(fault('InvalidParameter', 'tenantId'))
    }
  })

  it('names the first account of its tenant, as soon as there is one', async () => {
    expect(await get()).not.toHaveProperty('accountName')
    const services = { serviceDetails: operatorConnect({ teamsTenantId: GUID.toUpperCase() }) }
    for (const name of ['b', 'a', 'c']) await operator.put(`/accounts/${name}`, services)
    expect(await get()).toMatchObject({ accountName: 'a' })
    await operator.delete('/accounts/a')
    expect(await list()).toMatchObject([{ accountName: 'b' }])
  })

  it('is believed for 30 seconds, and asked for once by all who want to know', async () => {
    await Promise.all([list(), list(), get(), list()])
    expect(await listings()).toBe(1)
    await announce(GUID, { status: 'suspended' })
    service.clock.advance(BELIEVED_MS - 1)
    expect(await get()).toMatchObject({ status: 'active' })
    service.clock.advance(1)
    expect(await get()).toMatchObject({ status: 'suspended' })
    expect(await listings()).toBe(2)
  })

  it.each(['unavailable', 'throttle', 'timeout-before'] as const)(
    'is a 502 while its backend does not answer, and asked for again at once: %s',
    async (name) => {
      await control().misbehave(name, { afterMs: 1 })
      for (const answer of [await operator.get(RFIS), await operator.get(RFI), await patch({ status: 'x' })]) {
        expect(answer.statusCode).toBe(502)
        expect(answer.json()).toMatchObject({
          error: { code: 'BackendServiceError', target: 'oc', details: [{ code: said[name] }] },
        })
      }
      await control().behave()
      expect((await operator.get(RFI)).statusCode).toBe(200)
    },
  )

  it('announced by both Teams services is one, and answered to the first', async () => {
    await announce('second', { id: 'second' })
    expect((await list()).map(({ tenantId }) => tenantId)).toEqual([GUID, 'second'])
    await patch({ status: 'CustomerContacted' })
    const rows = await db.query(sql`select service from sync where kind = 'consent'`)
    expect(rows).toEqual([{ service: 'oc' }])
  })
})

describe('an answer to a request', () => {
  it('is merged into what was said: what is left out stays, null clears', async () => {
    const said = async (change: unknown) => {
      const answer = await patch(change)
      expect(answer.statusCode, answer.body).toBe(200)
      return answer.json<Shown>().customerRelationship
    }
    expect(await said({ status: 'CustomerContacted' })).toEqual({
      status: 'CustomerContacted',
      comment: 'hello',
      lastModifiedOn: now(),
    })
    expect(await said({ comment: null })).toEqual({ status: 'CustomerContacted', lastModifiedOn: now() })
    expect(await said({ comment: '' })).toMatchObject({ comment: '' })
    expect(await said({})).toMatchObject({ status: 'CustomerContacted', comment: '' })
    expect(await said({ status: null, comment: 'later' })).toEqual({ comment: 'later', lastModifiedOn: now() })
    expect(await said(null)).toEqual({ lastModifiedOn: now() })
    await reconcileAll(service)
    expect(await told()).toEqual({ lastModifiedOn: service.clock.now() })
    expect(await get()).toMatchObject({ serviceProvisioningStatus: 'synced' })
  })

  it('takes any status text, and passes over what is only for reading', async () => {
    const answer = await operator.patch(RFI, {
      ...(await get()),
      tenantId: 5,
      contacts: null,
      customerRelationship: { status: 'whatever', lastModifiedOn: 'never' },
    })
    expect(answer.json()).toMatchObject({ customerRelationship: { status: 'whatever', lastModifiedOn: now() } })
  })

  it.each([
    [{ colour: 'red' }, 'InvalidRequestBody', 'colour'],
    [{ customerRelationship: { status: '' } }, 'InvalidRequestBody', 'customerRelationship.status'],
    [{ customerRelationship: { status: 'x'.repeat(257) } }, 'InvalidRequestBody', 'customerRelationship.status'],
    [{ customerRelationship: { comment: 'x'.repeat(4_097) } }, 'InvalidRequestBody', 'customerRelationship.comment'],
    [{ customerRelationship: { reason: 'x' } }, 'InvalidRequestBody', 'customerRelationship.reason'],
    [{ customerRelationship: 'x' }, 'InvalidRequestBody', 'customerRelationship'],
    ['{', 'InvalidJson', undefined],
  ])('is refused when it is wrong: %j', async (body, code, target) => {
    const before = await get()
    const answer = await operator.patch(RFI, body)
    expect(answer.statusCode).toBe(400)
    expect(answer.json()).toMatchObject(fault(code, target))
    expect(await get()).toEqual(before)
  })

  it('is pending until it is mirrored, moves only its own date, and counts until its backend shows it', async () => {
    service.clock.advance(60_000)
    const before = await get()
    const saidAt = now()
    const answer = await patch({ status: 'AgreementSigned' })
    const expected = {
      ...before,
      serviceProvisioningStatus: 'pending',
      customerRelationship: { status: 'AgreementSigned', comment: 'hello', lastModifiedOn: saidAt },
    }
    expect(answer.json()).toEqual(expected)
    expect(await list()).toEqual([expected])
    expect((await told())?.status).toBe('ConsentAcknowledged')
    await reconcileAll(service)
    // What the backend announced before is still believed; what was said shows all the same.
    expect(await get()).toEqual({ ...expected, serviceProvisioningStatus: 'synced' })
    service.clock.advance(BELIEVED_MS)
    expect(await get()).toEqual({ ...expected, serviceProvisioningStatus: 'synced' })
    // From then on whoever speaks last counts.
    await announce(GUID, { relationship: { status: 'ContractTerminated', lastModifiedOn: now() } })
    service.clock.advance(BELIEVED_MS)
    expect((await get()).customerRelationship).toMatchObject({ status: 'ContractTerminated' })
    await patch({ comment: 'why?' })
    expect((await get()).customerRelationship).toEqual({
      status: 'ContractTerminated',
      comment: 'why?',
      lastModifiedOn: now(),
    })
  })

  it('that its backend refuses is failed with the backend’s words, as it was sent, and may be said again', async () => {
    const said = { code: 'InvalidStatus', message: 'No such status.', target: 'customerRelationship.status' }
    await control().misbehave('refuse', { ...said, methods: ['updateCustomerRelationships'], times: 1 })
    await patch({ status: 'nonsense' })
    await reconcileAll(service)
    expect(await get()).toMatchObject({
      serviceProvisioningStatus: 'failed',
      serviceProvisioningErrors: [said],
      customerRelationship: { status: 'nonsense' },
    })
    expect((await patch({ status: 'AgreementSigned' })).json()).toMatchObject({
      serviceProvisioningStatus: 'pending',
      serviceProvisioningErrors: null,
    })
    await reconcileAll(service)
    expect(await get()).toMatchObject({ serviceProvisioningStatus: 'synced' })
    expect((await told())?.status).toBe('AgreementSigned')
  })

  it('survives a backend that is away: it is tried again until it is taken', async () => {
    await patch({ status: 'AgreementSigned' })
    await control().misbehave('unavailable', { times: 3 })
    for (let minute = 0; minute < 5; minute++) {
      await reconcileAll(service)
      service.clock.advance(60_000)
    }
    expect(await get()).toMatchObject({ serviceProvisioningStatus: 'synced' })
    expect((await told())?.status).toBe('AgreementSigned')
  })

  it('is given under the tag of what was answered before, or not at all', async () => {
    const tag = String((await operator.get(RFI)).headers.etag)
    const first = await patch({ status: 'one' }, { 'if-match': tag })
    expect(first.statusCode).toBe(200)
    expect((await patch({ status: 'two' }, { 'if-match': tag })).statusCode).toBe(412)
    await reconcileAll(service)
    // That it has been mirrored meanwhile is no change of anybody's.
    expect((await patch({ status: 'two' }, { 'if-match': String(first.headers.etag) })).statusCode).toBe(200)
  })
})

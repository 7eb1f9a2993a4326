/** Requests for information: what backends announce, with what the operator has said laid over it. */
import { describe, expect } from 'vitest'
import type { SimulatedBackend } from '../../../src/backends/simulated/simulated.js'
import { sql } from '../../../src/db/db.js'
import { operatorConnect, refusal } from '../../fixtures/accounts.js'
import { reconcileAll, type Operator } from '../../fixtures/operator.js'
import type { TestService } from '../../fixtures/service.js'
import { it } from '../../fixtures/test.js'

const GUID = '72f988bf-86f1-41af-91ab-2d7cd011db47'
const RFIS = '/teamsRequestsForInformation'
const RFI = `${RFIS}/${GUID}`
const CONSENTED = '2026-02-01T08:00:00.123Z'
it.beforeEach(async ({ service }) => {
  for (const { tenantId } of await control(service).consents()) await control(service).removeConsent(tenantId)
  await announce(service, GUID)
})
const BELIEVED_MS = 30_000

/** The code of what a backend says then. */
const said = { unavailable: 'ServiceUnavailable', throttle: 'TooManyRequests', 'timeout-before': 'Timeout' }

describe('a request for information', () => {
  it('is found by its tenant in any letter case; what is no GUID only when it is there', async ({
    service,
    operator,
  }) => {
    await announce(service, 'contosoTenantId')
    expect(await get(operator, `${RFIS}/${GUID.toUpperCase()}`)).toMatchObject({ tenantId: GUID })
    expect(await get(operator, `${RFIS}/CONTOSOtenantid`)).toMatchObject({ tenantId: 'contosoTenantId' })
    const other = GUID.replace('7', '8')
    for (const method of ['GET', 'PATCH']) {
      const missing = await operator.send(method, `${RFIS}/${other}`, method === 'PATCH' ? { body: {} } : {})
      expect(missing.statusCode).toBe(404)
      expect(missing.json()).toMatchObject(refusal('RequestForInformationNotFound', 'tenantId'))
      const noGuid = await operator.send(method, `${RFIS}/fabrikam`, method === 'PATCH' ? { body: '{' } : {})
      expect(noGuid.statusCode).toBe(400)
      expect(noGuid.json()).toMatchObject(refusal('InvalidParameter', 'tenantId'))
    }
  })

  it('names the first account of its tenant, as soon as there is one', async ({ operator }) => {
    expect(await get(operator)).not.toHaveProperty('accountName')
    const services = { serviceDetails: operatorConnect({ teamsTenantId: GUID.toUpperCase() }) }
    for (const name of ['b', 'a', 'c']) await operator.put(`/accounts/${name}`, services)
    expect(await get(operator)).toMatchObject({ accountName: 'a' })
    await operator.delete('/accounts/a')
    expect(await list(operator)).toMatchObject([{ accountName: 'b' }])
  })

  it('is believed for 30 seconds, and asked for once by all who want to know', async ({ service, operator }) => {
    await Promise.all([list(operator), list(operator), get(operator), list(operator)])
    expect(await listings(service)).toBe(1)
    await announce(service, GUID, { status: 'suspended' })
    service.clock.advance(BELIEVED_MS - 1)
    expect(await get(operator)).toMatchObject({ status: 'active' })
    service.clock.advance(1)
    expect(await get(operator)).toMatchObject({ status: 'suspended' })
    expect(await listings(service)).toBe(2)
  })

  it.for(['unavailable', 'throttle', 'timeout-before'] as const)(
    'is a 502 while its backend does not answer, and asked for again at once: %s',
    async (name, { service, operator }) => {
      await control(service).misbehave(name, { afterMs: 1 })
      for (const answer of [
        await operator.get(RFIS),
        await operator.get(RFI),
        await patch(operator, { status: 'x' }),
      ]) {
        expect(answer.statusCode).toBe(502)
        expect(answer.json()).toMatchObject({
          error: { code: 'BackendServiceError', target: 'oc', details: [{ code: said[name] }] },
        })
      }
      await control(service).behave()
      expect((await operator.get(RFI)).statusCode).toBe(200)
    },
  )

  it('announced by both Teams services is one, and answered to the first', async ({ db, service, operator }) => {
    await announce(service, 'second', { id: 'second' })
    expect((await list(operator)).map(({ tenantId }) => tenantId)).toEqual([GUID, 'second'])
    await patch(operator, { status: 'CustomerContacted' })
    const rows = await db.query(sql`select service from sync where kind = 'consent'`)
    expect(rows).toEqual([{ service: 'oc' }])
  })
})

describe('an answer to a request', () => {
  it('is merged into what was said: what is left out stays, null clears', async ({ service, operator }) => {
    const said = async (change: unknown) => {
      const answer = await patch(operator, change)
      expect(answer.statusCode, answer.body).toBe(200)
      return answer.json<Shown>().customerRelationship
    }
    expect(await said({ status: 'CustomerContacted' })).toEqual({
      status: 'CustomerContacted',
      comment: 'hello',
      lastModifiedOn: now(service),
    })
    expect(await said({ comment: null })).toEqual({ status: 'CustomerContacted', lastModifiedOn: now(service) })
    expect(await said({ comment: '' })).toMatchObject({ comment: '' })
    expect(await said({})).toMatchObject({ status: 'CustomerContacted', comment: '' })
    expect(await said({ status: null, comment: 'later' })).toEqual({ comment: 'later', lastModifiedOn: now(service) })
    expect(await said(null)).toEqual({ lastModifiedOn: now(service) })
    await reconcileAll(service)
    expect(await told(service)).toEqual({ lastModifiedOn: service.clock.now() })
    expect(await get(operator)).toMatchObject({ serviceProvisioningStatus: 'synced' })
  })

  it('takes any status text, and passes over what is only for reading', async ({ service, operator }) => {
    const answer = await operator.patch(RFI, {
      ...(await get(operator)),
      tenantId: 5,
      contacts: null,
      customerRelationship: { status: 'whatever', lastModifiedOn: 'never' },
    })
    expect(answer.json()).toMatchObject({ customerRelationship: { status: 'whatever', lastModifiedOn: now(service) } })
  })

  it.for([
    [{ colour: 'red' }, 'InvalidRequestBody', 'colour'],
    [{ customerRelationship: { status: '' } }, 'InvalidRequestBody', 'customerRelationship.status'],
    [{ customerRelationship: { status: 'x'.repeat(257) } }, 'InvalidRequestBody', 'customerRelationship.status'],
    [{ customerRelationship: { comment: 'x'.repeat(4_097) } }, 'InvalidRequestBody', 'customerRelationship.comment'],
    [{ customerRelationship: { reason: 'x' } }, 'InvalidRequestBody', 'customerRelationship.reason'],
    [{ customerRelationship: 'x' }, 'InvalidRequestBody', 'customerRelationship'],
    ['{', 'InvalidJson', undefined],
  ] as const)('is refused when it is wrong: %j', async ([body, code, target], { operator }) => {
    const before = await get(operator)
    const answer = await operator.patch(RFI, body)
    expect(answer.statusCode).toBe(400)
    expect(answer.json()).toMatchObject(refusal(code, target))
    expect(await get(operator)).toEqual(before)
  })

  it('is pending until it is mirrored, moves only its own date, and counts until its backend shows it', async ({
    service,
    operator,
  }) => {
    service.clock.advance(60_000)
    const before = await get(operator)
    const saidAt = now(service)
    const answer = await patch(operator, { status: 'AgreementSigned' })
    const expected = {
      ...before,
      serviceProvisioningStatus: 'pending',
      customerRelationship: { status: 'AgreementSigned', comment: 'hello', lastModifiedOn: saidAt },
    }
    expect(answer.json()).toEqual(expected)
    expect(await list(operator)).toEqual([expected])
    expect((await told(service))?.status).toBe('ConsentAcknowledged')
    await reconcileAll(service)
    // What the backend announced before is still believed; what was said shows all the same.
    expect(await get(operator)).toEqual({ ...expected, serviceProvisioningStatus: 'synced' })
    service.clock.advance(BELIEVED_MS)
    expect(await get(operator)).toEqual({ ...expected, serviceProvisioningStatus: 'synced' })
    // From then on whoever speaks last counts.
    await announce(service, GUID, { relationship: { status: 'ContractTerminated', lastModifiedOn: now(service) } })
    service.clock.advance(BELIEVED_MS)
    expect((await get(operator)).customerRelationship).toMatchObject({ status: 'ContractTerminated' })
    await patch(operator, { comment: 'why?' })
    expect((await get(operator)).customerRelationship).toEqual({
      status: 'ContractTerminated',
      comment: 'why?',
      lastModifiedOn: now(service),
    })
  })

  it('that its backend refuses is failed with the backend’s words, as it was sent, and may be said again', async ({
    service,
    operator,
  }) => {
    const said = { code: 'InvalidStatus', message: 'No such status.', target: 'customerRelationship.status' }
    await control(service).misbehave('refuse', { ...said, methods: ['updateCustomerRelationships'], times: 1 })
    await patch(operator, { status: 'nonsense' })
    await reconcileAll(service)
    expect(await get(operator)).toMatchObject({
      serviceProvisioningStatus: 'failed',
      serviceProvisioningErrors: [said],
      customerRelationship: { status: 'nonsense' },
    })
    expect((await patch(operator, { status: 'AgreementSigned' })).json()).toMatchObject({
      serviceProvisioningStatus: 'pending',
      serviceProvisioningErrors: null,
    })
    await reconcileAll(service)
    expect(await get(operator)).toMatchObject({ serviceProvisioningStatus: 'synced' })
    expect((await told(service))?.status).toBe('AgreementSigned')
  })

  it('survives a backend that is away: it is tried again until it is taken', async ({ service, operator }) => {
    await patch(operator, { status: 'AgreementSigned' })
    await control(service).misbehave('unavailable', { times: 3 })
    for (let minute = 0; minute < 5; minute++) {
      await reconcileAll(service)
      service.clock.advance(60_000)
    }
    expect(await get(operator)).toMatchObject({ serviceProvisioningStatus: 'synced' })
    expect((await told(service))?.status).toBe('AgreementSigned')
  })

  it('is given under the tag of what was answered before, or not at all', async ({ service, operator }) => {
    const tag = String((await operator.get(RFI)).headers.etag)
    const first = await patch(operator, { status: 'one' }, { 'if-match': tag })
    expect(first.statusCode).toBe(200)
    expect((await patch(operator, { status: 'two' }, { 'if-match': tag })).statusCode).toBe(412)
    await reconcileAll(service)
    // That it has been mirrored meanwhile is no change of anybody's.
    expect((await patch(operator, { status: 'two' }, { 'if-match': String(first.headers.etag) })).statusCode).toBe(200)
  })
})

const control = (service: TestService, code: 'oc' | 'tpm' = 'oc') =>
  (service.wiring.provisioning.deps.backends[code] as SimulatedBackend).control
const announce = (service: TestService, tenantId: string, over: object = {}) =>
  control(service).putConsent({
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
const get = async (operator: Operator, target = RFI) => (await operator.get(target)).json<Shown>()
const list = async (operator: Operator) => (await operator.get(RFIS)).json<{ value: Shown[] }>().value
const patch = (operator: Operator, customerRelationship: unknown, headers: Record<string, string> = {}) =>
  operator.patch(RFI, { customerRelationship }, headers)
const listings = async (service: TestService) => {
  const calls = await control(service).calls({ limit: 1_000 })
  return calls.filter(({ method }) => method === 'listConsents').length
}
/** What the backend has been told. */
const told = async (service: TestService) =>
  (await control(service).consents()).find(({ tenantId }) => tenantId === GUID)?.relationship
const now = (service: TestService) => service.clock.now().toISOString()

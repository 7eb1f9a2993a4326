/** The documented samples of the API, one after another, as an operator's system would send them. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Db } from '../../../src/db/db.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { anOperator, reconcileAll, type Operator } from '../../fixtures/operator.js'
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
  return () => service.close()
})

const directRouting = {
  syncEnabled: true,
  enabled: true,
  configuration: {
    callScreening: true,
    subdomain: 'contoso',
    subdomainTokens: { region1Token: 'region1TokenValue', region2Token: 'region2TokenValue' },
  },
}
const operatorConnect = { syncEnabled: true, enabled: true }
const NUMBER = '/accounts/contoso/numbers/+123451'

const accountWith = (serviceDetails: object) => ({ name: 'contoso', serviceDetails })
const ocAccount = accountWith({ teamsTenantId: 'tenantIdString', teamsOperatorConnect: operatorConnect })
const ocNumber = (configuration: object = {}) => ({
  telephoneNumber: '+123451',
  accountName: 'contoso',
  serviceDetails: {
    teamsOperatorConnect: {
      enabled: true,
      configuration: {
        usage: 'CallingUserAssignment',
        choosableCapabilities: ['InboundCalling', 'OutboundCalling'],
        civicAddressId: 'civicAddressIdString',
        allowTenantAddressUpdate: true,
        ...configuration,
      },
    },
  },
  configuration: { customSipHeader: 'exampleHeaderContents' },
})
/** What a client sees of that number. */
const shownNumber = (status: string, configuration: object = {}, errors: unknown = null) => {
  const number = ocNumber(configuration)
  const { configuration: sent } = number.serviceDetails.teamsOperatorConnect
  return {
    serviceProvisioningStatus: status,
    serviceProvisioningErrors: errors,
    ...number,
    serviceDetails: {
      teamsOperatorConnect: {
        enabled: true,
        assignmentStatus: 'assigned',
        configuration: expect.objectContaining(sent) as unknown,
      },
    },
  }
}

describe('the documented sequences', () => {
  it('S1: an account for Direct Routing is synced and in DNS at once; made again as new it is refused', async () => {
    const answer = await operator.put('/accounts/contoso', accountWith({ teamsDirectRouting: directRouting }), {
      'if-none-match': '*',
    })
    expect(answer.statusCode).toBe(201)
    expect(answer.headers.etag).toMatch(/^"[\w-]+\.[\w-]+"$/)
    expect(answer.json()).toEqual({
      serviceProvisioningStatus: 'synced',
      serviceProvisioningErrors: null,
      name: 'contoso',
      serviceDetails: { teamsDirectRouting: { ...directRouting, numberCount: 0, subdomainStatus: 'provisioned' } },
    })
    const again = await operator.put('/accounts/contoso', accountWith({ teamsDirectRouting: directRouting }), {
      'if-none-match': '*',
    })
    expect(again.statusCode).toBe(412)
    expect(again.json()).toMatchObject({ error: { code: 'ConditionNotMet' } })
  })

  it('S2, S3: an account for Operator Connect with sync is pending, and synced a while later', async () => {
    const created = await operator.put('/accounts/contoso', ocAccount)
    const expected = (status: string) => ({
      serviceProvisioningStatus: status,
      serviceProvisioningErrors: null,
      name: 'contoso',
      serviceDetails: {
        teamsTenantId: 'tenantIdString',
        teamsOperatorConnect: { ...operatorConnect, numberCount: 0 },
      },
    })
    expect(created.statusCode).toBe(201)
    expect(created.json()).toEqual(expected('pending'))
    await reconcileAll(service)
    const seen = await operator.get('/accounts/contoso')
    expect(seen.statusCode).toBe(200)
    expect(seen.headers.etag).toBeDefined()
    expect(seen.json()).toEqual(expected('synced'))
  })

  it('S4, S5: an account of two services is updated by its tag, and a second time by the old tag refused', async () => {
    const both = accountWith({
      teamsTenantId: 'tenantIdString',
      teamsOperatorConnect: operatorConnect,
      teamsDirectRouting: directRouting,
    })
    await operator.put('/accounts/contoso', both)
    await reconcileAll(service)
    const seen = await operator.get('/accounts/contoso')
    expect(seen.json()).toMatchObject({
      serviceProvisioningStatus: 'synced',
      serviceDetails: {
        teamsOperatorConnect: { numberCount: 0 },
        teamsDirectRouting: { numberCount: 0, subdomainStatus: 'provisioned' },
      },
    })
    const tag = String(seen.headers.etag)
    // As the sample: the tag in a header ETag, and what is only for reading sent back along.
    const update = accountWith({
      ...seen.json<{ serviceDetails: object }>().serviceDetails,
      teamsOperatorConnect: { ...operatorConnect, syncEnabled: false, numberCount: 0 },
    })
    const updated = await operator.put('/accounts/contoso', update, { etag: tag })
    expect(updated.statusCode).toBe(200)
    expect(updated.headers.etag).not.toBe(tag)
    expect(updated.json()).toMatchObject({
      serviceProvisioningStatus: 'pending',
      serviceProvisioningErrors: null,
      serviceDetails: { teamsDirectRouting: { subdomainStatus: 'provisioned' } },
    })
    expect((await operator.put('/accounts/contoso', update, { 'if-match': tag })).statusCode).toBe(412)
  })

  it('S6, S7: a number is pending when it is put and synced a while later', async () => {
    await operator.put('/accounts/contoso', ocAccount)
    const created = await operator.put(NUMBER, ocNumber(), { 'if-none-match': '*' })
    expect(created.statusCode).toBe(201)
    expect(created.json()).toEqual(shownNumber('pending'))
    await reconcileAll(service)
    const seen = await operator.get(NUMBER)
    expect(seen.statusCode).toBe(200)
    expect(seen.json()).toEqual(shownNumber('synced'))
  })

  it('S8, S9: what the backend refuses is failed with its own words, and put right by another update', async () => {
    await operator.put('/accounts/contoso', ocAccount)
    expect((await operator.put(NUMBER, ocNumber({ usage: '' }))).json()).toEqual(shownNumber('pending', { usage: '' }))
    await reconcileAll(service)
    const failed = await operator.get(NUMBER)
    expect(failed.json()).toEqual(
      shownNumber('failed', { usage: '' }, [
        {
          code: 'InvalidRequest',
          message: 'Invalid/missing required configuration attributes: Usage',
          target: 'oc',
        },
      ]),
    )
    const capabilities = { choosableCapabilities: ['InboundCalling', 'OutboundCalling', 'Mobile'] }
    const updated = await operator.put(NUMBER, ocNumber(capabilities), { 'if-match': String(failed.headers.etag) })
    expect(updated.statusCode).toBe(200)
    expect(updated.json()).toEqual(shownNumber('pending', capabilities))
    await reconcileAll(service)
    expect((await operator.get(NUMBER)).json()).toEqual(shownNumber('synced', capabilities))
  })

  it('S10, S11: requests for information are listed, and an answer to one is pending until it is mirrored', async () => {
    await operator.put('/accounts/contoso2', {
      name: 'contoso2',
      serviceDetails: {
        teamsTenantId: 'contosoTenantId2',
        teamsOperatorConnect: { syncEnabled: false, enabled: true },
      },
    })
    const list = await operator.get('/teamsRequestsForInformation')
    expect(list.statusCode).toBe(200)
    const { value } = list.json<{ value: Record<string, unknown>[] }>()
    expect(value.map(({ id, tenantId, accountName }) => [id, tenantId, accountName])).toEqual([
      ['contoso', 'contosoTenantId', undefined],
      ['contoso2', 'contosoTenantId2', 'contoso2'],
    ])
    expect(value[0]).toMatchObject({
      serviceProvisioningStatus: 'synced',
      serviceProvisioningErrors: null,
      productContext: 'teams',
      status: 'active',
      consentedOn: '2024-05-07T11:15:10.519Z',
      lastModifiedOn: '2024-05-07T11:15:10.519Z',
      contacts: [
        {
          fullName: 'Example Name',
          email: 'example@contoso.com',
          telephoneNumber: '+1234567890',
          companyName: 'contoso',
        },
      ],
      customerRelationship: { lastModifiedOn: '2024-05-07T11:15:10.520Z' },
    })
    const change = { customerRelationship: { status: 'new status', comment: 'new comment' } }
    const patched = await operator.patch('/teamsRequestsForInformation/contosoTenantId', change)
    expect(patched.statusCode).toBe(200)
    expect(patched.json()).toEqual({
      ...value[0],
      serviceProvisioningStatus: 'pending',
      customerRelationship: { ...change.customerRelationship, lastModifiedOn: service.clock.now().toISOString() },
    })
    await reconcileAll(service)
    expect((await operator.get('/teamsRequestsForInformation/CONTOSOTENANTID')).json()).toMatchObject({
      serviceProvisioningStatus: 'synced',
      lastModifiedOn: '2024-05-07T11:15:10.519Z',
      ...change,
    })
  })

  it('S12, S13: the numbers of an account are listed, whatever services they use', async () => {
    await operator.put(
      '/accounts/contoso',
      accountWith({
        teamsTenantId: 'tenantIdString',
        teamsOperatorConnect: operatorConnect,
        teamsDirectRouting: directRouting,
      }),
    )
    await operator.put(NUMBER, ocNumber())
    expect((await operator.get('/accounts/contoso/numbers')).json()).toEqual({ value: [shownNumber('pending')] })
    await reconcileAll(service)
    const second = {
      telephoneNumber: '+123452',
      accountName: 'contoso',
      serviceDetails: { teamsDirectRouting: { enabled: true } },
      configuration: { customSipHeader: 'exampleHeaderContents' },
    }
    await operator.put('/accounts/contoso/numbers/%2B123452', second)
    expect((await operator.get('/account/contoso/numbers')).json()).toEqual({
      value: [
        shownNumber('synced'),
        { serviceProvisioningStatus: 'synced', serviceProvisioningErrors: null, ...second },
      ],
    })
  })

  it('S14: the emergency addresses of the tenant are read through', async () => {
    await operator.put('/accounts/contoso', ocAccount)
    const list = await operator.get('/accounts/contoso/teamsCivicAddresses')
    expect(list.statusCode).toBe(200)
    const { value } = list.json<{ value: { id: string; locations?: object[] }[] }>()
    const address = value.find(({ locations = [] }) => locations.length > 0)
    expect(address).toMatchObject({ validationStatus: 'notValidated', locations: [{ isDefault: true }] })
    const one = await operator.get(`/accounts/contoso/teamsCivicAddresses/${address?.id}`)
    expect(one.json()).toEqual(address)
  })

  it('S15: a removed number is gone at once, is released in the background, and may be removed again', async () => {
    await operator.put('/accounts/contoso', ocAccount)
    await operator.put(NUMBER, ocNumber())
    await reconcileAll(service)
    const removed = await operator.delete(NUMBER)
    expect(removed.statusCode).toBe(204)
    expect(removed.body).toBe('')
    expect((await operator.delete(NUMBER)).statusCode).toBe(204)
    expect((await operator.get(NUMBER)).statusCode).toBe(404)
    expect((await operator.get('/accounts/contoso')).json()).toMatchObject({
      serviceDetails: { teamsOperatorConnect: { numberCount: 0 } },
    })
    await reconcileAll(service)
    const [backend] = [service.wiring.provisioning.deps.backends.oc]
    expect(await backend?.getNumbers('tenantIdString', ['+123451'])).toEqual([])
  })

  it('S16: with Direct Routing switched off the records are withdrawn, and the account says so', async () => {
    await operator.put('/accounts/contoso', accountWith({ teamsDirectRouting: directRouting }))
    await operator.put('/accounts/contoso', accountWith({ teamsDirectRouting: { ...directRouting, enabled: false } }))
    expect((await operator.get('/accounts/contoso')).json()).toMatchObject({
      serviceDetails: { teamsDirectRouting: { enabled: false, subdomainStatus: 'notProvisioned' } },
    })
  })
})

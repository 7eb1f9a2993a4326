/** What a number on an account may use, what is shown of it, and how numbers are counted. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { serviceKeys, type ServiceKey } from '../../../src/backends/port/services.js'
import type { Db } from '../../../src/db/db.js'
import {
  brokenInvariants,
  configuration,
  everyService,
  fictional,
  operatorConnect,
  passedOn,
  using,
  refusal,
} from '../../fixtures/accounts.js'
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
beforeEach(() => begin())
afterEach(async () => {
  expect(await brokenInvariants(db)).toEqual([])
  await service.close()
})

/** An account with every service, none of them passed on, unless told. */
async function begin(serviceDetails: object = everyService(), env: Record<string, string> = {}): Promise<void> {
  service = await createTestService(db, env)
  operator = await anOperator(service)
  await putAccount(serviceDetails)
}

/** The same anew, in the middle of a test. */
async function beginAgain(serviceDetails: object, env?: Record<string, string>): Promise<void> {
  await service.close()
  await begin(serviceDetails, env)
}

const ACCOUNT = '/accounts/contoso'
const putAccount = async (serviceDetails: object): Promise<void> => {
  const answer = await operator.put(ACCOUNT, { serviceDetails })
  expect(answer.statusCode, answer.body).toBeLessThan(300)
}
const pathOf = (e164: string) => `${ACCOUNT}/numbers/${e164}`
const put = (body: object, e164 = fictional(0)) => operator.put(pathOf(e164), body)
const oc = (over: object = {}) => ({ serviceDetails: { teamsOperatorConnect: { enabled: true, ...over } } })

describe('a service that a number uses', () => {
  it.each(serviceKeys)('must be on in its account: %s', async (key) => {
    const off = key === 'azureOperatorCallProtection' ? { enabled: false } : { ...passedOn, enabled: false }
    for (const over of [{ [key]: undefined }, { [key]: off }]) {
      await putAccount(everyService(over))
      const answer = await put(using(key))
      expect(answer.statusCode).toBe(400)
      expect(answer.json()).toMatchObject(refusal('ServiceNotEnabledOnAccount', `serviceDetails.${key}`))
    }
    expect((await operator.get(pathOf(fictional(0)))).json()).toMatchObject(refusal('NumberNotFound'))
    expect((await put({ serviceDetails: { [key]: { enabled: false } } })).statusCode).toBe(201)
  })

  it('is told for each that is not on', async () => {
    await putAccount({})
    const answer = await put(using('zoomPhoneCloudPeering', 'azureOperatorCallProtection'))
    expect(answer.json<{ error: { details: object[] } }>().error.details).toMatchObject([
      refusal('ServiceNotEnabledOnAccount', 'serviceDetails.zoomPhoneCloudPeering').error,
      refusal('ServiceNotEnabledOnAccount', 'serviceDetails.azureOperatorCallProtection').error,
    ])
  })

  const exclusive = serviceKeys.filter((key) => key !== 'azureOperatorCallProtection')
  const pairs = exclusive.flatMap((a, index) => exclusive.slice(index + 1).map((b): [ServiceKey, ServiceKey] => [a, b]))

  it.each(pairs)('excludes another that routes calls, unless that is allowed: %s and %s', async (a, b) => {
    const answer = await put(using(a, b))
    expect(answer.statusCode).toBe(400)
    expect(answer.json()).toMatchObject(refusal('ConflictingServices', 'serviceDetails'))
    expect((await put({ serviceDetails: { ...using(a).serviceDetails, [b]: { enabled: false } } })).statusCode).toBe(
      201,
    )
  })

  it('may go with any other where the operator has allowed it', async () => {
    await beginAgain(everyService(), { LINEBOOK_EXCLUSIVE_NUMBER_SERVICES: 'off' })
    expect((await put(using(...serviceKeys))).statusCode).toBe(201)
  })

  it.each(exclusive)('goes with Call Protection: %s', async (key) => {
    expect((await put(using(key, 'azureOperatorCallProtection'))).statusCode).toBe(201)
  })

  it('is none at all of a number that is only kept', async () => {
    const answer = await put({ serviceDetails: {} })
    expect(answer.statusCode).toBe(201)
    expect(answer.json()).toEqual({
      serviceProvisioningStatus: 'synced',
      serviceProvisioningErrors: null,
      telephoneNumber: fictional(0),
      accountName: 'contoso',
      serviceDetails: {},
    })
  })
})

describe('a custom SIP header', () => {
  const header = { configuration: { customSipHeader: 'content-1' } }
  const carried = ['teamsOperatorConnect', 'teamsDirectRouting', 'zoomPhoneCloudPeering'] as const
  const notCarried = ['teamsPhoneMobile', 'azureOperatorCallProtection'] as const

  it.each([[[]], ...carried.map((key) => [[key]]), [['teamsDirectRouting', 'azureOperatorCallProtection']]] as [
    ServiceKey[],
  ][])('is taken of a number using %j', async (keys) => {
    expect((await put({ ...using(...keys), ...header })).json()).toMatchObject(header)
  })

  it.each([...notCarried.map((key) => [[key]]), [[...notCarried]]] as [ServiceKey[]][])(
    'is refused of a number using %j, unless the operator stores it all the same',
    async (keys) => {
      const answer = await put({ ...using(...keys), ...header })
      expect(answer.statusCode).toBe(400)
      expect(answer.json()).toMatchObject(refusal('CustomSipHeaderNotSupported', 'configuration.customSipHeader'))
      expect((await put({ ...using(...keys), configuration: {} })).statusCode).toBe(201)
      await beginAgain(everyService(), { LINEBOOK_REJECT_UNSUPPORTED_SIP_HEADER: 'off' })
      expect((await put({ ...using(...keys), ...header })).json()).toMatchObject(header)
    },
  )

  it.each(['', 'a b', 'é', 'x'.repeat(101), 5])(
    'is letters, digits, _ and -, 1 to 100 of them; not %j',
    async (odd) => {
      const answer = await put({ serviceDetails: {}, configuration: { customSipHeader: odd } })
      expect(answer.json()).toMatchObject(refusal('InvalidRequestBody', 'configuration.customSipHeader'))
    },
  )
})

describe('the status in the answer', () => {
  it.each([
    ['Operator Connect passed on', 'teamsOperatorConnect', 'pending'],
    ['Phone Mobile passed on', 'teamsPhoneMobile', 'pending'],
    ['Direct Routing', 'teamsDirectRouting', 'synced'],
    ['Zoom', 'zoomPhoneCloudPeering', 'synced'],
    ['Call Protection', 'azureOperatorCallProtection', 'synced'],
  ] as const)('of a number using %s', async (_, key, status) => {
    await putAccount(everyService({ teamsOperatorConnect: passedOn, teamsPhoneMobile: passedOn }))
    const answer = await put(using(key))
    expect(answer.json()).toMatchObject({ serviceProvisioningStatus: status, serviceProvisioningErrors: null })
    await reconcileAll(service)
    expect((await operator.get(pathOf(fictional(0)))).json()).toMatchObject({ serviceProvisioningStatus: 'synced' })
    expect((await put(using(key))).json()).toMatchObject({ serviceProvisioningStatus: status })
  })

  it.each(['teamsOperatorConnect', 'teamsPhoneMobile'] as const)('of a number using %s kept here', async (key) => {
    expect((await put(using(key))).json()).toMatchObject({ serviceProvisioningStatus: 'synced' })
  })

  it('is pending while a service that has been switched off is taken back from its backend', async () => {
    await putAccount(operatorConnect())
    await put(using('teamsOperatorConnect'))
    await reconcileAll(service)
    expect((await put(oc({ enabled: false }))).json()).toMatchObject({ serviceProvisioningStatus: 'pending' })
    await reconcileAll(service)
    expect((await operator.get(pathOf(fictional(0)))).json()).toMatchObject({ serviceProvisioningStatus: 'synced' })
    const backend = service.wiring.provisioning.deps.backends.oc
    expect(await backend?.getNumbers('tenantIdString', [fictional(0)])).toEqual([])
  })
})

describe('the assignment status', () => {
  const assignment = async (body: object) =>
    (await put(body)).json<{ serviceDetails: { teamsOperatorConnect: { assignmentStatus?: string } } }>().serviceDetails
      .teamsOperatorConnect.assignmentStatus
  const seen = async () =>
    (await operator.get(pathOf(fictional(0)))).json<{
      serviceDetails: { teamsOperatorConnect: { assignmentStatus?: string } }
    }>().serviceDetails.teamsOperatorConnect.assignmentStatus

  it('of a number kept here is what was sent, or nothing', async () => {
    expect(await assignment(oc())).toBeUndefined()
    expect(await assignment(oc({ assignmentStatus: 'unassigned' }))).toBe('unassigned')
    expect(await assignment(oc({ assignmentStatus: 'inTransit' }))).toBe('inTransit')
    expect(await assignment(oc({ assignmentStatus: null }))).toBeUndefined()
  })

  it('of a number passed on is what was sent, or the initial one, until its backend has told one', async () => {
    await putAccount(operatorConnect())
    expect(await assignment(oc({ configuration: configuration() }))).toBe('assigned')
    expect(await assignment(oc({ configuration: configuration(), assignmentStatus: 'unassigned' }))).toBe('unassigned')
    await beginAgain(operatorConnect(), { LINEBOOK_INITIAL_ASSIGNMENT_STATUS: 'unassigned' })
    expect(await assignment(oc({ configuration: configuration() }))).toBe('unassigned')
    await reconcileAll(service)
    expect(await seen()).toBe('assigned')
    // What the backend has told goes on counting while the number is changed.
    expect(await assignment(oc({ configuration: configuration({ usage: '' }) }))).toBe('assigned')
  })

  it('is not made up for a service that is off', async () => {
    await putAccount(operatorConnect())
    expect(await assignment(oc({ enabled: false }))).toBeUndefined()
  })
})

describe('putting a number', () => {
  it('replaces all of it: what is left out is gone or has its default again', async () => {
    const full = {
      serviceDetails: {
        teamsOperatorConnect: {
          enabled: true,
          assignmentStatus: 'unassigned',
          configuration: configuration({
            additionalUsages: ['ConferenceAssignment'],
            civicAddressId: 'a',
            locationId: 'b',
            allowTenantAddressUpdate: true,
            displayedCountryCode: 'US',
          }),
        },
        azureOperatorCallProtection: { enabled: true },
      },
      configuration: { customSipHeader: 'content-1' },
    }
    expect((await put(full)).json()).toMatchObject(full)
    const bare = oc({ configuration: { ...configuration(), civicAddressId: null } })
    const answer = await put({ ...bare, configuration: null })
    expect(answer.statusCode).toBe(200)
    const expected = {
      serviceProvisioningStatus: 'synced',
      serviceProvisioningErrors: null,
      telephoneNumber: fictional(0),
      accountName: 'contoso',
      ...oc({ configuration: configuration({ allowTenantAddressUpdate: false }) }),
    }
    expect(answer.json()).toEqual(expected)
    expect((await operator.get(pathOf(fictional(0)))).json()).toEqual(expected)
  })

  it.each([
    ['another number', { telephoneNumber: fictional(1), serviceDetails: {} }, 'telephoneNumber'],
    ['another account', { accountName: 'fabrikam', serviceDetails: {} }, 'accountName'],
    ['no services', {}, 'serviceDetails'],
    ['a service without its switch', { serviceDetails: { teamsDirectRouting: {} } }, switchOf('teamsDirectRouting')],
    [
      'an unknown property',
      { serviceDetails: { teamsDirectRouting: { enabled: true, usage: 'x' } } },
      'serviceDetails.teamsDirectRouting.usage',
    ],
    ['no usage', oc({ configuration: { choosableCapabilities: [] } }), inConfiguration('usage')],
    ['no capabilities', oc({ configuration: { usage: '' } }), inConfiguration('choosableCapabilities')],
    [
      'a capability that is no text',
      oc({ configuration: configuration({ choosableCapabilities: ['a', 5] }) }),
      inConfiguration('choosableCapabilities[1]'),
    ],
  ])('is refused with %s, which is named', async (_, body, target) => {
    const answer = await put(body)
    expect(answer.statusCode).toBe(400)
    expect(answer.json()).toMatchObject(refusal('InvalidRequestBody', target))
  })

  function switchOf(key: ServiceKey): string {
    return `serviceDetails.${key}.enabled`
  }
  function inConfiguration(name: string): string {
    return `serviceDetails.teamsOperatorConnect.configuration.${name}`
  }

  it('takes an empty usage, which is the backend’s to refuse, and what is only for reading', async () => {
    const body = {
      ...oc({ configuration: configuration({ usage: '', acquiredCapabilities: 5, availableCapabilities: 'x' }) }),
      serviceProvisioningErrors: [{}],
    }
    const answer = await put(body)
    expect(answer.statusCode).toBe(201)
    expect(answer.json()).toMatchObject(oc({ configuration: { usage: '' } }))
    expect(answer.body).not.toMatch(/acquired|available/)
  })

  it.each(['+12', '+123456789012345', '%2B12'])('takes %s', async (e164) => {
    expect((await put({ serviceDetails: {} }, e164)).statusCode).toBe(201)
    expect((await operator.get(pathOf(e164.replace('%2B', '+')))).statusCode).toBe(200)
  })

  it.each(['+1', '+1234567890123456', '+0123', '12065550100', '+1206x', '++12', '%20+12', '+12%00', '%2b%31%32a'])(
    'refuses %s as no number, whatever is done with it',
    async (e164) => {
      const answers = [await put({ serviceDetails: {} }, e164), await operator.get(pathOf(e164))]
      for (const answer of [...answers, await operator.delete(pathOf(e164))]) {
        expect(answer.statusCode).toBe(400)
        expect(answer.json()).toMatchObject(refusal('InvalidParameter', 'telephoneNumber'))
      }
    },
  )

  it('finds its account first', async () => {
    const nowhere = `/accounts/nobody/numbers/${fictional(0)}`
    for (const answer of [await operator.put(nowhere, 'no JSON'), await operator.get(nowhere)]) {
      expect(answer.statusCode).toBe(404)
      expect(answer.json()).toMatchObject(refusal('AccountNotFound', 'accountName'))
    }
    expect((await operator.delete(nowhere)).statusCode).toBe(204)
    expect((await operator.delete(pathOf(fictional(0)))).statusCode).toBe(204)
    expect((await operator.delete(pathOf(fictional(0)), { 'if-match': '*' })).statusCode).toBe(412)
  })
})

it('numbers are counted for each service, whatever way they come and go', async () => {
  await putAccount(everyService({ teamsOperatorConnect: passedOn }))
  const counts = async () => {
    const { serviceDetails } = (await operator.get(ACCOUNT)).json<{
      serviceDetails: Record<ServiceKey, { numberCount: number }>
    }>()
    return serviceKeys.map((key) => serviceDetails[key].numberCount)
  }
  const batch = (bodies: Record<number, object>) => ({
    numbers: Object.entries(bodies).map(([index, body]) => ({ telephoneNumber: fictional(Number(index)), ...body })),
  })
  await put(using('teamsOperatorConnect', 'azureOperatorCallProtection'))
  await put(using('teamsOperatorConnect', 'azureOperatorCallProtection'))
  expect(await counts()).toEqual([1, 0, 0, 0, 1])
  await put(using('teamsPhoneMobile'))
  expect(await counts()).toEqual([0, 1, 0, 0, 0])
  const mixed = { 0: using('zoomPhoneCloudPeering'), 1: using('teamsDirectRouting'), 2: using('teamsDirectRouting') }
  await operator.post(`${ACCOUNT}:createOrUpdateNumbers`, batch({ ...mixed, 3: using('teamsOperatorConnect') }))
  expect(await counts()).toEqual([1, 0, 2, 1, 0])
  await operator.post(
    `${ACCOUNT}:createOrUpdateNumbers`,
    batch({ 1: using(), 9: { serviceDetails: { skype: { enabled: true } } } }),
  )
  expect(await counts()).toEqual([1, 0, 2, 1, 0])
  await operator.post(`${ACCOUNT}:deleteNumbers`, batch({ 2: {}, 3: {}, 8: {} }))
  expect(await counts()).toEqual([0, 0, 1, 1, 0])
  // Deleted, still at its backend, and put again.
  await put(using('teamsOperatorConnect'), fictional(3))
  await reconcileAll(service)
  await operator.delete(pathOf(fictional(3)))
  await operator.delete(pathOf(fictional(3)))
  expect(await counts()).toEqual([0, 0, 1, 1, 0])
  await put(using('teamsOperatorConnect'), fictional(3))
  await reconcileAll(service)
  expect(await counts()).toEqual([1, 0, 1, 1, 0])
})

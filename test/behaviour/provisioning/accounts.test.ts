/** What an account may be, what becomes of it when it is put again, and when it may go. */
import { describe, expect } from 'vitest'
import { serviceKeys, type ServiceKey } from '../../../src/backends/port/services.js'
import {
  directRouting,
  everyService,
  fictional,
  fictionals,
  keptHere,
  operatorConnect,
  passedOn,
  using,
  refusal,
} from '../../fixtures/accounts.js'
import { reconcileAll, type Operator } from '../../fixtures/operator.js'
import type { TestService } from '../../fixtures/service.js'
import { it } from '../../fixtures/test.js'

const ACCOUNT = '/accounts/contoso'

describe('putting an account', () => {
  it('creates it, then replaces all of it: what is left out is gone or has its default again', async ({ operator }) => {
    const full = {
      correlationId: 'crm-1',
      serviceDetails: everyService({ teamsDirectRouting: directRouting('contoso', { callScreening: false }) }),
    }
    expect((await operator.put(ACCOUNT, full)).statusCode).toBe(201)
    expect(await shown(operator)).toMatchObject(full)
    const answer = await put(operator, { teamsDirectRouting: { ...keptHere, configuration: withoutScreening() } })
    expect(answer.statusCode).toBe(200)
    const expected = {
      serviceProvisioningStatus: 'synced',
      serviceProvisioningErrors: null,
      name: 'contoso',
      serviceDetails: {
        teamsDirectRouting: { ...directRouting(), numberCount: 0, subdomainStatus: 'provisioned' },
      },
    }
    expect(answer.json()).toEqual(expected)
    expect(await shown(operator)).toEqual(expected)
  })

  const withoutScreening = () => {
    const { subdomain, subdomainTokens } = directRouting().configuration
    return { subdomain, subdomainTokens }
  }

  it('takes nothing at all for an account without services', async ({ operator }) => {
    const bare = {
      serviceProvisioningStatus: 'synced',
      serviceProvisioningErrors: null,
      name: 'contoso',
      serviceDetails: {},
    }
    expect((await operator.put(ACCOUNT, {})).json()).toEqual(bare)
    const nothing = { correlationId: null, serviceDetails: { teamsTenantId: null, teamsOperatorConnect: null } }
    expect((await operator.put(ACCOUNT, nothing)).json()).toEqual(bare)
    expect((await operator.put(ACCOUNT, { name: null, serviceDetails: null })).json()).toEqual(bare)
  })

  it('passes over what is only for reading, whatever its value', async ({ operator }) => {
    const odd = { serviceProvisioningStatus: 7, serviceProvisioningErrors: 'none' }
    const answer = await put(
      operator,
      {
        teamsOperatorConnect: { ...keptHere, numberCount: 'many' },
        teamsDirectRouting: { ...keptHere, numberCount: -1, subdomainStatus: ['provisioned'] },
        azureOperatorCallProtection: { enabled: true, numberCount: null },
      },
      odd,
    )
    expect(answer.statusCode).toBe(201)
    expect(answer.json()).toMatchObject({
      serviceProvisioningStatus: 'synced',
      serviceDetails: {
        teamsOperatorConnect: { numberCount: 0 },
        teamsDirectRouting: { numberCount: 0, subdomainStatus: 'notProvisioned' },
        azureOperatorCallProtection: { numberCount: 0 },
      },
    })
  })

  it('keeps the switch of services that have nothing behind it', async ({ operator }) => {
    const answer = await put(operator, { teamsDirectRouting: passedOn, zoomPhoneCloudPeering: passedOn })
    expect(answer.json()).toMatchObject({
      serviceProvisioningStatus: 'synced',
      serviceDetails: { teamsDirectRouting: passedOn, zoomPhoneCloudPeering: passedOn },
    })
  })

  it.for([
    ['another name', { name: 'fabrikam' }, 'name'],
    ['a name in other letter case', { name: 'Contoso' }, 'name'],
    ['an unknown property', { colour: 'red' }, 'colour'],
    ['a property in other letter case', { CorrelationId: 'x' }, 'CorrelationId'],
    ['a correlation id of 257 characters', { correlationId: 'x'.repeat(257) }, 'correlationId'],
    ['a correlation id that is no text', { correlationId: 5 }, 'correlationId'],
    ['an unknown service', { serviceDetails: { skype: keptHere } }, 'serviceDetails.skype'],
    [
      'a service without its switch',
      { serviceDetails: { teamsPhoneMobile: { enabled: true } } },
      'serviceDetails.teamsPhoneMobile.syncEnabled',
    ],
    [
      'null for what is required',
      { serviceDetails: { zoomPhoneCloudPeering: { syncEnabled: true, enabled: null } } },
      'serviceDetails.zoomPhoneCloudPeering.enabled',
    ],
    [
      'a switch that Call Protection does not have',
      { serviceDetails: { azureOperatorCallProtection: passedOn } },
      'serviceDetails.azureOperatorCallProtection.syncEnabled',
    ],
    [
      'a label of eleven characters',
      { serviceDetails: { teamsDirectRouting: directRouting('elevenchars') } },
      'serviceDetails.teamsDirectRouting.configuration.subdomain',
    ],
    [
      'only one token',
      { serviceDetails: { teamsDirectRouting: directRouting('x', { subdomainTokens: { region1Token: 'a' } }) } },
      'serviceDetails.teamsDirectRouting.configuration.subdomainTokens.region2Token',
    ],
  ] as const)('refuses %s, and says where', async ([_, body, target], { operator }) => {
    const answer = await operator.put(ACCOUNT, body)
    expect(answer.statusCode).toBe(400)
    expect(answer.json()).toMatchObject({
      error: { code: 'InvalidRequestBody', target, details: [{ code: 'InvalidRequestBody', target }] },
    })
    expect((await operator.get(ACCOUNT)).json()).toMatchObject(refusal('AccountNotFound', 'accountName'))
  })

  it('tells names apart by letter case', async ({ operator }) => {
    await put(operator, {}, { correlationId: 'lower' })
    expect((await operator.put('/accounts/Contoso', { correlationId: 'upper' })).statusCode).toBe(201)
    expect(await shown(operator)).toMatchObject({ name: 'contoso', correlationId: 'lower' })
    expect((await operator.get('/accounts/CONTOSO')).statusCode).toBe(404)
  })
})

describe('the status in the answer', () => {
  const tenant = { teamsTenantId: 'tenantIdString' }
  it.for([
    ['no service', {}, 'synced'],
    ['Operator Connect passed on', { teamsOperatorConnect: passedOn }, 'pending'],
    ['Phone Mobile passed on', { teamsPhoneMobile: passedOn }, 'pending'],
    ['Operator Connect kept here', { teamsOperatorConnect: keptHere }, 'synced'],
    ['Operator Connect switched off', { teamsOperatorConnect: { ...passedOn, enabled: false } }, 'synced'],
    ['Direct Routing', { teamsDirectRouting: directRouting() }, 'synced'],
    ['Zoom', { zoomPhoneCloudPeering: passedOn }, 'synced'],
    ['Call Protection', { azureOperatorCallProtection: { enabled: true } }, 'synced'],
    ['one passed on among others', everyService({ teamsOperatorConnect: passedOn }), 'pending'],
  ] as const)('of an account with %s', async ([_, services, status], { service, operator }) => {
    const answer = await put(operator, { ...tenant, ...services })
    expect(answer.json()).toMatchObject({ serviceProvisioningStatus: status, serviceProvisioningErrors: null })
    await reconcileAll(service)
    expect(await shown(operator)).toMatchObject({ serviceProvisioningStatus: 'synced' })
  })

  it.for([
    ['the same again', { ...tenant, teamsOperatorConnect: passedOn }],
    ['with the switch off', { ...tenant, teamsOperatorConnect: keptHere }],
    ['with the service off', { ...tenant, teamsOperatorConnect: { ...passedOn, enabled: false } }],
    ['without the service', {}],
  ] as const)(
    'is pending once more when an account that was passed on is put %s',
    async ([_, services], { service, operator }) => {
      await put(operator, operatorConnect())
      await reconcileAll(service)
      expect((await put(operator, services)).json()).toMatchObject({ serviceProvisioningStatus: 'pending' })
      await reconcileAll(service)
      expect(await shown(operator)).toMatchObject({ serviceProvisioningStatus: 'synced' })
    },
  )
})

describe('the switch that passes numbers on', () => {
  const statuses = async (operator: Operator) => {
    const { value } = (await operator.get('/numbers')).json<{
      value: { telephoneNumber: string; serviceProvisioningStatus: string }[]
    }>()
    return value.map(({ serviceProvisioningStatus }) => serviceProvisioningStatus)
  }
  const atBackend = async (service: TestService) => {
    const numbers = await service.wiring.provisioning.deps.backends.oc?.getNumbers('tenantIdString', fictionals(10))
    return numbers?.map(({ e164 }) => e164)
  }

  it('makes all numbers of the service pending when it is switched on, and takes none back when switched off', async ({
    service,
    operator,
  }) => {
    await put(operator, everyService())
    await putNumber(operator, using('teamsOperatorConnect'), fictional(0))
    await putNumber(operator, using('teamsOperatorConnect'), fictional(1))
    await putNumber(operator, { serviceDetails: { teamsOperatorConnect: { enabled: false } } }, fictional(2))
    await putNumber(operator, using('teamsDirectRouting'), fictional(3))
    await operator.put('/accounts/other', { serviceDetails: everyService() })
    await putNumber(operator, using('teamsOperatorConnect'), fictional(4), '/accounts/other')
    expect(await statuses(operator)).toEqual(['synced', 'synced', 'synced', 'synced', 'synced'])

    await put(operator, everyService({ teamsOperatorConnect: passedOn }))
    expect(await statuses(operator)).toEqual(['pending', 'pending', 'synced', 'synced', 'synced'])
    await reconcileAll(service)
    expect(await statuses(operator)).toEqual(['synced', 'synced', 'synced', 'synced', 'synced'])
    expect(await atBackend(service)).toEqual([fictional(0), fictional(1)])

    await put(operator, everyService())
    expect(await statuses(operator)).toEqual(['synced', 'synced', 'synced', 'synced', 'synced'])
    await reconcileAll(service)
    expect(await atBackend(service)).toEqual([fictional(0), fictional(1)])
  })

  it('leaves what was still pending alone when it is switched off', async ({ service, operator }) => {
    await put(operator, operatorConnect())
    await putNumber(operator, using('teamsOperatorConnect'))
    await put(operator, operatorConnect({ teamsOperatorConnect: keptHere }))
    expect(await statuses(operator)).toEqual(['synced'])
    await reconcileAll(service)
    expect(await atBackend(service)).toEqual([])
  })
})

describe('the Teams tenant', () => {
  it.for([
    ['Operator Connect', { teamsOperatorConnect: passedOn }],
    ['Phone Mobile', { teamsPhoneMobile: passedOn }],
    ['both', { teamsOperatorConnect: passedOn, teamsPhoneMobile: passedOn }],
  ] as const)('is required to pass %s on', async ([_, services], { operator }) => {
    const answer = await put(operator, services)
    expect(answer.statusCode).toBe(400)
    expect(answer.json()).toMatchObject(refusal('TeamsTenantIdRequired', 'serviceDetails.teamsTenantId'))
    expect((await operator.get(ACCOUNT)).statusCode).toBe(404)
  })

  it.for([
    ['kept here', { teamsOperatorConnect: keptHere, teamsPhoneMobile: keptHere }],
    ['switched off', { teamsOperatorConnect: { ...passedOn, enabled: false } }],
    ['not of Teams', { teamsDirectRouting: directRouting(), zoomPhoneCloudPeering: passedOn }],
  ] as const)('is not required of services %s', async ([_, services], { operator }) => {
    expect((await put(operator, services)).statusCode).toBe(201)
  })

  it.for(['teamsOperatorConnect', 'teamsPhoneMobile'] as const)(
    'stays while a number uses %s, and may be written in other letter case',
    async (key, { operator }) => {
      await put(operator, everyService())
      await putNumber(operator, using(key))
      for (const teamsTenantId of ['another', undefined]) {
        const answer = await put(operator, everyService({ teamsTenantId }))
        expect(answer.statusCode).toBe(409)
        expect(answer.json()).toMatchObject(refusal('TeamsTenantIdInUse', 'serviceDetails.teamsTenantId'))
      }
      expect(await shown(operator)).toMatchObject({ serviceDetails: { teamsTenantId: 'tenantIdString' } })
      expect((await put(operator, everyService({ teamsTenantId: 'TENANTIDstring' }))).statusCode).toBe(200)
      expect(await shown(operator)).toMatchObject({ serviceDetails: { teamsTenantId: 'TENANTIDstring' } })
      await operator.delete(`${ACCOUNT}/numbers/${fictional(0)}`)
      expect((await put(operator, everyService({ teamsTenantId: 'another' }))).statusCode).toBe(200)
    },
  )

  it('changes freely while no number uses a Teams service, and may be that of several accounts', async ({
    operator,
  }) => {
    await put(operator, everyService())
    await putNumber(operator, using('teamsDirectRouting'))
    await putNumber(operator, { serviceDetails: { teamsOperatorConnect: { enabled: false } } }, fictional(1))
    expect((await put(operator, everyService({ teamsTenantId: 'another' }))).statusCode).toBe(200)
    const same = { serviceDetails: everyService({ teamsTenantId: 'another' }) }
    expect((await operator.put('/accounts/second', same)).statusCode).toBe(201)
  })
})

describe('a service that numbers use', () => {
  const without = (key: ServiceKey) => ({ [key]: undefined })
  const off = (key: ServiceKey) => ({
    [key]: key === 'azureOperatorCallProtection' ? { enabled: false } : { syncEnabled: false, enabled: false },
  })

  it.for(serviceKeys)('is neither dropped nor switched off: %s', async (key, { operator }) => {
    await put(operator, everyService())
    await putNumber(operator, using(key))
    await putNumber(operator, using(key), fictional(1))
    const before = await shown(operator)
    for (const services of [without(key), off(key)]) {
      const answer = await put(operator, everyService(services))
      expect(answer.statusCode).toBe(409)
      expect(answer.json()).toMatchObject({
        error: { ...refusal('ServiceInUseByNumbers', `serviceDetails.${key}`).error, details: [inUse(key, 2)] },
      })
    }
    expect(await shown(operator)).toEqual(before)
    await operator.post(`${ACCOUNT}:deleteNumbers`, {
      numbers: fictionals(2).map((telephoneNumber) => ({ telephoneNumber })),
    })
    expect((await put(operator, everyService(without(key)))).statusCode).toBe(200)
  })

  const inUse = (key: ServiceKey, count: number) => ({
    code: 'ServiceInUseByNumbers',
    message: expect.stringContaining(`${count} numbers`) as string,
    target: `serviceDetails.${key}`,
  })

  it('is named with each other one', async ({ operator }) => {
    await put(operator, everyService())
    await putNumber(operator, using('zoomPhoneCloudPeering', 'azureOperatorCallProtection'))
    const answer = await operator.put(ACCOUNT, {})
    expect(answer.json<{ error: { details: object[] } }>().error.details).toEqual([
      inUse('zoomPhoneCloudPeering', 1),
      inUse('azureOperatorCallProtection', 1),
    ])
  })
})

const put = (operator: Operator, serviceDetails: object, over: object = {}) =>
  operator.put(ACCOUNT, { serviceDetails, ...over })
const putNumber = async (operator: Operator, number: object, e164 = fictional(0), account = ACCOUNT) => {
  const answer = await operator.put(`${account}/numbers/${e164}`, number)
  expect(answer.statusCode, answer.body).toBe(201)
}
const shown = async (operator: Operator) => (await operator.get(ACCOUNT)).json<Record<string, unknown>>()

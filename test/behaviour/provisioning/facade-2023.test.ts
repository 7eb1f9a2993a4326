/** Api-version 2023-10-01: other paths and bodies over the same accounts and numbers. */
import type { LightMyRequestResponse } from 'fastify'
import { beforeEach, describe, expect } from 'vitest'
import { sql } from '../../../src/db/db.js'
import { anOperator, reconcileAll, type Operator } from '../../fixtures/operator.js'
import { it } from '../../fixtures/test.js'

/** Speaks the newer version. */
let newer: Operator
it.beforeEach(async ({ service }) => {
  newer = await anOperator(service)
})

const subdomainTokens = { region1Token: 'one', region2Token: 'two' }
const directRouting = { callScreening: true, subdomain: 'contoso', subdomainTokens }
const ACCOUNT = '/accounts/contoso'
const E164 = '+12065550100'
const NUMBER = `/account/contoso/numbers/${E164}`
const etag = expect.stringMatching(/^[\w-]{12}\.[\w-]{12}$/) as string
const on = { enabled: true, syncEnabled: false }

describe('an account', () => {
  it('is made and replaced, with its tag in the body and, quoted, in the header', async () => {
    const created = await put(ACCOUNT, {})
    expect([created.statusCode, created.json()]).toEqual([201, { etag, name: 'contoso', details: {} }])
    const replaced = await put(ACCOUNT, { directRouting })
    expect([replaced.statusCode, replaced.json()]).toEqual([200, { etag, name: 'contoso', details: { directRouting } }])
    const seen = await get(ACCOUNT)
    expect(seen.json()).toEqual(replaced.json())
    expect(seen.headers.etag).toBe(`"${seen.json<{ etag: string }>().etag}"`)
    expect((await get('/accounts')).json()).toEqual({ value: [seen.json()] })
  })

  it('has the services on that this version knows, as the newer versions show', async () => {
    await put(ACCOUNT, { directRouting })
    expect((await newer.get(ACCOUNT)).json()).toMatchObject({
      serviceDetails: {
        teamsOperatorConnect: { ...on, numberCount: 0 },
        teamsDirectRouting: { ...on, numberCount: 0, configuration: directRouting, subdomainStatus: 'provisioned' },
        zoomPhoneCloudPeering: { ...on, numberCount: 0 },
      },
    })
    await put(ACCOUNT, {})
    expect(Object.keys((await newer.get(ACCOUNT)).json<{ serviceDetails: object }>().serviceDetails)).toEqual([
      'teamsOperatorConnect',
      'zoomPhoneCloudPeering',
    ])
  })

  it('tells how DNS stands, and which tokens are really there, when asked for its status', async ({ db }) => {
    const stateOf = async () =>
      (await get(`${ACCOUNT}?status=true`)).json<Record<string, unknown>>()['directRoutingProvisioningState']
    await put(ACCOUNT, {})
    expect(await stateOf()).toEqual({ subdomainStatus: 'NotProvisioned' })
    await put(ACCOUNT, { directRouting })
    expect(await stateOf()).toEqual({ subdomainStatus: 'Provisioned', subdomainTokens })
    await db.query(sql`update dns_record set value = 'another' where value = 'two'`)
    const found = { region1Token: 'one', region2Token: 'another' }
    expect(await stateOf()).toEqual({ subdomainStatus: 'Inconsistent', subdomainTokens: found })
    for (const target of [ACCOUNT, `${ACCOUNT}?status=false`]) {
      expect((await get(target)).json()).not.toHaveProperty('directRoutingProvisioningState')
    }
    expect(errorOf(await get(`${ACCOUNT}?status=yes`))).toEqual([400, 'InvalidParameter', 'status'])
  })

  it.each<[string, unknown, string]>([
    ['a property that nobody knows', { colour: 'blue' }, 'colour'],
    ['a property of the newer version', { serviceDetails: {} }, 'serviceDetails'],
    ['its name', { name: 'contoso' }, 'name'],
    [
      'no callScreening',
      { directRouting: { ...directRouting, callScreening: undefined } },
      'directRouting.callScreening',
    ],
    ['no subdomain', { directRouting: { ...directRouting, subdomain: undefined } }, 'directRouting.subdomain'],
    [
      'a subdomain of 11 characters',
      { directRouting: { ...directRouting, subdomain: 'x'.repeat(11) } },
      'directRouting.subdomain',
    ],
    ['no tokens', { directRouting: { ...directRouting, subdomainTokens: undefined } }, 'directRouting.subdomainTokens'],
    [
      'one token',
      { directRouting: { ...directRouting, subdomainTokens: { region1Token: 'x' } } },
      'directRouting.subdomainTokens.region2Token',
    ],
    [
      'a token with a dot',
      { directRouting: { ...directRouting, subdomainTokens: { ...subdomainTokens, region1Token: 'a.b' } } },
      'directRouting.subdomainTokens.region1Token',
    ],
    ['more about Direct Routing', { directRouting: { ...directRouting, enabled: true } }, 'directRouting.enabled'],
  ])('is refused with %s', async (_what, body, target) => {
    expect(errorOf(await put(ACCOUNT, body))).toEqual([400, 'InvalidRequestBody', target])
    expect((await get(ACCOUNT)).statusCode).toBe(404)
  })

  it('obeys conditions when it is put, by the tag of the body too, and no others', async () => {
    expect(errorOf(await put(ACCOUNT, {}, { 'if-match': '*' }))).toEqual([412, 'ConditionNotMet', 'If-Match'])
    const created = await put(ACCOUNT, {}, { 'if-none-match': '*' })
    expect(errorOf(await put(ACCOUNT, {}, { 'if-none-match': '*' }))).toEqual([412, 'ConditionNotMet', 'If-None-Match'])
    const { etag: tag } = created.json<{ etag: string }>()
    const changed = await put(ACCOUNT, { directRouting }, { 'if-match': tag })
    expect(changed.statusCode).toBe(200)
    expect((await put(ACCOUNT, {}, { 'if-match': tag })).statusCode).toBe(412)
    expect((await get(ACCOUNT, { 'if-none-match': '*' })).statusCode).toBe(200)
    expect((await remove(ACCOUNT, { 'if-match': tag })).statusCode).toBe(204)
  })

  it('is deleted when it has no numbers, and is gone already when it is not there', async () => {
    await put(ACCOUNT, {})
    await put(NUMBER, { services: services('Oc') })
    const refused = await remove(ACCOUNT)
    expect(errorOf(refused).slice(0, 2)).toEqual([409, 'AccountHasNumbers'])
    // No word of a parameter that this version lacks.
    expect(refused.json<{ error: { message: string } }>().error.message).toBe(
      'Account contoso has 1 numbers. Delete each of them first.',
    )
    expect((await remove(`${ACCOUNT}?deleteNumbers=true`)).statusCode).toBe(409)
    await remove(NUMBER)
    expect((await remove(ACCOUNT)).statusCode).toBe(204)
    expect((await remove(ACCOUNT)).statusCode).toBe(204)
    expect(errorOf(await get(ACCOUNT)).slice(0, 2)).toEqual([404, 'AccountNotFound'])
  })

  it('keeps Direct Routing while numbers use it, and its subdomain to itself', async () => {
    await put(ACCOUNT, { directRouting })
    await put(NUMBER, { services: services('Dr') })
    expect(errorOf(await put(ACCOUNT, {})).slice(0, 2)).toEqual([409, 'ServiceInUseByNumbers'])
    expect(errorOf(await put('/accounts/other', { directRouting })).slice(0, 2)).toEqual([409, 'SubdomainInUse'])
  })
})

describe('a number', () => {
  beforeEach(async () => {
    await put(ACCOUNT, { directRouting })
  })
  const shown = (on: ReturnType<typeof services>, configuration?: object) => ({
    etag,
    accountName: 'contoso',
    phoneNumber: E164,
    details: { services: on, ...(configuration && { configuration }) },
  })

  it.each<[string, object, ReturnType<typeof services>, object]>([
    ['Operator Connect', { services: services('Oc') }, services('Oc'), { teamsOperatorConnect: { enabled: true } }],
    ['Direct Routing', { services: services('Dr') }, services('Dr'), { teamsDirectRouting: { enabled: true } }],
    ['Zoom', { services: services('zoom') }, services('zoom'), { zoomPhoneCloudPeering: { enabled: true } }],
    ['no service', { services: services() }, services(), { teamsOperatorConnect: { enabled: false } }],
    ['Operator Connect when it says nothing', {}, services('Oc'), { teamsOperatorConnect: { enabled: true } }],
  ])('of %s is put, shown, and the same to the newer versions', async (_what, body, expected, serviceDetails) => {
    const created = await put(NUMBER, body)
    expect([created.statusCode, created.json()]).toEqual([201, shown(expected)])
    expect((await put(NUMBER, body)).statusCode).toBe(200)
    for (const prefix of ['/account', '/accounts']) {
      const seen = await get(`${prefix}/contoso/numbers/%2B12065550100`)
      expect(seen.json()).toEqual(shown(expected))
      expect(seen.headers.etag).toBe(`"${seen.json<{ etag: string }>().etag}"`)
      expect((await get(`${prefix}/contoso/numbers`)).json()).toEqual({ value: [shown(expected)] })
    }
    expect((await newer.get(NUMBER)).json()).toMatchObject({ serviceDetails })
  })

  it('has a SIP header where a service can carry one', async () => {
    const configuration = { customSipHeader: 'my_header-1' }
    const answer = await put(NUMBER, { services: services('zoom'), configuration })
    expect(answer.json()).toEqual(shown(services('zoom'), configuration))
    expect((await newer.get(NUMBER)).json()).toMatchObject({ configuration })
  })

  it.each<[string, object, string, string]>([
    ['some of the services', { services: { teamsOcEnabled: true } }, 'InvalidRequestBody', 'services.teamsDrEnabled'],
    [
      'a service as a text',
      { services: { ...services(), zoomEnabled: 'no' } },
      'InvalidRequestBody',
      'services.zoomEnabled',
    ],
    ['another service', { services: { ...services(), tpmEnabled: true } }, 'InvalidRequestBody', 'services.tpmEnabled'],
    ['its own number', { phoneNumber: E164 }, 'InvalidRequestBody', 'phoneNumber'],
    [
      'an empty SIP header',
      { configuration: { customSipHeader: '' } },
      'InvalidRequestBody',
      'configuration.customSipHeader',
    ],
    [
      'services that exclude one another',
      { services: services('Dr', 'zoom') },
      'ConflictingServices',
      'serviceDetails',
    ],
  ])('is refused with %s', async (_what, body, code, target) => {
    const [status, found, at] = errorOf(await put(NUMBER, body))
    expect([status, found]).toEqual([400, code])
    expect(at).toMatch(new RegExp(`^${target}`))
    expect(errorOf(await get(NUMBER)).slice(0, 2)).toEqual([404, 'NumberNotFound'])
  })

  it('obeys conditions when it is put, and no others', async () => {
    expect((await put(NUMBER, {}, { 'if-match': '*' })).statusCode).toBe(412)
    const { etag: tag } = (await put(NUMBER, {}, { 'if-none-match': '*' })).json<{ etag: string }>()
    expect((await put(NUMBER, {}, { 'if-none-match': '*' })).statusCode).toBe(412)
    expect((await put(NUMBER, { services: services('Dr') }, { 'if-match': tag })).statusCode).toBe(200)
    expect((await put(NUMBER, {}, { etag: tag })).statusCode).toBe(412)
    expect((await get(NUMBER, { 'if-match': tag })).statusCode).toBe(200)
    expect((await remove(NUMBER, { 'if-match': tag })).statusCode).toBe(204)
    expect((await remove(NUMBER)).statusCode).toBe(204)
  })

  it('is named phoneNumber where it is wrong, and looked for on its account', async () => {
    expect(errorOf(await get('/account/contoso/numbers/12'))).toEqual([400, 'InvalidParameter', 'phoneNumber'])
    expect(errorOf(await put('/account/nobody/numbers/+12065550100', {})).slice(0, 2)).toEqual([404, 'AccountNotFound'])
    await put('/accounts/other', {})
    await put('/account/other/numbers/+12065550100', {})
    expect(errorOf(await put(NUMBER, {})).slice(0, 2)).toEqual([409, 'NumberInOtherAccount'])
  })

  it('may be put with up to 99 others, all of them or none', async () => {
    const batch = (numbers: unknown) => send('POST', '/account/contoso/numbers:batch', { numbers })
    const one = (index: number, details: object = { services: services('Dr') }) => ({
      phoneNumber: `+1206555${String(1000 + index)}`,
      details,
    })
    const hundred = Array.from({ length: 100 }, (_, index) => one(99 - index))
    const answer = await batch(hundred)
    expect(answer.statusCode).toBe(200)
    expect(answer.json<{ numbers: unknown[] }>().numbers).toEqual(
      hundred.map((number) => ({ etag, accountName: 'contoso', ...number })),
    )
    expect(errorOf(await batch([...hundred, one(100)])).slice(0, 2)).toEqual([400, 'BatchTooLarge'])
    expect(errorOf(await batch([])).slice(0, 2)).toEqual([400, 'BatchEmpty'])
    expect(errorOf(await batch([one(200), one(200)]))).toEqual([400, 'DuplicateNumberInBatch', 'numbers[1]'])
    expect(errorOf(await batch([one(200), { ...one(201), more: 1 }]))).toEqual([
      400,
      'InvalidRequestBody',
      'numbers[1]',
    ])
    expect(errorOf(await batch([one(200), one(201, { services: services('Dr', 'Oc') })]))).toEqual([
      400,
      'ConflictingServices',
      'numbers[1]',
    ])
    expect((await get('/account/contoso/numbers/+12065551200')).statusCode).toBe(404)
  })
})

describe('a list', () => {
  const names = async (target: string) =>
    (await get(target))
      .json<{ value: Record<string, string>[] }>()
      .value.map((item) => item['phoneNumber'] ?? item['name'])

  beforeEach(async () => {
    for (const name of ['a', 'b', 'c']) {
      await put(`/accounts/${name}`, {})
      await put(`/account/${name}/numbers/+1206555010${name.charCodeAt(0) - 97}`, {})
    }
  })

  it('is cut into pages by maxpagesize and skip, each with a link to the next', async () => {
    expect(await names('/accounts?skip=1')).toEqual(['b', 'c'])
    for (const target of ['/accounts', '/numbers']) {
      const all = await names(target)
      const first = (await get(`${target}?maxpagesize=2`)).json<{ nextLink: string }>()
      const { pathname, search } = new URL(first.nextLink)
      expect(search).toContain('api-version=2023-10-01')
      const next = await newer.get(`${pathname}${search}`, { version: null })
      expect(next.json()).not.toHaveProperty('nextLink')
      expect([
        ...(await names(`${target}?maxpagesize=2`)),
        ...next.json<{ value: Record<string, string>[] }>().value.map((item) => item['phoneNumber'] ?? item['name']),
      ]).toEqual(all)
    }
    expect(await names('/account/b/numbers?maxpagesize=500')).toEqual(['+12065550101'])
  })

  it.each([
    ['/accounts?maxpagesize=501', 'InvalidParameter', 'maxpagesize'],
    ['/accounts?maxpagesize=0', 'InvalidParameter', 'maxpagesize'],
    ['/numbers?skip=-1', 'InvalidParameter', 'skip'],
    ['/accounts?top=1', 'UnsupportedQueryParameter', 'top'],
    ["/numbers?filter=telephoneNumber eq 'x'", 'UnsupportedQueryParameter', 'filter'],
    ['/account/a/numbers?countRecords=true', 'UnsupportedQueryParameter', 'countrecords'],
    ['/accounts?number=%2B12065550100', 'UnsupportedQueryParameter', 'number'],
    ['/numbers?number=12', 'InvalidParameter', 'phoneNumber'],
  ])('%s is refused', async (target, code, parameter) => {
    expect(errorOf(await get(target))).toEqual([400, code, parameter])
  })

  it('of all numbers is looked up by number', async () => {
    expect(await names('/numbers?number=%2B12065550101')).toEqual(['+12065550101'])
    expect(await names('/numbers?number=%2B12065550199')).toEqual([])
    expect(errorOf(await get('/account/nobody/numbers')).slice(0, 2)).toEqual([404, 'AccountNotFound'])
  })
})

describe('what this version can not express', () => {
  const tenant = { teamsTenantId: 'contosoTenantId' }
  const oc = { teamsOperatorConnect: on }

  it.each<[string, object, string]>([
    ['a tenant', { serviceDetails: { ...tenant, ...oc } }, 'serviceDetails.teamsTenantId'],
    ['a correlation id', { correlationId: 'mine', serviceDetails: {} }, 'correlationId'],
    ['Teams Phone Mobile', { serviceDetails: { teamsPhoneMobile: on } }, 'serviceDetails.teamsPhoneMobile'],
    [
      'call protection',
      { serviceDetails: { azureOperatorCallProtection: { enabled: true } } },
      'serviceDetails.azureOperatorCallProtection',
    ],
    [
      'sync',
      { serviceDetails: { zoomPhoneCloudPeering: { enabled: true, syncEnabled: true } } },
      'serviceDetails.zoomPhoneCloudPeering.syncEnabled',
    ],
    [
      'a service switched off',
      { serviceDetails: { zoomPhoneCloudPeering: { enabled: false, syncEnabled: false } } },
      'serviceDetails.zoomPhoneCloudPeering.enabled',
    ],
  ])('of an account is not lost silently: %s', async (_what, body, target) => {
    await newer.put(ACCOUNT, body)
    const before = (await newer.get(ACCOUNT)).body
    expect(errorOf(await put(ACCOUNT, {}))).toEqual([409, 'NotRepresentableInApiVersion', target])
    expect((await newer.get(ACCOUNT)).body).toBe(before)
    expect((await get(ACCOUNT)).json()).toEqual({ etag, name: 'contoso', details: {} })
  })

  const configuration = { usage: 'FirstPartyAppAssignment', choosableCapabilities: [], allowTenantAddressUpdate: true }
  it.for<[string, object, string]>([
    ['Teams Phone Mobile', { teamsPhoneMobile: { enabled: true } }, 'teamsPhoneMobile'],
    ['call protection', { azureOperatorCallProtection: { enabled: true } }, 'azureOperatorCallProtection'],
    [
      'a configuration',
      { teamsOperatorConnect: { enabled: true, configuration } },
      'teamsOperatorConnect.configuration',
    ],
    [
      'an assignment',
      { teamsOperatorConnect: { enabled: true, assignmentStatus: 'assigned' } },
      'teamsOperatorConnect.assignmentStatus',
    ],
  ] as const)('of a number is not lost silently: %s', async ([_what, serviceDetails, target], { service }) => {
    const all = { ...oc, teamsPhoneMobile: on, azureOperatorCallProtection: { enabled: true } }
    await newer.put(ACCOUNT, { serviceDetails: { ...tenant, ...all } })
    await newer.put(NUMBER, { serviceDetails })
    await reconcileAll(service)
    const before = (await newer.get(NUMBER)).body
    const refused = [409, 'NotRepresentableInApiVersion', `serviceDetails.${target}`]
    expect(errorOf(await put(NUMBER, {}))).toEqual(refused)
    const others = [
      { phoneNumber: '+12065550101', details: {} },
      { phoneNumber: E164, details: {} },
    ]
    expect(errorOf(await send('POST', '/account/contoso/numbers:batch', { numbers: others })).slice(0, 2)).toEqual(
      refused.slice(0, 2),
    )
    expect((await newer.get(NUMBER)).body).toBe(before)
    expect((await get('/account/contoso/numbers/+12065550101')).statusCode).toBe(404)
    expect((await get(NUMBER)).json()).toMatchObject({
      phoneNumber: E164,
      details: { services: { teamsDrEnabled: false } },
    })
  })
})

const send = (method: string, target: string, body?: unknown, headers: Record<string, string> = {}) =>
  newer.send(method, target, { version: '2023-10-01', headers, ...(body !== undefined && { body }) })
const get = (target: string, headers?: Record<string, string>) => send('GET', target, undefined, headers)
const put = (target: string, body: unknown, headers?: Record<string, string>) => send('PUT', target, body, headers)
const remove = (target: string, headers?: Record<string, string>) => send('DELETE', target, undefined, headers)
const errorOf = (answer: LightMyRequestResponse) => {
  const { error } = answer.json<{ error: { code: string; target?: string; message: string } }>()
  return [answer.statusCode, error.code, error.target]
}
const services = (...on: ('Dr' | 'Oc' | 'zoom')[]) => ({
  teamsDrEnabled: on.includes('Dr'),
  teamsOcEnabled: on.includes('Oc'),
  zoomEnabled: on.includes('zoom'),
})

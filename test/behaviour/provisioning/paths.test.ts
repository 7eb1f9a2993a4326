/** Where things are: the forms that paths take, their methods, api-versions, and APIs that are off. */
import type { LightMyRequestResponse } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Db } from '../../../src/db/db.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { anOperator, operatorWith, type Operator } from '../../fixtures/operator.js'
import { createTestService, signedHeaders, type TestService } from '../../fixtures/service.js'
import { aToken } from './a-token.js'

let db: Db
let service: TestService
let operator: Operator

const NUMBER = '+12065550100'
const numbers = { numbers: [{ telephoneNumber: NUMBER }] }

beforeAll(async () => {
  db = await openTestDatabase()
  service = await createTestService(db)
  operator = await anOperator(service)
  for (const name of ['contoso', 'numbers']) await operator.put(`/accounts/${name}`, { serviceDetails: {} })
  await operator.put(`/accounts/contoso/numbers/${NUMBER}`, { serviceDetails: {} })
})
afterAll(async () => {
  await service.close()
  await db.close()
})

const codeOf = (answer: LightMyRequestResponse): string | undefined =>
  answer.body === '' ? undefined : answer.json<{ error?: { code: string } }>().error?.code

describe('a path', () => {
  it.each([
    ['with the number as it is', 'GET', `/accounts/contoso/numbers/${NUMBER}`],
    ['with the plus sign encoded', 'GET', '/accounts/contoso/numbers/%2B12065550100'],
    ['with more encoded than need be', 'GET', '/%61ccounts/%63ontoso/numbers/%2b%31%3206555%30100'],
    ['in the singular', 'GET', `/account/contoso/numbers/${NUMBER}`],
    ['of a list in the singular', 'GET', '/account/contoso/numbers'],
    ['with a slash at the end', 'GET', '/accounts/contoso/'],
    ['of a list with a slash at the end', 'GET', '/accounts/'],
    ['with two slashes in front', 'GET', '//accounts/contoso'],
    ['of a whole target', 'GET', 'http://elsewhere.example/accounts/contoso'],
    ['of an action', 'POST', '/accounts/contoso:deleteNumbers'],
    ['of an action with its colon encoded', 'POST', '/accounts/contoso%3AdeleteNumbers'],
    ['of an action with its colon encoded in lower case', 'POST', '/accounts/contoso%3adeleteNumbers'],
    ['of an account that is called like a list', 'GET', '/accounts/numbers'],
  ])('%s is understood', async (_form, method, target) => {
    const body = method === 'POST' ? { numbers: [{ telephoneNumber: '+12065550199' }] } : undefined
    expect((await operator.send(method, target, { body })).statusCode).toBe(method === 'POST' ? 204 : 200)
  })

  it.each([
    ['/Accounts'],
    ['/ACCOUNTS/contoso'],
    ['/accounts/contoso/Numbers'],
    [`/accounts/contoso/NUMBERS/${NUMBER}`],
    ['/accounts/contoso/teamscivicaddresses'],
    ['/teamsrequestsforinformation'],
    ['/Numbers'],
    ['/accounts/contoso:DeleteNumbers'],
    ['/accounts/contoso:purge'],
    ['/accounts/contoso:'],
    ['/accounts/contoso:deleteNumbers/more'],
    ['/accounts:deleteNumbers'],
    ['/account'],
    ['/account/contoso'],
    ['/accounts/contoso/numbers/+12065550100/history'],
    ['/accounts/contoso/calls'],
    ['/numbers/+12065550100'],
    ['/numbers:batch'],
    ['/teamsRequestsForInformation/a/b'],
    ['/accounts/a%2Fb/c'],
    [`/accounts/${'x'.repeat(3000)}/nothing`],
  ])('%s leads nowhere', async (target) => {
    for (const method of ['GET', 'POST', 'DELETE', 'HEAD']) {
      const answer = await operator.send(method, target)
      expect([answer.statusCode, answer.headers['x-ms-error-code']]).toEqual([404, 'RouteNotFound'])
    }
  })

  it.each([
    ['a name with a blank', '/accounts/con%20toso', 'accountName'],
    ['a name with a slash', '/accounts/con%2Ftoso', 'accountName'],
    ['a name with a letter of another alphabet', '/accounts/%C3%A9', 'accountName'],
    ['a name with a line end', '/accounts/contoso%0A', 'accountName'],
    ['a name too long', `/accounts/${'x'.repeat(101)}`, 'accountName'],
    ['a name that is far too long', `/accounts/${'x'.repeat(3000)}`, 'accountName'],
    ['no name, with something behind', '/accounts//numbers', 'accountName'],
    ['no plus sign', '/accounts/contoso/numbers/12065550100', 'telephoneNumber'],
    ['a blank for a plus sign', '/accounts/contoso/numbers/%2012065550100', 'telephoneNumber'],
    ['a zero first', '/accounts/contoso/numbers/+02065550100', 'telephoneNumber'],
    ['one digit', '/accounts/contoso/numbers/+1', 'telephoneNumber'],
    ['seventeen characters', '/accounts/contoso/numbers/+1234567890123456', 'telephoneNumber'],
    ['digits of another script', '/accounts/contoso/numbers/+1%D9%A1%D9%A2', 'telephoneNumber'],
    ['a control character', '/accounts/contoso/teamsCivicAddresses/%01', 'civicAddressId'],
    ['no GUID', '/teamsRequestsForInformation/nobody', 'tenantId'],
  ])('with %s is told what it must be', async (_what, target, parameter) => {
    const answer = await operator.get(target)
    expect([answer.statusCode, answer.json()]).toMatchObject([
      400,
      { error: { code: 'InvalidParameter', target: parameter } },
    ])
  })

  it.each(['/accounts/%', '/accounts/%zz', '/accounts/%C3%28', '/accounts/contoso/numbers/%E0%A4%A'])(
    'whose encoding is broken (%s) is told so',
    async (target) => {
      const answer = await operator.get(target)
      expect([answer.statusCode, codeOf(answer)]).toEqual([400, 'InvalidParameter'])
    },
  )

  it('is a thing of its own in another letter case of the name', async () => {
    expect(codeOf(await operator.get('/accounts/Contoso'))).toBe('AccountNotFound')
  })

  it.each([
    ['/accounts', 'GET'],
    ['/accounts/contoso', 'GET, PUT, DELETE'],
    ['/accounts/contoso:createOrUpdateNumbers', 'POST'],
    ['/accounts/contoso:deleteNumbers', 'POST'],
    ['/accounts/contoso:getTeamsCapabilityPlans', 'POST'],
    ['/accounts/contoso:getTeamsAvailableCapabilities', 'POST'],
    ['/accounts/contoso/numbers', 'GET'],
    [`/accounts/contoso/numbers/${NUMBER}`, 'GET, PUT, DELETE'],
    [`/account/contoso/numbers/${NUMBER}`, 'GET, PUT, DELETE'],
    ['/account/contoso/numbers:batch', 'POST'],
    ['/accounts/contoso/teamsCivicAddresses', 'GET'],
    ['/accounts/contoso/teamsCivicAddresses/x', 'GET'],
    ['/numbers', 'GET'],
    ['/teamsRequestsForInformation', 'GET'],
    ['/teamsRequestsForInformation/contosoTenantId', 'GET, PATCH'],
  ])('%s takes %s and no other method', async (target, allow) => {
    const others = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'].filter(
      (method) => !allow.split(', ').includes(method),
    )
    for (const method of others) {
      const answer = await operator.send(method, target, { headers: { authorization: '' } })
      const { allow: told, 'x-ms-error-code': code } = answer.headers
      expect([method, answer.statusCode, code, told]).toEqual([method, 405, 'MethodNotAllowed', allow])
    }
  })
})

describe('the api-version', () => {
  const all = ['2024-02-29', '2024-02-29-preview', '2023-10-01']
  it.each([
    ['missing', '/accounts', 'MissingApiVersionParameter', all],
    ['empty', '/accounts?api-version=', 'MissingApiVersionParameter', all],
    ['unknown', '/accounts?api-version=2024-02-30', 'UnsupportedApiVersionValue', all],
    [
      'a preview that never was published',
      '/accounts?api-version=2024-01-30-preview',
      'UnsupportedApiVersionValue',
      all,
    ],
    ['in another letter case', '/accounts?api-version=2024-02-29-Preview', 'UnsupportedApiVersionValue', all],
    [
      'without this operation',
      '/teamsRequestsForInformation?api-version=2023-10-01',
      'UnsupportedApiVersionValue',
      all.slice(0, 2),
    ],
    ['given twice', '/accounts?api-version=2024-02-29&api-version=2024-02-29', 'InvalidParameter', []],
  ])('is refused when %s', async (_what, target, code, supported) => {
    const answer = await operator.get(target, { version: null })
    expect([answer.statusCode, answer.json()]).toMatchObject([400, { error: { code, target: 'api-version' } }])
    const { message } = answer.json<{ error: { message: string } }>().error
    for (const version of supported) expect(message).toContain(version)
  })

  it('has no operations of another one', async () => {
    for (const [method, target, version] of [
      ['POST', '/accounts/contoso:deleteNumbers', '2023-10-01'],
      ['GET', '/accounts/contoso/teamsCivicAddresses', '2023-10-01'],
      ['POST', '/account/contoso/numbers:batch', '2024-02-29'],
    ] as const) {
      const answer = await operator.send(method, target, { version, body: method === 'POST' ? numbers : undefined })
      expect([target, answer.statusCode, codeOf(answer)]).toEqual([target, 400, 'UnsupportedApiVersionValue'])
    }
  })

  it('says by which form an empty list of errors is told', async () => {
    for (const [version, errors] of [
      ['2024-02-29', null],
      ['2024-02-29-preview', []],
    ] as const) {
      expect((await operator.get('/accounts/contoso', { version })).json()).toMatchObject({
        serviceProvisioningErrors: errors,
      })
    }
  })
})

describe('an API that is off', () => {
  /** Which API answers somebody who may buy numbers and has no token; the status when none does. */
  async function whoAnswers(env: Record<string, string>, url: string, host: string) {
    const other = await createTestService(db, env)
    try {
      const { key } = await other.client()
      const headers = signedHeaders({ method: 'GET', target: url, body: '', key, host, date: other.clock.now() })
      const answer = await other.server.inject({ url, headers })
      if (answer.statusCode === 404) return 404
      if (answer.headers['api-supported-versions'] !== undefined) return 'phone-numbers'
      return answer.headers['x-ms-error-code'] === 'Unauthorized' ? 'provisioning' : answer.statusCode
    } finally {
      await other.close()
    }
  }
  const sells = { LINEBOOK_APIS: 'phone-numbers' }
  const provisions = { LINEBOOK_APIS: 'provisioning' }
  const named = { LINEBOOK_PROVISIONING_HOSTS: 'provapi.example', LINEBOOK_PHONE_NUMBERS_HOSTS: 'acs.example' }
  const ported = {
    LINEBOOK_PROVISIONING_HOSTS: 'provapi.example:8443',
    LINEBOOK_PHONE_NUMBERS_HOSTS: 'acs.example:8443',
  }
  const SOLD = '/phoneNumbers?api-version=2025-06-01'
  const ACCOUNTS = '/accounts?api-version=2024-02-29'

  it.each([
    ['both are open', {}, SOLD, 'localhost', 'phone-numbers'],
    ['both are open', {}, ACCOUNTS, 'localhost', 'provisioning'],
    ['only one is open', sells, SOLD, 'localhost', 'phone-numbers'],
    ['only one is open', sells, ACCOUNTS, 'localhost', 404],
    ['only one is open', sells, '/accounts/contoso:deleteNumbers', 'localhost', 404],
    ['only one is open', sells, '/healthz', 'localhost', 200],
    ['only the other is open', provisions, SOLD, 'localhost', 404],
    ['only the other is open', provisions, ACCOUNTS, 'localhost', 'provisioning'],
    ['only the other is open', provisions, '/nothing/here', 'localhost', 404],
    ['only the other is open', provisions, '/readyz', 'localhost', 200],
    ['each has a host name', named, ACCOUNTS, 'provapi.example', 'provisioning'],
    ['each has a host name', named, ACCOUNTS, 'ProvAPI.example:8443', 'provisioning'],
    ['each has a host name', named, ACCOUNTS, 'acs.example', 404],
    ['each has a host name', named, ACCOUNTS, 'elsewhere.example', 404],
    ['each has a host name', named, SOLD, 'acs.example:8443', 'phone-numbers'],
    ['each has a host name', named, SOLD, 'provapi.example', 404],
    ['each is named with a port', ported, ACCOUNTS, 'provapi.example:8443', 'provisioning'],
    ['each is named with a port', ported, SOLD, 'provapi.example', 404],
    ['each has a host name', named, '/healthz', 'elsewhere.example', 200],
    ['each has a host name', named, '/readyz', '10.0.0.7:8080', 200],
  ])('when %s (%o): %s at %s is answered by %s', async (_what, env, path, host, expected) => {
    expect(await whoAnswers(env, path, host)).toBe(expected)
  })

  it('that is the only one answers for the whole server, in its own words', async () => {
    const other = await createTestService(db, { LINEBOOK_APIS: 'provisioning', LINEBOOK_ALLOWED_ADDRESSES: '' })
    try {
      const nobody = operatorWith(other.server, await aToken(other))
      expect((await nobody.get('/nothing')).json()).toMatchObject({ error: { code: 'IpNotAllowed' } })
      expect((await other.server.inject('/healthz')).statusCode).toBe(200)
    } finally {
      await other.close()
    }
  })
})

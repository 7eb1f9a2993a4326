/** Who may do what: every operation of every version with every role and every credential that is none. */
import { SignJWT } from 'jose'
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Db } from '../../../src/db/db.js'
import { operations as operations2024 } from '../../../src/provisioning/contract/operations.js'
import { operations as operations2023 } from '../../../src/provisioning/facade-2023/operations.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { operatorWith, type Operator } from '../../fixtures/operator.js'
import { createTestService, type TestService } from '../../fixtures/service.js'
import { aForgedToken, anUnsignedToken, aToken, AUDIENCE, secondsAt } from './a-token.js'

let db: Db
let service: TestService
let admin: Operator

const NUMBER = '+12065550100'
const LEAVING = '+12065550101'
const account = { serviceDetails: { teamsDirectRouting: { syncEnabled: false, enabled: true } } }
const teamsAccount = {
  serviceDetails: { teamsTenantId: 'contosoTenantId', teamsOperatorConnect: { syncEnabled: false, enabled: true } },
}
const number = { serviceDetails: {} }
const teamsNumber = { serviceDetails: { teamsOperatorConnect: { enabled: true } } }
const number2023 = { services: { teamsDrEnabled: false, teamsOcEnabled: true, zoomEnabled: false } }
const patch = { customerRelationship: { comment: 'on its way' } }

type Need = 'Read' | 'Write' | 'Delete'
type Row = [operationId: string, needs: Need, method: string, target: string, success: number, body?: object]

/** Each can be sent again and again and has the same answer. */
const rows2024: Row[] = [
  ['Accounts_List', 'Read', 'GET', '/accounts', 200],
  ['Accounts_Get', 'Read', 'GET', '/accounts/contoso', 200],
  ['Accounts_CreateOrReplace', 'Write', 'PUT', '/accounts/plain', 200, account],
  ['Accounts_Delete', 'Delete', 'DELETE', '/accounts/leaving', 204],
  [
    'Accounts_CreateOrUpdateNumbers',
    'Write',
    'POST',
    '/accounts/plain:createOrUpdateNumbers',
    200,
    { numbers: [{ telephoneNumber: '+12065550102', ...number }] },
  ],
  [
    'Accounts_DeleteNumbers',
    'Delete',
    'POST',
    '/accounts/plain:deleteNumbers',
    204,
    { numbers: [{ telephoneNumber: LEAVING }] },
  ],
  ['Accounts_GetTeamsCapabilityPlans', 'Read', 'POST', '/accounts/contoso:getTeamsCapabilityPlans', 200],
  [
    'Accounts_GetTeamsAvailableCapabilities',
    'Read',
    'POST',
    '/accounts/contoso:getTeamsAvailableCapabilities',
    200,
    { numbers: [{ telephoneNumber: NUMBER }] },
  ],
  ['Accounts_ListNumbers', 'Read', 'GET', '/accounts/contoso/numbers', 200],
  ['Accounts_GetNumber', 'Read', 'GET', `/accounts/contoso/numbers/${NUMBER}`, 200],
  ['Accounts_CreateOrReplaceNumber', 'Write', 'PUT', `/accounts/contoso/numbers/${NUMBER}`, 200, teamsNumber],
  ['Accounts_DeleteNumber', 'Delete', 'DELETE', `/accounts/plain/numbers/${LEAVING}`, 204],
  ['Accounts_ListTeamsCivicAddresses', 'Read', 'GET', '/accounts/contoso/teamsCivicAddresses', 200],
  ['Accounts_GetTeamsCivicAddress', 'Read', 'GET', '/accounts/contoso/teamsCivicAddresses/contosoHeadOffice', 200],
  ['ListNumbers', 'Read', 'GET', '/numbers', 200],
  ['TeamsRequestsForInformation_List', 'Read', 'GET', '/teamsRequestsForInformation', 200],
  [
    'TeamsRequestsForInformation_GetRequestForInformation',
    'Read',
    'GET',
    '/teamsRequestsForInformation/contosoTenantId',
    200,
  ],
  [
    'TeamsRequestsForInformation_CreateOrUpdateRequestForInformation',
    'Write',
    'PATCH',
    '/teamsRequestsForInformation/contosoTenantId',
    200,
    patch,
  ],
]
const rows2023: Row[] = [
  ['Accounts_List', 'Read', 'GET', '/accounts', 200],
  ['Account_Get', 'Read', 'GET', '/accounts/old', 200],
  ['Account_CreateOrReplace', 'Write', 'PUT', '/accounts/old', 200, {}],
  ['Account_Delete', 'Delete', 'DELETE', '/accounts/leaving', 204],
  ['Account_ListNumbers', 'Read', 'GET', '/account/old/numbers', 200],
  [
    'Account_CreateOrReplaceNumbers',
    'Write',
    'POST',
    '/account/old/numbers:batch',
    200,
    { numbers: [{ phoneNumber: '+12065550104', details: number2023 }] },
  ],
  ['Number_Get', 'Read', 'GET', '/account/old/numbers/+12065550103', 200],
  ['Number_CreateOrReplace', 'Write', 'PUT', '/account/old/numbers/+12065550103', 200, number2023],
  ['Number_Delete', 'Delete', 'DELETE', `/account/old/numbers/${LEAVING}`, 204],
  ['Numbers_List', 'Read', 'GET', '/numbers', 200],
]
const rowsOf = (version: string, rows: Row[]) => rows.map((row) => ({ version, row }))
const matrix = [
  ...rowsOf('2024-02-29', rows2024),
  ...rowsOf('2024-02-29-preview', rows2024),
  ...rowsOf('2023-10-01', rows2023),
].map(({ version, row: [operationId, needs, method, target, success, body] }) => ({
  key: `${version} ${operationId}`,
  send: (operator: Operator) => operator.send(method, target, { version, body }),
  needs,
  success,
}))

const roles = ['Admin', 'Read', 'Write', 'Delete', 'AdminUser', 'ReadUser', 'WriteUser', 'DeleteUser']
/** By role: an application's, or a portal user's. */
const holders = new Map<string, Operator>()
const strangers = new Map<string, Operator>()

beforeAll(async () => {
  db = await openTestDatabase()
  service = await createTestService(db)
  const withToken = (token: string) => operatorWith(service.server, token)
  admin = withToken(await aToken(service))
  for (const role of roles) {
    const who = role.endsWith('User') ? { idtyp: 'user', scp: 'user_impersonation', oid: `${role}Oid` } : {}
    holders.set(role, withToken(await aToken(service, { ...who, roles: [`ProvisioningAPI.${role}`] })))
  }
  const bad: Record<string, string> = {
    'an empty token': '',
    'what is no token': 'garbage',
    'an expired token': await aToken(service, { exp: secondsAt(service, -61) }),
    'a token that is not valid yet': await aToken(service, { nbf: secondsAt(service, 61) }),
    'a token for another audience': await aToken(service, { aud: 'https://graph.example' }),
    'a token of an unknown issuer': await aToken(service, { iss: 'https://login.example/v2.0' }),
    'an unsigned token': anUnsignedToken(service),
    'a forged token': await aForgedToken(service),
  }
  for (const [what, token] of Object.entries(bad)) strangers.set(what, withToken(token))
  await admin.put('/accounts/contoso', teamsAccount)
  await admin.put(`/accounts/contoso/numbers/${NUMBER}`, teamsNumber)
  await admin.put('/accounts/plain', account)
  await admin.put('/accounts/plain/numbers/+12065550102', number)
  await admin.send('PUT', '/accounts/old', { version: '2023-10-01', body: {} })
  await admin.send('PUT', '/account/old/numbers/+12065550103', { version: '2023-10-01', body: number2023 })
})
afterAll(async () => {
  await service.close()
  await db.close()
})

/** All that the refused writes could have changed. */
const everything = async () =>
  Promise.all(
    ['/accounts', '/numbers', '/teamsRequestsForInformation'].map(async (path) =>
      (await admin.get(path)).json<object>(),
    ),
  )

describe('the matrix of roles and operations', () => {
  it('has a row for every operation of every version', () => {
    const published = [...operations2024, ...operations2023].flatMap(({ operationId, versions }) =>
      versions.map((version) => `${version} ${operationId}`),
    )
    expect(matrix.map(({ key }) => key).sort()).toEqual(published.sort())
  })

  it.each(matrix)('$key is for the role $needs and for nobody else', async ({ send, needs, success }) => {
    // Of lists and reads nothing is left to compare: they change nothing whoever sends them.
    const before = needs === 'Read' ? undefined : await everything()
    for (const [what, stranger] of strangers) {
      const answer = await send(stranger)
      expect([what, answer.statusCode, answer.headers['www-authenticate']]).toEqual([what, 401, 'Bearer'])
      expect(answer.headers['x-ms-error-code']).toBe('Unauthorized')
      expect(answer.json()).toEqual({ error: { code: 'Unauthorized', message: expect.any(String) as string } })
    }
    const allowed = [needs, 'Admin', `${needs}User`, 'AdminUser']
    for (const role of roles.filter((one) => !allowed.includes(one))) {
      const answer = await send(holders.get(role) as Operator)
      expect([role, answer.statusCode, answer.headers['x-ms-error-code']]).toEqual([role, 403, 'InsufficientRole'])
      expect(answer.json()).toMatchObject({
        error: { code: 'InsufficientRole', message: expect.stringContaining(`ProvisioningAPI.${needs}`) as string },
      })
    }
    if (before) expect(await everything()).toEqual(before)
    for (const role of allowed) {
      expect([role, (await send(holders.get(role) as Operator)).statusCode]).toEqual([role, success])
    }
  })
})

describe('a token', () => {
  const list = (token: string) => operatorWith(service.server, token).get('/accounts')
  const headerOnly = (authorization?: string) =>
    service.server.inject({
      url: '/accounts?api-version=2024-02-29',
      headers: authorization === undefined ? {} : { authorization },
    })

  it.each([
    ['there is none', undefined],
    ['the scheme is another', 'Basic bGluZWJvb2stYWRtaW46bGluZWJvb2stc3RhbmRpbg=='],
    ['there is only the scheme', 'Bearer'],
  ])('is refused when %s', async (_what, authorization) => {
    const answer = await headerOnly(authorization)
    expect([answer.statusCode, answer.headers['www-authenticate']]).toEqual([401, 'Bearer'])
  })

  it('is accepted within a minute of its times, for another of the audiences, and with one role as a text', async () => {
    const token = await aToken(service, {
      nbf: secondsAt(service, 59),
      exp: secondsAt(service, -59),
      aud: ['https://graph.example', '8502a0ec-c76d-412f-836c-398018e2312b'],
      roles: 'ProvisioningAPI.Read',
    })
    expect((await list(token)).statusCode).toBe(200)
  })

  it('of several roles may do what any of them may, and of none or of other APIs nothing', async () => {
    const both = operatorWith(
      service.server,
      await aToken(service, { roles: ['ProvisioningAPI.ReadUser', 'ProvisioningAPI.WriteUser'] }),
    )
    expect((await both.get('/accounts')).statusCode).toBe(200)
    expect((await both.put('/accounts/plain', account)).statusCode).toBe(200)
    expect((await both.delete('/accounts/leaving')).statusCode).toBe(403)
    for (const roles of [
      undefined,
      [],
      ['Directory.Read.All'],
      ['provisioningapi.read'],
      { 0: 'ProvisioningAPI.Read' },
    ]) {
      expect([roles, (await list(await aToken(service, { roles }))).statusCode]).toEqual([roles, 403])
    }
  })

  it('of a configured issuer is verified with the keys that it publishes', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const provider = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig' }] }))
    })
    await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve))
    const issuer = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`
    const other = await createTestService(db, { LINEBOOK_TOKEN_ISSUERS: `${issuer}|${issuer}/keys` })
    try {
      const tokenFor = (roles: string[]) =>
        new SignJWT({ iss: issuer, aud: AUDIENCE, exp: secondsAt(other, 60), oid: 'ada', scp: 'x', roles })
          .setProtectedHeader({ alg: 'RS256', kid: 'one' })
          .sign(privateKey)
      const reader = operatorWith(other.server, await tokenFor(['ProvisioningAPI.ReadUser']))
      expect((await reader.get('/accounts')).statusCode).toBe(200)
      expect((await reader.put('/accounts/plain', account)).statusCode).toBe(403)
      expect((await operatorWith(other.server, await aToken(other)).get('/accounts')).statusCode).toBe(200)
    } finally {
      await other.close()
      provider.close()
      provider.closeAllConnections()
    }
  })
})

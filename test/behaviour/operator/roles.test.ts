/** Who may do what: every operation of the Operator API with every role, and with credentials that are none. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Role } from '../../../src/auth/tokens/roles.js'
import type { Db } from '../../../src/db/db.js'
import { addClient } from '../../../src/issuer/clients.js'
import { operations } from '../../../src/operator/contract/operations.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { SCOPE } from '../../fixtures/operator.js'
import { operatorApiWith, type OperatorApi } from '../../fixtures/operator-api.js'
import { BY_TEST, createTestService, type TestService } from '../../fixtures/service.js'

const ROLES: readonly Role[] = ['Read', 'Write', 'Delete', 'Admin']
let db: Db
let service: TestService
const clients = new Map<string, OperatorApi>()

beforeAll(async () => {
  db = await openTestDatabase()
  service = await createTestService(db)
  for (const role of [...ROLES.flatMap((name) => [`Operator.${name}`, `ProvisioningAPI.${name}`])]) {
    clients.set(role, operatorApiWith(service.server, await tokenWith(role)))
  }
})
afterAll(async () => {
  await service.close()
  await db.close()
})

async function tokenWith(role: string): Promise<string> {
  const clientId = role.toLowerCase()
  const secret = await addClient(service.store, { clientId, roles: [role] }, BY_TEST)
  const answer = await service.server.inject({
    method: 'POST',
    url: '/linebook/oauth2/v2.0/token',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: secret ?? '',
      scope: SCOPE,
    }).toString(),
  })
  return answer.json<{ access_token: string }>().access_token
}

/** Nothing is at these names, so that what is let in has no effect: what counts is whether it is let in. */
const pathOf = (path: string): string => path.replace(/\{e164\}/g, '+12065550199').replace(/\{\w+\}/g, 'nowhere')

describe.each(operations.map((operation) => [operation.operationId, operation] as const))('%s', (_, operation) => {
  const { method, path, role } = operation
  const send = (api: OperatorApi) => api.send(method, pathOf(path))

  it.each(ROLES)('by Operator.%s', async (held) => {
    const answer = await send(clients.get(`Operator.${held}`) as OperatorApi)
    if (held === role || held === 'Admin') expect([401, 403], answer.body).not.toContain(answer.statusCode)
    else expect(answer.json(), answer.body).toMatchObject({ status: 403, code: 'role-missing' })
    expect(answer.statusCode, answer.body).toBeLessThan(500)
  })

  it.each(['Read', 'Write', 'Delete'])('not by ProvisioningAPI.%s, which is for accounts alone', async (held) => {
    expect((await send(clients.get(`ProvisioningAPI.${held}`) as OperatorApi)).statusCode).toBe(403)
  })

  it('by ProvisioningAPI.Admin', async () => {
    const answer = await send(clients.get('ProvisioningAPI.Admin') as OperatorApi)
    expect([401, 403], answer.body).not.toContain(answer.statusCode)
  })

  it.each([
    ['none', {}],
    ['nonsense', { authorization: 'Bearer nonsense' }],
    ["a buyer's signature", { authorization: 'HMAC-SHA256 SignedHeaders=host&Signature=x' }],
    ['a secret instead of a token', { authorization: `Basic ${btoa('linebook-admin:linebook-standin')}` }],
  ])('not with credentials that are none: %s', async (_name, headers) => {
    const answer = await service.server.inject({ method, url: `/operator/v1${pathOf(path)}`, headers })
    expect(answer.json(), answer.body).toMatchObject({ status: 401, code: 'unauthenticated' })
    expect(answer.headers['www-authenticate']).toBe('Bearer')
  })
})

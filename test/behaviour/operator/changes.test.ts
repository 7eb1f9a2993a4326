/** Every change of access, of the issuer and of terms passes one place each, which tells who made it, and no secret. */
import { afterAll, expect, it } from 'vitest'
import { openTestDatabase } from '../../fixtures/database.js'
import { operatorApiOf } from '../../fixtures/operator-api.js'
import { createTestService } from '../../fixtures/service.js'

const db = await openTestDatabase()
afterAll(() => db.close())

it('a change is told with who made it, by which operation, and what was before', async () => {
  const service = await createTestService(db)
  const lines: Record<string, unknown>[] = []
  const api = await operatorApiOf(service)
  const { logger } = service.wiring.operator.deps
  logger.level = 'debug'
  logger.debug = ((fields: Record<string, unknown>, message: string) => {
    if (message.startsWith('change of')) lines.push({ ...fields, message })
  }) as typeof logger.debug
  const secrets: string[] = []
  const post = async (path: string, body?: object) => {
    const answer = await api.post(path, body)
    expect(answer.statusCode, answer.body).toBeLessThan(300)
    if (answer.body === '') return
    const found = answer.json<Record<string, string>>()
    secrets.push(...['primary', 'secondary', 'key', 'secret'].flatMap((name) => found[name] ?? []))
  }
  await post('/resources', { name: 'contoso', hosts: ['Contoso.test'] })
  await api.send('PUT', '/resources/contoso/hosts', { body: { hosts: ['other.test'] } })
  await post('/resources/contoso/keys/primary:rotate')
  await post('/resources/contoso:disable')
  await post('/resources/contoso:enable')
  await api.send('PATCH', '/resources/contoso/terms', { body: { numberLimit: 5 } })
  await post('/resources/contoso/grants', { clientId: 'shop' })
  await post('/resources/contoso/grants', { clientId: 'shop' })
  await api.send('DELETE', '/resources/contoso/grants/shop')
  await api.send('DELETE', '/resources/contoso')
  await post('/clients', { clientId: 'billing', roles: ['Operator.Read'] })
  await post('/clients/billing:rotateSecret')
  await api.send('DELETE', '/clients/billing')
  await post('/issuer/keys:rotate')

  const facts = { hosts: ['other.test'], pool: '', disabledAt: null }
  const since = { ...facts, disabledAt: service.clock.now() }
  const terms = { entitledTo: null, addresses: {} }
  const client = { roles: ['Operator.Read'], secrets: 1, signs: false }
  const expected: [reason: string, change: object][] = [
    ['Resources_Create', { kind: 'resource', before: undefined, after: { ...facts, hosts: ['contoso.test'] } }],
    ['ResourceHosts_Put', { kind: 'resource', before: { ...facts, hosts: ['contoso.test'] }, after: facts }],
    ['ResourceKeys_Rotate', { kind: 'key', which: 'primary' }],
    ['Resources_Disable', { before: facts, after: since }],
    ['Resources_Enable', { before: since, after: facts }],
    ['ResourceTerms_Patch', { before: { ...terms, numberLimit: null }, after: { ...terms, numberLimit: 5 } }],
    ['ResourceGrants_Create', { kind: 'grant', clientId: 'shop', before: undefined, after: [''] }],
    ['ResourceGrants_Delete', { kind: 'grant', clientId: 'shop', before: [''], after: undefined }],
    ['Resources_Delete', { kind: 'resource', before: facts, after: undefined }],
    ['Clients_Create', { kind: 'client', before: undefined, after: client }],
    ['Clients_RotateSecret', { kind: 'client', before: client, after: { ...client, secrets: 2 } }],
    ['Clients_Delete', { kind: 'client', before: { ...client, secrets: 2 }, after: undefined }],
    ['IssuerKeys_Rotate', { kind: 'signing-key', before: expect.any(String) as string }],
  ]
  expect(lines.map(({ reason }) => reason)).toEqual(expected.map(([reason]) => reason))
  expected.forEach(([, change], index) => expect(lines[index]).toMatchObject(change))
  expect(new Set(lines.map(({ actor }) => actor))).toEqual(new Set(['client:linebook-admin']))
  expect(secrets).toHaveLength(5)
  const text = JSON.stringify(lines)
  for (const secret of secrets) expect(text).not.toContain(secret)
})

/** A connector without Teams tenants, which implements seven methods, behind Zoom and behind a Teams service. */
import { expect } from 'vitest'
import { findAccount } from '../../../src/accounts/account-store.js'
import { AnnouncedConsents, find, patchConsent } from '../../../src/accounts/commands/consents.js'
import { readNumbers } from '../../../src/accounts/number-store.js'
import type { ServiceKey } from '../../../src/backends/port/services.js'
import { sql, type Db } from '../../../src/db/db.js'
import { fictionals } from '../../fixtures/accounts.js'
import { aPlainConnector } from '../../fixtures/plain-connector.js'
import { it } from '../../fixtures/test.js'
import { anOperator, caller, type Operator } from './an-operator.js'

let operator: Operator
let plain: ReturnType<typeof aPlainConnector>
it.beforeEach(async ({ db }) => {
  operator = anOperator(db)
  plain = aPlainConnector()
})

const HOUR_MS = 3_600_000
const [first, second, third] = fictionals(3) as [string, string, string]

it('has seven methods', () => {
  expect(Object.values(plain.connector).filter((member) => typeof member === 'function')).toHaveLength(7)
})

it.for<['zoom' | 'oc', ServiceKey]>([
  ['zoom', 'zoomPhoneCloudPeering'],
  ['oc', 'teamsOperatorConnect'],
] as const)('is given numbers, is verified and lets go of them, behind %s', async ([service, key], { db }) => {
  putBehind(service)
  await operator.putAccount('contoso', { [key]: { enabled: true, syncEnabled: true } })
  await operator.putNumbers('contoso', [first, second, third], [key])
  expect(await statuses(db, service)).toEqual([first, second, third].map((e164) => [e164, 'pending']))
  await operator.sync(service)
  expect(await statuses(db, service)).toEqual([first, second, third].map((e164) => [e164, 'synced']))
  expect([...plain.kept.keys()].sort()).toEqual([first, second, third])

  plain.kept.delete(second)
  operator.clock.advance(2 * HOUR_MS)
  await operator.sync(service)
  expect([...plain.kept.keys()].sort()).toEqual([first, second, third])

  await operator.deleteNumbers('contoso', [first, second])
  await operator.sync(service)
  expect([...plain.kept.keys()]).toEqual([third])
  expect(await statuses(db, service)).toEqual([[third, 'synced']])
})

it('settles the answer to a request for information that a backend before it had announced', async ({ db }) => {
  const deps = { ...operator.deps, announced: new AnnouncedConsents(operator.deps) }
  const announced = await find(deps, 'contosoTenantId')
  const answer = { precondition: () => {}, read: () => ({ status: 'AgreementSigned' }) }
  await db.transaction((tx) => patchConsent(deps, tx, caller, announced, answer))
  putBehind('oc')
  await operator.sync('oc')
  expect(await db.query(sql`select generation = confirmed_generation as confirmed from sync`)).toEqual([
    { confirmed: true },
  ])
})

const statuses = async (db: Db, service: 'zoom' | 'oc') => {
  const account = await findAccount(db, 'contoso')
  const numbers = account ? await readNumbers(db, account.id, [first, second, third], [service]) : []
  return numbers.map(({ e164, sync }) => [e164, sync.status])
}
const putBehind = (service: 'zoom' | 'oc') => {
  operator.deps.backends = { [service]: plain.connector }
}

/** What changes accounts, their numbers and requests for information is noted in one place: who did what, and why. */
import { expect } from 'vitest'
import type { SimulatedBackend } from '../../../src/backends/simulated/simulated.js'
import { everyService, operatorConnect, using } from '../../fixtures/accounts.js'
import { reconcileAll, type Operator } from '../../fixtures/operator.js'
import type { TestService } from '../../fixtures/service.js'
import { it } from '../../fixtures/test.js'

let noted: object[]

const TENANT = '72f988bf-86f1-41af-91ab-2d7cd011db47'
const NUMBERS = ['+442079460000', '+442079460001'] as const
const onTeams = using('teamsOperatorConnect')
const actor = 'client:linebook-admin'
it.beforeEach(async ({ service }) => {
  noted = []
  const { deps } = service.wiring.provisioning
  const logger: unknown = Object.create(deps.logger, { debug: { value: (fields: object) => noted.push(fields) } })
  Object.assign(deps, { logger })
})

it('accounts that are created, replaced and deleted', async ({ operator }) => {
  await putAccount(operator)
  expect(notes()).toEqual([account('create', 'Accounts_CreateOrReplace contoso')])
  await putAccount(operator)
  expect(notes()).toEqual([account('replace', 'Accounts_CreateOrReplace contoso')])
  await operator.delete('/accounts/contoso')
  expect(notes()).toEqual([account('delete', 'Accounts_Delete contoso')])
  await operator.delete('/accounts/contoso')
  expect(notes()).toEqual([])
})

it('numbers that are put on an account and taken off it, alone, in a batch and with the account', async ({
  operator,
}) => {
  await putAccount(operator)
  notes()
  await operator.put(`/accounts/contoso/numbers/${NUMBERS[0]}`, onTeams)
  await operator.post('/accounts/contoso:createOrUpdateNumbers', {
    numbers: NUMBERS.map((telephoneNumber) => ({ telephoneNumber, ...onTeams })),
  })
  await operator.delete(`/accounts/contoso/numbers/${NUMBERS[0]}`)
  await operator.delete(`/accounts/contoso/numbers/${NUMBERS[0]}`)
  await operator.delete('/accounts/contoso?deleteNumbers=true')
  expect(notes()).toEqual([
    numbers(1, { actor, reason: 'Accounts_CreateOrReplaceNumber contoso' }),
    numbers(2, { actor, reason: 'Accounts_CreateOrUpdateNumbers contoso' }),
    numbers(1, { actor, reason: 'Accounts_DeleteNumber contoso' }),
    numbers(1, { actor, reason: 'Accounts_Delete contoso' }),
    account('delete', 'Accounts_Delete contoso'),
  ])
})

it('numbers that come back because their backend will not let go of them', async ({ service, operator }) => {
  await putAccount(
    operator,
    operatorConnect({ teamsTenantId: TENANT, teamsOperatorConnect: { enabled: true, syncEnabled: true } }),
  )
  await operator.put(`/accounts/contoso/numbers/${NUMBERS[0]}`, onTeams)
  await reconcileAll(service)
  await backend(service).misbehave('refuse', {
    code: 'Locked',
    message: 'In use.',
    methods: ['releaseNumbers'],
    times: 1,
  })
  await operator.delete(`/accounts/contoso/numbers/${NUMBERS[0]}`)
  notes()
  await reconcileAll(service)
  expect(notes()).toEqual([numbers(1, { actor: 'system', reason: 'oc refused to release it' })])
})

it('what is said about a request for information', async ({ service, operator }) => {
  await backend(service).putConsent({
    id: 'consent',
    tenantId: TENANT,
    status: 'active',
    consentedCountries: [],
    contacts: [],
    relationship: {},
  })
  await operator.patch(`/teamsRequestsForInformation/${TENANT}`, { customerRelationship: { comment: 'hello' } })
  expect(notes()).toEqual([
    {
      kind: 'consent',
      subject: TENANT,
      event: 'replace',
      actor,
      reason: 'TeamsRequestsForInformation_CreateOrUpdateRequestForInformation',
    },
  ])
})

it('nothing that is refused', async ({ operator }) => {
  await operator.put('/accounts/contoso', { serviceDetails: 'none' })
  await operator.put(`/accounts/contoso/numbers/${NUMBERS[0]}`, onTeams)
  expect(notes()).toEqual([])
})

const backend = (service: TestService) => (service.wiring.provisioning.deps.backends.oc as SimulatedBackend).control
/** What was noted since the last time. */
const notes = () => noted.splice(0)
const putAccount = (operator: Operator, services: object = operatorConnect({ teamsTenantId: TENANT })) =>
  operator.put('/accounts/contoso', { serviceDetails: everyService({ ...services }) })
const account = (event: string, reason: string) => ({ kind: 'account', subject: 'contoso', event, actor, reason })
const numbers = (count: number, by: { actor: string; reason: string }) =>
  expect.objectContaining({ kind: 'numbers', numbers: count, ...by }) as object

/** When an account may go, and what goes with it. */
import { expect } from 'vitest'
import {
  brokenInvariants,
  everyService,
  fictional,
  fictionals,
  operatorConnect,
  using,
  refusal,
} from '../../fixtures/accounts.js'
import { reconcileAll, type Operator } from '../../fixtures/operator.js'
import { it } from '../../fixtures/test.js'

const ACCOUNT = '/accounts/contoso'

it('an account that is not there, or is gone already, is deleted', async ({ operator }) => {
  expect((await operator.delete('/accounts/nobody')).statusCode).toBe(204)
  expect((await operator.delete('/accounts/nobody', { 'if-match': '*' })).statusCode).toBe(412)
  await put(operator, {})
  expect((await operator.delete(ACCOUNT)).statusCode).toBe(204)
  expect((await operator.delete(ACCOUNT)).statusCode).toBe(204)
  expect((await operator.get(ACCOUNT)).statusCode).toBe(404)
})

it('an account with numbers is not deleted, unless they may go with it', async ({ operator }) => {
  await put(operator, everyService())
  await putNumber(operator, using('teamsDirectRouting'))
  await putNumber(operator, { serviceDetails: {} }, fictional(1))
  for (const target of [ACCOUNT, `${ACCOUNT}?deleteNumbers=false`]) {
    const answer = await operator.delete(target)
    expect(answer.statusCode).toBe(409)
    expect(answer.json()).toMatchObject(refusal('AccountHasNumbers', 'deleteNumbers'))
  }
  expect((await operator.delete(`${ACCOUNT}?deleteNumbers=TRUE`)).json()).toMatchObject(
    refusal('InvalidParameter', 'deleteNumbers'),
  )
  expect((await operator.get('/numbers')).json<{ value: object[] }>().value).toHaveLength(2)
  expect((await operator.delete(`${ACCOUNT}?deleteNumbers=true`)).statusCode).toBe(204)
  expect((await operator.get('/numbers')).json()).toEqual({ value: [] })
  expect((await operator.get(ACCOUNT)).statusCode).toBe(404)
})

it('an account whose numbers are only leaving their backend has none', async ({ service, operator }) => {
  await put(operator, operatorConnect())
  await putNumber(operator, using('teamsOperatorConnect'))
  await reconcileAll(service)
  await operator.delete(`${ACCOUNT}/numbers/${fictional(0)}`)
  expect((await operator.delete(ACCOUNT)).statusCode).toBe(204)
  await reconcileAll(service)
  expect(await service.wiring.provisioning.deps.backends.oc?.getNumbers('tenantIdString', fictionals(1))).toEqual([])
})

it('a deleted account leaves its name free at once, and the numbers that are still leaving with it', async ({
  db,
  service,
  operator,
}) => {
  await put(operator, operatorConnect())
  await putNumber(operator, using('teamsOperatorConnect'))
  await putNumber(operator, using('teamsOperatorConnect'), fictional(1))
  await reconcileAll(service)
  expect((await operator.delete(`${ACCOUNT}?deleteNumbers=true`)).statusCode).toBe(204)
  expect((await put(operator, operatorConnect({ teamsTenantId: 'another' }))).statusCode).toBe(201)
  expect((await operator.get(`${ACCOUNT}/numbers`)).json()).toEqual({ value: [] })
  // Both are taken back before they have left.
  await putNumber(operator, using('teamsOperatorConnect'))
  await putNumber(operator, using('teamsOperatorConnect'), fictional(1))
  expect(await brokenInvariants(db)).toEqual([])
  await reconcileAll(service)
  expect((await operator.get('/numbers')).json()).toMatchObject({
    value: [{ serviceProvisioningStatus: 'synced' }, { serviceProvisioningStatus: 'synced' }],
  })
  const { oc } = service.wiring.provisioning.deps.backends
  expect(await oc?.getNumbers('tenantIdString', fictionals(2))).toEqual([])
  expect(await oc?.getNumbers('another', fictionals(2))).toHaveLength(2)
})

const put = (operator: Operator, serviceDetails: object) => operator.put(ACCOUNT, { serviceDetails })
const putNumber = async (operator: Operator, number: object, e164 = fictional(0)) => {
  const answer = await operator.put(`${ACCOUNT}/numbers/${e164}`, number)
  expect(answer.statusCode, answer.body).toBe(201)
}

/** What an operator says of buyers takes effect in searches and purchases, so that each refusal has a cause that can be set. */
import { describe, expect } from 'vitest'
import { buy, PURCHASE, search } from '../../fixtures/buying.js'
import { countIn, expectPurchaseFails, expectSearchFails } from '../../fixtures/failing.js'
import { operatorApiOf } from '../../fixtures/operator-api.js'
import { it, type With } from '../../fixtures/test.js'

const address = { line: '1 Main Street', city: 'Dublin', postalCode: 'D02 X285' }
const setTerms = async ({ service }: With<'service'>, body: unknown, name = 'buyer') =>
  (await operatorApiOf(service)).send('PATCH', `/resources/${name}/terms`, { body })
const credit = async ({ service }: With<'service'>, body: unknown) =>
  (await operatorApiOf(service)).post('/resources/buyer/wallets', body)

it.beforeEach(({ stock: _, buyer: __ }) => {})

describe('the terms of a resource', () => {
  it('are set one by one, and shown', async ({ service }) => {
    await setTerms({ service }, { numberLimit: 5 })
    await setTerms({ service }, { entitledTo: ['us', 'IE:tollFree', 'US'], addresses: { IE: address, US: address } })
    const changed = await setTerms({ service }, { addresses: { US: null } })
    expect(changed.json()).toMatchObject({
      name: 'buyer',
      pool: '',
      numberLimit: 5,
      entitledTo: ['IE:tollFree', 'US'],
      addresses: { IE: address },
      wallets: [],
      numbers: { owned: 0, underWay: 0 },
    })
    expect((await setTerms({ service }, { numberLimit: null, entitledTo: null })).json()).toMatchObject({
      numberLimit: null,
      entitledTo: null,
      addresses: { IE: address },
    })
  })

  it('count at once, in searches that follow', async ({ db, service, buyer }) => {
    expect(await buy(buyer)).toHaveLength(1)
    await setTerms({ service }, { numberLimit: 1 })
    await expectSearchFails(buyer, db, { error: 'NotEnoughLicenses', errorCode: 1005 })
    await setTerms({ service }, { numberLimit: null, entitledTo: [] })
    await expectSearchFails(buyer, db, { error: 'AuthorizationDenied', errorCode: 1001 })
    await setTerms({ service }, { entitledTo: null })
    expect(await buy(buyer)).toHaveLength(1)
  })

  it.for([
    [{ numberLimit: -1 }, 'numberLimit'],
    [{ numberLimit: 1.5 }, 'numberLimit'],
    [{ entitledTo: ['US:tollfree'] }, 'US:tollFree:application'],
    [{ entitledTo: 'US' }, 'entitledTo'],
    [{ addresses: { ie: address } }, 'addresses'],
    [{ addresses: { IE: { ...address, line: 1 } } }, 'addresses/IE'],
    [{ limit: 1 }, 'limit'],
    ['[]', 'body'],
    ['{', 'JSON'],
  ] as const)('are refused as a whole: %o', async ([body, place], { service }) => {
    const refused = await setTerms({ service }, body)
    expect(refused.statusCode).toBe(400)
    expect(refused.body).toContain(place)
  })

  it.for(['nobody', '%00', 'Local', 'a%2Fb'])('are of a resource that exists, unlike %s', async (name, { service }) => {
    expect((await setTerms({ service }, {}, name)).statusCode).toBe(404)
  })
})

describe('wallets', () => {
  it('are charged for purchases and for a month of the clock that was moved', async ({ db, service, buyer }) => {
    await credit({ service }, { amount: '4.5', currency: 'usd', note: 'first' })
    await buy(buyer, 2)
    service.clock.advance(40 * 24 * 60 * 60_000)
    const operator = await operatorApiOf(service)
    const chargeMonth = async (month?: string) => {
      const { id } = (await operator.post('/wallets:chargeMonth', { month })).json<{ id: string }>()
      await service.wiring.jobWorkers.runner.carryOut()
      return (await operator.get(`/jobs/${id}`)).json<{ result: object }>().result
    }
    const charged = [{ currency: 'USD', wallets: 1, numbers: 2, amount: '2.00' }]
    expect(await chargeMonth()).toMatchObject({ month: '2026-04', charged })
    expect(await chargeMonth('2026-04')).toMatchObject({ chargedBefore: 1 })
    expect((await operator.post('/wallets:chargeMonth', { month: '2026-05' })).statusCode).toBe(400)
    const { searchId } = await search(buyer)
    await expectPurchaseFails(buyer, db, searchId, { error: 'NotEnoughCredit', errorCode: 1007 })
  })

  it.for([
    [{ amount: 1, currency: 'USD' }, 400],
    [{ amount: 'x', currency: 'USD' }, 400],
    [{ amount: '1', currency: 'US' }, 400],
    [{ amount: '1' }, 400],
    [{ amount: '-1', currency: 'USD' }, 409],
    [{ amount: '1', currency: 'USD', note: '\u0000' }, 400],
    [undefined, 400],
  ] as const)('take no %o', async ([body, status], { service }) => {
    expect((await credit({ service }, body)).statusCode).toBe(status)
  })
})

it('stock that is held can be retired, so that a purchase gets a part', async ({ db, service, buyer }) => {
  const operator = await operatorApiOf(service)
  const retire = async (phoneNumbers: string[], held?: true) =>
    (await operator.post('/stock/retire', { phoneNumbers, held })).statusCode
  const { searchId, phoneNumbers } = await search(buyer, { quantity: 2 })
  const gone = phoneNumbers.slice(0, 1)
  expect([await retire(gone), await retire(gone, true)]).toEqual([409, 204])
  await buyer.send('POST', PURCHASE, { body: { searchId } })
  expect([await countIn(db, 'owned'), await countIn(db, 'retired')]).toEqual([1, 1])
  expect((await operator.post('/stock/restore', { phoneNumbers: gone })).statusCode).toBe(204)
  expect(await countIn(db, 'retired')).toBe(0)
  expect([await retire(['+12']), await retire(['x'])]).toEqual([409, 400])
})

/** Numbers that are sold and numbers that are put on accounts are the same numbers. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { sql, type Db } from '../../../src/db/db.js'
import { restore, retire } from '../../../src/ledger/commands.js'
import { listHistory } from '../../../src/ledger/reads.js'
import { brokenInvariants, everyService, operatorConnect, using } from '../../fixtures/accounts.js'
import { buy, PURCHASE, search } from '../../fixtures/buying.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { anOperator, reconcileAll, type Operator } from '../../fixtures/operator.js'
import { createTestService, type TestClient, type TestService } from '../../fixtures/service.js'
import { enterStock } from '../../fixtures/stock.js'

let db: Db
let service: TestService
let operator: Operator
let buyer: TestClient

const DAY_MS = 24 * 60 * 60_000
/** As in production. */
const QUARANTINE_DAYS = 30
const STOCK = '+12065550100'
const UPLOADED = '+442079460000'
const pathOf = (e164: string, account = 'contoso') => `/accounts/${account}/numbers/${e164}`
const number = using('teamsDirectRouting')
const onTeams = using('teamsOperatorConnect')

beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.close())
beforeEach(async () => {
  service = await createTestService(db, { LINEBOOK_QUARANTINE_DAYS: String(QUARANTINE_DAYS) })
  operator = await anOperator(service)
  buyer = await service.client()
  for (const account of ['contoso', 'fabrikam']) {
    const services = everyService({ ...operatorConnect({ teamsTenantId: `${account}TenantId` }) })
    await operator.put(`/accounts/${account}`, { serviceDetails: services })
  }
  await enterStock(db, { from: STOCK, count: 1 })
})
afterEach(async () => {
  expect(await brokenInvariants(db)).toEqual([])
  await service.close()
})

const put = async (e164: string, account = 'contoso', body: object = number) =>
  (await operator.put(pathOf(e164, account), body)).statusCode
const remove = async (e164: string, account = 'contoso') => {
  expect((await operator.delete(pathOf(e164, account))).statusCode).toBe(204)
}
/** Null: not in the ledger. */
const stateOf = async (e164: string) => {
  const [row] = await db.query<{ state: string }>(sql`select state from number where e164 = ${e164}`)
  return row?.state ?? null
}
const cause = () => ({ at: service.clock.now(), actor: 'operator', reason: 'test' })
/** Time for all that rests; access tokens don't last that long. */
const waitForQuarantine = async (ms = QUARANTINE_DAYS * DAY_MS) => {
  service.clock.advance(ms)
  operator = await anOperator(service)
}
/** What a buyer finds. */
const found = async () => (await search(buyer)).phoneNumbers
const story = async (e164: string) =>
  (await listHistory(db, e164)).map(({ event, fromState, toState }) => `${event}: ${fromState} > ${toState}`)

describe('a number that is somebody’s', () => {
  const somebodys: [name: string, e164: string, arrange: () => Promise<unknown>][] = [
    ['a buyer owns', STOCK, () => buy(buyer)],
    ['a search holds', STOCK, () => search(buyer)],
    ['was retired', STOCK, () => db.transaction((tx) => retire(tx, [STOCK], cause()))],
    [
      'rests after a buyer',
      STOCK,
      async () => {
        await buy(buyer)
        await buyer.send('DELETE', `/phoneNumbers/${STOCK}`)
        expect(await stateOf(STOCK)).toBe('quarantined')
      },
    ],
    ['is on another account, from stock', STOCK, () => put(STOCK, 'fabrikam')],
    ['is on another account, uploaded', UPLOADED, () => put(UPLOADED, 'fabrikam')],
    [
      'another account has passed on',
      UPLOADED,
      async () => {
        await put(UPLOADED, 'fabrikam', onTeams)
        await reconcileAll(service)
      },
    ],
  ]

  it.each(somebodys)('cannot be put on an account, whose it is is not told: %s', async (_, e164, arrange) => {
    await arrange()
    const before = [await stateOf(e164), await story(e164)]
    for (const headers of [{}, { 'if-none-match': '*' }]) {
      const answer = await operator.put(pathOf(e164), number, headers)
      expect(answer.statusCode).toBe(409)
      expect(answer.headers['x-ms-error-code']).toBe('NumberInOtherAccount')
      expect(answer.json()).toEqual({
        error: {
          code: 'NumberInOtherAccount',
          message: `${e164} is in use and can't be put on this account. If it is on another account, delete it there first.`,
          target: 'telephoneNumber',
        },
      })
    }
    const inBatch = await operator.post('/accounts/contoso:createOrUpdateNumbers', {
      numbers: [{ telephoneNumber: e164, ...number }],
    })
    expect(inBatch.statusCode).toBe(409)
    expect(inBatch.body).not.toMatch(/fabrikam|buyer|retired|quarantine/i)
    expect([await stateOf(e164), await story(e164)]).toEqual(before)
    expect((await operator.get(pathOf(e164))).statusCode).toBe(404)
    await remove(e164)
    expect([await stateOf(e164), await story(e164)]).toEqual(before)
  })
})

describe('a number that nobody has', () => {
  it.each([
    ['is in stock', STOCK, async () => {}],
    ['was never seen', UPLOADED, async () => {}],
    ['was held by a search that was given up', STOCK, () => expired()],
    ['has rested after a buyer', STOCK, () => rested()],
    ['was retired and put back', STOCK, () => restored()],
  ] as const)('can be put on an account: it %s', async (_, e164, arrange) => {
    await arrange()
    expect(await put(e164)).toBe(201)
    expect(await stateOf(e164)).toBe('assigned')
  })

  const expired = async () => {
    await search(buyer)
    service.clock.advance(16 * 60_000)
  }
  const rested = async () => {
    await buy(buyer)
    await buyer.send('DELETE', `/phoneNumbers/${STOCK}`)
    await waitForQuarantine()
  }
  const restored = async () => {
    await db.transaction((tx) => retire(tx, [STOCK], cause()))
    await db.transaction((tx) => restore(tx, [STOCK], cause()))
  }
})

describe('a number on an account', () => {
  it('is neither found nor bought, and a hold on it that ran out buys nothing', async () => {
    const { searchId } = await search(buyer)
    service.clock.advance(16 * 60_000)
    expect(await put(STOCK)).toBe(201)
    expect(await found()).toEqual([])
    const answer = await buyer.send('POST', PURCHASE, { body: { searchId } })
    expect(answer.statusCode).toBeGreaterThanOrEqual(400)
    expect(await stateOf(STOCK)).toBe('assigned')
    expect((await buyer.send('GET', `/phoneNumbers/${STOCK}`)).statusCode).toBe(404)
    expect((await buyer.send('DELETE', `/phoneNumbers/${STOCK}`)).statusCode).toBe(404)
  })

  it('from stock rests when it is taken off: buyers wait, the operator does not', async () => {
    await put(STOCK)
    await remove(STOCK)
    expect(await stateOf(STOCK)).toBe('quarantined')
    expect(await found()).toEqual([])
    expect(await put(STOCK, 'fabrikam')).toBe(201)
    await remove(STOCK, 'fabrikam')
    expect(await put(STOCK)).toBe(201)
    await remove(STOCK)
    await waitForQuarantine(QUARANTINE_DAYS * DAY_MS - 1)
    expect(await found()).toEqual([])
    await waitForQuarantine(1)
    expect(await found()).toEqual([STOCK])
    // Held by a buyer, it is no longer the operator's.
    expect(await put(STOCK)).toBe(409)
  })

  it('from stock that a buyer had after it left an account is not the operator’s any more', async () => {
    await put(STOCK)
    await remove(STOCK)
    await waitForQuarantine()
    await buy(buyer)
    await buyer.send('DELETE', `/phoneNumbers/${STOCK}`)
    expect(await stateOf(STOCK)).toBe('quarantined')
    expect(await put(STOCK)).toBe(409)
  })

  it('that was uploaded leaves the ledger when it is taken off, and may come again', async () => {
    await put(UPLOADED)
    await remove(UPLOADED)
    expect(await stateOf(UPLOADED)).toBeNull()
    expect(await put(UPLOADED, 'fabrikam')).toBe(201)
  })

  it('stays assigned until its backend has let go of it, and may be put on another account meanwhile', async () => {
    await put(STOCK, 'contoso', onTeams)
    await reconcileAll(service)
    await remove(STOCK)
    expect(await stateOf(STOCK)).toBe('assigned')
    expect(await found()).toEqual([])
    expect(await put(STOCK, 'fabrikam', onTeams)).toBe(201)
    expect((await operator.get('/numbers')).json()).toMatchObject({
      value: [{ accountName: 'fabrikam', serviceProvisioningStatus: 'pending' }],
    })
    await reconcileAll(service)
    const { oc } = service.wiring.provisioning.deps.backends
    expect(await oc?.getNumbers('contosoTenantId', [STOCK])).toEqual([])
    expect(await oc?.getNumbers('fabrikamTenantId', [STOCK])).toHaveLength(1)
    expect((await operator.get(pathOf(STOCK, 'fabrikam'))).json()).toMatchObject({
      serviceProvisioningStatus: 'synced',
    })
    await remove(STOCK, 'fabrikam')
    await reconcileAll(service)
    expect(await stateOf(STOCK)).toBe('quarantined')
  })

  it('comes back when its backend will not let go of it, and can be deleted again', async () => {
    await put(UPLOADED, 'contoso', onTeams)
    await reconcileAll(service)
    const control = service.wiring.provisioning.deps.backends.oc as unknown as {
      control: { misbehave(name: string, how: object): Promise<void> }
    }
    await control.control.misbehave('refuse', {
      code: 'Locked',
      message: 'In use.',
      methods: ['releaseNumbers'],
      times: 1,
    })
    await remove(UPLOADED)
    await reconcileAll(service)
    expect((await operator.get(pathOf(UPLOADED))).json()).toMatchObject({
      serviceProvisioningStatus: 'failed',
      serviceProvisioningErrors: [{ code: 'Locked', message: 'In use.', target: 'oc' }],
    })
    expect((await operator.get('/accounts/contoso')).json()).toMatchObject({
      serviceDetails: { teamsOperatorConnect: { numberCount: 1 } },
    })
    await remove(UPLOADED)
    await reconcileAll(service)
    expect(await stateOf(UPLOADED)).toBeNull()
    expect((await operator.get(pathOf(UPLOADED))).statusCode).toBe(404)
  })
})

it('one story is told of a number, whoever had it', async () => {
  await put(STOCK)
  await put(STOCK)
  await remove(STOCK)
  await put(STOCK, 'fabrikam', onTeams)
  await reconcileAll(service)
  await remove(STOCK, 'fabrikam')
  await put(STOCK, 'contoso', onTeams)
  await reconcileAll(service)
  service.clock.advance(1_000)
  await operator.delete('/accounts/contoso?deleteNumbers=true')
  await reconcileAll(service)
  service.clock.advance(QUARANTINE_DAYS * DAY_MS)
  await buy(buyer)
  const lines = await listHistory(db, STOCK)
  expect(
    lines.map(({ event, fromState, toState, actor, reason }) => ({ event, fromState, toState, actor, reason })),
  ).toMatchObject([
    { event: 'enter', fromState: null, toState: 'available' },
    by('assign', 'available', 'assigned', 'Accounts_CreateOrReplaceNumber contoso'),
    by('configure', 'assigned', 'assigned', 'Accounts_CreateOrReplaceNumber contoso'),
    by('unassign', 'assigned', 'quarantined', 'Accounts_DeleteNumber contoso'),
    by('assign', 'quarantined', 'assigned', 'Accounts_CreateOrReplaceNumber fabrikam'),
    by('withdraw', 'assigned', 'assigned', 'Accounts_DeleteNumber fabrikam'),
    by('assign', 'assigned', 'assigned', 'Accounts_CreateOrReplaceNumber contoso'),
    by('withdraw', 'assigned', 'assigned', 'Accounts_Delete contoso'),
    { event: 'unassign', fromState: 'assigned', toState: 'quarantined', actor: 'system', reason: 'released by oc' },
    { event: 'rest', fromState: 'quarantined', toState: 'available', actor: 'system' },
    { event: 'hold', fromState: 'available', toState: 'held', actor: 'resource:buyer' },
    { event: 'purchase', fromState: 'held', toState: 'owned', actor: 'resource:buyer' },
  ])
})

const by = (event: string, fromState: string, toState: string, reason: string) => ({
  event,
  fromState,
  toState,
  actor: 'client:linebook-admin',
  reason,
})

/** Writers of the same accounts and numbers at the same time, at two servers on one database. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { NumberDetails } from '../../src/accounts/account-number.js'
import { putNumbers } from '../../src/accounts/commands/put-numbers.js'
import type { ServiceKey } from '../../src/backends/port/services.js'
import { sql, type Db, type Tx } from '../../src/db/db.js'
import { openPostgres } from '../../src/db/postgres.js'
import { listHistory } from '../../src/ledger/reads.js'
import { createLogger } from '../../src/log.js'
import { reconcile } from '../../src/reconcile/reconcile.js'
import {
  brokenInvariants,
  directRouting,
  everyService,
  fictional,
  fictionals,
  operatorConnect,
  passedOn,
  using,
} from '../fixtures/accounts.js'
import { PURCHASE, search } from '../fixtures/buying.js'
import { openTestPostgres } from '../fixtures/database.js'
import { anOperator, operatorWith, reconcileAll, type Operator } from '../fixtures/operator.js'
import { createTestService, type TestService } from '../fixtures/service.js'
import { enterStock } from '../fixtures/stock.js'

let db: Awaited<ReturnType<typeof openTestPostgres>>
let otherPool: Db
let service: TestService
let replica: ReturnType<TestService['replicaOn']>
/** The same client at either server. */
let operators: [Operator, Operator]

beforeAll(async () => {
  db = await openTestPostgres(12)
  otherPool = await openPostgres({ connectionString: db.url, poolSize: 12, logger: createLogger('warn') })
})
afterAll(async () => {
  await otherPool.close()
  await db.close()
})
beforeEach(async () => {
  service = await createTestService(db)
  replica = service.replicaOn(otherPool)
  const first = await anOperator(service)
  operators = [first, operatorWith(replica.server, first.token)]
  for (const name of ['contoso', 'fabrikam']) await first.put(`/accounts/${name}`, { serviceDetails: everyService() })
})
afterEach(async () => {
  expect(await brokenInvariants(db)).toEqual([])
  await replica.close()
  await service.close()
})

type Answer = Awaited<ReturnType<Operator['get']>>
const at = (index: number): Operator => operators[index % 2] as Operator
const many = <T>(count: number, act: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => act(index)))
/** How often each status was answered. */
const tally = (answers: readonly Answer[]): Record<number, number> => {
  const counts: Record<number, number> = {}
  for (const { statusCode } of answers) counts[statusCode] = (counts[statusCode] ?? 0) + 1
  return counts
}
/** None other than these. */
const expectOnly = (answers: readonly Answer[], statuses: readonly number[]): void => {
  expect(answers.filter(({ statusCode }) => !statuses.includes(statusCode)).map(({ body }) => body)).toEqual([])
}
const number = using('teamsDirectRouting')
const pathOf = (e164: string, account = 'contoso') => `/accounts/${account}/numbers/${e164}`
const batch = (e164s: readonly string[], body: object = number) => ({
  numbers: e164s.map((telephoneNumber) => ({ telephoneNumber, ...body })),
})
const shuffled = (e164s: readonly string[], index: number): string[] =>
  index % 2 === 0 ? [...e164s] : [...e164s].reverse()

describe('many at once put', () => {
  it('one number on one account: one creates it, the others replace it', async () => {
    const answers = await many(12, (index) => at(index).put(pathOf(fictional(0)), number))
    expect(tally(answers)).toEqual({ 201: 1, 200: 11 })
    const events = (await listHistory(db, fictional(0))).map(({ event }) => event)
    expect(events).toEqual(['assign', ...Array.from({ length: 11 }, () => 'configure')])
  })

  it('one number on one account as new: one creates it, the others learn that it exists', async () => {
    const headers = { 'if-none-match': '*' }
    const answers = await many(12, (index) => at(index).put(pathOf(fictional(0)), number, headers))
    expect(tally(answers)).toEqual({ 201: 1, 412: 11 })
    expect(await listHistory(db, fictional(0))).toHaveLength(1)
  })

  it.each(['uploaded', 'from stock'])('one number on two accounts: one account gets it (%s)', async (kind) => {
    const [e164] = kind === 'uploaded' ? fictionals(1) : await enterStock(db, { count: 1 })
    const accounts = ['contoso', 'fabrikam']
    const answers = await many(12, (index) => at(index >> 1).put(pathOf(String(e164), accounts[index % 2]), number))
    expect(tally(answers)).toEqual({ 201: 1, 200: 5, 409: 6 })
  })

  it('one account, as new and over: one creates it', async () => {
    const as = (headers: Record<string, string>) =>
      many(10, (index) => at(index).put(`/accounts/${Object.keys(headers).length}`, { serviceDetails: {} }, headers))
    expect(tally(await as({}))).toEqual({ 201: 1, 200: 9 })
    expect(tally(await as({ 'if-none-match': '*' }))).toEqual({ 201: 1, 412: 9 })
  })

  it('one label on several accounts: one account gets it', async () => {
    const answers = await many(8, (index) =>
      at(index).put(`/accounts/a${index}`, { serviceDetails: { teamsDirectRouting: directRouting('same') } }),
    )
    expect(tally(answers)).toEqual({ 201: 1, 409: 7 })
    expect(await db.query(sql`select name from dns_record`)).toHaveLength(2)
  })

  it('one number under its tag: one changes it', async () => {
    const first = await at(0).put(pathOf(fictional(0)), number)
    const headers = { 'if-match': String(first.headers.etag) }
    const changed = (index: number) => ({ ...number, configuration: { customSipHeader: `content-${index}` } })
    const answers = await many(10, (index) => at(index).put(pathOf(fictional(0)), changed(index), headers))
    expect(tally(answers)).toEqual({ 200: 1, 412: 9 })
  })
})

it('overlapping batches in opposite orders wait for each other, and none fails for it', async () => {
  const e164s = fictionals(100)
  const accounts = ['contoso', 'fabrikam']
  const halves = [e164s.slice(0, 60), e164s.slice(40)]
  const answers = await many(24, (index) => {
    const mine = shuffled(halves[index % 2] as string[], index >> 1)
    const account = accounts[(index >> 2) % 2]
    return index % 6 === 5
      ? at(index).post(`/accounts/${account}:deleteNumbers`, batch(mine, {}))
      : at(index).post(`/accounts/${account}:createOrUpdateNumbers`, batch(mine))
  })
  expectOnly(answers, [200, 204, 409])
  expect(tally(answers)[200]).toBeGreaterThan(0)
})

const withoutService = () => ({ serviceDetails: everyService({ teamsDirectRouting: undefined }) })

describe('a service that is switched off while numbers of it are put', () => {
  it('is off, or has numbers; never both', async () => {
    for (let round = 0; round < 8; round++) {
      const [numbers, accounts, deletions] = await Promise.all([
        many(4, (index) => at(index).put(pathOf(fictional(index)), number)),
        many(3, (index) =>
          at(index).put('/accounts/contoso', index === 1 ? withoutService() : { serviceDetails: everyService() }),
        ),
        many(round % 2, (index) => at(index).delete('/accounts/contoso?deleteNumbers=true')),
      ])
      expectOnly(numbers, [200, 201, 400, 404])
      expectOnly(accounts, [200, 201, 409])
      expectOnly(deletions, [204])
      expect(await brokenInvariants(db)).toEqual([])
      await at(0).put('/accounts/contoso', { serviceDetails: everyService() })
      await at(0).post('/accounts/contoso:deleteNumbers', batch(fictionals(4), {}))
    }
  })

  it('waits for a number that was first, and stays on', async () => {
    const switchedOff = await during(putOne('teamsDirectRouting'), () =>
      at(1).put('/accounts/contoso', withoutService()),
    )
    expect(switchedOff.statusCode).toBe(409)
    expect((await at(0).get(pathOf(fictional(0)))).statusCode).toBe(200)
  })
})

it('numbers that are put, deleted and passed on at once end where their last writer wanted them', async () => {
  for (const name of ['contoso', 'fabrikam']) {
    const services = everyService(operatorConnect({ teamsTenantId: `${name}TenantId` }))
    await at(0).put(`/accounts/${name}`, { serviceDetails: services })
  }
  const e164s = fictionals(6)
  const bodies = [using('teamsOperatorConnect'), using('teamsOperatorConnect'), number]
  let isOver = false
  const reconcilers = many(2, async () => {
    while (!isOver) {
      const { claimed } = await reconcile(service.wiring.provisioning.deps, 'oc')
      // The clock stands still: what has to wait is due at once.
      if (claimed === 0) service.clock.advance(1_000)
    }
  })
  const answers = await many(12, async (index) => {
    const all: Answer[] = []
    for (let round = 0; round < 10; round++) {
      const e164 = e164s[(index + round) % e164s.length] as string
      const account = (index + round) % 4 === 0 ? 'fabrikam' : 'contoso'
      all.push(
        (index * 7 + round) % 3 === 0
          ? await at(index).delete(pathOf(e164, account))
          : await at(index).put(pathOf(e164, account), bodies[round % 3]),
      )
    }
    return all
  })
  isOver = true
  await reconcilers
  expectOnly(answers.flat(), [200, 201, 204, 409])
  for (let run = 0; run < 5; run++) {
    service.clock.advance(60_000)
    await reconcileAll(service, ['oc'])
  }
  expect(await brokenInvariants(db)).toEqual([])
  const { value } = (await at(0).get('/numbers')).json<{
    value: { telephoneNumber: string; accountName: string; serviceProvisioningStatus: string; serviceDetails: object }[]
  }>()
  expect(value.every(({ serviceProvisioningStatus }) => serviceProvisioningStatus === 'synced')).toBe(true)
  const { oc } = service.wiring.provisioning.deps.backends
  for (const account of ['contoso', 'fabrikam']) {
    const there = (await oc?.getNumbers(`${account}TenantId`, e164s))?.map(({ e164 }) => e164).sort()
    const wanted = value.filter((item) => item.accountName === account && 'teamsOperatorConnect' in item.serviceDetails)
    expect(there).toEqual(wanted.map(({ telephoneNumber }) => telephoneNumber))
  }
})

/** Has `second` begin while the transaction of `first` is still open, and waits for both. */
async function during<T>(first: (tx: Tx) => Promise<unknown>, second: () => Promise<T>): Promise<T> {
  let commit = (): void => {}
  const mayCommit = new Promise<void>((resolve) => (commit = resolve))
  let began: Promise<T> | undefined
  await db.transaction(async (tx) => {
    await first(tx)
    began = second()
    void isWaiting().then(commit)
    await mayCommit
  })
  return began as Promise<T>
}

/** Puts the first number on contoso, in a transaction that is to be kept open. */
const putOne = (serviceName: ServiceKey) => (tx: Tx) => {
  const numbers = [{ e164: fictional(0), details: using(serviceName) as NumberDetails }]
  const put = { accountName: 'contoso', e164s: [fictional(0)], read: () => numbers }
  return putNumbers(service.wiring.provisioning.deps, tx, { actor: 'client:crm', reason: 'test' }, put)
}

async function isWaiting(): Promise<void> {
  for (;;) {
    const rows = await otherPool.query(
      sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    )
    if (rows.length > 0) return
  }
}

it('a number deleted while it is first passed on is taken back from its backend', async () => {
  await at(0).put('/accounts/contoso', { serviceDetails: operatorConnect({ teamsDirectRouting: directRouting() }) })
  const e164 = fictional(0)
  await at(0).put(pathOf(e164), number)
  const answer = await during(putOne('teamsOperatorConnect'), () => at(1).delete(pathOf(e164)))
  expect(answer.statusCode).toBe(204)
  expect(await brokenInvariants(db)).toEqual([])
  await reconcileAll(service, ['oc'])
  expect(await db.query(sql`select key from sync where kind = 'number'`)).toEqual([])
})

it('the switch that passes numbers on, thrown while numbers are put, leaves none behind', async () => {
  const services = (on: boolean) => everyService(on ? { teamsOperatorConnect: passedOn } : {})
  for (let round = 0; round < 6; round++) {
    const answers = await Promise.all([
      ...fictionals(6).map((e164, index) => at(index).put(pathOf(e164), using('teamsOperatorConnect'))),
      at(round).put('/accounts/contoso', { serviceDetails: services(round % 2 === 0) }),
    ])
    expectOnly(answers, [200, 201])
    const { value } = (await at(0).get('/numbers')).json<{ value: { serviceProvisioningStatus: string }[] }>()
    const expected = round % 2 === 0 ? 'pending' : 'synced'
    expect(new Set(value.map((item) => item.serviceProvisioningStatus))).toEqual(new Set([expected]))
  }
})

it('stock that buyers and operators want at once goes to one of them', async () => {
  const stock = await enterStock(db, { count: 60 })
  const buyers = await many(6, (index) => service.client(`buyer-${index}`, [`b${index}.test`]))
  const bought: string[] = []
  const put: string[] = []
  const buying = buyers.map(async (buyer, index) => {
    const client = index % 2 === 0 ? buyer : replica.sameClient(buyer)
    for (;;) {
      const { searchId, phoneNumbers } = await search(client, { quantity: 1 + (index % 2) })
      if (phoneNumbers.length === 0) return
      const answer = await client.send('POST', PURCHASE, { body: { searchId } })
      expect(answer.statusCode).toBe(202)
      bought.push(...phoneNumbers)
    }
  })
  const putting = ['contoso', 'fabrikam'].flatMap((account, index) =>
    [stock, [...stock].reverse()].map(async (e164s) => {
      for (const e164 of e164s) {
        const answer = await at(index).put(pathOf(e164, account), number)
        expectOnly([answer], [200, 201, 409])
        if (answer.statusCode === 201) put.push(e164)
      }
    }),
  )
  await Promise.all([...buying, ...putting])
  expect([...bought, ...put].sort()).toEqual(stock)
  const states = await db.query<{ state: string; count: number }>(
    sql`select state, count(*) as count from number group by state order by state`,
  )
  expect(states).toEqual(
    [
      { state: 'assigned', count: put.length },
      { state: 'owned', count: bought.length },
    ].filter(({ count }) => count > 0),
  )
})

/** Restores and resets while requests and workers go on, on connections of their own. */
import { EventEmitter, once } from 'node:events'
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest'
import { sql, type Sql, type Tx } from '../../src/db/db.js'
import { restoreSnapshot, takeSnapshot } from '../../src/emulator/state/snapshots.js'
import { aSearch, buy, PURCHASE, US } from '../fixtures/buying.js'
import { openTestPostgres } from '../fixtures/database.js'
import { anEmulator, type Emulator } from '../fixtures/emulator.js'
import { createTestService, type TestClient, type TestService } from '../fixtures/service.js'
import { enterStock } from '../fixtures/stock.js'

const db = await openTestPostgres(20)
afterAll(() => db.close())

let service: TestService
let emulator: Emulator
let buyer: TestClient
beforeEach(async () => {
  service = await createTestService(db)
  emulator = await anEmulator(service)
  buyer = await service.client()
  await enterStock(db, { count: 50 })
})
afterEach(async () => {
  await emulator.send('DELETE', '/snapshots/s')
  await service.close()
})

/**
 * Each client buys one number after the other until all are stopped; no response may be a failure of ours. Whoever waits
 * for what happens `next` goes on while the next request is under way already.
 */
function keepBuying(...clients: TestClient[]) {
  let isStopped = false
  const happened = new EventEmitter()
  const statuses = new Set<number>()
  let requests = 0
  const send = async (client: TestClient, target: string, body: object) => {
    const answer = await client.send('POST', target, { body, headers: { 'x-ms-client-request-id': `${++requests}` } })
    statuses.add(answer.statusCode)
    happened.emit('response')
    return answer
  }
  const buying = async (client: TestClient) => {
    while (!isStopped) {
      const answer = await send(client, `${US}/:search`, aSearch())
      if (answer.statusCode !== 202) continue
      const { searchId } = answer.json<{ searchId?: string }>()
      if (searchId === undefined) continue
      if ((await send(client, PURCHASE, { searchId })).statusCode === 202) happened.emit('purchase')
    }
  }
  const done = Promise.all(clients.map(buying))
  return {
    next: (event: 'response' | 'purchase') => once(happened, event),
    /** Returns what of the statuses is a failure of ours. */
    stop: async () => {
      isStopped = true
      await done
      return [...statuses].filter((status) => status >= 500)
    },
    statuses,
  }
}

const countOf = async (what: ReturnType<typeof sql>) =>
  ((await db.query(sql`select count(*) as count from ${what}`)) as [{ count: number }])[0].count

/** What a purchase leaves behind stands together or not at all. */
async function expectConsistent(): Promise<void> {
  const torn = await db.query(sql`
    select n.e164, n.state, s.id from number n
    full join (select id, unnest(phone_numbers) as e164 from search where state = 'purchased') s using (e164)
    where (n.state = 'owned') is distinct from (s.id is not null)`)
  expect(torn).toEqual([])
  const lost = await db.query(sql`
    select e164 from number n where not exists (select from number_history h where h.e164 = n.e164)`)
  expect(lost).toEqual([])
}

it('restores under requests: each is wholly before or wholly after, and none fails for it', async () => {
  await buy(buyer, 2)
  await emulator.send('PUT', '/snapshots/s')
  const clients = await Promise.all(['a', 'b', 'c', 'd'].map((name) => service.client(name)))
  await emulator.send('PUT', '/snapshots/s')
  const buying = keepBuying(...clients)
  for (let round = 0; round < 15; round++) {
    await buying.next('purchase')
    expect((await emulator.send('POST', '/snapshots/s/restore')).status).toBe(200)
    await expectConsistent()
  }
  expect(await buying.stop()).toEqual([])
  expect(buying.statuses).not.toContain(401)
  await expectConsistent()
  await emulator.send('POST', '/snapshots/s/restore')
  expect(await countOf(sql`number where state = 'owned'`)).toBe(2)
})

it('restores against another process, whose requests no gate of ours holds back', async () => {
  await takeSnapshot(db, 's', new Date())
  const other = service.replicaOn(db)
  await other.server.ready()
  const buying = keepBuying(buyer, other.sameClient(buyer))
  for (let round = 0; round < 15; round++) {
    await buying.next('purchase')
    // Straight: not even this process's gate is closed.
    await restoreSnapshot(db, 's')
    await expectConsistent()
  }
  expect(await buying.stop()).toEqual([])
  await other.close()
  await expectConsistent()
})

it('takes a snapshot of one instant while numbers are bought', async () => {
  const buying = keepBuying(buyer)
  for (let round = 0; round < 10; round++) {
    await buying.next('purchase')
    await takeSnapshot(db, 's', new Date())
    await restoreSnapshot(db, 's')
    await expectConsistent()
  }
  expect(await buying.stop()).toEqual([])
})

it('resets under requests: none fails for it, and what was is gone', async () => {
  const buying = keepBuying(buyer)
  await buying.next('purchase')
  for (let round = 0; round < 5; round++) {
    await buying.next('response')
    expect((await emulator.send('POST', '/reset')).status).toBe(204)
  }
  expect(await buying.stop()).toEqual([])
  expect(await countOf(sql`number`)).toBe(0)
  expect(await countOf(sql`operation`)).toBe(0)
})

it('takes what stands in two tables as of one instant, though somebody changes both while it reads', async () => {
  await buy(buyer, 1)
  const { holder, release } = await holding(sql`lock table number in access exclusive mode`, async (tx) => {
    // By now the searches have been read, and the numbers have not.
    await tx.query(sql`delete from search`)
    await tx.query(sql`update number set state = 'available', resource_id = null, purchased_at = null,
      purchase_order = null, assignment_type = null, calling = null, sms = null, price_amount = null,
      price_currency = null where state = 'owned'`)
  })
  const taking = takeSnapshot(db, 's', new Date())
  await expect.poll(waiters).toBeGreaterThan(0)
  release()
  await Promise.all([holder, taking])
  await restoreSnapshot(db, 's')
  expect(await countOf(sql`number where state = 'owned'`)).toBe(1)
  await expectConsistent()
})

it('lets no request in while it restores: those that come wait for it', async () => {
  await emulator.send('PUT', '/snapshots/s')
  const { holder, release } = await holding(sql`update number set shuffle = 1 where e164 = '+12065550100'`)
  const order: string[] = []
  const restoring = emulator.send('POST', '/snapshots/s/restore').then(() => order.push('restored'))
  await expect.poll(waiters).toBeGreaterThan(0)
  const asking = buyer.send('GET', '/phoneNumbers').then(() => order.push('answered'))
  // Not the test controls themselves, nor probes.
  expect((await emulator.send('GET', '/clock')).status).toBe(200)
  expect((await service.server.inject('/readyz')).statusCode).toBe(200)
  expect(order).toEqual([])
  release()
  await Promise.all([holder, restoring, asking])
  expect(order).toEqual(['restored', 'answered'])
})

/** A transaction that has done `first` and does `rest` when it is let go on. */
async function holding(first: Sql, rest: (tx: Tx) => Promise<void> = async () => {}) {
  let release = () => {}
  const held = new Promise<void>((resolve) => (release = resolve))
  let begun = () => {}
  const hasBegun = new Promise<void>((resolve) => (begun = resolve))
  const holder = db.transaction(async (tx) => {
    await tx.query(first)
    begun()
    await held
    await rest(tx)
  })
  await hasBegun
  return { holder, release }
}

/** How many connections to this database wait for a lock. */
const waiters = () => countOf(sql`pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`)

it("waits for who has a table locked, without standing in anybody's way", async () => {
  await takeSnapshot(db, 's', new Date())
  const first = sql`update number set shuffle = shuffle where e164 = '+12065550100'`
  const { holder, release } = await holding(first, async (tx) => {
    // What a restore has locked by now, in the order in which it does.
    await tx.query(sql`update operation set attempts = attempts`)
    await tx.query(sql`update account set name = name`)
  })
  const restoring = restoreSnapshot(db, 's')
  await expect.poll(waiters).toBeGreaterThan(0)
  release()
  await holder
  await restoring
})

it('needs no superuser; without the right to make schemas it says what is wanting', async () => {
  await db.query(sql`do $$ begin create role plain login; exception when duplicate_object then null; end $$`)
  await db.query(sql`grant all on all tables in schema public to plain`)
  const asPlain = {
    ...db,
    transaction: <T>(work: Parameters<typeof db.transaction<T>>[0]) =>
      db.transaction(async (tx) => {
        await tx.script('set local role plain')
        return work(tx)
      }),
  }
  await expect(takeSnapshot(asPlain, 's', new Date())).rejects.toThrow(/lets Linebook make none.*grant create/)
  await db.query(sql`do $$ begin execute format('grant create on database %I to plain', current_database()); end $$`)
  await takeSnapshot(asPlain, 's', new Date())
  await buy(buyer, 1)
  await restoreSnapshot(asPlain, 's')
  expect(await countOf(sql`number where state = 'owned'`)).toBe(0)
})

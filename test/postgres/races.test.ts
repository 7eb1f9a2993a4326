import { describe, expect, it } from 'vitest'
import { later } from '../../src/clock.js'
import { sql } from '../../src/db/db.js'
import { migrate, readMigrations } from '../../src/db/migrate.js'
import { openPostgres } from '../../src/db/postgres.js'
import { newId } from '../../src/ids.js'
import { assignNumbers } from '../../src/ledger/assignment.js'
import type { Cause } from '../../src/ledger/history.js'
import { holdAny, sweepFreed } from '../../src/ledger/holds.js'
import { listHistory } from '../../src/ledger/reads.js'
import { purchaseHeld } from '../../src/ledger/sales.js'
import { createLogger } from '../../src/log.js'
import { openTestPostgres } from '../fixtures/database.js'
import { opened } from '../fixtures/opened.js'
import { createPostgresDatabase } from '../fixtures/postgres-database.js'
import { createTestService, type TestClient } from '../fixtures/service.js'
import { enterStock, onTerms, terms } from '../fixtures/stock.js'

const searchBody = {
  phoneNumberType: 'geographic',
  assignmentType: 'application',
  capabilities: { calling: 'inbound', sms: 'none' },
}

interface Outcome {
  bought: string[]
  outOfStock: number
}

/** Searches and purchases until told that nothing is left; every other answer fails the test. */
async function buyUntilSoldOut(client: TestClient, quantity: number): Promise<Outcome> {
  const outcome: Outcome = { bought: [], outOfStock: 0 }
  for (;;) {
    const searched = await client.send('POST', '/availablePhoneNumbers/countries/US/:search', {
      body: { ...searchBody, quantity },
    })
    expect(searched.statusCode).toBe(202)
    const result = searched.json<{ searchId: string; phoneNumbers: string[]; error: string }>()
    if (result.error !== 'NoError') {
      expect(result).toMatchObject({ error: 'OutOfStock', errorCode: 1000, phoneNumbers: [] })
      return { ...outcome, outOfStock: outcome.outOfStock + 1 }
    }
    const purchased = await client.send('POST', '/availablePhoneNumbers/:purchase', {
      body: { searchId: result.searchId },
    })
    expect(purchased.statusCode).toBe(202)
    const polled = await client.send('GET', purchased.headers['operation-location'] as string, { version: null })
    expect(polled.json()).toMatchObject({ status: 'succeeded' })
    outcome.bought.push(...result.phoneNumbers)
  }
}

const countByState = async (db: { query: Awaited<ReturnType<typeof openTestPostgres>>['query'] }) => {
  const rows = await db.query<{ state: string; count: number }>(sql`select state, count(*) from number group by state`)
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]))
}

describe('32 buyers at two servers on one database, with less stock than demand', () => {
  it('get every number at most once, and all others end with OutOfStock', async () => {
    const db = opened(await openTestPostgres(16))
    const first = opened(await createTestService(db))
    const otherPool = opened(
      await openPostgres({ connectionString: db.url, poolSize: 16, logger: createLogger('warn') }),
    )
    const second = opened(first.replicaOn(otherPool))
    const stock = await enterStock(db, { count: 90 })
    const clients = await Promise.all(Array.from({ length: 32 }, (_, i) => first.client(`buyer-${i}`, [`b${i}.test`])))
    const outcomes = await Promise.all(
      clients.map((client, i) => buyUntilSoldOut(i % 2 === 0 ? client : second.sameClient(client), 1 + (i % 3))),
    )
    const bought = outcomes.flatMap((outcome) => outcome.bought)
    expect(new Set(bought).size).toBe(bought.length)
    expect([...bought].sort()).toEqual(stock)
    expect(outcomes.every(({ outOfStock }) => outOfStock === 1)).toBe(true)
    expect(await countByState(db)).toEqual({ owned: stock.length })
    for (const client of clients) {
      const { phoneNumbers } = (await client.send('GET', '/phoneNumbers')).json<{ phoneNumbers: object[] }>()
      expect(phoneNumbers).toHaveLength(outcomes[clients.indexOf(client)]?.bought.length ?? -1)
    }
  })
})

describe('holds that expire while purchases arrive', () => {
  it('give each number to one buyer only, and the states add up to the stock', async () => {
    const db = opened(await openTestPostgres(24))
    const stock = await enterStock(db, { count: 30 })
    const start = new Date('2026-03-01T12:00:00.000Z')
    const HOLD_MS = 10
    let tick = 0
    const sold: string[] = []

    // Each round moves the shared time on, so that some purchases come within the hold, some at its end, some after it.
    const buyer = async (index: number) => {
      const resourceId = newId()
      for (let round = 0; round < 12; round++) {
        const at = later(start, tick++)
        const causeAt = (time: Date): Cause => ({ at: time, actor: `resource:${index}`, reason: `round ${round}` })
        const holdId = newId()
        const held = await db.transaction((tx) =>
          holdAny(
            tx,
            { pool: '', countryCode: 'US', numberType: 'geographic', areaCode: '206', quantity: 2 },
            { holdId, resourceId, until: later(at, HOLD_MS) },
            causeAt(at),
          ),
        )
        if (held.length === 0) continue
        const buyAt = later(start, tick++)
        const bought = await db.transaction((tx) =>
          purchaseHeld(tx, { holdId, resourceId }, onTerms(held, terms), causeAt(buyAt)),
        )
        // Of a hold whose time is over by another's clock, that other may have taken some already.
        expect(held).toEqual(expect.arrayContaining(bought))
        sold.push(...bought)
      }
    }
    const sweeper = async () => {
      for (let i = 0; i < 60; i++) await db.transaction((tx) => sweepFreed(tx, 5, later(start, tick)))
    }
    await Promise.all([...Array.from({ length: 32 }, (_, index) => buyer(index)), sweeper(), sweeper()])

    expect(new Set(sold).size).toBe(sold.length)
    const counts = await countByState(db)
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(stock.length)
    expect(counts.owned ?? 0).toBe(sold.length)
    for (const e164 of sold) {
      const purchases = (await listHistory(db, e164)).filter(({ event }) => event === 'purchase')
      expect(purchases).toHaveLength(1)
    }
  })
})

describe('many at once', () => {
  it('purchase one search: one of them has the effect, all get the same answer', async () => {
    const db = opened(await openTestPostgres(16))
    const service = opened(await createTestService(db))
    await enterStock(db, { count: 5 })
    const buyer = await service.client()
    const { searchId } = (
      await buyer.send('POST', '/availablePhoneNumbers/countries/US/:search', { body: { ...searchBody, quantity: 5 } })
    ).json<{ searchId: string }>()
    const answers = await Promise.all(
      Array.from({ length: 16 }, () => buyer.send('POST', '/availablePhoneNumbers/:purchase', { body: { searchId } })),
    )
    expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([202]))
    expect(new Set(answers.map(({ headers }) => headers['operation-id']))).toEqual(new Set([`purchase_${searchId}`]))
    const purchases = await db.query(sql`select from number_history where event = 'purchase'`)
    expect(purchases).toHaveLength(5)
  })

  it('release one number: one succeeds, the others learn that it is gone or busy', async () => {
    const db = opened(await openTestPostgres(16))
    const service = opened(await createTestService(db))
    await enterStock(db, { count: 1 })
    const buyer = await service.client()
    const [e164] = (await buyUntilSoldOut(buyer, 1)).bought
    const answers = await Promise.all(Array.from({ length: 16 }, () => buyer.send('DELETE', `/phoneNumbers/${e164}`)))
    const statuses = answers.map(({ statusCode }) => statusCode)
    expect(statuses.filter((status) => status === 202)).toHaveLength(1)
    expect(statuses.every((status) => [202, 404, 409].includes(status))).toBe(true)
    expect((await listHistory(db, e164 as string)).filter(({ event }) => event === 'release')).toHaveLength(1)
  })

  it('put the same numbers on different accounts in opposite orders: one account gets them, nobody waits for ever', async () => {
    const db = opened(await openTestPostgres(16))
    const stock = await enterStock(db, { count: 20 })
    const cause: Cause = { at: new Date(), actor: 'account', reason: 'race' }
    const put = await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        db.transaction((tx) => assignNumbers(tx, newId(), i % 2 === 0 ? stock : [...stock].reverse(), cause)),
      ),
    )
    expect(put.map(({ length }) => length).sort((a, b) => b - a)).toEqual([20, ...Array<number>(11).fill(0)])
    const accounts = await db.query(sql`select distinct account_id from number where state = 'assigned'`)
    expect(accounts).toHaveLength(1)
  })

  it('send the very same request again: it has one effect', async () => {
    const db = opened(await openTestPostgres(16))
    const service = opened(await createTestService(db))
    await enterStock(db, { count: 20 })
    const buyer = await service.client()
    const headers = { 'x-ms-client-request-id': newId() }
    const answers = await Promise.all(
      Array.from({ length: 8 }, () =>
        buyer.send('POST', '/availablePhoneNumbers/countries/US/:search', { body: searchBody, headers }),
      ),
    )
    expect(new Set(answers.map((answer) => answer.headers['search-id'])).size).toBe(1)
    expect(new Set(answers.map((answer) => answer.body)).size).toBe(1)
    expect(await countByState(db)).toEqual({ available: 19, held: 1 })
  })

  it('are one search again ten minutes after the first, whose mark they take over', async () => {
    const db = opened(await openTestPostgres(16))
    const service = opened(await createTestService(db))
    await enterStock(db, { count: 20 })
    const buyer = await service.client()
    const headers = { 'x-ms-client-request-id': newId() }
    const send = () => buyer.send('POST', '/availablePhoneNumbers/countries/US/:search', { body: searchBody, headers })
    const first = await send()
    service.clock.advance(10 * 60_000)
    const responses = await Promise.all(Array.from({ length: 8 }, send))
    const ids = new Set(responses.map((response) => response.headers['search-id']))
    expect(ids.size).toBe(1)
    expect(ids).not.toContain(first.headers['search-id'])
    expect(await countByState(db)).toEqual({ available: 18, held: 2 })
  })
})

describe('programs that start together on an empty database', () => {
  it('apply each migration once', async () => {
    const { url, drop } = await createPostgresDatabase({ migrated: false })
    opened({ close: drop })
    const migrations = await readMigrations()
    const pools = await Promise.all(
      Array.from({ length: 6 }, () =>
        openPostgres({ connectionString: url, poolSize: 2, logger: createLogger('warn') }),
      ),
    )
    pools.forEach(opened)
    const applied = await Promise.all(pools.map((pool) => migrate(pool, migrations, 'emulator')))
    expect(
      applied
        .flat()
        .map(({ version }) => version)
        .sort((a, b) => a - b),
    ).toEqual(migrations.map(({ version }) => version))
  })
})

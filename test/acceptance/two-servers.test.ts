/** Two processes on one database, with the official client: less stock than demand, and nobody is sold a sold number. */
import type { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runLinebook, startLinebook, type Linebook } from '../fixtures/linebook-process.js'
import { createPostgresDatabase, type PostgresDatabase } from '../fixtures/postgres-database.js'
import { connect, owned, purchase, release, search } from './clients.js'

const BUYERS = 32
const STOCK = 100

let database: PostgresDatabase
let servers: Linebook[] = []
beforeAll(async () => {
  database = await createPostgresDatabase({ migrated: false })
  const env = { DATABASE_URL: database.url, LINEBOOK_SEED_STOCK: 'off' }
  servers = await Promise.all([startLinebook({ env }), startLinebook({ env })])
  const generated = await runLinebook(['stock', 'generate', '+12065550100', String(STOCK), '--locality', 'Seattle'], {
    env,
  })
  expect(generated).toMatchObject({ code: 0 })
})
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()))
  await database?.drop()
})

it('32 buyers at two servers buy every number once, and all end with OutOfStock', async () => {
  const clients = Array.from({ length: BUYERS }, (_, index) => connect(servers[index % servers.length] as Linebook))
  const buyOnce = async (index: number): Promise<string[]> => {
    const client = clients[index] as PhoneNumbersClient
    const { searchId, phoneNumbers } = await search(client, { quantity: 1 + (index % 3) })
    await purchase(client, searchId)
    return phoneNumbers
  }
  const released: string[] = []

  /** Buys until there is nothing more; now and then gives one back, which somebody may then buy again. */
  const buyer = async (index: number, mine: string[]): Promise<string[]> => {
    for (;;) {
      const [first] = mine
      if (index % 8 === 0 && released.length < 10 && first !== undefined) {
        released.push(first)
        await release(clients[index] as PhoneNumbersClient, first)
        mine.shift()
      }
      try {
        mine.push(...(await buyOnce(index)))
      } catch (error) {
        expect((error as Error).message).toContain('OutOfStock')
        return mine
      }
    }
  }

  // There is enough for one purchase each, and then everybody has something to give back.
  const first = await Promise.all(clients.map((_, index) => buyOnce(index)))
  const bought = await Promise.all(first.map((mine, index) => buyer(index, mine)))
  const kept = bought.flat()
  expect(new Set(kept).size).toBe(kept.length)
  expect((await owned(connect(servers[0] as Linebook))).sort()).toEqual([...kept].sort())
  expect(await countsByState()).toEqual({ total: STOCK, owned: kept.length })
  expect(released.length).toBeGreaterThan(0)
})

/** What the states add up to, as the report counts them, and how many are owned. */
async function countsByState(): Promise<{ total: number; owned: number }> {
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  const { rows } = await client.query<{ state: string; count: string }>(
    "select state, count(*) from number where state in ('available', 'held', 'owned', 'quarantined') group by state",
  )
  await client.end()
  const counts = new Map(rows.map(({ state, count }) => [state, Number(count)]))
  return { total: [...counts.values()].reduce((sum, count) => sum + count, 0), owned: counts.get('owned') ?? 0 }
}

/** What a broken network, or a server that goes away, does to the program; the proxy between them does it on demand. */
import { afterEach, describe, expect, it } from 'vitest'
import { startService } from '../../src/compose/service.js'
import { readConfig } from '../../src/config/config.js'
import { sql, type Db } from '../../src/db/db.js'
import { isUnavailable } from '../../src/db/failures.js'
import { openPostgres, type Bounds } from '../../src/db/postgres.js'
import { createLogger } from '../../src/log.js'
import { createPostgresDatabase } from '../fixtures/postgres-database.js'
import { createTestService } from '../fixtures/service.js'
import { ADMIN_SHUTDOWN, READY_FOR_QUERY, startTcpProxy, type TcpProxy } from '../fixtures/tcp-proxy.js'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function throughProxy(): Promise<{ proxy: TcpProxy; url: string }> {
  const { url, drop } = await createPostgresDatabase()
  closers.push(drop)
  const proxy = await startTcpProxy(url)
  closers.push(proxy.close)
  return { proxy, url: proxy.through(url) }
}

const POOL_SIZE = 3
/** Short, but longer than a busy machine takes for what does get through. */
const SHORT: Partial<Bounds> = { connectMs: 2_000, responseMs: 2_000, closeMs: 50 }
const LONG: Partial<Bounds> = { connectMs: 60_000, responseMs: 60_000, closeMs: 50 }

async function open(bounds: Partial<Bounds>): Promise<{ proxy: TcpProxy; db: Db }> {
  const { proxy, url } = await throughProxy()
  const db = await openPostgres({
    connectionString: url,
    poolSize: POOL_SIZE,
    logger: createLogger('fatal'),
    bounds,
  })
  closers.push(() => db.close())
  return { proxy, db }
}

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    (error: unknown) => error,
  )
const ONE = sql`select 1 as one`

describe('a session that the server ends in the packet by which its connection becomes ready', () => {
  /** Holds the connection that is there, so that others are new. */
  const meanwhile = (db: Db, work: () => Promise<void>) => db.transaction(work)

  it.each([
    ['says why and closes', { bytes: ADMIN_SHUTDOWN, fin: true }],
    ['says why alone', { bytes: ADMIN_SHUTDOWN }],
    ['closes alone', { bytes: Buffer.alloc(0), fin: true }],
  ])('ends no more than itself: it %s', async (_what, rider) => {
    const { proxy, db } = await open(SHORT)
    for (const run of [() => db.query(ONE), () => db.transaction((tx) => tx.query(ONE))]) {
      await meanwhile(db, async () => {
        proxy.glue({ after: READY_FOR_QUERY, ...rider })
        const outcome = await run().catch((error: unknown) => error)
        // With a FIN alone the end is seen only after the first statement is on its way.
        if (rider.bytes.length > 0) expect(outcome).toEqual([{ one: 1 }])
        else expect(isUnavailable(outcome) || Array.isArray(outcome)).toBe(true)
      })
    }
    expect(await db.query(ONE)).toEqual([{ one: 1 }])
  })

  it('fails what asked when every new one is ended so, and nothing else', async () => {
    const { proxy, db } = await open(SHORT)
    await meanwhile(db, async () => {
      proxy.glue({ after: READY_FOR_QUERY, bytes: ADMIN_SHUTDOWN, fin: true, times: 100 })
      expect(isUnavailable(await failureOf(db.transaction((tx) => tx.query(ONE))))).toBe(true)
      proxy.glue({ after: READY_FOR_QUERY, bytes: Buffer.alloc(0), times: 0 })
    })
    expect(await db.query(ONE)).toEqual([{ one: 1 }])
  })
})

describe('a network that swallows what is sent', () => {
  it('fails statements after a time, and all is well once it heals', async () => {
    const { proxy, db } = await open(SHORT)
    await Promise.all(Array.from({ length: POOL_SIZE }, () => db.query(ONE)))
    proxy.swallow()
    const failures = await Promise.all(
      Array.from({ length: 2 * POOL_SIZE }, (_, index) =>
        failureOf(index % 2 === 0 ? db.query(ONE) : db.transaction((tx) => tx.query(ONE))),
      ),
    )
    expect(failures.map(isUnavailable)).toEqual(failures.map(() => true))
    proxy.heal()
    const healed = await Promise.all(Array.from({ length: 2 * POOL_SIZE }, () => db.query(ONE)))
    expect(healed).toEqual(healed.map(() => [{ one: 1 }]))
  })

  it('is shown to clients as 503 and to probes as not ready, for no longer than it lasts', async () => {
    const { proxy, db } = await open(SHORT)
    const service = await createTestService(db)
    const buyer = await service.client()
    proxy.swallow()
    const response = await buyer.send('GET', '/phoneNumbers')
    expect([response.statusCode, response.headers['retry-after']]).toEqual([503, '5'])
    expect((await service.server.inject('/readyz')).statusCode).toBe(503)
    proxy.heal()
    await expect.poll(async () => (await service.server.inject('/readyz')).statusCode).toBe(200)
    expect((await buyer.send('GET', '/phoneNumbers')).statusCode).toBe(200)
    await service.close()
  })

  it('and with it the response to a COMMIT fails the transaction, which is not run again', async () => {
    const { proxy, db } = await open(SHORT)
    await db.query(sql`create table mark (id integer)`)
    let runs = 0
    const failure = await failureOf(
      db.transaction(async (tx) => {
        runs++
        await tx.query(sql`insert into mark values (1)`)
        proxy.swallowResponseTo('commit')
      }),
    )
    expect([isUnavailable(failure), runs]).toEqual([true, 1])
    expect(await db.query(sql`select count(*) as count from mark`)).toEqual([{ count: 1 }])
  })

  it('does not keep the database from being closed', async () => {
    const { proxy, db } = await open(LONG)
    await db.query(ONE)
    proxy.swallow()
    // One on the connection that is there, others on new ones, which are never ready, and one that waits for any.
    const failures = Promise.all(
      Array.from({ length: POOL_SIZE + 1 }, () => failureOf(db.transaction((tx) => tx.query(ONE)))),
    )
    await expect.poll(() => proxy.counts.made).toBe(POOL_SIZE)
    // Also when they have only just asked.
    const justAsked = failureOf(db.query(ONE))
    await db.close()
    closers.pop()
    expect(isUnavailable(await justAsked)).toBe(true)
    expect((await failures).map(isUnavailable)).toEqual(Array.from({ length: POOL_SIZE + 1 }, () => true))
  })

  it('does not keep the program from stopping, with requests under way', async () => {
    const { proxy, url } = await throughProxy()
    const settings = { DATABASE_URL: url, LINEBOOK_HTTP_PORT: '0', LINEBOOK_HTTPS_PORT: '' }
    const service = await startService(
      readConfig({ ...settings, LINEBOOK_SEED_STOCK: 'off', LINEBOOK_LOG_LEVEL: 'silent' }),
    )
    proxy.swallow()
    const token = fetch(`${service.listeners[0]?.url}/readyz`)
    // No poll and no race: the suite's own time-out is longer than that of a statement, which this must not wait for.
    const began = performance.now()
    await service.close()
    expect(performance.now() - began).toBeLessThan(14_000)
    expect((await token).status).toBe(503)
  })
})

describe('a server that cuts its connections', () => {
  it('fails what is under way and nothing after', async () => {
    const { proxy, db } = await open(SHORT)
    const failure = await failureOf(
      db.transaction(async (tx) => {
        await tx.query(ONE)
        proxy.cut()
        await tx.query(ONE)
      }),
    )
    expect(isUnavailable(failure)).toBe(true)
    expect(await db.query(ONE)).toEqual([{ one: 1 }])
  })
})

import { afterEach, describe, expect, it } from 'vitest'
import { raw, sql, type Db } from '../../src/db/db.js'
import { isUnavailable } from '../../src/db/failures.js'
import { openPostgres } from '../../src/db/postgres.js'
import { createLogger } from '../../src/log.js'
import { openTestPostgres } from '../fixtures/database.js'
import { createTestService } from '../fixtures/service.js'

let db: Awaited<ReturnType<typeof openTestPostgres>>
afterEach(() => db.close())

describe('a connection that the server ends', () => {
  it('in the middle of a transaction fails that transaction and nothing else', async () => {
    db = await openTestPostgres(2)
    const failure = await db
      .transaction(async (tx) => {
        const [me] = await tx.query<{ pid: number }>(sql`select pg_backend_pid() as pid`)
        // eslint-disable-next-line linebook/no-db-inside-transaction -- from another connection, on purpose
        await db.query(sql`select pg_terminate_backend(${me?.pid}, 5000)`)
        await tx.query(sql`select 1`)
      })
      .catch((error: unknown) => error)
    expect(isUnavailable(failure)).toBe(true)
    expect(await db.query(sql`select 1 as one`)).toEqual([{ one: 1 }])
  })

  it('while it idles is replaced at its next use', async () => {
    db = await openTestPostgres(2)
    const other = await openTestPostgres(1)
    await db.query(sql`select 1`)
    await other.query(sql`
      select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = ${new URL(db.url).pathname.slice(1)}`)
    await other.close()
    const again = async () => {
      for (;;) {
        const rows = await db.query(sql`select 1 as one`).catch((error: unknown) => {
          expect(isUnavailable(error)).toBe(true)
        })
        if (rows) return rows
      }
    }
    expect(await again()).toEqual([{ one: 1 }])
  })
})

describe('a transaction', () => {
  it('in which a failed statement was ignored is an error, not a silent rollback', async () => {
    db = await openTestPostgres(2)
    const swallowing = db.transaction(async (tx) => {
      await tx.query(sql`select 1 / 0`).catch(() => undefined)
    })
    await expect(swallowing).rejects.toThrow('a failed statement in it was ignored')
  })

  it('that meets a deadlock is run again', async () => {
    db = await openTestPostgres(4)
    await db.query(sql`create table pair (id integer primary key, hits integer not null)`)
    await db.query(sql`insert into pair values (1, 0), (2, 0)`)
    let arrived = 0
    let open: () => void = () => undefined
    const bothHoldOne = new Promise<void>((resolve) => (open = resolve))
    const hit = (first: number, second: number) =>
      db.transaction(async (tx) => {
        await tx.query(sql`update pair set hits = hits + 1 where id = ${first}`)
        arrived += 1
        if (arrived === 2) open()
        await bothHoldOne
        await tx.query(sql`update pair set hits = hits + 1 where id = ${second}`)
      })
    await Promise.all([hit(1, 2), hit(2, 1)])
    expect(await db.query(sql`select hits from pair`)).toEqual([{ hits: 2 }, { hits: 2 }])
    expect(arrived).toBe(3)
  })
})

describe('a database that is away', () => {
  it('is told to clients as 503 and to probes as not ready, and nothing is acknowledged', async () => {
    db = await openTestPostgres(2)
    const service = await createTestService(db)
    const buyer = await service.client()
    expect((await buyer.send('GET', '/phoneNumbers')).statusCode).toBe(200)
    const gone = { ...db, query: () => refused(), transaction: () => refused() }
    const replica = service.replicaOn(gone)
    const answer = await replica.sameClient(buyer).send('GET', '/phoneNumbers')
    expect([answer.statusCode, answer.json()]).toMatchObject([503, { error: { code: 'ServiceUnavailable' } }])
    expect(answer.headers['retry-after']).toBe('5')
    expect((await replica.probe('/readyz')).statusCode).toBe(503)
    expect((await replica.probe('/healthz')).statusCode).toBe(200)
    await replica.close()
    await service.close()
  })
})

describe('a database that has become read-only', () => {
  /** For sessions that begin from now on, as at another address after a fail-over. */
  const setReadOnly = async (admin: Db, readOnly: boolean) => {
    const name = new URL(db.url).pathname.slice(1)
    await admin.query(raw(`alter database ${name} set default_transaction_read_only = ${readOnly}`))
  }

  it('is not ready and answers 503; once it takes changes again no session is left from before', async () => {
    db = await openTestPostgres(3)
    // Its own session stays as it was.
    const admin = await openTestPostgres(1)
    const service = await createTestService(db)
    const buyer = await service.client()
    await setReadOnly(admin, true)
    const readOnly = await openPostgres({ connectionString: db.url, poolSize: 3, logger: createLogger('fatal') })
    const replica = service.replicaOn(readOnly)
    const client = replica.sameClient(buyer)
    // All sessions of the pool are of the read-only server.
    await Promise.all(Array.from({ length: 3 }, () => readOnly.query(sql`select pg_sleep(0.01)`)))
    const refusals = [await client.send('PATCH', '/sip', { body: {}, version: '2023-03-01' })]
    refusals.push(await replica.probe('/readyz'))
    expect(refusals.map(({ statusCode }) => statusCode)).toEqual([503, 503])
    expect(refusals[0]?.headers['retry-after']).toBe('5')
    expect(refusals[1]?.json()).toEqual({ status: 'database read-only' })
    await setReadOnly(admin, false)
    const [first, ...others] = await Promise.all(Array.from({ length: 3 }, () => replica.probe('/readyz')))
    expect([first, ...others].map((probe) => probe?.statusCode)).toEqual([200, 200, 200])
    await replica.close()
    await service.close()
    await readOnly.close()
    await admin.close()
  })
})

describe('a table that others keep locked', () => {
  it.each([
    ['longer than we wait for locks', { lockMs: 100 }],
    ['longer than a statement may take', { statementMs: 100 }],
  ])('%s: clients are told to try again', async (_what, bounds) => {
    db = await openTestPostgres(3)
    const impatient = await openPostgres({
      connectionString: db.url,
      poolSize: 3,
      logger: createLogger('fatal'),
      bounds,
    })
    const service = await createTestService(db)
    const buyer = await service.client()
    const replica = service.replicaOn(impatient)
    await db.transaction(async (tx) => {
      await tx.query(sql`lock table number in access exclusive mode`)
      const response = await replica.sameClient(buyer).send('GET', '/phoneNumbers')
      expect([response.statusCode, response.headers['retry-after']]).toEqual([503, '5'])
    })
    expect((await replica.sameClient(buyer).send('GET', '/phoneNumbers')).statusCode).toBe(200)
    await replica.close()
    await service.close()
    await impatient.close()
  })
})

const refused = (): Promise<never> =>
  Promise.reject(Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' }))

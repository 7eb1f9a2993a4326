import { describe, expect, it } from 'vitest'
import { sql, type Db } from '../../src/db/db.js'
import { openPostgres } from '../../src/db/postgres.js'
import { newId } from '../../src/ids.js'
import { listHistory } from '../../src/ledger/reads.js'
import { createLogger } from '../../src/log.js'
import { sweepTask } from '../../src/workers/sweep.js'
import { aSearch, US } from '../fixtures/buying.js'
import { openTestPostgres } from '../fixtures/database.js'
import { opened } from '../fixtures/opened.js'
import { adding, reservationOf, reserve, type ReservationAnswer } from '../fixtures/reserving.js'
import { createTestService, type TestClient, type TestService } from '../fixtures/service.js'
import { enterStock } from '../fixtures/stock.js'

/** Two servers on one database, and so many resources, every other one at the second server. */
async function begin(resources: number): Promise<{ db: Db; service: TestService; clients: TestClient[] }> {
  const db = opened(await openTestPostgres(16))
  const service = opened(await createTestService(db))
  const pool = opened(await openPostgres({ connectionString: db.url, poolSize: 16, logger: createLogger('warn') }))
  const second = opened(service.replicaOn(pool))
  const names = Array.from({ length: resources }, (_, i) => `buyer-${i}`)
  const clients = await Promise.all(names.map((name) => service.client(name, [`${name}.test`])))
  return { db, service, clients: clients.map((client, i) => (i % 2 === 0 ? client : second.sameClient(client))) }
}

const reservedIn = (answer: { body: string }) =>
  Object.values((JSON.parse(answer.body) as ReservationAnswer).phoneNumbers)
    .filter(({ status }) => status === 'reserved')
    .map(({ phoneNumber }) => phoneNumber)
    .sort()

/** The numbers of reservations that are alive, with the hold that the ledger has them under. */
const livingNumbers = (db: Db) =>
  db.query<{ e164: string; holdId: string; inLedger: string | null; state: string }>(sql`
    select n.e164, n.hold_id as "holdId", number.hold_id as "inLedger", number.state
    from reservation_number n join reservation r using (hold_id) join number using (e164)
    where r.state <> 'completed' order by n.e164`)

describe('two resources that reserve one number', () => {
  it('at the same time: one gets it, the other learns that it could not be added', async () => {
    const { db, clients } = await begin(2)
    for (const e164 of await enterStock(db, { count: 50 })) {
      const answers = await Promise.all(clients.map((client) => reservationOf(client).patch(adding([e164]))))
      expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([201, 207])
      const loser = answers.find(({ statusCode }) => statusCode === 207)?.json<ReservationAnswer>()
      expect(Object.values(loser?.phoneNumbers ?? {})).toMatchObject([
        { status: 'error', error: { code: 'FailedToReserveNumber', innererror: { code: 'NumberHeld' } } },
      ])
      expect((await listHistory(db, e164)).map(({ event }) => event)).toEqual(['enter', 'hold'])
    }
  })

  it('when the time of a third one is over: one gets it', async () => {
    const { db, service, clients } = await begin(3)
    const stock = await enterStock(db, { count: 20 })
    const [first, ...others] = clients as [TestClient, ...TestClient[]]
    await reserve(first, stock)
    service.clock.advance(15 * 60_000)
    const sweeping = service.task(sweepTask).runOnce()
    const answers = await Promise.all(others.map((client) => reservationOf(client).patch(adding(stock))))
    await sweeping
    expect(answers.flatMap(reservedIn).sort()).toEqual(stock)
    for (const e164 of stock) {
      expect((await listHistory(db, e164)).map(({ event }) => event)).toEqual(['enter', 'hold', 'expire', 'hold'])
    }
  })
})

describe('many resources that reserve the same numbers in different orders', () => {
  it('get each number once, wait for nobody for long, and searches beside them get the rest', async () => {
    const { db, clients } = await begin(12)
    const stock = await enterStock(db, { count: 60 })
    const chosen = stock.slice(0, 50)
    const orders = clients.map((_, i) => {
      const turned = [...chosen.slice(i * 4), ...chosen.slice(0, i * 4)]
      return i % 3 === 0 ? turned.reverse() : turned
    })
    const [searcher] = clients as [TestClient]
    const [answers, searched] = await Promise.all([
      Promise.all(
        clients.map((client, i) => reservationOf(client).patch(adding((orders[i] as string[]).slice(0, 30)))),
      ),
      searcher.send('POST', `${US}/:search`, { body: aSearch({ quantity: 10 }) }),
    ])
    expect(answers.every(({ statusCode }) => statusCode === 201 || statusCode === 207)).toBe(true)
    const reserved = answers.flatMap(reservedIn)
    const found = searched.json<{ phoneNumbers: string[] }>().phoneNumbers
    expect(new Set([...reserved, ...found]).size).toBe(reserved.length + found.length)
    expect([...new Set([...reserved, ...found.filter((e164) => chosen.includes(e164))])].sort()).toEqual(chosen)
    const living = await livingNumbers(db)
    expect(living).toHaveLength(reserved.length)
    for (const { holdId, inLedger, state } of living) expect([inLedger, state]).toEqual([holdId, 'held'])
  })

  it('pass numbers round, each giving some up and taking others, without two ever having one', async () => {
    const { db, clients } = await begin(6)
    const stock = await enterStock(db, { count: 24 })
    const share = stock.length / clients.length
    const partOf = (index: number) => {
      const from = (index % clients.length) * share
      return stock.slice(from, from + share)
    }
    const reservations = await Promise.all(clients.map((client, i) => reserve(client, partOf(i))))
    for (let round = 1; round <= 8; round++) {
      const answers = await Promise.all(
        reservations.map(({ patch }, i) => patch(adding(partOf(i + round), partOf(i + round - 1)))),
      )
      expect(answers.every(({ statusCode }) => statusCode === 200 || statusCode === 207)).toBe(true)
      const living = await livingNumbers(db)
      expect(new Set(living.map(({ e164 }) => e164)).size).toBe(living.length)
      for (const { holdId, inLedger, state } of living) expect([inLedger, state]).toEqual([holdId, 'held'])
      const [held] = await db.query<{ count: number }>(sql`select count(*) from number where state = 'held'`)
      expect(held?.count).toBe(living.length)
    }
  })
})

describe('one reservation', () => {
  it('that many make at once is made once, and has what any of them asked for', async () => {
    const { db, clients } = await begin(1)
    const stock = await enterStock(db, { count: 16 })
    const id = newId()
    const [client] = clients as [TestClient]
    const answers = await Promise.all(stock.map((e164) => reservationOf(client, id).patch(adding([e164]))))
    const statuses = answers.map(({ statusCode }) => statusCode).sort()
    expect(statuses).toEqual([...Array<number>(15).fill(200), 201])
    expect(reservedIn(await reservationOf(client, id).read())).toEqual(stock)
  })

  it('that is changed, purchased and given up at once has one fate', async () => {
    const { db, clients } = await begin(1)
    const [client] = clients as [TestClient]
    const stock = await enterStock(db, { count: 60 })
    for (let round = 0; round < 20; round++) {
      const [first, second, third] = stock.slice(round * 3, round * 3 + 3) as [string, string, string]
      const { patch, purchase, drop, read } = await reserve(client, [first, second])
      const ways = [() => patch(adding([third], [first])), purchase, drop, purchase, () => patch()]
      const turned = [...ways.slice(round % ways.length), ...ways.slice(0, round % ways.length)]
      const answers = await Promise.all(turned.map((way) => way()))
      expect(answers.every(({ statusCode }) => [200, 201, 202, 204, 400, 404].includes(statusCode))).toBe(true)
      const gaveUp = answers.some(({ statusCode }) => statusCode === 204)
      const purchased = answers.some(({ statusCode }) => statusCode === 202)
      const after = await read()
      const status = after.statusCode === 404 ? 'gone' : after.json<ReservationAnswer>().status
      // Given up first, it may have been made again by a change that came later, and that one purchased.
      if (!gaveUp) expect([purchased, status]).toEqual([true, 'completed'])
      if (!purchased) expect(['gone', 'active']).toContain(status)
      for (const e164 of [first, second, third]) {
        const events = (await listHistory(db, e164)).map(({ event }) => event)
        expect(events.filter((event) => event === 'purchase').length).toBeLessThan(2)
      }
    }
    for (const { holdId, inLedger, state } of await livingNumbers(db))
      expect([inLedger, state]).toEqual([holdId, 'held'])
    const [lost] = await db.query<{ count: number }>(sql`
      select count(*) from number n
      where state = 'held' and not exists (select from reservation_number where hold_id = n.hold_id and e164 = n.e164)`)
    expect(lost?.count).toBe(0)
  })

  it('that many purchase at once is purchased once', async () => {
    const { db, clients } = await begin(1)
    const stock = await enterStock(db, { count: 5 })
    const [client] = clients as [TestClient]
    const { id, purchase } = await reserve(client, stock)
    const answers = await Promise.all(Array.from({ length: 16 }, () => purchase()))
    expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([202]))
    expect(new Set(answers.map(({ headers }) => headers['operation-id']))).toEqual(
      new Set([`reservationPurchase_${id}`]),
    )
    expect(await db.query(sql`select from number_history where event = 'purchase'`)).toHaveLength(5)
  })
})

/** What many do at once with one wallet or one limit, over two processes on one database. */
import { describe, expect, it } from 'vitest'
import { saveTerms } from '../../src/buyers/store.js'
import { chargeMonth } from '../../src/buyers/wallet/charge-month.js'
import { openPostgres } from '../../src/db/postgres.js'
import { createLogger } from '../../src/log.js'
import { buy, PURCHASE, search } from '../fixtures/buying.js'
import { openTestPostgres } from '../fixtures/database.js'
import { countIn, operation } from '../fixtures/failing.js'
import { balanceOf, expectSoundJournals, fund, journalOf } from '../fixtures/money.js'
import { opened } from '../fixtures/opened.js'
import { createTestService, type TestClient, type TestService } from '../fixtures/service.js'
import { enterStock } from '../fixtures/stock.js'

const STOCK = 60
const BUYS = 30

async function aService(env: Record<string, string> = {}) {
  const db = opened(await openTestPostgres(16))
  const service = opened(await createTestService(db, env))
  const logger = createLogger('warn')
  const otherDb = opened(await openPostgres({ connectionString: db.url, poolSize: 16, logger }))
  const replica = opened(service.replicaOn(otherDb))
  await enterStock(db, { count: STOCK })
  const buyer = await service.client()
  return { db, otherDb, service, buyer, elsewhere: replica.sameClient(buyer) }
}
type Two = Awaited<ReturnType<typeof aService>>

/** Purchases as many searches of one number at once, half of them at each process. Returns how each ended. */
async function purchaseAtOnce({ buyer, elsewhere }: Pick<Two, 'buyer' | 'elsewhere'>): Promise<string[]> {
  const searches: string[] = []
  for (let i = 0; i < BUYS; i++) searches.push((await search(buyer)).searchId)
  await Promise.all(
    searches.map(async (searchId, i) => {
      const answer = await clientOf({ buyer, elsewhere }, i).send('POST', PURCHASE, { body: { searchId } })
      expect(answer.statusCode).toBe(202)
    }),
  )
  return Promise.all(
    searches.map(async (searchId) => {
      const { status, error } = await operation(buyer, `purchase_${searchId}`)
      return error?.code ?? status
    }),
  )
}

const clientOf = ({ buyer, elsewhere }: Pick<Two, 'buyer' | 'elsewhere'>, i: number): TestClient =>
  i % 2 === 0 ? buyer : elsewhere

const counts = (outcomes: readonly string[]): Record<string, number> => {
  const counted: Record<string, number> = {}
  for (const outcome of outcomes) counted[outcome] = (counted[outcome] ?? 0) + 1
  return counted
}

describe(`${BUYS} purchases at once`, () => {
  it('from a wallet that is enough for ten: ten are made, and nothing is left or owed', async () => {
    const two = await aService()
    await fund(two.service, two.buyer, '10')
    expect(counts(await purchaseAtOnce(two))).toEqual({ succeeded: 10, NotEnoughCredit: 20 })
    expect(await balanceOf(two.db, two.buyer)).toBe(0n)
    expect([await countIn(two.db, 'owned'), await countIn(two.db, 'held')]).toEqual([10, 0])
    await expectSoundJournals(two.db)
    expect(await journalOf(two.db, two.buyer)).toHaveLength(11)
  })

  it('under a limit of ten: ten are made', async () => {
    const two = await aService()
    await saveTerms(two.db, 'buyer', { numberLimit: 10 })
    expect(counts(await purchaseAtOnce(two))).toEqual({ succeeded: 10, NotEnoughLicenses: 20 })
    expect([await countIn(two.db, 'owned'), await countIn(two.db, 'held')]).toEqual([10, 0])
  })

  it('that take time, under a limit and from a wallet: those that are under way count', async () => {
    const two = await aService({ LINEBOOK_PURCHASE_DELAY_MS: '60000' })
    await saveTerms(two.db, 'buyer', { numberLimit: 8 })
    await fund(two.service, two.buyer, '10')
    expect(counts(await purchaseAtOnce(two))).toEqual({ notStarted: 8, NotEnoughLicenses: 22 })
    expect(await balanceOf(two.db, two.buyer)).toBe(20_000n)
    await expectSoundJournals(two.db)
  })

  it('of one search are one purchase, charged once', async () => {
    const { db, service, ...two } = await aService()
    await fund(service, two.buyer, '10')
    const { searchId } = await search(two.buyer, { quantity: 3 })
    const answers = await Promise.all(
      Array.from({ length: BUYS }, (_, i) => clientOf(two, i).send('POST', PURCHASE, { body: { searchId } })),
    )
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array.from({ length: BUYS }, () => 202))
    expect(await balanceOf(db, two.buyer)).toBe(70_000n)
  })
})

describe('a month that several processes charge at once', () => {
  const OWNERS = 12

  async function owners(service: TestService): Promise<TestClient[]> {
    const clients = await Promise.all(
      Array.from({ length: OWNERS }, (_, i) => service.client(`owner-${i}`, [`o${i}.example.test`])),
    )
    for (const client of clients) {
      await fund(service, client, '10')
      await buy(client, 2)
    }
    service.clock.advance(40 * 24 * 60 * 60_000)
    return clients
  }
  const charge = ({ store }: TestService, db: Two['db'] | Two['otherDb']) =>
    chargeMonth({ ...store, db }, { actor: 'operator' })

  it('is charged once to each wallet', async () => {
    const { db, otherDb, service } = await aService()
    const clients = await owners(service)
    const runs = await Promise.all([db, otherDb, db, otherDb, db, otherDb].map((at) => charge(service, at)))
    const wallets = runs.flatMap(({ charged }) => charged.map((sum) => sum.wallets))
    expect(wallets.reduce((sum, count) => sum + count, 0)).toBe(OWNERS)
    for (const { charged, chargedBefore } of runs) expect((charged[0]?.wallets ?? 0) + chargedBefore).toBe(OWNERS)
    for (const client of clients) expect(await balanceOf(db, client)).toBe(60_000n)
    await expectSoundJournals(db)
  })

  it('while its resources purchase: every wallet has what its journal adds up to', async () => {
    const { db, otherDb, service } = await aService()
    const clients = await owners(service)
    await Promise.all([
      charge(service, db),
      charge(service, otherDb),
      ...clients.map((client) => buy(client)),
      ...clients.map((client) => fund({ store: { ...service.store, db: otherDb } }, client, '0.5')),
    ])
    for (const client of clients) expect(await balanceOf(db, client)).toBe(55_000n)
    await expectSoundJournals(db)
  })
})

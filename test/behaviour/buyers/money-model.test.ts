/**
 * Money against a plain model of it: random sequences of credits, purchases that take time, fail or find numbers gone,
 * cancellations, releases, months. fast-check prints the seed and the shortest failing sequence.
 */
import fc from 'fast-check'
import { afterAll, expect, it } from 'vitest'
import { amountOf, formatAmount } from '../../../src/buyers/wallet/amount.js'
import { chargeMonth } from '../../../src/buyers/wallet/charge-month.js'
import { beginningOf, monthOf } from '../../../src/buyers/wallet/month.js'
import { later } from '../../../src/clock.js'
import { sql } from '../../../src/db/db.js'
import { retire } from '../../../src/ledger/commands.js'
import { advanceByHand } from '../../../src/phone-numbers/commands/operations.js'
import { operationsTask } from '../../../src/workers/operations.js'
import { aSearch, PURCHASE, US, type SearchAnswer } from '../../fixtures/buying.js'
import { anOffering, writeCatalogue } from '../../fixtures/catalogue.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { balanceOf, expectSoundJournals, fund, journalOf, resourceId } from '../../fixtures/money.js'
import { createTestService, type TestClient, type TestService } from '../../fixtures/service.js'
import { enterStock } from '../../fixtures/stock.js'

const db = await openTestDatabase()
afterAll(() => db.close())

const PRICE = 7_500n
const DELAY_MS = 60_000
const HOLD_MS = 15 * 60_000
const DAY_MS = 24 * 60 * 60_000
const STOCK = 60

interface Found {
  id: string
  expiresAt: Date
  numbers: Set<string>
  quantity: number
  state: 'found' | 'purchasing' | 'done'
  acceptedAt: Date
  charged: boolean
}

interface Buyer {
  client: TestClient
  /** Undefined: no wallet. */
  balance: bigint | undefined
  searches: Found[]
  owned: Map<string, Date>
  /** What of its numbers was paid for by purchases. */
  paidFor: number
  months: Set<string>
}

interface Model {
  buyers: [Buyer, Buyer]
}

/** One command, and the look at everything after it. */
class Command implements fc.AsyncCommand<Model, TestService> {
  readonly #text: string
  readonly #run: (model: Model, service: TestService) => Promise<void>

  constructor(text: string, run: (model: Model, service: TestService) => Promise<void>) {
    this.#text = text
    this.#run = run
  }

  check = () => true
  toString = () => this.#text

  async run(model: Model, service: TestService): Promise<void> {
    await this.#run(model, service)
    await expectSoundJournals(db)
    for (const { client, balance, owned, paidFor } of model.buyers) {
      expect(await balanceOf(db, client), `the balance of ${client.name}`).toBe(balance)
      const lines = await journalOf(db, client)
      const of = (kind: string) =>
        lines.filter((line) => line.kind === kind).reduce((sum, { numbers }) => sum + numbers, 0)
      expect(of('purchase') - of('refund'), 'numbers charged and not refunded').toBe(paidFor)
      const rows = await db.query<{ e164: string }>(sql`
        select e164 from number where state = 'owned' and resource_id = ${await resourceId(db, client)} order by e164`)
      expect(rows.map(({ e164 }) => e164)).toEqual([...owned.keys()].sort())
    }
  }
}

const who = fc.nat(1)
const costOf = (count: number): bigint => BigInt(count) * PRICE

const credit = fc.tuple(who, fc.integer({ min: -30_000, max: 60_000 })).map(
  ([index, value]) =>
    new Command(`credit ${value} to ${index}`, async ({ buyers }, service) => {
      const buyer = buyers[index] as Buyer
      const amount = BigInt(value)
      const possible = amount >= 0n || (buyer.balance !== undefined && buyer.balance + amount >= 0n)
      const credited = fund(service, buyer.client, formatAmount(amount))
      if (!possible) return expect(credited).rejects.toThrow("can't take")
      buyer.balance = (buyer.balance ?? 0n) + amount
      expect(amountOf(await credited)).toBe(buyer.balance)
    }),
)

const search = fc.tuple(who, fc.integer({ min: 1, max: 5 })).map(
  ([index, quantity]) =>
    new Command(`search ${quantity} for ${index}`, async ({ buyers }, { clock }) => {
      const { client, searches } = buyers[index] as Buyer
      const answer = await client.send('POST', `${US}/:search`, { body: aSearch({ quantity }) })
      const { searchId, phoneNumbers } = answer.json<SearchAnswer>()
      searches.push({
        id: searchId,
        expiresAt: later(clock.now(), HOLD_MS),
        numbers: new Set(phoneNumbers),
        quantity: phoneNumbers.length,
        state: phoneNumbers.length === 0 ? 'done' : 'found',
        acceptedAt: clock.now(),
        charged: false,
      })
    }),
)

/** A command about one search of one buyer, if there is one. */
const onSearch = (
  name: string,
  run: (buyer: Buyer, found: Found, service: TestService, random: number) => Promise<void>,
) =>
  fc.tuple(who, fc.nat(), fc.nat(3)).map(
    ([index, at, random]) =>
      new Command(`${name} ${at} of ${index} (${random})`, async ({ buyers }, service) => {
        const buyer = buyers[index] as Buyer
        const found = buyer.searches[buyer.searches.length - 1 - (at % (buyer.searches.length || 1))]
        if (found) await run(buyer, found, service, random)
      }),
  )

const purchase = onSearch('purchase', async (buyer, found, { clock }) => {
  const answer = await buyer.client.send('POST', PURCHASE, { body: { searchId: found.id } })
  if (found.state !== 'found') return
  if (found.expiresAt <= clock.now()) return expect([400, 404]).toContain(answer.statusCode)
  expect(answer.statusCode).toBe(202)
  const cost = costOf(found.quantity)
  if (buyer.balance !== undefined && buyer.balance < cost) {
    found.state = 'done'
    return
  }
  found.charged = buyer.balance !== undefined
  if (buyer.balance !== undefined) {
    buyer.balance -= cost
    buyer.paidFor += found.quantity
  }
  found.state = 'purchasing'
  found.acceptedAt = clock.now()
})

function refund(buyer: Buyer, { charged }: Found, count: number): void {
  if (!charged || buyer.balance === undefined) return
  buyer.balance += costOf(count)
  buyer.paidFor -= count
}

const cancel = onSearch('cancel', async (buyer, found, { clock }) => {
  await buyer.client.send('DELETE', `/phoneNumbers/operations/purchase_${found.id}`)
  if (found.state !== 'purchasing' || later(found.acceptedAt, DELAY_MS / 2) <= clock.now()) return
  refund(buyer, found, found.quantity)
  found.state = 'found'
})

const fail = onSearch('fail', async (buyer, found, { wiring }) => {
  if (found.state !== 'purchasing') return
  const failure = { code: 'PurchaseFailed', message: 'by hand' }
  const resource = await resourceId(db, buyer.client)
  await advanceByHand(wiring.deps, resource, `purchase_${found.id}`, { to: 'failed', failure })
  refund(buyer, found, found.quantity)
  found.state = 'done'
})

const loseNumbers = onSearch('lose numbers of', async (_buyer, found, { clock }, count) => {
  const isHeld = found.state === 'purchasing' || (found.state === 'found' && found.expiresAt > clock.now())
  const gone = [...found.numbers].slice(0, count + 1)
  if (!isHeld || gone.length === 0) return
  const cause = { at: clock.now(), actor: 'operator', reason: 'model' }
  await db.transaction((tx) => retire(tx, gone, cause, { evenHeld: true }))
  for (const e164 of gone) found.numbers.delete(e164)
})

const release = fc.tuple(who, fc.nat()).map(
  ([index, at]) =>
    new Command(`release ${at} of ${index}`, async ({ buyers }) => {
      const { client, owned } = buyers[index] as Buyer
      const e164 = [...owned.keys()][at % (owned.size || 1)]
      if (e164 === undefined) return
      await client.send('DELETE', `/phoneNumbers/${e164}`)
      owned.delete(e164)
    }),
)

const wait = fc
  .oneof(
    fc.integer({ min: 1, max: 2 * DELAY_MS }),
    fc.integer({ min: 1, max: 20 }).map((days) => days * DAY_MS),
  )
  .map(
    (ms) =>
      new Command(`wait ${ms}`, async ({ buyers }, service) => {
        service.clock.advance(ms)
        const now = service.clock.now()
        await service.task(operationsTask).runOnce()
        for (const buyer of buyers) {
          for (const found of buyer.searches) {
            if (found.state !== 'purchasing' || later(found.acceptedAt, DELAY_MS) > now) continue
            for (const e164 of found.numbers) buyer.owned.set(e164, now)
            refund(buyer, found, found.quantity - found.numbers.size)
            found.state = 'done'
          }
        }
      }),
  )

const month = fc.constant(
  new Command('charge the month', async ({ buyers }, service) => {
    const current = monthOf(service.clock.now())
    const beginsAt = beginningOf(current) as Date
    await chargeMonth(service.store, { actor: 'operator' })
    for (const buyer of buyers) {
      const count = [...buyer.owned.values()].filter((at) => at < beginsAt).length
      if (buyer.balance === undefined || count === 0 || buyer.months.has(current)) continue
      buyer.balance -= costOf(count)
      buyer.months.add(current)
    }
  }),
)

const aBuyer = (client: TestClient): Buyer => ({
  client,
  balance: undefined,
  searches: [],
  owned: new Map(),
  paidFor: 0,
  months: new Set(),
})

it('adds up, whatever comes in whatever order', async () => {
  const catalogue = await writeCatalogue([anOffering({ cost: { amount: '0.75', currencyCode: 'USD' } })])
  const env = { LINEBOOK_CATALOGUE_FILE: catalogue, LINEBOOK_PURCHASE_DELAY_MS: String(DELAY_MS) }
  await fc.assert(
    fc.asyncProperty(
      fc.commands(
        [credit, search, search, purchase, purchase, purchase, cancel, fail, loseNumbers, release, wait, wait, month],
        { maxCommands: 40, size: 'max' },
      ),
      async (commands) => {
        const service = await createTestService(db, env)
        await enterStock(db, { count: STOCK })
        const buyers: [Buyer, Buyer] = [aBuyer(await service.client('one')), aBuyer(await service.client('two'))]
        // The first has a wallet from the beginning, the second when it is first credited.
        await fund(service, buyers[0].client, '9')
        buyers[0].balance = 90_000n
        await fc.asyncModelRun(() => ({ model: { buyers }, real: service }), commands)
        await service.close()
      },
    ),
    { numRuns: 10 },
  )
})

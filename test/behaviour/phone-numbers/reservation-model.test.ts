/** Reservations of two resources over the same few numbers, against what is said of them in a few lines. */
import fc from 'fast-check'
import { afterAll, expect, it } from 'vitest'
import { sql } from '../../../src/db/db.js'
import { sweepTask } from '../../../src/workers/sweep.js'
import { openTestDatabase } from '../../fixtures/database.js'
import { adding, keyOf, reservationOf, type ReservationAnswer } from '../../fixtures/reserving.js'
import { createTestService, type TestClient, type TestService } from '../../fixtures/service.js'
import { enterStock } from '../../fixtures/stock.js'

const db = await openTestDatabase()
afterAll(() => db.close())

const MINUTE_MS = 60_000
const HOLD_MS = 15 * MINUTE_MS
const MAX_MS = 120 * MINUTE_MS
const MAX_NUMBERS = 3
/** The same for both resources: an id is its resource's own. */
const IDS = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002']
const BUYERS = [0, 1]
const STOCK = 5

interface Modelled {
  state: 'active' | 'submitted' | 'completed'
  createdAt: number
  expiresAt: number
  numbers: number[]
}

/** What ought to be. Numbers are named by their place in the stock. */
class Model {
  now = 0
  readonly reservations = new Map<string, Modelled>()
  readonly owners = new Map<number, number>()

  key(buyer: number, id: number): string {
    return `${buyer} ${id}`
  }

  isActive({ state, expiresAt }: Modelled): boolean {
    return state === 'active' && expiresAt > this.now
  }

  isFree(number: number): boolean {
    const isHeld = [...this.reservations.values()].some((one) => this.isActive(one) && one.numbers.includes(number))
    return !isHeld && !this.owners.has(number)
  }

  status(one: Modelled): string {
    return one.state === 'active' && !this.isActive(one) ? 'expired' : one.state
  }

  patch(buyer: number, id: number, add: readonly number[], remove: readonly number[]): number {
    const key = this.key(buyer, id)
    const known = this.reservations.get(key)
    if (known && !this.isActive(known)) return 400
    const one: Modelled = known ?? { state: 'active', createdAt: this.now, expiresAt: 0, numbers: [] }
    one.expiresAt = Math.min(this.now + HOLD_MS, one.createdAt + MAX_MS)
    one.numbers = one.numbers.filter((number) => !remove.includes(number))
    this.reservations.set(key, one)
    const wanted = [...new Set(add)].filter((number) => !remove.includes(number) && !one.numbers.includes(number))
    const tried = wanted.slice(0, MAX_NUMBERS - one.numbers.length)
    const got = tried.filter((number) => this.isFree(number))
    one.numbers.push(...got)
    if (got.length < wanted.length) return 207
    return known ? 200 : 201
  }

  drop(buyer: number, id: number): number {
    const key = this.key(buyer, id)
    const known = this.reservations.get(key)
    if (!known) return 404
    if (!this.isActive(known)) return 400
    this.reservations.delete(key)
    return 204
  }

  purchase(buyer: number, id: number): number {
    const known = this.reservations.get(this.key(buyer, id))
    if (!known) return 404
    if (known.state === 'completed') return 202
    if (!this.isActive(known) || known.numbers.length === 0) return 400
    known.state = 'completed'
    for (const number of known.numbers) this.owners.set(number, buyer)
    return 202
  }
}

interface Real {
  service: TestService
  clients: TestClient[]
  stock: string[]
}

type Step = fc.AsyncCommand<Model, Real>

const on = ({ clients }: Real, buyer: number, id: number) => reservationOf(clients[buyer] as TestClient, IDS[id])

/** Compares all that can be read with the model. */
async function agree(model: Model, real: Real): Promise<void> {
  for (const buyer of BUYERS) {
    for (const id of IDS.keys()) {
      const wanted = model.reservations.get(model.key(buyer, id))
      const answer = await on(real, buyer, id).read()
      if (!wanted) {
        expect(answer.statusCode).toBe(404)
        continue
      }
      const { status, expiresAt, phoneNumbers } = answer.json<ReservationAnswer>()
      const begun = real.service.clock.now().getTime() - model.now
      expect([status, Date.parse(expiresAt) - begun]).toEqual([model.status(wanted), wanted.expiresAt])
      expect(Object.keys(phoneNumbers).sort()).toEqual(
        wanted.numbers.map((number) => keyOf(real.stock[number] as string)).sort(),
      )
    }
  }
  const heldOtherwise = await db.query(sql`
    select e164, free_at, r.expires_at
    from reservation r join reservation_number n using (hold_id) join number using (e164)
    where r.state = 'active' and r.expires_at > ${real.service.clock.now()}
      and (number.hold_id is distinct from n.hold_id or number.free_at <> r.expires_at)`)
  expect(heldOtherwise).toEqual([])
  const owned = await db.query<{ e164: string }>(sql`select e164 from number where state = 'owned' order by e164`)
  expect(owned.map(({ e164 }) => e164)).toEqual([...model.owners.keys()].sort().map((number) => real.stock[number]))
}

const step = (name: string, run: (model: Model, real: Real) => Promise<void>): Step => ({
  check: () => true,
  run: async (model, real) => {
    await run(model, real)
    await agree(model, real)
  },
  toString: () => name,
})

const buyer = fc.constantFrom(...BUYERS)
const id = fc.nat({ max: IDS.length - 1 })
const numbers = fc.uniqueArray(fc.nat({ max: STOCK - 1 }), { maxLength: 4 })
const steps = [
  fc.tuple(buyer, id, numbers, numbers).map(([who, which, add, remove]) =>
    step(`patch(${who}, ${which}, [${add.join()}], [${remove.join()}])`, async (model, real) => {
      const e164s = (of: number[]) => of.map((number) => real.stock[number] as string)
      const answer = await on(real, who, which).patch(adding(e164s(add), e164s(remove)))
      expect(answer.statusCode).toBe(model.patch(who, which, add, remove))
    }),
  ),
  fc.tuple(buyer, id).map(([who, which]) =>
    step(`drop(${who}, ${which})`, async (model, real) => {
      expect((await on(real, who, which).drop()).statusCode).toBe(model.drop(who, which))
    }),
  ),
  fc.tuple(buyer, id).map(([who, which]) =>
    step(`purchase(${who}, ${which})`, async (model, real) => {
      expect((await on(real, who, which).purchase()).statusCode).toBe(model.purchase(who, which))
    }),
  ),
  fc.constantFrom(1, MINUTE_MS, 5 * MINUTE_MS, 10 * MINUTE_MS, HOLD_MS - 1, HOLD_MS).map((ms) =>
    step(`advance(${ms})`, async (model, real) => {
      real.service.clock.advance(ms)
      model.now += ms
      await Promise.resolve()
    }),
  ),
  fc.constant(
    step('sweep', async (_model, { service }) => {
      await service.task(sweepTask).runOnce()
    }),
  ),
]

it('reservations do what is said of them, whatever is asked in whatever order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(steps, { maxCommands: 25, size: 'max' }), async (commands) => {
      const service = await createTestService(db, { LINEBOOK_MAX_RESERVATION_NUMBERS: `${MAX_NUMBERS}` })
      try {
        const clients = await Promise.all(BUYERS.map((i) => service.client(`buyer-${i}`, [`buyer-${i}.test`])))
        const stock = await enterStock(db, { count: STOCK })
        await fc.asyncModelRun(() => ({ model: new Model(), real: { service, clients, stock } }), commands)
      } finally {
        await service.close()
      }
    }),
    { numRuns: 25 },
  )
})

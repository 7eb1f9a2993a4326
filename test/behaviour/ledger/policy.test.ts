/** Rules that differ from number to number: each way in which a number is held, rests or is given back asks for its own. */
import { describe, expect } from 'vitest'
import { later } from '../../../src/clock.js'
import type { PolicyOf } from '../../../src/ledger/policy.js'
import { findNumbers } from '../../../src/ledger/reads.js'
import { buy, search } from '../../fixtures/buying.js'
import { adding, reservationOf, reserve } from '../../fixtures/reserving.js'
import {
  createClient,
  createTestService,
  HOST,
  TEST_START,
  type TestClient,
  type TestService,
  minutes,
} from '../../fixtures/service.js'
import { enterStock } from '../../fixtures/stock.js'
import { it } from '../../fixtures/test.js'
import { anOperator, START } from '../provisioning/an-operator.js'

const [golden, plain, other] = ['+12065550100', '+12065550101', '+12065550102'] as const

describe('a buyer', () => {
  let service: TestService
  let buyer: TestClient
  it.beforeEach(async ({ db }) => {
    service = await createTestService(db)
    await enterStock(db, { count: 3 })
    const { key } = await service.client()
    Object.assign(service.wiring.deps, { policyOf })
    const server = service.wiring.createServer(undefined)
    await server.ready()
    buyer = createClient(server, service.clock, { name: 'buyer', key, host: HOST })
    return async () => {
      await server.close()
      await service.close()
    }
  })
  const expiresAt = (answer: { json(): unknown }) => new Date((answer.json() as { expiresAt: string }).expiresAt)
  const afterStart = (ms: number) => later(TEST_START, ms)

  it('gives a number back, which then rests as long as that number has to', async ({ db }) => {
    await buy(buyer, 3)
    await buyer.send('DELETE', `/phoneNumbers/${plain}`)
    expect(await findNumbers(db, [plain])).toMatchObject([{ state: 'quarantined', freeAt: afterStart(minutes(30)) }])
  })

  it('keeps a number that is protected, and reads why', async ({ db }) => {
    await buy(buyer, 3)
    const accepted = await buyer.send('DELETE', `/phoneNumbers/${golden}`)
    expect(accepted.statusCode).toBe(202)
    const operation = await buyer.send('GET', `/phoneNumbers/operations/${accepted.headers['operation-id'] as string}`)
    expect(operation.json()).toMatchObject({ status: 'failed', error: { code: 'NumberProtected' } })
    expect(await findNumbers(db, [golden])).toMatchObject([{ state: 'owned' }])
  })

  it('has found numbers held as the rules for what was searched say', async ({ db }) => {
    const { phoneNumbers } = await search(buyer, { areaCode: '206' })
    expect(await findNumbers(db, phoneNumbers)).toMatchObject([{ freeAt: afterStart(minutes(3)) }])
  })

  it('has a reservation for the shortest of the times of its numbers, from every change on', async ({ db }) => {
    const { patch, read } = await reserve(buyer, [plain])
    expect(expiresAt(await read())).toEqual(afterStart(minutes(15)))
    expect(expiresAt(await patch(adding([golden])))).toEqual(afterStart(minutes(5)))
    expect(await findNumbers(db, [golden, plain])).toMatchObject([
      { freeAt: afterStart(minutes(5)) },
      { freeAt: afterStart(minutes(5)) },
    ])
    service.clock.advance(minutes(2))
    expect(expiresAt(await patch(adding([other])))).toEqual(afterStart(minutes(7)))
    expect(expiresAt(await patch(adding([], [golden])))).toEqual(afterStart(minutes(17)))
    service.clock.advance(minutes(10))
    expect(expiresAt(await patch({}))).toEqual(afterStart(minutes(18)))
    expect(await findNumbers(db, [plain, other])).toMatchObject([
      { freeAt: afterStart(minutes(18)) },
      { freeAt: afterStart(minutes(18)) },
    ])
  })

  it('has an empty reservation for the time of none in particular', async () => {
    expect(expiresAt(await reservationOf(buyer).patch({}))).toEqual(afterStart(minutes(15)))
  })
})

it('numbers that leave an account together rest each as long as it has to', async ({ db }) => {
  await createTestService(db).then((service) => service.close())
  await enterStock(db, { count: 3 })
  const operator = anOperator(db)
  Object.assign(operator.deps, { policyOf })
  await operator.putAccount('contoso', { zoomPhoneCloudPeering: { enabled: true, syncEnabled: false } })
  await operator.putNumbers('contoso', [golden, plain, other], ['zoomPhoneCloudPeering'])
  await operator.deleteNumbers('contoso', [other, golden, plain])
  expect(await findNumbers(db, [golden, plain, other])).toMatchObject([
    { state: 'quarantined', freeAt: later(START, minutes(90)) },
    { state: 'quarantined', freeAt: later(START, minutes(30)) },
    { state: 'quarantined', freeAt: later(START, minutes(30)) },
  ])
})

const isGolden = (e164: string | undefined): boolean => e164?.endsWith('0') === true
/** Numbers that end in 0 rest for longer, are held for a shorter time and can't be given back by their buyers. */
const policyOf: PolicyOf = ({ e164, areaCode }) => ({
  restMs: isGolden(e164) ? minutes(90) : minutes(30),
  releasable: !isGolden(e164),
  searchHoldMs: areaCode === '206' ? minutes(3) : minutes(15),
  reservationHoldMs: isGolden(e164) ? minutes(5) : minutes(15),
  reservationMaxMs: minutes(18),
})

/** A process that dies between any two steps of a purchase that calls out: another finishes it, to the same end. */
import { afterEach, describe, expect } from 'vitest'
import { sql, type Db } from '../../../src/db/db.js'
import type { CallStage } from '../../../src/operations/call-out.js'
import { claimDueCalls, makeCall, recordCall, type ClaimedCall } from '../../../src/phone-numbers/execution/call-out.js'
import type { PhoneNumbersDeps } from '../../../src/phone-numbers/model/deps.js'
import { it } from '../../fixtures/test.js'
import { aHookedBuyer, CLAIM_MS, runAs, SECOND, type HookedBuyer } from './a-hooked-buyer.js'

let shop: HookedBuyer
let successor: PhoneNumbersDeps
it.beforeEach(async ({ db }) => {
  shop = await aHookedBuyer(db, 'both')
  successor = await shop.otherProcess()
})
afterEach(async () => {
  try {
    await shop.expectWhole()
  } finally {
    await shop.close()
  }
})

/** What a process gets done of one call before it dies. */
const deaths = ['after claiming', 'after the call', 'after recording'] as const

const charge = { kind: 'purchase', amount: '-2.0000', numbers: 2 }
const refund = { kind: 'refund', amount: '2.0000', numbers: 2 }

it('a purchase that was accepted is carried out by whoever starts next', async ({ db }) => {
  const { id, phoneNumbers } = await shop.order(2)
  expect(await runAs(successor)).toBe(1)
  expect(await runAs(successor)).toBe(1)
  expect(await outcome(db, id)).toEqual({
    status: 'succeeded',
    code: undefined,
    states: ['owned', 'owned'],
    journal: [charge],
    billing: { times: 1, numbers: phoneNumbers, undone: false },
    fulfilment: { times: 1, numbers: phoneNumbers, undone: false },
  })
})

describe.each(deaths)('a process that dies %s', (death) => {
  it('has the purchase finished by another', async ({ db }) => {
    const { id, phoneNumbers } = await shop.order(2)
    expect(await dieAtEachCall(db, death)).toEqual(['billing', 'fulfilment'])
    expect(await outcome(db, id)).toEqual({
      status: 'succeeded',
      code: undefined,
      states: ['owned', 'owned'],
      journal: [charge],
      billing: { times: 1, numbers: phoneNumbers, undone: false },
      fulfilment: { times: 1, numbers: phoneNumbers, undone: false },
    })
  })

  it('has the refusal of fulfilment recorded and billing voided by another', async ({ db }) => {
    shop.fulfilment.say = ({ action }) => (action === 'provision' ? { status: 422 } : undefined)
    const { id } = await shop.order(2)
    const undone = death === 'after recording' ? ['undo-billing'] : ['undo-fulfilment', 'undo-billing']
    expect(await dieAtEachCall(db, death)).toEqual(['billing', 'fulfilment', ...undone])
    expect(await outcome(db, id)).toMatchObject({
      status: 'failed',
      code: 'ProvisioningFailed',
      journal: [charge, refund],
      billing: { times: 1, numbers: [], undone: true },
    })
  })

  it('has a purchase in part ended, refunded and voided by another', async ({ db }) => {
    const { id, phoneNumbers } = await shop.order(2)
    const [first = '', second = ''] = phoneNumbers
    shop.fulfilment.refuses.set(second, 'Ported out.')
    await dieAtEachCall(db, death)
    expect(await outcome(db, id)).toMatchObject({
      status: 'failed',
      code: 'NumbersPartiallyAcquired',
      states: ['owned', 'available'],
      journal: [charge, { kind: 'refund', amount: '1.0000', numbers: 1 }],
      billing: { times: 1, numbers: [first], undone: true },
      fulfilment: { times: 1, numbers: [first] },
    })
  })

  it('has a purchase given up and undone at both systems by another', async ({ db }) => {
    shop.fulfilment.losesAnswers = 1
    shop.fulfilment.say = ({ action }) =>
      action === 'provision' && shop.fulfilment.losesAnswers === 0 ? { status: 503 } : undefined
    const { id } = await shop.order(2)
    await shop.run()
    shop.service.clock.advance(600 * SECOND)
    expect(await dieAtEachCall(db, death)).toEqual(['fulfilment', 'undo-fulfilment', 'undo-billing'])
    expect(await outcome(db, id)).toMatchObject({
      status: 'failed',
      code: 'ProvisioningFailed',
      journal: [charge, refund],
      billing: { times: 1, numbers: [], undone: true },
      fulfilment: { times: 1, numbers: [], undone: true },
    })
  })
})

describe('a process that only seemed dead', () => {
  it('records nothing once another has taken over', async () => {
    const { deps } = shop.service.wiring
    const { id } = await shop.order(2)
    const claimed = await claimOne(deps)
    shop.billing.say = () => ({ status: 402 })
    const said = await makeCall(deps, claimed)
    shop.billing.say = () => undefined
    shop.service.clock.advance(CLAIM_MS)
    const taken = await claimOne(successor)
    expect(said && (await recordCall(deps, claimed, said))).toBe(false)
    expect(await shop.poll(id)).toMatchObject({ status: 'running' })
    const answer = await makeCall(successor, taken)
    expect(answer && (await recordCall(successor, taken, answer))).toBe(true)
    await shop.settle()
    expect(await shop.poll(id)).toMatchObject({ status: 'succeeded' })
  })

  it('records nothing a second time', async () => {
    const { deps } = shop.service.wiring
    const { id } = await shop.order()
    const claimed = await claimOne(deps)
    const said = await makeCall(deps, claimed)
    if (!said) throw new Error('No call was made.')
    expect(await recordCall(deps, claimed, said)).toBe(true)
    expect(await recordCall(deps, claimed, said)).toBe(false)
    await shop.settle()
    expect(await shop.poll(id)).toMatchObject({ status: 'succeeded' })
  })

  it('still records what it was told as long as nobody has', async () => {
    const { deps } = shop.service.wiring
    const { id } = await shop.order()
    const claimed = await claimOne(deps)
    const said = await makeCall(deps, claimed)
    shop.service.clock.advance(10 * CLAIM_MS)
    expect(said && (await recordCall(deps, claimed, said))).toBe(true)
    await shop.settle()
    expect(await shop.poll(id)).toMatchObject({ status: 'succeeded' })
    expect(shop.billing.calls).toHaveLength(1)
  })

  it('makes no call that might outlast its claim', async () => {
    const { deps } = shop.service.wiring
    await shop.order()
    const claimed = await claimOne(deps)
    shop.service.clock.advance(CLAIM_MS - SECOND)
    expect(await makeCall(deps, claimed)).toBeUndefined()
    expect(shop.billing.calls).toEqual([])
  })

  it('whose call comes after the undoing has no effect by it', async () => {
    const { deps } = shop.service.wiring
    shop.fulfilment.say = () => ({ status: 503 })
    const { id } = await shop.order()
    await shop.run()
    shop.service.clock.advance(600 * SECOND)
    const late = await claimOne(deps)
    shop.service.clock.advance(CLAIM_MS)
    await runAs(successor)
    shop.fulfilment.say = () => undefined
    await shop.settle()
    expect(shop.fulfilment.effects.get(id)).toEqual({ times: 0, numbers: [], undone: true })
    // It slept on its way out, after it had looked at the time.
    const said = await makeCall(deps, { ...late, until: new Date(8.64e15) })
    expect(said).toMatchObject({ refused: {} })
    expect(said && (await recordCall(deps, late, said))).toBe(false)
    expect(shop.fulfilment.effects.get(id)).toEqual({ times: 0, numbers: [], undone: true })
  })
})

it('a record that fails leaves the claim to run out, and the calls beside it are recorded', async () => {
  const orders = [await shop.order(), await shop.order()]
  const { deps } = shop.service.wiring
  // Neither is answered before both have been asked.
  let bothAsked = () => {}
  const asked = new Promise<void>((resolve) => (bothAsked = resolve))
  shop.billing.onCall = () => {
    if (shop.billing.calls.length === orders.length) bothAsked()
    return asked
  }
  let transactions = 0
  // The first claims, two read what is sold, the fourth is the first record.
  const failing: PhoneNumbersDeps = {
    ...deps,
    db: {
      ...deps.db,
      transaction: (work) =>
        ++transactions === 4
          ? Promise.reject(Object.assign(new Error('away'), { code: 'ECONNRESET' }))
          : deps.db.transaction(work),
    },
  }
  await expect(runAs(failing)).rejects.toThrow('away')
  await shop.settle()
  for (const { id } of orders) expect(await shop.poll(id)).toMatchObject({ status: 'succeeded' })
  expect(shop.billing.calls).toHaveLength(3)
})

type Death = (typeof deaths)[number]

const claimOne = async (deps: PhoneNumbersDeps): Promise<ClaimedCall> => {
  const [claimed] = await claimDueCalls(deps)
  if (!claimed) throw new Error('Nothing is due.')
  return claimed
}

async function runUntil(death: Death): Promise<CallStage> {
  const { deps } = shop.service.wiring
  const claimed = await claimOne(deps)
  const said = death === 'after claiming' ? undefined : await makeCall(deps, claimed)
  if (said && death === 'after recording') await recordCall(deps, claimed, said)
  return claimed.callOut.stage
}

/** Has each call end so, until none is left. Returns the stages. */
async function dieAtEachCall(db: Db, death: Death): Promise<CallStage[]> {
  const died: CallStage[] = []
  for (;;) {
    const [due] = await db.query(sql`select id from operation where stage is not null`)
    if (!due) return died
    died.push(await runUntil(death))
    if (death === 'after recording') continue
    // Its claim holds others off, for a time.
    expect(await runAs(successor)).toBe(0)
    shop.service.clock.advance(CLAIM_MS)
    expect(await runAs(successor)).toBe(1)
  }
}

/** What has become of the purchase, in the ledger, in the wallet and at the systems. */
async function outcome(db: Db, id: string) {
  const { status, error } = await shop.poll(id)
  const numbers = await db.query(sql`
    select e164, state from number where e164 in (select e164 from number_history where reason = ${id}) order by e164`)
  const journal = await db.query(
    sql`select kind, amount, numbers from wallet_entry where reference = ${id} order by id`,
  )
  return {
    status,
    code: error?.code,
    states: numbers.map(({ state }) => state),
    journal,
    billing: shop.billing.effects.get(id),
    fulfilment: shop.fulfilment.effects.get(id),
  }
}

/** A buyer with money and stock, whose purchases ask a billing and a fulfilment system first. */
import { expect } from 'vitest'
import { creditWallet } from '../../../src/buyers/wallet/wallet-store.js'
import { wire } from '../../../src/compose/wire.js'
import { readConfig } from '../../../src/config/config.js'
import { sql, type Db } from '../../../src/db/db.js'
import { makeDueCalls } from '../../../src/phone-numbers/execution/call-out.js'
import { readCatalogue } from '../../../src/phone-numbers/model/catalogue.js'
import type { PhoneNumbersDeps } from '../../../src/phone-numbers/model/deps.js'
import { callsTask } from '../../../src/workers/calls.js'
import { brokenInvariants } from '../../fixtures/accounts.js'
import { PURCHASE, search, type SearchAnswer } from '../../fixtures/buying.js'
import { startHookSystem, type HookSystem } from '../../fixtures/hook-system.js'
import { createTestService, type TestClient, type TestService } from '../../fixtures/service.js'
import { enterStock } from '../../fixtures/stock.js'

export const SECOND = 1_000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
/** A claim lasts for the time-out of a call and five seconds. */
export const TIMEOUT_MS = 10_000
export const CLAIM_MS = TIMEOUT_MS + 5 * SECOND
export const CREDIT = '10.0000'

export type Systems = 'billing' | 'fulfilment' | 'both' | 'none'

export interface ShownOperation {
  status: string
  error?: { code: string; message: string; details?: { code: string; message: string; target?: string }[] }
}

export interface HookedBuyer {
  service: TestService
  buyer: TestClient
  billing: HookSystem
  fulfilment: HookSystem
  stock: string[]
  /** Searches and asks for the purchase, which is then under way. */
  order(quantity?: number): Promise<SearchAnswer & { id: string }>
  poll(id: string): Promise<ShownOperation>
  /** Makes the calls that are due at this instant, and those that follow from them. Returns how many. */
  run(): Promise<number>
  /** Lets time go by until no call is left, or `limitMs` is over. */
  settle(limitMs?: number): Promise<void>
  /** The commands of another process on the same database, with settings of its own. */
  otherProcess(systems?: Systems): Promise<PhoneNumbersDeps>
  owned(): Promise<string[]>
  balance(): Promise<string>
  /** The error of a search, as its reader is told. */
  searchError(searchId: string): Promise<{ error: string; errorCode?: number }>
  /** Whatever happened: nothing is broken, and each system was acted on once for each key. */
  expectWhole(): Promise<void>
  close(): Promise<void>
}

export async function aHookedBuyer(
  db: Db,
  systems: Systems,
  { env = {}, wallet = true }: { env?: Record<string, string>; wallet?: boolean } = {},
): Promise<HookedBuyer> {
  const [billing, fulfilment] = await Promise.all([startHookSystem(), startHookSystem()])
  const settings = (which: Systems) => ({
    LINEBOOK_HOOK_SECRET: 'hook-secret',
    LINEBOOK_HOOK_TIMEOUT_MS: `${TIMEOUT_MS}`,
    ...((which === 'billing' || which === 'both') && { LINEBOOK_BILLING_HOOK_URL: billing.url }),
    ...((which === 'fulfilment' || which === 'both') && { LINEBOOK_FULFILMENT_HOOK_URL: fulfilment.url }),
    ...env,
  })
  const service = await createTestService(db, settings(systems))
  const buyer = await service.client()
  const stock = await enterStock(db, { count: 4 })
  const { clock } = service
  const [resource] = await db.query<{ resourceId: string }>(
    sql`select id as "resourceId" from resource where name = 'buyer'`,
  )
  if (wallet) {
    const cause = { at: clock.now(), actor: 'operator', reference: 'test' }
    await db.transaction((tx) =>
      creditWallet(tx, { resourceId: resource?.resourceId ?? '', currency: 'USD' }, CREDIT, cause),
    )
  }
  const task = service.task(callsTask)
  const run = async () => {
    let calls = 0
    for (;;) {
      const { claimed } = await task.runOnce()
      if (claimed === 0) return calls
      calls += claimed
    }
  }
  const balance = async () => {
    const [row] = await db.query<{ balance: string }>(sql`select balance from wallet`)
    return row?.balance ?? 'none'
  }
  return {
    service,
    buyer,
    billing,
    fulfilment,
    stock,
    order: async (quantity = 1) => {
      const found = await search(buyer, { quantity })
      const answer = await buyer.send('POST', PURCHASE, { body: { searchId: found.searchId } })
      expect(answer.statusCode).toBe(202)
      return { ...found, id: answer.headers['operation-id'] as string }
    },
    poll: async (id) => (await buyer.send('GET', `/phoneNumbers/operations/${id}`)).json<ShownOperation>(),
    run,
    settle: async (limitMs = HOUR) => {
      const until = clock.now().getTime() + limitMs
      await run()
      for (let due = await task.nextDueAt?.(); due && due.getTime() <= until; due = await task.nextDueAt?.()) {
        clock.advance(Math.max(0, due.getTime() - clock.now().getTime()))
        await run()
      }
    },
    otherProcess: async (which = systems) => {
      const config = readConfig({ LINEBOOK_SEED_STOCK: 'off', LINEBOOK_LOG_LEVEL: 'fatal', ...settings(which) })
      return wire(config, service.store, await readCatalogue(config.catalogueFile)).deps
    },
    owned: async () => {
      const list = await buyer.send('GET', '/phoneNumbers')
      return list.json<{ phoneNumbers: { phoneNumber: string }[] }>().phoneNumbers.map((number) => number.phoneNumber)
    },
    balance,
    searchError: async (searchId) => {
      const answer = await buyer.send('GET', `/availablePhoneNumbers/searchResults/${searchId}`)
      const { error, errorCode } = answer.json<{ error: string; errorCode?: number }>()
      return { error, ...(errorCode !== undefined && { errorCode }) }
    },
    expectWhole: async () => {
      expect(await brokenInvariants(db)).toEqual([])
      const journal = await db.query<{ sum: string }>(sql`select sum(amount) as sum from wallet_entry`)
      if (wallet) expect(journal[0]?.sum).toBe(await balance())
      for (const { effects } of [billing, fulfilment]) {
        expect([...effects.values()].filter(({ times }) => times > 1)).toEqual([])
      }
    },
    close: async () => {
      await Promise.all([service.close(), billing.close(), fulfilment.close()])
    },
  }
}

/** Has another process make what is due. */
export const runAs = async (deps: PhoneNumbersDeps): Promise<number> => (await makeDueCalls(deps)).claimed

/**
 * The monthly charge: what a resource owns since before a month began is paid for that month. The purchase itself has
 * paid for the month that it was in.
 */
import type { Clock } from '../../clock.js'
import type { Db } from '../../db/db.js'
import { invalidInput } from '../../errors.js'
import { amountOf, formatAmount } from './amount.js'
import { beginningOf, monthOf } from './month.js'
import { chargeMonthOfBatch, type MonthlyCharge } from './month-store.js'

/** What one run did. */
export interface ChargedMonth {
  month: string
  /** By currency, in the order of the codes. */
  charged: { currency: string; wallets: number; numbers: number; amount: string }[]
  /** Wallets that had been charged for the month before. */
  chargedBefore: number
  /** What was charged and has left less than nothing. */
  belowZero: { resourceName: string; currency: string; balance: string }[]
  /** What nobody is charged for: the resource has no wallet in the currency. */
  withoutWallet: { resourceName: string; currency: string; numbers: number; amount: string }[]
}

/** What whoever runs a long charge may want of it. */
export interface ChargeRun {
  /** Ends the run between two batches, and what is charged stays charged; its reason is thrown. */
  signal?: AbortSignal
  /** @param done resources that have been gone through */
  onProgress?(done: number): void
}

/** How many resources are charged in one transaction; purchases from their wallets wait meanwhile. */
const RESOURCES_AT_A_TIME = 50

/**
 * Charges a month to all resources, each wallet once however often and wherever this is run. What is owned already is
 * owed, so a wallet may end below zero; purchases are refused then. Throws 'invalid-input' for a month that has not
 * begun.
 * @param month the present one when left out
 */
export async function chargeMonth(
  { db, clock }: { db: Db; clock: Clock },
  { month = monthOf(clock.now()), actor }: { month?: string | undefined; actor: string },
  { signal, onProgress }: ChargeRun = {},
): Promise<ChargedMonth> {
  const at = clock.now()
  const beginsAt = beginningOfBegun(month, at)
  const outcome = new Outcome(month)
  let after = ''
  for (let done = 0; ;) {
    signal?.throwIfAborted()
    const batch = await db.transaction((tx) =>
      chargeMonthOfBatch(tx, { month, beginsAt, after, limit: RESOURCES_AT_A_TIME }, { at, actor }),
    )
    for (const charge of batch.charges) outcome.add(charge)
    onProgress?.((done += batch.resources))
    if (batch.last === undefined) return outcome.summary()
    after = batch.last
  }
}

/** When a month begins that has begun. Throws 'invalid-input'. */
export function beginningOfBegun(month: string, at: Date): Date {
  const beginsAt = beginningOf(month)
  if (beginsAt === undefined) throw invalidInput(`"${month}" is no month; a good one is ${monthOf(at)}.`, 'month')
  if (beginsAt > at)
    throw invalidInput(`${month} has not begun yet. The latest that can be charged is ${monthOf(at)}.`, 'month')
  return beginsAt
}

/** Adds up what batches have done. */
class Outcome {
  readonly #month: string
  readonly #sums = new Map<string, { wallets: number; numbers: number; amount: bigint }>()
  readonly #belowZero: ChargedMonth['belowZero'] = []
  readonly #withoutWallet: ChargedMonth['withoutWallet'] = []
  #chargedBefore = 0

  constructor(month: string) {
    this.#month = month
  }

  add({ outcome, resourceName, currency, numbers, amount, balance }: MonthlyCharge): void {
    if (outcome === 'charged-before') {
      this.#chargedBefore++
      return
    }
    if (outcome === 'no-wallet') {
      this.#withoutWallet.push({ resourceName, currency, numbers, amount: formatAmount(amountOf(amount)) })
      return
    }
    const sum = this.#sums.get(currency) ?? { wallets: 0, numbers: 0, amount: 0n }
    sum.wallets++
    sum.numbers += numbers
    sum.amount += amountOf(amount)
    this.#sums.set(currency, sum)
    const left = amountOf(balance ?? '0')
    if (left < 0n) this.#belowZero.push({ resourceName, currency, balance: formatAmount(left) })
  }

  summary(): ChargedMonth {
    return {
      month: this.#month,
      charged: [...this.#sums]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([currency, sum]) => ({ currency, ...sum, amount: formatAmount(sum.amount) })),
      chargedBefore: this.#chargedBefore,
      belowZero: this.#belowZero,
      withoutWallet: this.#withoutWallet,
    }
  }
}

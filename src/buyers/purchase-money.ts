/** The money of purchases: their charge, in the transaction that accepts them, and refunds. */
import type { Tx } from '../db/db.js'
import type { Price } from '../ledger/number.js'
import type { Refusal } from './buyer.js'
import type { BuyerWithWallets } from './store.js'
import { amountOf, formatAmount } from './wallet/amount.js'
import { chargePurchase, findBalance, listCharged, refundPurchase, type EntryCause } from './wallet/wallet-store.js'

/**
 * Takes the first month of every number from the resource's wallets, or refuses. A resource without a wallet in a
 * price's currency pays nothing if it has no wallet at all and `walletRequired` is off. If one currency was charged
 * before another one was refused, the code that ends the purchase refunds it (`refundAll`), as for any other failure.
 * @param prices one for each number
 */
export async function chargeFor(
  tx: Tx,
  buyer: BuyerWithWallets,
  prices: readonly Price[],
  { walletRequired }: { walletRequired: boolean },
  cause: EntryCause,
): Promise<Refusal | undefined> {
  for (const [currency, sum] of sumByCurrency(prices)) {
    if (sum.amount === 0n) continue
    const refusal = await chargeIn(tx, buyer, currency, sum, walletRequired, cause)
    if (refusal !== undefined) return refusal
  }
  return undefined
}

async function chargeIn(
  tx: Tx,
  buyer: BuyerWithWallets,
  currency: string,
  sum: Sum,
  walletRequired: boolean,
  cause: EntryCause,
): Promise<Refusal | undefined> {
  if (!buyer.currencies.includes(currency)) {
    const hasOther = buyer.currencies.length > 0
    return walletRequired || hasOther ? noWallet(buyer, currency) : undefined
  }
  const key = { resourceId: buyer.resourceId, currency }
  const charge = { amount: formatAmount(sum.amount), numbers: sum.prices.length }
  if (await chargePurchase(tx, key, charge, cause)) return undefined
  return notEnough(buyer, currency, sum, (await findBalance(tx, key)) ?? '0')
}

/** The purchase to refund: the charges for it since it could first be purchased. */
export interface Charged {
  resourceId: string
  /** The id of a reservation, and so of its purchase, may be used again a month later. */
  since: Date
}

/** Refunds everything that an operation was charged. */
export async function refundAll(tx: Tx, { resourceId, since }: Charged, cause: EntryCause): Promise<void> {
  for (const { currency, amount, numbers } of await listCharged(tx, resourceId, cause.reference, since)) {
    await refundPurchase(tx, { resourceId, currency }, { amount, numbers }, cause)
  }
}

/** Refunds the price of numbers that an operation was charged for and did not get. */
export async function refundFor(
  tx: Tx,
  { resourceId, since }: Charged,
  prices: readonly Price[],
  cause: EntryCause,
): Promise<void> {
  const charged = new Set((await listCharged(tx, resourceId, cause.reference, since)).map(({ currency }) => currency))
  for (const [currency, { amount, prices: each }] of sumByCurrency(prices)) {
    if (!charged.has(currency) || amount === 0n) continue
    await refundPurchase(tx, { resourceId, currency }, { amount: formatAmount(amount), numbers: each.length }, cause)
  }
}

interface Sum {
  amount: bigint
  /** Of each number. */
  prices: bigint[]
}

function sumByCurrency(prices: readonly Price[]): Map<string, Sum> {
  const sums = new Map<string, Sum>()
  for (const { amount, currency } of prices) {
    const sum = sums.get(currency) ?? { amount: 0n, prices: [] }
    const price = amountOf(amount)
    sum.amount += price
    sum.prices.push(price)
    sums.set(currency, sum)
  }
  // Always in the same order, so that two purchases can't deadlock.
  return new Map([...sums].sort(([a], [b]) => (a < b ? -1 : 1)))
}

const noWallet = ({ name, currencies }: BuyerWithWallets, currency: string): Refusal => ({
  code: 'NoWallet',
  message: `The resource has no wallet in ${currency}.`,
  details: [
    {
      code: 'WalletNeeded',
      message:
        `${currencies.length === 0 ? 'It has no wallet.' : `It has wallets in ${currencies.join(', ')}.`} ` +
        `The operator fills one with: linebook wallet credit ${name} <amount> ${currency}`,
    },
  ],
})

function notEnough({ name }: BuyerWithWallets, currency: string, { amount, prices }: Sum, balance: string): Refusal {
  const has = amountOf(balance)
  const affordable = countAffordable(prices, has)
  return {
    code: 'NotEnoughCredit',
    message: `The purchase costs ${formatAmount(amount)} ${currency} and the wallet has ${formatAmount(has)}.`,
    details: [
      {
        code: 'LargestQuantity',
        message:
          `${affordable === 0 ? 'It is not enough for any of these numbers' : `It is enough for ${affordable} of these numbers`}. ` +
          `The operator fills the wallet with: linebook wallet credit ${name} <amount> ${currency}`,
        target: 'quantity',
      },
    ],
  }
}

/** How many of the numbers a balance is enough for, the cheapest first. */
function countAffordable(prices: readonly bigint[], balance: bigint): number {
  let left = balance
  const tooMany = prices.toSorted((a, b) => Number(a - b)).findIndex((price) => (left -= price) < 0n)
  return tooMany === -1 ? prices.length : tooMany
}

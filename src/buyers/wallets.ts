/** What an operator does with the wallets of resources: fills them, corrects them, looks at them. */
import type { Clock } from '../clock.js'
import type { Db, Queryable } from '../db/db.js'
import { DomainError, invalidInput } from '../errors.js'
import { requireResource } from './terms.js'
import { amountOf, formatAmount, parseAmount } from './wallet/amount.js'
import {
  creditWallet,
  findBalance,
  listAllWallets,
  listEntries,
  listWallets,
  type WalletEntry,
} from './wallet/wallet-store.js'

export interface Wallet {
  resourceName: string
  currency: string
  balance: string
  /** The latest lines of its journal, newest first. */
  entries: WalletEntry[]
}

/**
 * A resource's wallets by currency, or those of all resources, each with up to `limit` lines of its journal. Throws
 * 'not-found'.
 */
export async function showWallets(db: Queryable, name: string | undefined, limit: number): Promise<Wallet[]> {
  const found =
    name === undefined
      ? await listAllWallets(db)
      : await listWallets(db, await requireResource(db, name)).then((own) =>
          own.map((wallet) => ({ ...wallet, resourceName: name })),
        )
  const wallets: Wallet[] = []
  for (const { resourceId, resourceName, currency, balance } of found) {
    const entries = limit === 0 ? [] : await listEntries(db, { resourceId, currency }, limit)
    wallets.push({
      resourceName,
      currency,
      balance: normal(balance),
      entries: entries.map((entry) => ({ ...entry, amount: normal(entry.amount), balance: normal(entry.balance) })),
    })
  }
  return wallets
}

/** As people write it; the database keeps four digits after the point. */
const normal = (amount: string): string => formatAmount(amountOf(amount))

export interface Credit {
  /** A decimal text; negative to correct, 0 for a wallet with nothing in it. */
  amount: string
  currency: string
  /** What the journal says about it. */
  note: string
  actor: string
}

const MAX_NOTE_CHARS = 200

/**
 * Adds to a resource's wallet, which it makes where there is none yet. Returns the balance after it. Throws 'not-found',
 * 'invalid-input', and 'state-conflict' for a correction of more than there is and for more than a wallet can keep.
 */
export async function credit(
  { db, clock }: { db: Db; clock: Clock },
  resourceName: string,
  { amount, currency, note, actor }: Credit,
): Promise<{ currency: string; balance: string }> {
  const value = parseAmount(amount)
  if (value === undefined) {
    throw invalidInput(
      `"${amount}" is no amount: up to 14 digits, then up to 4 after a point, e.g. 25 or -0.5.`,
      'amount',
    )
  }
  if (note.length > MAX_NOTE_CHARS) throw invalidInput(`A note has up to ${MAX_NOTE_CHARS} characters.`, 'note')
  const code = parseCurrency(currency)
  return db.transaction(async (tx) => {
    const key = { resourceId: await requireResource(tx, resourceName), currency: code }
    const cause = { at: clock.now(), actor, reference: note }
    const balance = await creditWallet(tx, key, formatAmount(value), cause)
    if (balance !== undefined) return { currency: code, balance: normal(balance) }
    throw cannotCredit(code, value, await findBalance(tx, key))
  })
}

/** A currency's code in capitals. Which there are is not asked: a catalogue may have prices in points of its own. */
function parseCurrency(text: string): string {
  const code = text.toUpperCase()
  if (!/^[A-Z]{3}$/.test(code))
    throw invalidInput(`"${text}" is no currency: three letters of ISO 4217, e.g. USD.`, 'currency')
  return code
}

function cannotCredit(currency: string, value: bigint, balance: string | undefined): DomainError {
  const has = balance === undefined ? 'There is no wallet' : `The wallet has ${normal(balance)} ${currency}`
  const reason =
    value < 0n
      ? `${has}: a correction can't take ${formatAmount(-value)} from it.`
      : `${has}: that is more than a wallet can keep.`
  return new DomainError('state-conflict', reason)
}

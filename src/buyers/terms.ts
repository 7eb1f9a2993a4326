/** The terms that an operator sets for a resource as a buyer: its limit, entitlements and addresses. */
import type { Attribution, NotedBy } from '../auth/changes.js'
import type { Db, Queryable, Tx } from '../db/db.js'
import { notFound } from '../errors.js'
import type { Address } from './address.js'
import { countOwned, readBuyer, resourceIdOf, saveAddress, saveTerms, type OwnedCount } from './store.js'
import { formatAmount, amountOf } from './wallet/amount.js'
import { listWallets } from './wallet/wallet-store.js'

export interface Terms {
  /** The most numbers that it may own; null: no limit. */
  numberLimit: number | null
  /** See `entitlement.ts`; null: everything. */
  entitledTo: readonly string[] | null
  /** By country; null takes one away. */
  addresses: Readonly<Record<string, Address | null>>
}

export interface ShownBuyer extends Terms {
  name: string
  /** The stock that it sees; '' for the shared one. */
  pool: string
  addresses: Readonly<Record<string, Address>>
  wallets: { currency: string; balance: string }[]
  numbers: OwnedCount
}

/** Throws 'not-found'. */
export async function showBuyer(db: Queryable, name: string): Promise<ShownBuyer> {
  const resourceId = await requireResource(db, name)
  const { pool, numberLimit, entitledTo, addresses } = await readBuyer(db, resourceId)
  const wallets = await listWallets(db, resourceId)
  return {
    name,
    pool,
    numberLimit,
    entitledTo,
    addresses,
    wallets: wallets.map(({ currency, balance }) => ({ currency, balance: formatAmount(amountOf(balance)) })),
    numbers: await countOwned(db, resourceId),
  }
}

/** Changes what is given; addresses of other countries stay. Throws 'not-found'. */
export const changeTerms = (db: Db, name: string, terms: Partial<Terms>, noted: NotedTerms): Promise<void> =>
  db.transaction((tx) => setTerms(tx, name, terms, noted))

/** Who changes terms, and the log. */
export interface NotedTerms extends NotedBy {
  by: Attribution
}

/**
 * Changes terms as part of a transaction. Every change of terms passes through here: whatever follows such changes has
 * this one place. Throws 'not-found'.
 */
export async function setTerms(
  tx: Tx,
  name: string,
  { addresses = {}, ...terms }: Partial<Terms>,
  { by, logger }: NotedTerms,
): Promise<void> {
  const resourceId = await requireResource(tx, name)
  const before = await readTerms(tx, resourceId)
  if (Object.keys(terms).length > 0) await saveTerms(tx, name, terms)
  for (const [countryCode, address] of Object.entries(addresses)) await saveAddress(tx, name, countryCode, address)
  const after = await readTerms(tx, resourceId)
  // Logged before the commit: a transaction that runs again logs again, and one that fails has logged too.
  logger?.debug({ kind: 'terms', subject: name, before, after, actor: by.actor, reason: by.reason }, 'change of terms')
}

async function readTerms(tx: Tx, resourceId: string): Promise<Terms> {
  const { numberLimit, entitledTo, addresses } = await readBuyer(tx, resourceId)
  return { numberLimit, entitledTo, addresses }
}

/** The id of a resource. Throws 'not-found'. */
export async function requireResource(db: Queryable, name: string): Promise<string> {
  const id = name.includes('\0') ? undefined : await resourceIdOf(db, name)
  if (id === undefined) throw noResource(name)
  return id
}

const noResource = (name: string) => notFound(`There is no resource "${name}". See: linebook resource list`)

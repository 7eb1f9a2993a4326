/** The terms that an operator sets for a resource as a buyer: its limit, entitlements and addresses. */
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
export const changeTerms = (db: Db, name: string, terms: Partial<Terms>): Promise<void> =>
  db.transaction(async (tx) => {
    await requireResource(tx, name)
    await setTerms(tx, name, terms)
  })

/** Sets terms in a transaction that has found the resource. Every change of terms passes through here. */
export async function setTerms(tx: Tx, name: string, { addresses = {}, ...terms }: Partial<Terms>): Promise<void> {
  if (Object.keys(terms).length > 0) await saveTerms(tx, name, terms)
  for (const [countryCode, address] of Object.entries(addresses)) await saveAddress(tx, name, countryCode, address)
}

/** The id of a resource. Throws 'not-found'. */
export async function requireResource(db: Queryable, name: string): Promise<string> {
  const id = name.includes('\0') ? undefined : await resourceIdOf(db, name)
  if (id === undefined) throw noResource(name)
  return id
}

const noResource = (name: string) => notFound(`There is no resource "${name}". See: linebook resource list`)

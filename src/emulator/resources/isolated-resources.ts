/**
 * Resources with their own stock, so that each test has one to itself: its purchases don't affect others, and it
 * doesn't see theirs. The pool has the resource's name.
 */
import { randomBytes } from 'node:crypto'
import type { NotedBy } from '../../auth/changes.js'
import { HostClaimed, ResourceNameTaken } from '../../auth/resource-store.js'
import { insertNewResource, type AccessKeys } from '../../auth/resources.js'
import type { Sealer } from '../../auth/seal.js'
import type { Address } from '../../buyers/address.js'
import { setTerms } from '../../buyers/terms.js'
import { creditWallet } from '../../buyers/wallet/wallet-store.js'
import type { Clock } from '../../clock.js'
import { raw, sql, type Db, type Queryable, type Tx } from '../../db/db.js'
import { DomainError, invalidInput, notFound, SetupError } from '../../errors.js'
import { describePlace, StockEntry, type StockNumber } from '../../ledger/stock/enter.js'
import { removePool } from '../../ledger/stock/remove.js'
import { quoted, readTables } from '../state/tables.js'

export interface IsolatedDeps extends NotedBy {
  db: Db
  sealer: Sealer
  clock: Clock
}

export interface WantedResource {
  /** Made up when left out. */
  name: string | undefined
  hosts: readonly string[]
  /** Its stock, found within the transaction that enters it. */
  stock: (tx: Tx) => Promise<readonly StockNumber[]>
  wallets: readonly { currency: string; amount: string }[]
  numberLimit: number | undefined
  entitledTo: readonly string[] | undefined
  addresses: Readonly<Record<string, Address>>
}

export interface IsolatedResource {
  name: string
  hosts: readonly string[]
  keys: AccessKeys
  phoneNumbers: readonly string[]
}

export const MAX_ISOLATED_RESOURCES = 1_000
const NAME_BYTES = 5
const ACTOR = 'emulator'
const BY = { actor: ACTOR, reason: 'fresh resource' }

/** Makes a resource with its stock and money, all or nothing. Throws 'invalid-input', 'state-conflict'. */
export async function makeIsolatedResource(deps: IsolatedDeps, wanted: WantedResource): Promise<IsolatedResource> {
  const { db, clock } = deps
  const name = wanted.name ?? `test-${randomBytes(NAME_BYTES).toString('hex')}`
  const hosts = wanted.hosts.map((host) => host.toLowerCase())
  const at = clock.now()
  return db.transaction(async (tx) => {
    await refuseTooMany(tx)
    const { id, keys } = await insertNewResource(tx, deps, { name, hosts, pool: name }, BY).catch(asRefusal)
    const numbers = await wanted.stock(tx)
    await enterStock(tx, name, numbers, at)
    const { numberLimit, entitledTo, addresses } = wanted
    const terms = { ...(numberLimit !== undefined && { numberLimit }), ...(entitledTo && { entitledTo }), addresses }
    await setTerms(tx, name, terms, { by: BY, logger: deps.logger })
    for (const { currency, amount } of wanted.wallets) {
      await creditWallet(tx, { resourceId: id, currency }, amount, { at, actor: ACTOR, reference: 'made with it' })
    }
    return { name, hosts, keys, phoneNumbers: numbers.map(({ e164 }) => e164) }
  })
}

async function enterStock(tx: Tx, pool: string, numbers: readonly StockNumber[], at: Date): Promise<void> {
  const entry = new StockEntry(tx, { at, actor: ACTOR, reason: `stock of ${pool}` }, pool)
  const { differing, known } = await entry.enter(numbers)
  const [first] = differing
  if (first !== undefined) {
    const where = first.place === null ? 'on an account' : `in stock as ${describePlace(first.place)}`
    throw new DomainError(
      'state-conflict',
      `${first.e164} is in the ledger already, ${where}. A number is there once: give others, or a quantity.`,
      { target: 'stock' },
    )
  }
  if (known > 0) throw new DomainError('state-conflict', `There are numbers in a pool ${pool} already.`)
}

/** Of names and hosts. */
function asRefusal(error: unknown): never {
  if (!(error instanceof SetupError)) throw error
  const isTaken = error.cause instanceof ResourceNameTaken || error.cause instanceof HostClaimed
  throw new DomainError(isTaken ? 'state-conflict' : 'invalid-input', error.message, { cause: error })
}

async function refuseTooMany(tx: Tx): Promise<void> {
  const [row] = await tx.query<{ count: number }>(sql`select count(*) as count from resource where pool <> ''`)
  if ((row?.count ?? 0) < MAX_ISOLATED_RESOURCES) return
  throw new DomainError(
    'state-conflict',
    `There are ${MAX_ISOLATED_RESOURCES} such resources, which is the most. Delete those that are done with, or reset.`,
  )
}

export interface ListedResource {
  name: string
  hosts: string[]
  createdAt: Date
  /** In its stock, whatever their state. */
  numbers: number
}

/** The resources that have their own stock, by name. */
export const listIsolatedResources = (db: Queryable): Promise<ListedResource[]> =>
  db.query<ListedResource>(sql`
    select r.name, r.created_at as "createdAt",
           array(select host from resource_host where resource_id = r.id order by host) as hosts,
           (select count(*) from place p join number n on n.place_id = p.id where p.pool = r.name) as numbers
    from resource r where r.pool = r.name order by r.name`)

/** Removes a resource and everything that belongs to it. Throws 'not-found', 'state-conflict'. */
export async function removeIsolatedResource(db: Db, name: string): Promise<void> {
  const tables = await readTables(db)
  await db.transaction(async (tx) => {
    const [resource] = await tx.query<{ id: string; pool: string }>(sql`
      select id, pool from resource where name = ${name} for update`)
    if (!resource) throw notFound(`There is no resource ${name}.`)
    if (resource.pool !== name) {
      throw new DomainError(
        'state-conflict',
        `The resource ${name} has no stock of its own: it was not made here. POST /_emulator/reset begins anew.`,
      )
    }
    await refuseAssigned(tx, name)
    await removePool(tx, name)
    const owned = tables.filter((table) => table.name !== 'number' && table.columns.includes('resource_id'))
    for (const table of owned.reverse()) {
      await tx.query(sql`delete from ${raw(quoted(table.name))} where resource_id = ${resource.id}`)
    }
    await tx.query(sql`delete from resource where id = ${resource.id}`)
  })
}

async function refuseAssigned(tx: Tx, pool: string): Promise<void> {
  const [assigned] = await tx.query<{ e164: string }>(sql`
    select e164 from account_number join number using (e164) join place on place.id = place_id
    where pool = ${pool} limit 1`)
  if (!assigned) return
  throw new DomainError(
    'state-conflict',
    `${assigned.e164} of its stock is on an account of the Provisioning API. Take its numbers off accounts first.`,
  )
}

/** Returns the name if it can be queried: the database has no texts with a zero character. */
export function checkedName(name: string): string {
  if (!name.includes('\0')) return name
  throw invalidInput('A name has no zero character in it.', 'name')
}

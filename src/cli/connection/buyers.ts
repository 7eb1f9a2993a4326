/**
 * Where commands about buyers and their stock are carried out: by the emulator that runs on the embedded database, which
 * is its alone, or else on the database itself.
 */
import type { Command } from 'commander'
import { changeTerms, showBuyer, type ShownBuyer, type Terms } from '../../buyers/terms.js'
import { chargeMonth, type ChargedMonth } from '../../buyers/wallet/charge-month.js'
import { credit, showWallets, type Wallet } from '../../buyers/wallets.js'
import type { Store } from '../../compose/store.js'
import { findRunning } from '../../db/running-server.js'
import { restore, retire } from '../../ledger/commands.js'
import { requestEmulator, type Asked } from './emulator-request.js'
import { configOf, withStore } from './settings.js'

export interface Buyers {
  show(name: string): Promise<ShownBuyer>
  change(name: string, terms: Partial<Terms>): Promise<void>
  /** Of all resources without a name. */
  wallets(name: string | undefined, limit: number): Promise<Wallet[]>
  credit(
    name: string,
    wanted: { amount: string; currency: string; note: string },
  ): Promise<{ currency: string; balance: string }>
  chargeMonth(month: string | undefined): Promise<ChargedMonth>
  retire(numbers: string[], options: { evenHeld: boolean }): Promise<void>
  restore(numbers: string[]): Promise<void>
}

/** What the journal and the history say of what is done from the command line. */
const ACTOR = 'operator'

/** Finds out whom to ask, and lets `work` ask. Throws SetupErrors. */
export async function withBuyers<T>(command: Command, work: (buyers: Buyers) => Promise<T>): Promise<T> {
  const config = configOf(command)
  const running = config.databaseUrl === undefined ? await findRunning(config.dataDir) : undefined
  return running === undefined
    ? withStore(command, (store) => work(storedBuyers(store)))
    : work(emulatorBuyers((asked) => requestEmulator(running, asked)))
}

const storedBuyers = (store: Store): Buyers => {
  const { db, clock } = store
  const causeOf = (reason: string) => ({ at: clock.now(), actor: ACTOR, reason })
  return {
    show: (name) => showBuyer(db, name),
    change: (name, terms) => changeTerms(db, name, terms),
    wallets: (name, limit) => showWallets(db, name, limit),
    credit: (name, wanted) => credit(store, name, { ...wanted, actor: ACTOR }),
    chargeMonth: (month) => chargeMonth(store, { month, actor: ACTOR }),
    retire: (numbers, options) => db.transaction((tx) => retire(tx, numbers, causeOf('stock retire'), options)),
    restore: (numbers) => db.transaction((tx) => restore(tx, numbers, causeOf('stock restore'))),
  }
}

export function emulatorBuyers(send: (asked: Asked) => Promise<unknown>): Buyers {
  const of = (name: string) => `/resources/${encodeURIComponent(name)}`
  return {
    show: async (name) => (await send({ method: 'GET', path: `${of(name)}/terms` })) as ShownBuyer,
    change: async (name, terms) => {
      await send({ method: 'PATCH', path: `${of(name)}/terms`, body: terms })
    },
    wallets: async (name, limit) => {
      const path = `${name === undefined ? '' : of(name)}/wallets?limit=${limit}`
      const { wallets } = (await send({ method: 'GET', path })) as { wallets: Wallet[] }
      return wallets.map(withDates)
    },
    credit: async (name, wanted) =>
      (await send({ method: 'POST', path: `${of(name)}/wallets`, body: wanted })) as {
        currency: string
        balance: string
      },
    chargeMonth: async (month) =>
      (await send({ method: 'POST', path: '/charge-month', body: { month } })) as ChargedMonth,
    retire: async (phoneNumbers, options) => {
      await send({ method: 'POST', path: '/stock/retire', body: { phoneNumbers, ...options } })
    },
    restore: async (phoneNumbers) => {
      await send({ method: 'POST', path: '/stock/restore', body: { phoneNumbers } })
    },
  }
}

/** JSON has texts for them. */
const withDates = (wallet: Wallet): Wallet => ({
  ...wallet,
  entries: wallet.entries.map((entry) => ({ ...entry, at: new Date(entry.at) })),
})

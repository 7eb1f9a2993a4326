/** An operator whose Operator Connect is watched, and what has to be true once everything has come to rest. */
import { expect } from 'vitest'
import { findAccount } from '../../../src/accounts/account-store.js'
import { putAccount } from '../../../src/accounts/commands/put-account.js'
import { putNumbers } from '../../../src/accounts/commands/put-numbers.js'
import type { ProvisioningDeps } from '../../../src/accounts/deps.js'
import { readNumbers } from '../../../src/accounts/number-store.js'
import { sql, type Db } from '../../../src/db/db.js'
import { reconcile, type Reconciled } from '../../../src/reconcile/reconcile.js'
import type { SyncStatus } from '../../../src/sync/sync.js'
import { WatchedBackend } from '../../fixtures/watched-backend.js'
import { anOperator, caller, type Operator } from './an-operator.js'

export const SECOND = 1_000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE

export interface WatchedOperator extends Operator {
  watched: WatchedBackend
  /** With the watched backend in place of its own. */
  deps: ProvisioningDeps
  /** Puts a number with Operator Connect on under this usage; null: with the service off. */
  put(accountName: string, e164: string, usage?: string | null): Promise<void>
  switchSync(accountName: string, on: boolean): Promise<void>
  /** One run of the reconciler of Operator Connect. */
  run(): Promise<Reconciled>
  /** Runs it until nothing is due at this instant. */
  runAll(): Promise<void>
  /** Lets the backend behave again and time go by until everything has come to rest. */
  settle(): Promise<void>
  status(accountName: string, e164: string): Promise<{ status: SyncStatus; errors: object[] } | undefined>
  /** The numbers that the backend has, with their usage and tenant. */
  there(): Promise<Record<string, { tenantId: string; usage: string | undefined }>>
}

export function aWatchedOperator(db: Db): WatchedOperator {
  const operator = anOperator(db)
  const { clock, backends } = operator
  const watched = new WatchedBackend(backends.oc)
  const deps = { ...operator.deps, backends: { ...backends, oc: watched.backend } }
  const run = () => reconcile(deps, 'oc')
  const runAll = async () => {
    for (let runs = 0; (await run()).claimed > 0; runs++) if (runs > 500) throw new Error('There is no end to it.')
  }
  return {
    ...operator,
    watched,
    deps,
    run,
    runAll,
    put: async (accountName, e164, usage = 'FirstPartyAppAssignment') => {
      const configuration = { usage: usage ?? '', choosableCapabilities: [], allowTenantAddressUpdate: true }
      const details = {
        serviceDetails: { teamsOperatorConnect: { enabled: usage !== null, configuration } },
      }
      const wanted = { accountName, e164s: [e164], read: () => [{ e164, details }] }
      await db.transaction((tx) => putNumbers(deps, tx, caller, wanted))
    },
    switchSync: async (name, on) => {
      const services = { teamsOperatorConnect: { enabled: true, syncEnabled: on } }
      const wanted = { name, correlationId: null, teamsTenantId: `${name}TenantId`, services }
      await db.transaction((tx) => putAccount(deps, tx, caller, { name, precondition: () => {}, read: () => wanted }))
    },
    settle: async () => {
      await backends.oc.control.behave()
      const pauses = [0, 31 * SECOND, 31 * SECOND, 5 * MINUTE, 5 * MINUTE, 31 * SECOND, HOUR, 31 * SECOND, 31 * SECOND]
      for (const pauseMs of pauses) {
        clock.advance(pauseMs)
        await runAll()
      }
    },
    status: async (accountName, e164) => {
      const account = await findAccount(db, accountName)
      const [number] = account ? await readNumbers(db, account.id, [e164], ['oc']) : []
      return number?.sync && { status: number.sync.status, errors: number.sync.errors }
    },
    there: async () => {
      const { numbers } = await backends.oc.control.numbers({ limit: 1_000 })
      return Object.fromEntries(
        numbers.map(({ e164, tenantId, configuration }) => [e164, { tenantId, usage: configuration?.usage }]),
      )
    },
  }
}

/** What is to be, by number; usage null: on the account without the service. */
export type Wanted = ReadonlyMap<string, { account: string; usage: string | null }>

/** The backend has what is wanted, each command had its effect once and in its turn, and every table agrees. */
export async function expectAtRest(db: Db, operator: WatchedOperator, wanted: Wanted): Promise<void> {
  const told = [...wanted].filter(([, { usage }]) => usage !== null)
  expect(await operator.there()).toEqual(
    Object.fromEntries(told.map(([e164, { account, usage }]) => [e164, { tenantId: `${account}TenantId`, usage }])),
  )
  expect(operator.watched.faults).toEqual([])
  for (const [e164, { account }] of wanted) {
    expect(await operator.status(account, e164), e164).toEqual({ status: 'synced', errors: [] })
  }
  await expectStoredWhole(db)
  const rows = await db.query(sql`
    select key, goal, confirmed_generation = generation as confirmed, unsure, claimed_by, ticket from sync
    where kind = 'number' order by key`)
  expect(rows).toEqual(
    told
      .map(([key]) => ({ key, goal: 'present', confirmed: true, unsure: false, claimed_by: null, ticket: null }))
      .sort((a, b) => (a.key < b.key ? -1 : 1)),
  )
  expect(await db.query(sql`select e164 from account_number order by e164`)).toEqual(
    [...wanted.keys()].sort().map((e164) => ({ e164 })),
  )
}

/** Counts are what is stored, the ledger knows who has what, and no account is left without a reason. */
export async function expectStoredWhole(db: Db): Promise<void> {
  const enabled = (key: string) => sql`(n.details #> array['serviceDetails', ${key}, 'enabled'] = 'true'::jsonb)::int`
  const wrong = await db.query(sql`
    select a.name, c.total, c.oc, n.total as really, n.oc as really_oc
    from account a
    cross join lateral (
      select coalesce(sum(total), 0)::bigint as total, coalesce(sum(oc), 0)::bigint as oc
      from account_number_count where account_id = a.id
    ) as c
    cross join lateral (
      select count(*) as total, coalesce(sum(${enabled('teamsOperatorConnect')}), 0)::bigint as oc
      from account_number n where n.account_id = a.id and n.removed_at is null
    ) as n
    where c.total <> n.total or c.oc <> n.oc`)
  expect(wrong, 'counts').toEqual([])
  const astray = await db.query(sql`
    select e164, n.state, n.account_id, an.account_id as on_account
    from number n full join account_number an using (e164)
    where (n.state is not distinct from 'assigned') <> (an.e164 is not null)
       or an.e164 is not null and n.account_id is distinct from an.account_id`)
  expect(astray, 'ledger').toEqual([])
  const forgotten = await db.query(sql`
    select name from account a
    where removed_at is not null and not exists (select from account_number where account_id = a.id)`)
  expect(forgotten, 'accounts').toEqual([])
}

/** The commands that had an effect at the backend: each at most once. */
export async function expectOneEffectEach({ backends }: Operator): Promise<void> {
  const calls = await backends.oc.control.calls({ limit: 10_000 })
  const effects = calls.flatMap(({ items }) =>
    items.flatMap(({ acted, idempotencyKey }) => (acted ? idempotencyKey : [])),
  )
  expect(effects.length).toBe(new Set(effects).size)
}

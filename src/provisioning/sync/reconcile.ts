/**
 * The reconciler: given no input, it makes one service's backend agree with what is stored. One run claims a bounded
 * batch of what is due, asks the backend with no transaction open, and records each call's outcome as it comes in.
 * Several runs and several processes may be at it at once; a claimed thing is nobody else's until its claim ends.
 */
import type { Backend } from '../../backends/backend.js'
import { later } from '../../clock.js'
import type { Tx } from '../../db/db.js'
import { newId } from '../../ids.js'
import { assignNumbers, type Cause } from '../../ledger/store.js'
import { addCounts, purgeAccounts } from '../accounts-store.js'
import { letGo } from '../commands/delete-numbers.js'
import type { ProvisioningDeps } from '../deps.js'
import { countNumber, noCounts } from '../number.js'
import { findLeft, lockInLedger, restoreStored } from '../numbers-store.js'
import { accountWork, consentWork, numberWork, subdomainWork, type Call, type Work } from './calls.js'
import {
  claimDue,
  deleteSynced,
  notePlaced,
  recordResults,
  type Claim,
  type Claimed,
  type Recorded,
  type Result,
} from './claims.js'
import type { SyncService } from './sync.js'
import { verify } from './verify.js'

export interface Reconciled {
  claimed: number
  confirmed: number
  refused: number
  /** Things that have to be tried again, or go on at once. */
  unfinished: number
}

/** Most things that one run takes on. */
export const MOST_PER_RUN = 500
/** How many calls the zone is sent at a time. */
const ZONE = { timeoutMs: 10_000, concurrency: 1 }
/** A claim outlives the calls made under it: none is begun that might not end in time. */
const CALLS_PER_CLAIM = 4

/**
 * One run for one service.
 * @param keys only these: a write that does its own work at once
 */
export async function reconcile(
  deps: ProvisioningDeps,
  service: SyncService,
  keys?: readonly string[],
): Promise<Reconciled> {
  const backend = service === 'dns' ? undefined : deps.backends[service]
  if (service !== 'dns' && (backend === undefined || backend.unavailable())) return nothing
  const { timeoutMs, concurrency } = backend ?? ZONE
  const at = deps.clock.now()
  const claim: Claim = { id: newId(), service, at, until: later(at, timeoutMs * CALLS_PER_CLAIM) }
  const claimed = await claimWork(deps, claim, backend, keys)
  if (claimed === undefined) return backend && keys === undefined ? verify(deps, claim, backend) : nothing
  const { work, count } = claimed
  const report = { claimed: count, confirmed: 0, refused: 0, unfinished: 0 }
  const finish = async (results: readonly Result[]): Promise<void> => {
    await record(deps, claim, results)
    for (const { kind } of results) report[kind === 'confirmed' || kind === 'refused' ? kind : 'unfinished']++
  }
  if (work.settled.length > 0) await finish(work.settled)
  const startBefore = claim.until.getTime() - timeoutMs
  await inParallel(work.calls, concurrency, async (call) => {
    const inTime = deps.clock.now().getTime() <= startBefore && backend?.unavailable() === undefined
    await finish(inTime ? await call.run() : untouched(call))
  })
  return report
}

const nothing: Reconciled = { claimed: 0, confirmed: 0, refused: 0, unfinished: 0 }

const untouched = ({ items, step }: Call): Result[] => items.map((claimed) => ({ claimed, step, kind: 'untouched' }))

/** Claims what is due, and writes down what the backend may hold of it once it has been asked. */
async function claimWork(
  deps: ProvisioningDeps,
  claim: Claim,
  backend: Backend | undefined,
  keys: readonly string[] | undefined,
): Promise<{ work: Work; count: number } | undefined> {
  const { db } = deps
  return db.transaction(async (tx) => {
    const claimed = await claimDue(tx, claim, MOST_PER_RUN, keys)
    if (claimed.length === 0) return undefined
    const work = await workOf(deps, tx, claim.service, backend, claimed)
    await notePlaced(
      tx,
      claim,
      work.calls.flatMap(({ items, places }) => (places ? items : [])),
    )
    return { work, count: claimed.length }
  })
}

async function workOf(
  deps: ProvisioningDeps,
  tx: Tx,
  service: SyncService,
  backend: Backend | undefined,
  claimed: readonly Claimed[],
): Promise<Work> {
  if (service === 'dns' || backend === undefined) return subdomainWork(deps, tx, claimed)
  const of = (kind: Claimed['kind']): Claimed[] => claimed.filter((item) => item.kind === kind)
  const works: Work[] = []
  const [accounts, consents, numbers] = [of('account'), of('consent'), of('number')]
  if (accounts.length > 0) works.push(await accountWork(deps, tx, backend, service, accounts))
  if (consents.length > 0) works.push(await consentWork(deps, tx, backend, service, consents))
  if (numbers.length > 0) works.push(await numberWork(deps, tx, backend, service, numbers))
  return { calls: works.flatMap(({ calls }) => calls), settled: works.flatMap(({ settled }) => settled) }
}

/** Records outcomes with what follows from them: numbers leave, or come back when a backend won't let go of them. */
export async function record(deps: ProvisioningDeps, claim: Claim, results: readonly Result[]): Promise<void> {
  const at = deps.clock.now()
  const leaving = results.filter(({ claimed: { kind, goal } }) => kind === 'number' && goal === 'absent')
  await deps.db.transaction(async (tx) => {
    // The ledger's rows before those of sync, as writes take them.
    if (leaving.length > 0) {
      await lockInLedger(
        tx,
        leaving.map(({ claimed }) => claimed.key),
      )
    }
    const recorded = (await recordResults(tx, claim, results, at)).filter(({ current }) => current)
    const released = recorded.filter(({ goal, result }) => goal === 'absent' && result === 'confirmed')
    const kept = recorded.filter(({ goal, result }) => goal === 'absent' && result === 'refused')
    for (const kind of new Set(released.map((item) => item.kind))) {
      await deleteSynced(tx, claim.service, kind, keysOf(released, kind))
    }
    const numbers = keysOf(released, 'number')
    if (numbers.length > 0) {
      await dismiss(deps, tx, numbers, { at, actor: 'system', reason: `released by ${claim.service}` })
    }
    const back = keysOf(kept, 'number')
    if (back.length > 0) {
      await bringBack(tx, back, { at, actor: 'system', reason: `${claim.service} refused to release it` })
    }
  })
}

const keysOf = (recorded: readonly Recorded[], kind: Recorded['kind']): string[] =>
  recorded.filter((item) => item.kind === kind).map(({ key }) => key)

/** Numbers that were taken off their accounts leave the ledger once no backend holds them any more. */
async function dismiss(deps: ProvisioningDeps, tx: Tx, e164s: readonly string[], cause: Cause): Promise<void> {
  const left = await findLeft(tx, e164s)
  for (const accountId of new Set(left.map((number) => number.accountId))) {
    const numbers = left.filter((number) => number.accountId === accountId).map(({ e164 }) => e164)
    await letGo(deps, tx, accountId, numbers, cause)
    await purgeAccounts(tx, [accountId])
  }
}

/** A number that its backend won't release is shown again, failed, so that its deletion can be repeated. */
async function bringBack(tx: Tx, e164s: readonly string[], cause: Cause): Promise<void> {
  const back = await restoreStored(tx, e164s)
  for (const accountId of new Set(back.map((number) => number.accountId))) {
    const counts = noCounts()
    const numbers = back.filter((number) => number.accountId === accountId)
    for (const { details } of numbers) countNumber(counts, details, 1)
    await assignNumbers(
      tx,
      accountId,
      numbers.map(({ e164 }) => e164),
      cause,
    )
    await addCounts(tx, accountId, counts, cause.at)
  }
}

export async function inParallel<T>(
  items: readonly T[],
  concurrency: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items]
  const worker = async (): Promise<void> => {
    for (let item; (item = queue.shift()) !== undefined;) await work(item)
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker))
}

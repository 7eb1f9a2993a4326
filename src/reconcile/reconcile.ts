/**
 * The reconciler: given no input, it makes one service's backend agree with what is stored. One run claims a bounded
 * batch of items that are due, calls the backend with no transaction open, and records each call's results as they come
 * in. Several runs and several processes may work at once; an item belongs to one run until its claim ends.
 */
import { lockAccounts, purgeAccounts } from '../accounts/account-store.js'
import { noteChange } from '../accounts/changes.js'
import { letGo } from '../accounts/commands/delete-numbers.js'
import type { ProvisioningDeps } from '../accounts/deps.js'
import { findLeft, lockInLedger, restoreStored } from '../accounts/number-store.js'
import type { Backend } from '../backends/port/backend.js'
import type { Tx } from '../db/db.js'
import { assignNumbers } from '../ledger/assignment.js'
import type { Cause } from '../ledger/history.js'
import { hasTimeFor, markClaimed, newClaim, takeDue, type Claim, type Claimed } from '../sync/claims.js'
import { deleteSynced, forgetAbandoned, recordResults, type Recorded, type Result } from '../sync/results.js'
import type { SyncService } from '../sync/sync.js'
import { inParallel } from './batches.js'
import type { Call } from './call.js'
import { accountWork, consentWork, numberWork, subdomainWork, type Work } from './calls.js'
import { verify } from './verify.js'

export interface Reconciled {
  /** Items that were due for sync or verification. */
  claimed: number
  confirmed: number
  refused: number
  /** Items that have to be tried again, or have another step to take at once. */
  unfinished: number
  /** More is due already: the run was full, or what it did goes on. */
  more: boolean
}

/** The most items that one run claims. */
export const MOST_PER_RUN = 500
/** The zone's time limit and concurrency, which can't be configured. */
const ZONE = { timeoutMs: 10_000, concurrency: 1 }

/**
 * One run for one service.
 * @param keys only these items, for a write that carries out its own sync at once
 */
export async function reconcile(
  deps: ProvisioningDeps,
  service: SyncService,
  keys?: readonly string[],
): Promise<Reconciled> {
  const report = { claimed: 0, confirmed: 0, refused: 0, unfinished: 0, more: false }
  const work = await claimWork(deps, service, keys)
  if (work) {
    report.claimed = work.count
    report.more = work.count === MOST_PER_RUN
    await carryOut(deps, work, (results, recorded) => {
      for (const { kind } of results) report[kind === 'confirmed' || kind === 'refused' ? kind : 'unfinished']++
      if (recorded.some(({ current, result }) => !current || result === 'progress')) report.more = true
    })
  }
  // Items that wait for sync come before the verification of those that are confirmed.
  if (service === 'dns' || keys !== undefined || report.claimed === MOST_PER_RUN) return report
  const { verified, drifted } = await verify(deps, service, MOST_PER_RUN)
  return {
    ...report,
    claimed: report.claimed + verified,
    unfinished: report.unfinished + drifted,
    more: report.more || verified === MOST_PER_RUN || drifted > 0,
  }
}

/** The work that a run has claimed. */
export interface ClaimedWork extends Work {
  claim: Claim
  count: number
  /** How long a call may take, and how many may be under way at once. */
  timeoutMs: number
  concurrency: number
  backend: Backend | undefined
}

/**
 * Claims items that are due, and stores what the backend may hold of each after the call. Undefined when nothing is due
 * or the backend takes no calls.
 */
export async function claimWork(
  deps: ProvisioningDeps,
  service: SyncService,
  keys?: readonly string[],
): Promise<ClaimedWork | undefined> {
  const { db, clock, backends } = deps
  const backend = service === 'dns' ? undefined : backends[service]
  if (service !== 'dns' && (backend === undefined || backend.unavailable())) return undefined
  const { timeoutMs, concurrency } = backend ?? ZONE
  const claim = newClaim(service, clock.now(), timeoutMs)
  return db.transaction(async (tx) => {
    const taken = await takeDue(tx, claim, MOST_PER_RUN, keys)
    if (taken.length === 0) return undefined
    const { calls, settled } = await workOf(deps, tx, service, backend, taken)
    const items = [...settled.map(({ claimed }) => claimed), ...calls.flatMap((call) => call.items)]
    await markClaimed(tx, claim, items)
    return { claim, calls, settled, count: taken.length, timeoutMs, concurrency, backend }
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

/** Makes the calls, as many at once as the backend takes. Calls that there is no time for give up their claims. */
async function carryOut(
  deps: ProvisioningDeps,
  { claim, calls, settled, timeoutMs, concurrency, backend }: ClaimedWork,
  note: (results: readonly Result[], recorded: readonly Recorded[]) => void,
): Promise<void> {
  const finish = async (results: readonly Result[]): Promise<void> => {
    note(results, await record(deps, claim, results))
  }
  if (settled.length > 0) await finish(settled)
  await inParallel(calls, concurrency, async (call) => {
    const goesAhead = hasTimeFor(claim, timeoutMs, deps.clock.now()) && backend?.unavailable() === undefined
    await finish(goesAhead ? await call.run() : untouched(call))
  })
}

const untouched = ({ items, step }: Call): Result[] => items.map((claimed) => ({ claimed, step, kind: 'untouched' }))

/** Records results and their consequences: numbers leave, or come back when a backend refuses to release them. */
export async function record(deps: ProvisioningDeps, claim: Claim, results: readonly Result[]): Promise<Recorded[]> {
  const at = deps.clock.now()
  const leaving = results.filter(({ claimed: { kind, goal } }) => kind === 'number' && goal === 'absent')
  return deps.db.transaction(async (tx) => {
    // In the order in which writes take them: accounts, the ledger's rows, those of sync.
    const mayComeBack = leaving.filter(({ kind }) => kind === 'refused')
    if (mayComeBack.length > 0) {
      await lockAccounts(
        tx,
        mayComeBack.map(({ claimed }) => claimed.accountId as string),
      )
    }
    if (leaving.length > 0) {
      await lockInLedger(
        tx,
        leaving.map(({ claimed }) => claimed.key),
      )
    }
    const recorded = await recordResults(tx, claim, results, at)
    const ended = recorded.filter(({ current, goal }) => current && goal === 'absent')
    const released = ended.filter(({ result }) => result === 'confirmed')
    const kept = ended.filter(({ result }) => result === 'refused')
    for (const kind of new Set(released.map((item) => item.kind))) {
      await deleteSynced(tx, claim.service, kind, keysOf(released, kind))
    }
    const numbers = keysOf(released, 'number')
    if (numbers.length > 0) {
      await dismiss(deps, tx, numbers, { at, actor: 'system', reason: `released by ${claim.service}` })
    }
    const back = keysOf(kept, 'number')
    if (back.length > 0) {
      await bringBack(deps, tx, back, { at, actor: 'system', reason: `${claim.service} refused to release it` })
    }
    const abandoned = keysOf(
      recorded.filter(({ settled }) => settled),
      'number',
    )
    if (abandoned.length > 0) await forgetAbandoned(tx, claim.service, abandoned)
    return recorded
  })
}

const keysOf = (recorded: readonly Recorded[], kind: Recorded['kind']): string[] =>
  recorded.filter((item) => item.kind === kind).map(({ key }) => key)

/** Takes numbers that were withdrawn from their accounts off them for good, once no backend holds them any more. */
async function dismiss(deps: ProvisioningDeps, tx: Tx, e164s: readonly string[], cause: Cause): Promise<void> {
  const left = await findLeft(tx, e164s)
  for (const accountId of new Set(left.map((number) => number.accountId))) {
    const numbers = left.filter((number) => number.accountId === accountId).map(({ e164 }) => e164)
    await letGo(deps, tx, accountId, numbers, cause)
    await purgeAccounts(tx, [accountId])
  }
}

/** Shows numbers that their backend refused to release again, as failed, so that their deletion can be repeated. */
async function bringBack(deps: ProvisioningDeps, tx: Tx, e164s: readonly string[], cause: Cause): Promise<void> {
  const back = await restoreStored(tx, e164s)
  for (const accountId of new Set(back.map((number) => number.accountId))) {
    const numbers = back.filter((number) => number.accountId === accountId)
    await assignNumbers(
      tx,
      accountId,
      numbers.map(({ e164 }) => e164),
      cause,
    )
    const changed = numbers.map(({ e164, details }) => ({ e164, before: undefined, after: details }))
    await noteChange(deps, tx, { kind: 'numbers', subject: accountId, numbers: changed }, cause)
  }
}

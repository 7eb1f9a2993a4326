/**
 * Verifies what a backend really has: every item it has confirmed, in turn, and soon those that a lost command may have
 * changed. An item that has drifted becomes due again, and the reconciler syncs it as if for the first time.
 */
import { tenantAt } from '../accounts/account.js'
import { driftOf, observedOf } from '../accounts/agreement.js'
import type { ProvisioningDeps } from '../accounts/deps.js'
import { desiredNumbers, type DesiredNumber } from '../accounts/desired.js'
import type { Backend, BackendNumber, ServiceCode } from '../backends/port/backend.js'
import { BackendError } from '../backends/port/call.js'
import { serviceKeyOf } from '../backends/port/services.js'
import { later } from '../clock.js'
import { claimToVerify, hasTimeFor, newClaim, type Claim, type Claimed } from '../sync/claims.js'
import { VERIFY_AGAIN_MS } from '../sync/plan.js'
import { forgetAbandoned, settleVerified, type Verified } from '../sync/results.js'
import { inBatches, inParallel } from './batches.js'

/**
 * One run for one service, under its own claim. Returns how many items it verified and how many of them are due again.
 */
export async function verify(
  deps: ProvisioningDeps,
  service: ServiceCode,
  limit: number,
): Promise<{ verified: number; drifted: number }> {
  const { db, clock } = deps
  const backend = deps.backends[service]
  const report = { verified: 0, drifted: 0 }
  if (backend === undefined || backend.unavailable()) return report
  const claim = newClaim(service, clock.now(), backend.timeoutMs)
  const claimed = await db.transaction((tx) => claimToVerify(tx, claim, limit))
  report.verified = claimed.length
  if (claimed.length === 0) return report
  const settle = async (verified: readonly Verified[]): Promise<void> => {
    report.drifted += verified.filter(({ drift }) => drift !== undefined).length
    await settleAll(deps, claim, verified)
  }
  const unverifiable = claimed.filter(({ kind }) => kind !== 'number')
  if (unverifiable.length > 0) await settle(unverifiable.map((item) => syncedAgain(item, clock.now())))
  await inParallel(await readsOf(deps, backend, service, claimed), backend.concurrency, async (read) => {
    const isInTime = hasTimeFor(claim, backend.timeoutMs, clock.now()) && backend.unavailable() === undefined
    await settle(isInTime ? await read.run() : read.items.map((item) => notAsked(item, clock.now())))
  })
  return report
}

async function settleAll(deps: ProvisioningDeps, claim: Claim, verified: readonly Verified[]): Promise<void> {
  const { db, clock, logger } = deps
  await db.transaction(async (tx) => {
    const settled = (await settleVerified(tx, claim, verified, clock.now())).filter((item) => item.settled)
    const e164s = settled.map(({ key }) => key)
    if (e164s.length > 0) await forgetAbandoned(tx, claim.service, e164s)
  })
  for (const { claimed, drift } of verified) {
    if (drift !== undefined && claimed.kind === 'number') {
      logger.warn({ service: claim.service, e164: claimed.key, drift }, 'a backend had drifted')
    }
  }
}

/** Backends can't be asked about accounts and consents: one that a lost command may have overtaken is synced again. */
const syncedAgain = (claimed: Claimed, at: Date): Verified => ({
  claimed,
  verifyAt: at,
  sure: true,
  drift: 'Synced again, because an earlier command was lost and may have arrived late.',
})

const notAsked = (claimed: Claimed, at: Date): Verified => ({ claimed, verifyAt: at, sure: false })

interface Read {
  items: readonly Claimed[]
  run(): Promise<Verified[]>
}

/** Reads of numbers, each with as many of one tenant as the backend takes. */
async function readsOf(
  deps: ProvisioningDeps,
  backend: Backend,
  service: ServiceCode,
  claimed: readonly Claimed[],
): Promise<Read[]> {
  const { db, clock, verifyIntervalMs } = deps
  const numbers = claimed.filter(({ kind }) => kind === 'number')
  const e164s = numbers.map((item) => item.key)
  const desired =
    e164s.length === 0 ? new Map<string, DesiredNumber>() : await desiredNumbers(db, e164s, serviceKeyOf[service])
  const byTenant = new Map<string, Claimed[]>()
  for (const item of numbers) {
    const account = desired.get(item.key)?.account
    const tenantId = item.placed?.tenantId ?? (account ? tenantAt(account, serviceKeyOf[service]) : '')
    byTenant.set(tenantId, [...(byTenant.get(tenantId) ?? []), item])
  }
  const batches = [...byTenant].flatMap(([tenantId, items]) =>
    inBatches(items, backend.batchSize).map((batch) => ({ tenantId, batch })),
  )
  return batches.map(({ tenantId, batch }) => ({
    items: batch,
    run: async () => {
      const found = await readNumbers(deps, backend, tenantId, batch)
      const at = clock.now()
      return batch.map((item): Verified => {
        if (found === undefined) return { claimed: item, verifyAt: later(at, VERIFY_AGAIN_MS), sure: false }
        const number = found.get(item.key)
        return {
          claimed: item,
          ...(number && { observed: observedOf(number) }),
          verifyAt: later(at, verifyIntervalMs),
          sure: true,
          drift: driftOf(desired.get(item.key), number),
        }
      })
    },
  }))
}

/** What the backend has of these numbers; undefined when it could not be asked. */
async function readNumbers(
  { logger }: ProvisioningDeps,
  backend: Backend,
  tenantId: string,
  batch: readonly Claimed[],
): Promise<Map<string, BackendNumber> | undefined> {
  try {
    const numbers = await backend.getNumbers(
      tenantId,
      batch.map((item) => item.key),
    )
    return new Map(numbers.map((number) => [number.e164, number]))
  } catch (error) {
    if (!(error instanceof BackendError)) logger.error({ err: error, tenantId }, 'call to a backend failed')
    return undefined
  }
}

/**
 * Looking at what a backend really has: in turn at everything it has confirmed, and soon at what a lost command may have
 * changed. What has drifted becomes due again; the reconciler then tells the backend as if for the first time.
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
import { LOOK_AGAIN_MS } from '../sync/plan.js'
import { forgetAbandoned, settleVerified, type Verified } from '../sync/results.js'
import { inBatches, inParallel } from './batches.js'

/** One run for one service, under a claim of its own. Returns how many things it looked at, and how many are due again. */
export async function verify(
  deps: ProvisioningDeps,
  service: ServiceCode,
  limit: number,
): Promise<{ looked: number; drifted: number }> {
  const { db, clock } = deps
  const backend = deps.backends[service]
  const report = { looked: 0, drifted: 0 }
  if (backend === undefined || backend.unavailable()) return report
  const claim = newClaim(service, clock.now(), backend.timeoutMs)
  const claimed = await db.transaction((tx) => claimToVerify(tx, claim, limit))
  report.looked = claimed.length
  if (claimed.length === 0) return report
  const settle = async (verified: readonly Verified[]): Promise<void> => {
    report.drifted += verified.filter(({ drift }) => drift !== undefined).length
    await settleAll(deps, claim, verified)
  }
  const untold = claimed.filter(({ kind }) => kind !== 'number')
  if (untold.length > 0) await settle(untold.map((item) => toldAgain(item, clock.now())))
  await inParallel(await looksAt(deps, backend, service, claimed), backend.concurrency, async (look) => {
    const isInTime = hasTimeFor(claim, backend.timeoutMs, clock.now()) && backend.unavailable() === undefined
    await settle(isInTime ? await look.run() : look.items.map((item) => notAsked(item, clock.now())))
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

/** Backends can't be asked about accounts and consents: what may have been overtaken by a lost command is told anew. */
const toldAgain = (claimed: Claimed, at: Date): Verified => ({
  claimed,
  verifyAt: at,
  sure: true,
  drift: 'Told again, because a command before it was lost and may have come late.',
})

const notAsked = (claimed: Claimed, at: Date): Verified => ({ claimed, verifyAt: at, sure: false })

interface Look {
  items: readonly Claimed[]
  run(): Promise<Verified[]>
}

/** Questions about numbers, as many of one tenant in each as the backend takes. */
async function looksAt(
  deps: ProvisioningDeps,
  backend: Backend,
  service: ServiceCode,
  claimed: readonly Claimed[],
): Promise<Look[]> {
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
  const looks = [...byTenant].flatMap(([tenantId, items]) =>
    inBatches(items, backend.batchSize).map((batch) => ({ tenantId, batch })),
  )
  return looks.map(({ tenantId, batch }) => ({
    items: batch,
    run: async () => {
      const found = await lookFor(deps, backend, tenantId, batch)
      const at = clock.now()
      return batch.map((item): Verified => {
        if (found === undefined) return { claimed: item, verifyAt: later(at, LOOK_AGAIN_MS), sure: false }
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
async function lookFor(
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

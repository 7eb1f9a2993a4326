/**
 * Looking at what a backend really has: in turn at everything it has confirmed, and soon at what a lost command may have
 * changed. What has drifted becomes due again; the reconciler then tells the backend as if for the first time.
 */
import { BackendError, type Backend, type BackendNumber, type NumberConfiguration } from '../../backends/backend.js'
import { later } from '../../clock.js'
import { tenantAt } from '../account.js'
import type { ProvisioningDeps } from '../deps.js'
import { serviceKeyOf } from '../services.js'
import { inBatches, observedOf } from './calls.js'
import { claimToVerify, redo, settleVerified, type Claim, type Claimed, type Verified } from './claims.js'
import { desiredNumbers, type DesiredNumber } from './desired.js'
import { LOOK_AGAIN_MS } from './plan.js'
import { inParallel, MOST_PER_RUN, type Reconciled } from './reconcile.js'
import type { SyncService } from './sync.js'

/** One run for one service, under a claim of its own. */
export async function verify(
  deps: ProvisioningDeps,
  claim: Claim & { service: SyncService },
  backend: Backend,
): Promise<Reconciled> {
  const { db, clock, logger, verifyIntervalMs } = deps
  const { service } = claim
  if (service === 'dns') throw new Error('The zone is looked at on each read.')
  const key = serviceKeyOf[service]
  const claimed = await db.transaction((tx) => claimToVerify(tx, claim, MOST_PER_RUN))
  const report: Reconciled = { claimed: claimed.length, confirmed: 0, refused: 0, unfinished: 0 }
  if (claimed.length === 0) return report
  const desired = await desiredNumbers(
    db,
    claimed.map((item) => item.key),
    key,
  )
  const byTenant = new Map<string, Claimed[]>()
  for (const item of claimed) {
    const account = desired.get(item.key)?.account
    const tenantId = account ? tenantAt(account, key) : ''
    byTenant.set(tenantId, [...(byTenant.get(tenantId) ?? []), item])
  }
  const calls = [...byTenant].flatMap(([tenantId, items]) =>
    inBatches(items, backend.batchSize).map((batch) => ({ tenantId, batch })),
  )
  await inParallel(calls, backend.concurrency, async ({ tenantId, batch }) => {
    const found = await look(batch, tenantId)
    const at = clock.now()
    const verified = batch.map((claimedItem): Verified => {
      const number = found?.get(claimedItem.key)
      return {
        claimed: claimedItem,
        ...(number && { observed: observedOf(number) }),
        verifyAt: later(at, found ? verifyIntervalMs : LOOK_AGAIN_MS),
        sure: found !== undefined,
      }
    })
    const drifted = found ? batch.filter((item) => !agrees(desired.get(item.key), found.get(item.key))) : []
    await db.transaction(async (tx) => {
      await settleVerified(tx, claim, verified, at)
      await redo(tx, claim, drifted, at)
    })
    for (const { key: e164 } of drifted) logger.warn({ service, e164, tenantId }, 'a backend had drifted')
    report.confirmed += batch.length - drifted.length
    report.unfinished += drifted.length
  })
  return report

  async function look(batch: readonly Claimed[], tenantId: string): Promise<Map<string, BackendNumber> | undefined> {
    try {
      const numbers = await backend.getNumbers(
        tenantId,
        batch.map((item) => item.key),
      )
      return new Map(numbers.map((number) => [number.e164, number]))
    } catch (error) {
      if (!(error instanceof BackendError)) throw error
      return undefined
    }
  }
}

/** Whether a backend has a number as it is wanted, as far as it tells. */
export function agrees(desired: DesiredNumber | undefined, found: BackendNumber | undefined): boolean {
  if (found === undefined) return false
  if (desired?.service?.configuration === undefined || found.configuration === undefined) return true
  const { configuration: wanted } = desired.service
  const has = found.configuration
  return configurationParts.every(
    (part) => has[part] === undefined || JSON.stringify(has[part]) === JSON.stringify(wanted[part]),
  )
}

const configurationParts: readonly (keyof NumberConfiguration)[] = [
  'usage',
  'choosableCapabilities',
  'additionalUsages',
  'civicAddressId',
  'locationId',
  'allowTenantAddressUpdate',
  'displayedCountryCode',
]

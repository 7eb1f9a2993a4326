import type { Attribution } from '../../auth/changes.js'
import { serviceKeyOf } from '../../backends/port/services.js'
import type { Tx } from '../../db/db.js'
import { noteWithdrawn, unassignNumbers } from '../../ledger/assignment.js'
import type { Cause } from '../../ledger/history.js'
import { restsUntil } from '../../ledger/policy.js'
import { requestRelease } from '../../sync/store.js'
import type { SyncService } from '../../sync/sync.js'
import { passesOn, type Account } from '../account.js'
import { findAccount } from '../account-store.js'
import { noteChange } from '../changes.js'
import { activeServices, causeOf, type Precondition, type ProvisioningDeps } from '../deps.js'
import { deleteStored, lockStored, markRemoved, type StoredNumber } from '../number-store.js'
import { accountNotFound } from './find.js'

/** Deletes one number; succeeds when the account or the number doesn't exist. Throws 'condition-not-met'. */
export async function deleteNumber(
  deps: ProvisioningDeps,
  tx: Tx,
  by: Attribution,
  { accountName, e164, precondition }: { accountName: string; e164: string; precondition: Precondition<StoredNumber> },
): Promise<SyncService[]> {
  const account = await findAccount(tx, accountName, 'share')
  if (account === undefined) {
    precondition(undefined)
    return []
  }
  return takeOff(deps, tx, account, [e164], causeOf(deps, by), precondition)
}

/** Deletes those of the numbers that are on the account. Throws 'account-not-found' and what `read` throws. */
export async function deleteNumbers(
  deps: ProvisioningDeps,
  tx: Tx,
  by: Attribution,
  { accountName, read }: { accountName: string; read(): readonly string[] },
): Promise<SyncService[]> {
  const account = await findAccount(tx, accountName, 'share')
  if (account === undefined) throw accountNotFound(accountName)
  return takeOff(deps, tx, account, read(), causeOf(deps, by))
}

/**
 * Takes numbers off an account (contract 5.8). A number that a backend may hold is hidden at once, but stays assigned
 * in the ledger until the backend has released it: no one may buy a number that still reaches its former user. Returns
 * the services whose reconcilers have work to do now.
 */
export async function takeOff(
  deps: ProvisioningDeps,
  tx: Tx,
  account: Account,
  e164s: readonly string[],
  cause: Cause,
  precondition?: Precondition<StoredNumber>,
): Promise<SyncService[]> {
  const numbers = await lockStored(tx, account.id, e164s)
  if (precondition) precondition(numbers[0])
  if (numbers.length === 0) return []
  const synced = numbers.filter((number) => number.synced.length > 0).map(({ e164 }) => e164)
  const ours = activeServices(deps).filter((code) => passesOn(account, serviceKeyOf[code]))
  const leaving = synced.length === 0 ? new Set<string>() : await requestRelease(tx, 'number', synced, ours, cause.at)
  const gone = numbers.map(({ e164 }) => e164).filter((e164) => !leaving.has(e164))
  if (leaving.size > 0) {
    await markRemoved(tx, [...leaving], cause.at)
    await noteWithdrawn(tx, [...leaving], cause)
  }
  if (gone.length > 0) await letGo(deps, tx, account.id, gone, cause)
  const changed = numbers.map(({ e164, details }) => ({ e164, before: details, after: undefined }))
  await noteChange(deps, tx, { kind: 'numbers', subject: account.id, numbers: changed }, cause)
  return leaving.size > 0 ? activeServices(deps) : []
}

/** Removes numbers that no backend holds any more: stock rests, others leave the ledger. */
export async function letGo(
  { policyOf }: Pick<ProvisioningDeps, 'policyOf'>,
  tx: Tx,
  accountId: string,
  e164s: string[],
  cause: Cause,
): Promise<void> {
  await deleteStored(tx, e164s)
  const numbers = e164s.map((e164) => ({ e164, freeAt: restsUntil(policyOf, e164, cause.at) }))
  await unassignNumbers(tx, accountId, numbers, cause)
}

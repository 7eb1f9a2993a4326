import type { Attribution } from '../../auth/changes.js'
import type { Tx } from '../../db/db.js'
import { DomainError } from '../../errors.js'
import { dropSync, requestRelease } from '../../sync/store.js'
import type { SyncService } from '../../sync/sync.js'
import type { Account } from '../account.js'
import { findAccount, readCounts, removeAccount } from '../account-store.js'
import { noteChange } from '../changes.js'
import { causeOf, type Precondition, type ProvisioningDeps } from '../deps.js'
import { nextE164s } from '../number-store.js'
import { wantedLabel } from '../subdomain.js'
import { takeOff } from './delete-numbers.js'
import type { AccountWritten } from './put-account.js'

export interface AccountDelete {
  name: string
  /** Whether its numbers are deleted with it; undefined where a client has no way to say so. */
  deleteNumbers: boolean | undefined
  precondition: Precondition<Account>
}

/** How many of an account's numbers one statement deletes; all statements share one transaction. */
const NUMBERS_AT_A_TIME = 5_000

/**
 * Deletes an account, and its numbers if requested (contract 5.10). Deleting an account that doesn't exist succeeds.
 * Throws 'condition-not-met', 'account-has-numbers'.
 */
export async function deleteAccount(
  deps: ProvisioningDeps,
  tx: Tx,
  by: Attribution,
  { name, deleteNumbers, precondition }: AccountDelete,
): Promise<Pick<AccountWritten, 'toSync' | 'labels'>> {
  const account = await findAccount(tx, name, 'update')
  precondition(account)
  if (account === undefined) return { toSync: [], labels: [] }
  const cause = causeOf(deps, by)
  const { total } = await readCounts(tx, account.id)
  if (total > 0 && deleteNumbers === undefined) {
    throw new DomainError('account-has-numbers', `Account ${name} has ${total} numbers. Delete each of them first.`)
  }
  if (total > 0 && !deleteNumbers) {
    throw new DomainError(
      'account-has-numbers',
      `Account ${name} has ${total} numbers. Delete them first, or delete the account with deleteNumbers=true.`,
      { target: 'deleteNumbers' },
    )
  }
  const toSync = new Set<SyncService>()
  for (let e164s; (e164s = await nextE164s(tx, account.id, NUMBERS_AT_A_TIME)).length > 0;) {
    for (const service of await takeOff(deps, tx, account, e164s, cause)) toSync.add(service)
  }
  await dropSync(tx, 'account', account.id)
  const label = wantedLabel(account)
  if (label !== undefined) await requestRelease(tx, 'subdomain', [label], ['dns'], cause.at)
  await removeAccount(tx, account.id, cause.at)
  await noteChange(deps, tx, { kind: 'account', subject: name, before: account, after: undefined }, cause)
  return { toSync: [...toSync], labels: label === undefined ? [] : [label] }
}

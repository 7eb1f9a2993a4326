import type { Attribution } from '../../auth/changes.js'
import { serviceCodes } from '../../backends/port/backend.js'
import { serviceKeyOf, type ServiceKey } from '../../backends/port/services.js'
import { violatesUnique, type Tx } from '../../db/db.js'
import { DomainError } from '../../errors.js'
import { newId } from '../../ids.js'
import { forgetSync, requestRelease, requestSync, requestSyncOfNumbers, settleNumbers } from '../../sync/store.js'
import type { SyncService } from '../../sync/sync.js'
import { checkAccount, passesOn, type Account, type AccountSettings } from '../account.js'
import { findAccount, insertAccount, readCounts, updateAccount } from '../account-store.js'
import { noteChange } from '../changes.js'
import { causeOf, type Precondition, type ProvisioningDeps } from '../deps.js'
import { checkLength, wantedLabel } from '../subdomain.js'

/** A write of an account. The account is found first, then the conditions are checked, and only then the body. */
export interface AccountPut {
  name: string
  precondition: Precondition<Account>
  /** Returns the wanted account; throws when the body is wrong or can't replace what is there. */
  read(before: AccountSettings | undefined): AccountSettings
}

export interface AccountWritten {
  created: boolean
  /** Services whose reconcilers have work to do now. */
  toSync: SyncService[]
  /** Labels whose records in the zone have to be updated. */
  labels: string[]
}

/**
 * Creates an account or replaces one (contract 5.2, 5.3, 7). Its backends and the DNS zone follow after the commit.
 * Throws 'condition-not-met', what `read` throws, 'tenant-required', 'tenant-in-use', 'service-in-use',
 * 'subdomain-in-use'.
 */
export async function putAccount(
  deps: ProvisioningDeps,
  tx: Tx,
  by: Attribution,
  put: AccountPut,
): Promise<AccountWritten> {
  const cause = causeOf(deps, by)
  const { at } = cause
  for (;;) {
    const before = await findAccount(tx, put.name, 'update')
    put.precondition(before)
    const wanted = put.read(before)
    checkAccount(wanted, before && { account: before, counts: await readCounts(tx, before.id) })
    const label = wantedLabel(wanted)
    if (label !== undefined) checkLength(deps.regions, label)
    const id = before?.id ?? newId()
    try {
      if (before) await updateAccount(tx, id, wanted, at)
      // Another request has just created it: it is replaced then, if the conditions still hold.
      else if (!(await insertAccount(tx, id, wanted, at))) continue
    } catch (error) {
      if (violatesUnique(error, 'account_subdomain')) throw subdomainInUse(wanted)
      throw error
    }
    await noteChange(deps, tx, { kind: 'account', subject: wanted.name, before, after: wanted }, cause)
    const toSync = await requestBackends(deps, tx, id, wanted, before, at)
    const labels = await requestZone(tx, id, label, before && wantedLabel(before), at)
    return { created: before === undefined, toSync, labels }
  }
}

/** Requests sync of an account with the backends that it is passed on to, and once more when that has just ended. */
async function requestBackends(
  { backends }: ProvisioningDeps,
  tx: Tx,
  accountId: string,
  wanted: AccountSettings,
  before: AccountSettings | undefined,
  at: Date,
): Promise<SyncService[]> {
  const codes = serviceCodes.filter((code) => backends[code] !== undefined)
  if (codes.length === 0) return []
  const wasOn = (key: ServiceKey): boolean => before !== undefined && passesOn(before, key)
  const toSync = codes.filter((code) => passesOn(wanted, serviceKeyOf[code]) || wasOn(serviceKeyOf[code]))
  await requestSync(
    tx,
    'account',
    toSync.map((service) => ({ key: accountId, service, accountId })),
    at,
  )
  if (before === undefined) return toSync
  const unsynced = codes.filter((code) => !toSync.includes(code))
  if (unsynced.length > 0) await forgetSync(tx, 'account', accountId, unsynced)
  for (const code of codes) {
    const key = serviceKeyOf[code]
    if (passesOn(wanted, key) === wasOn(key)) continue
    if (wasOn(key)) await settleNumbers(tx, accountId, code, at)
    else await requestSyncOfNumbers(tx, accountId, { code, key }, at)
  }
  return toSync
}

/** Requests that the zone gets the records of the account's label and loses those of a label it no longer has. */
async function requestZone(
  tx: Tx,
  accountId: string,
  label: string | undefined,
  labelBefore: string | undefined,
  at: Date,
): Promise<string[]> {
  if (label !== undefined) await requestSync(tx, 'subdomain', [{ key: label, service: 'dns', accountId }], at)
  const leaving = labelBefore === undefined || labelBefore === label ? [] : [labelBefore]
  if (leaving.length > 0) await requestRelease(tx, 'subdomain', leaving, ['dns'], at)
  return [...(label === undefined ? [] : [label]), ...leaving]
}

const subdomainInUse = ({ services: { teamsDirectRouting } }: AccountSettings): DomainError =>
  new DomainError(
    'subdomain-in-use',
    `The subdomain ${teamsDirectRouting?.configuration?.subdomain ?? ''} is another account's; choose another label.`,
    { target: 'serviceDetails.teamsDirectRouting.configuration.subdomain' },
  )

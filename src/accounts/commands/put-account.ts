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
import { causeOf, type Caller, type Precondition, type ProvisioningDeps } from '../deps.js'
import { checkLength, wantedLabel } from '../subdomain.js'

/** A write of this API: what it is about is found first, its conditions are judged, and only then what it wants. */
export interface AccountPut {
  name: string
  precondition: Precondition<Account>
  /** The account wanted; throws what is wrong with the body, or can't be put over what is there. */
  read(before: AccountSettings | undefined): AccountSettings
}

export interface AccountWritten {
  created: boolean
  /** Whose reconcilers have something to do now. */
  told: SyncService[]
  /** Labels whose records have to be put right in the zone. */
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
  caller: Caller,
  put: AccountPut,
): Promise<AccountWritten> {
  const cause = causeOf(deps, caller)
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
      // Somebody else has just created it: it is replaced then, if the conditions still hold.
      else if (!(await insertAccount(tx, id, wanted, at))) continue
    } catch (error) {
      if (violatesUnique(error, 'account_subdomain')) throw subdomainInUse(wanted)
      throw error
    }
    await noteChange(deps, tx, { kind: 'account', subject: wanted.name, before, after: wanted }, cause)
    const told = await requestBackends(deps, tx, id, wanted, before, at)
    const labels = await requestZone(tx, id, label, before && wantedLabel(before), at)
    return { created: before === undefined, told, labels }
  }
}

/** An account is told to a backend while it is passed on, and once more when that has just ended. */
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
  const told = codes.filter((code) => passesOn(wanted, serviceKeyOf[code]) || wasOn(serviceKeyOf[code]))
  await requestSync(
    tx,
    'account',
    told.map((service) => ({ key: accountId, service, accountId })),
    at,
  )
  if (before === undefined) return told
  const untold = codes.filter((code) => !told.includes(code))
  if (untold.length > 0) await forgetSync(tx, 'account', accountId, untold)
  for (const code of codes) {
    const key = serviceKeyOf[code]
    if (passesOn(wanted, key) === wasOn(key)) continue
    if (wasOn(key)) await settleNumbers(tx, accountId, code, at)
    else await requestSyncOfNumbers(tx, accountId, { code, key }, at)
  }
  return told
}

/** The records of the label it has are put into the zone, those of a label that it no longer has taken out. */
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

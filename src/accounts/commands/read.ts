/** Accounts and numbers as clients see them. */
import type { ServiceCode } from '../../backends/port/backend.js'
import { BackendError } from '../../backends/port/call.js'
import { serviceKeyOf } from '../../backends/port/services.js'
import type { Queryable, Tx } from '../../db/db.js'
import { leavingLabels, noteObserved, readGeneration } from '../../sync/store.js'
import { passesOn, tenantAt, type Account, type AccountWithStatus } from '../account.js'
import { isEnabled, type AccountNumber } from '../account-number.js'
import { accountsWithDirectRouting, findAccount, readAccount } from '../account-store.js'
import { agrees, observedOf } from '../agreement.js'
import { activeServices, type ProvisioningDeps } from '../deps.js'
import { readNumbers } from '../number-store.js'
import { namesOf, subdomainStatus, wantedLabel, wantedRecords, type SubdomainStatus } from '../subdomain.js'
import { inTime } from './ask-backend.js'
import { accountNotFound, numberNotFound } from './find.js'

export interface ShownAccount<Kind extends Account = AccountWithStatus> {
  account: Kind
  subdomain: SubdomainStatus
}

/** An account as the transaction that wrote it sees it, before the zone has followed. Throws 'account-not-found'. */
export async function getWrittenAccount(deps: ProvisioningDeps, tx: Tx, name: string): Promise<ShownAccount> {
  const account = await readAccount(tx, name, activeServices(deps))
  if (account === undefined) throw accountNotFound(name)
  return { account, subdomain: 'notProvisioned' }
}

/** Throws 'account-not-found'. */
export async function getAccount(deps: ProvisioningDeps, name: string): Promise<ShownAccount> {
  const { db } = deps
  const account = await readAccount(db, name, activeServices(deps))
  if (account === undefined) throw accountNotFound(name)
  const [shown] = await withSubdomains(deps, [account])
  return shown as ShownAccount
}

/** Accounts with the state of their subdomains: two queries for all of them. */
export async function withSubdomains<Kind extends Account>(
  deps: ProvisioningDeps,
  accounts: readonly Kind[],
): Promise<ShownAccount<Kind>[]> {
  const concerned = accounts.filter((account) => account.services.teamsDirectRouting !== undefined)
  const stale =
    concerned.length === 0
      ? []
      : await leavingLabels(
          deps.db,
          concerned.map(({ id }) => id),
        )
  const namesWanted = (account: Account) => {
    const label = wantedLabel(account)
    const tokens = account.services.teamsDirectRouting?.configuration?.subdomainTokens
    return label === undefined || tokens === undefined ? [] : wantedRecords(deps.regions, label, tokens)
  }
  const namesLeaving = ({ id }: Account): string[] =>
    stale.filter(({ accountId }) => accountId === id).flatMap(({ label }) => namesOf(deps.regions, label))
  const namesOfInterest = (account: Account): string[] => [
    ...namesWanted(account).map(({ name }) => name),
    ...namesLeaving(account),
  ]
  const found = await askZone(deps, concerned.flatMap(namesOfInterest))
  const statusOf = (account: Account): SubdomainStatus => {
    if (found) return subdomainStatus(namesWanted(account), namesLeaving(account), found)
    return namesOfInterest(account).length > 0 ? 'inconsistent' : 'notProvisioned'
  }
  return accounts.map((account) => ({ account, subdomain: statusOf(account) }))
}

/** The zone's records of names; undefined when the zone can't be read, which doesn't prevent reading the rest. */
async function askZone(
  { zone, logger }: ProvisioningDeps,
  names: readonly string[],
): Promise<Map<string, readonly string[]> | undefined> {
  if (names.length === 0) return new Map()
  try {
    return await zone.lookupTxt(names)
  } catch (error) {
    logger.warn({ err: error, zone: zone.name }, 'the DNS zone can not be asked')
    return undefined
  }
}

/** The subdomain status of every account with Direct Routing, by account id: for filters, which need all of them. */
export async function subdomainStatuses(deps: ProvisioningDeps): Promise<Map<string, SubdomainStatus>> {
  const accounts = await accountsWithDirectRouting(deps.db)
  return new Map((await withSubdomains(deps, accounts)).map(({ account, subdomain }) => [account.id, subdomain]))
}

/** How long a backend's report about a number counts as current when a client reads that number. */
const CURRENT_MS = 60_000

/**
 * One number, with its backends' current report (contract 5.13), or their latest one when they can't be queried.
 * Throws 'account-not-found', 'number-not-found'.
 */
export async function getNumber(deps: ProvisioningDeps, accountName: string, e164: string): Promise<AccountNumber> {
  const { db, clock } = deps
  const account = await findAccount(db, accountName)
  if (account === undefined) throw accountNotFound(accountName)
  const number = await readNumber(deps, db, account, e164)
  const { observedAt, status } = number.sync
  const isOld = observedAt !== null && clock.now().getTime() - observedAt.getTime() > CURRENT_MS
  if (status !== 'synced' || !isOld) return number
  const codes = activeServices(deps).filter(
    (code) => passesOn(account, serviceKeyOf[code]) && isEnabled(number.details, serviceKeyOf[code]),
  )
  await Promise.all(codes.map((code) => refresh(deps, number, code)))
  return codes.length === 0 ? number : readNumber(deps, db, account, e164)
}

export async function readNumber(
  deps: ProvisioningDeps,
  db: Queryable,
  account: Account,
  e164: string,
): Promise<AccountNumber> {
  const [number] = await readNumbers(db, account.id, [e164], activeServices(deps))
  if (number === undefined) throw numberNotFound(e164, account.name)
  return number
}

/** Reads a number from its backend. One that has drifted is left to the reconciler, which verifies it next. */
async function refresh(
  deps: ProvisioningDeps,
  { e164, account, details }: AccountNumber,
  code: ServiceCode,
): Promise<void> {
  const { db, clock, backends, nudge } = deps
  const key = serviceKeyOf[code]
  const generation = await readGeneration(db, 'number', e164, code)
  const backend = backends[code]
  if (generation === undefined || backend === undefined || backend.unavailable() !== undefined) return
  try {
    const [found] = await inTime(deps.readDeadline(), backend.getNumbers(tenantAt(account, key), [e164]))
    const isRight = agrees({ e164, account, service: details.serviceDetails[key] ?? null }, found)
    const observed = found && observedOf(found)
    await noteObserved(db, { e164, service: code, generation }, observed, { at: clock.now(), agrees: isRight })
    if (!isRight) nudge([code])
  } catch (error) {
    if (!(error instanceof BackendError)) throw error
  }
}

import type { Attribution } from '../../auth/changes.js'
import { serviceCodes, type ServiceCode } from '../../backends/port/backend.js'
import { serviceKeyOf } from '../../backends/port/services.js'
import type { Tx } from '../../db/db.js'
import { DomainError } from '../../errors.js'
import { assignNumbers, moveAssigned } from '../../ledger/assignment.js'
import { lockSync, requestRelease, requestSync } from '../../sync/store.js'
import type { SyncService } from '../../sync/sync.js'
import { passesOn, type Account } from '../account.js'
import { isEnabled, numberFaults, type NumberToPut } from '../account-number.js'
import { findAccount, purgeAccounts } from '../account-store.js'
import { noteChange } from '../changes.js'
import { causeOf, type Precondition, type ProvisioningDeps } from '../deps.js'
import { findStored, putStored, type StoredNumber } from '../number-store.js'
import { accountNotFound } from './find.js'

export interface NumbersPut {
  accountName: string
  e164s: string[]
  /** For a single number only; batches have no conditions. */
  precondition?: Precondition<StoredNumber>
  /** Returns the wanted numbers, in the order of `e164s`; throws when the body is wrong. */
  read(): NumberToPut[]
  /** Throws when what is there can't be replaced. */
  check?(before: NumberToPut | undefined): void
  /** The path of the number at `index` in the request; undefined when the request is that number. */
  targetOf?(index: number): string
}

/**
 * Puts numbers on an account: creates those that are new to it, replaces the others; all of them or none. Their
 * backends follow after the commit. Writers of one number take turns at its row of the ledger, which is locked first. A
 * wrong body writes nothing. Throws 'account-not-found', 'condition-not-met', what `read` and `check` throw, the faults
 * of `numberFaults`, 'number-in-use'.
 */
export async function putNumbers(
  deps: ProvisioningDeps,
  tx: Tx,
  by: Attribution,
  put: NumbersPut,
): Promise<{ account: Account; created: boolean; toSync: SyncService[] }> {
  const cause = causeOf(deps, by)
  const account = await findAccount(tx, put.accountName, 'share')
  if (account === undefined) throw accountNotFound(put.accountName)
  const numbers = await readBody(tx, account, put)
  const assigned = new Set(await assignNumbers(tx, account.id, put.e164s, cause))
  const stored = new Map((await findStored(tx, put.e164s)).map((number) => [number.e164, number]))
  const visible = (e164: string): StoredNumber | undefined => visibleOn(account, stored.get(e164))
  put.precondition?.(visible(put.e164s[0] as string))
  for (const e164 of put.e164s) put.check?.(visible(e164))
  refuse(put, numbers, (number) => numberFaults(account, number, deps.rules))
  // A number that is leaving another account is put here; its backends release it there before they take it here.
  const moving = put.e164s.flatMap((e164) => {
    const number = stored.get(e164)
    return !assigned.has(e164) && number?.removed ? [number] : []
  })
  for (const { e164 } of moving) assigned.add(e164)
  refuse(put, numbers, ({ e164 }) => (assigned.has(e164) ? [] : [numberInUse(e164)]))

  const leaving = moving.map(({ e164 }) => e164)
  if (leaving.length > 0) await moveAssigned(tx, account.id, leaving, cause)
  await putStored(tx, account.id, numbers, cause.at)
  if (moving.length > 0) {
    await purgeAccounts(
      tx,
      moving.map(({ accountId }) => accountId),
    )
  }
  const toSync = await requestBackends(deps, tx, account, numbers, stored, cause.at)
  const changed = numbers.map(({ e164, details }) => ({ e164, before: visible(e164)?.details, after: details }))
  await noteChange(deps, tx, { kind: 'numbers', subject: account.id, numbers: changed }, cause)
  return { account, created: numbers.some(({ e164 }) => visible(e164) === undefined), toSync }
}

/** Reads the body. A condition that isn't met is reported before a wrong body. */
async function readBody(tx: Tx, account: Account, { e164s, precondition, read }: NumbersPut): Promise<NumberToPut[]> {
  try {
    return read()
  } catch (error) {
    // Read without locks: the request is refused either way.
    if (precondition) precondition(visibleOn(account, (await findStored(tx, e164s))[0]))
    throw error
  }
}

const visibleOn = ({ id }: Account, number: StoredNumber | undefined): StoredNumber | undefined =>
  number?.accountId === id && !number.removed ? number : undefined

/** Requests sync of numbers with the services that they use, and their release by those that they no longer use. */
async function requestBackends(
  { backends }: ProvisioningDeps,
  tx: Tx,
  account: Account,
  numbers: readonly NumberToPut[],
  stored: ReadonlyMap<string, StoredNumber>,
  at: Date,
): Promise<SyncService[]> {
  const passedOn = serviceCodes.filter((code) => backends[code] !== undefined && passesOn(account, serviceKeyOf[code]))
  const isSynced = ({ details }: NumberToPut, code: ServiceCode): boolean =>
    passedOn.includes(code) && isEnabled(details, serviceKeyOf[code])
  const requests = numbers.flatMap((number) =>
    passedOn
      .filter((code) => isSynced(number, code))
      .map((service) => ({ key: number.e164, service, accountId: account.id })),
  )
  const releases = serviceCodes.flatMap((code) => {
    const unused = numbers.filter(
      (number) => !isSynced(number, code) && stored.get(number.e164)?.synced.includes(code) === true,
    )
    return unused.length === 0 ? [] : [{ code, e164s: unused.map(({ e164 }) => e164) }]
  })
  if (requests.length > 0 && releases.length > 0) await lockSync(tx, 'number', [...stored.keys()])
  await requestSync(tx, 'number', requests, at)
  const toSync = new Set<SyncService>(requests.map(({ service }) => service))
  for (const { code, e164s } of releases) {
    const leaving = await requestRelease(tx, 'number', e164s, passedOn, at, [code])
    if (leaving.size > 0) toSync.add(code)
  }
  return [...toSync]
}

/** Throws one error with all faults of a request's numbers; that of a batch has one fault for each bad number. */
function refuse(
  put: NumbersPut,
  numbers: readonly NumberToPut[],
  faultsOf: (number: NumberToPut) => DomainError[],
): void {
  const faults = numbers.flatMap((number, index) => {
    const found = faultsOf(number)
    const target = put.targetOf?.(index)
    return target === undefined || found.length === 0 ? found : [ofBatch(found, target)]
  })
  const [first, ...others] = faults
  if (first === undefined) return
  if (put.targetOf === undefined && others.length === 0) throw first
  const kind = others.every((fault) => fault.kind === first.kind) ? first.kind : 'invalid-body'
  throw new DomainError(
    kind,
    put.targetOf === undefined
      ? faults.map(({ message }) => message).join(' ')
      : `${faults.length} of ${numbers.length} numbers can't be put; none was.`,
    { faults, ...(first.target !== undefined && { target: first.target }) },
  )
}

/** A bad number of a batch, with its own faults under their full paths. */
const ofBatch = (found: readonly DomainError[], target: string): DomainError =>
  new DomainError((found[0] as DomainError).kind, found.map(({ message }) => message).join(' '), {
    target,
    faults: found.map((fault) => new DomainError(fault.kind, fault.message, { target: `${target}.${fault.target}` })),
  })

/** The same text whether a resource bought the number, another account has it, or no one has it yet. */
const numberInUse = (e164: string): DomainError =>
  new DomainError(
    'number-in-use',
    `${e164} is in use and can't be put on this account. If it is on another account, delete it there first.`,
    { target: 'telephoneNumber' },
  )

/**
 * What an operation does when its time has come: in the transaction that accepted it when it has no delay, in one of
 * its own when it is due. Either way the effect and the operation's end are stored together.
 */
import { isConnectionFailure, type Tx } from '../../db/db.js'
import { DomainError } from '../../errors.js'
import { purchaseWholeHold, releaseNumber } from '../../ledger/commands.js'
import { cancelHold, configureOwned, holdAny, type Cause } from '../../ledger/store.js'
import { ended, type Operation, type OperationFailure } from '../../operations/operation.js'
import { claimDueOperation, endOperation, lockPendingOperation } from '../../operations/store.js'
import type { PhoneNumbersDeps } from '../deps.js'
import type { Search } from '../search.js'
import { lockSearch, saveSearch } from '../store.js'

/** Carries out the longest due operation that nobody else is at. Returns it as it ended, or undefined if none is due. */
export const carryOutNextDue = (deps: PhoneNumbersDeps): Promise<Operation | undefined> =>
  carryOutClaimed(deps, (tx) => claimDueOperation(tx, deps.clock.now()))

/**
 * Carries out the operation that `claim` locks, in one transaction. What can't be carried out ends as failed, since a
 * promise that stays open for ever is worse; only an unreachable database leaves it for later.
 */
export async function carryOutClaimed(
  deps: PhoneNumbersDeps,
  claim: (tx: Tx) => Promise<Operation | undefined>,
): Promise<Operation | undefined> {
  let claimed: Operation | undefined
  try {
    return await deps.db.transaction(async (tx) => {
      claimed = await claim(tx)
      return claimed && carryOutAndEnd(deps, tx, claimed)
    })
  } catch (error) {
    if (!claimed || isConnectionFailure(error)) throw error
    const { id, resourceId } = claimed
    deps.logger.error({ err: error, operation: id }, 'operation failed')
    return deps.db.transaction(async (tx) => {
      const pending = await lockPendingOperation(tx, resourceId, id)
      return pending && giveUp(deps, tx, pending, error)
    })
  }
}

async function giveUp({ clock }: PhoneNumbersDeps, tx: Tx, operation: Operation, error: unknown): Promise<Operation> {
  const now = clock.now()
  const { subject, resourceId } = operation
  if (subject.kind === 'search' || subject.kind === 'purchase') {
    const search = await lockSearch(tx, resourceId, subject.searchId, now)
    await cancelHold(tx, subject.searchId, { at: now, actor: operation.actor, reason: `${operation.id} failed` })
    const outcome = subject.kind === 'search' ? 'UnknownSearchError' : 'PurchaseFailed'
    if (search) await saveSearch(tx, { ...search, state: 'failed', error: outcome, expiresAt: now })
  }
  const message = error instanceof DomainError ? error.message : 'The server encountered an internal error.'
  const failed = ended(operation, now, { code: 'InternalError', message })
  await endOperation(tx, failed)
  return failed
}

/** Carries out a stored, locked operation and records how it ended. */
export async function carryOutAndEnd(deps: PhoneNumbersDeps, tx: Tx, operation: Operation): Promise<Operation> {
  const now = deps.clock.now()
  const done = ended(operation, now, await carryOut(deps, tx, operation, now))
  await endOperation(tx, done)
  return done
}

async function carryOut(
  deps: PhoneNumbersDeps,
  tx: Tx,
  operation: Operation,
  now: Date,
): Promise<OperationFailure | null> {
  const { subject, resourceId } = operation
  const cause: Cause = { at: now, actor: operation.actor, reason: operation.id }
  switch (subject.kind) {
    case 'search': {
      const search = await requireSearch(tx, operation, subject.searchId, now)
      const searched = await runSearch(tx, search, cause)
      await saveSearch(tx, searched)
      return searchFailure(searched)
    }
    case 'purchase': {
      const search = await requireSearch(tx, operation, subject.searchId, now)
      await runPurchase(tx, search, cause)
      return null
    }
    case 'release':
      return (await releaseNumber(tx, { e164: subject.e164, resourceId }, deps.quarantineMs, cause))
        ? null
        : noLongerOwned(subject.e164)
    case 'capabilities':
      return (await configureOwned(tx, { e164: subject.e164, resourceId }, subject.capabilities, cause)).length > 0
        ? null
        : noLongerOwned(subject.e164)
  }
}

/** Holds numbers for a search and returns the search as that left it: found, or failed for want of stock. */
export async function runSearch(tx: Tx, search: Search, cause: Cause): Promise<Search> {
  const { id, resourceId, countryCode, numberType, areaCode, quantity, expiresAt } = search
  const phoneNumbers = await holdAny(
    tx,
    { countryCode, numberType, areaCode, quantity },
    { holdId: id, resourceId, until: expiresAt },
    cause,
  )
  return phoneNumbers.length > 0
    ? { ...search, state: 'found', phoneNumbers }
    : { ...search, state: 'failed', error: 'OutOfStock', expiresAt: cause.at }
}

/** Purchases all that a search found. Throws 'hold-expired' when any of it is gone. */
export async function runPurchase(tx: Tx, search: Search, cause: Cause): Promise<void> {
  const { id, resourceId, phoneNumbers, assignmentType, capabilities, price } = search
  await purchaseWholeHold(
    tx,
    { holdId: id, resourceId },
    phoneNumbers,
    { assignmentType, ...capabilities, price },
    cause,
  )
  await saveSearch(tx, { ...search, state: 'purchased' })
}

/** How the operation of a search ended. */
export function searchFailure({ error, countryCode, numberType, areaCode }: Search): OperationFailure | null {
  if (error === 'NoError') return null
  const where = areaCode === undefined ? countryCode : `area code ${areaCode} of ${countryCode}`
  return { code: error, message: `No ${numberType} numbers are available in ${where} now.` }
}

async function requireSearch(tx: Tx, { id, resourceId }: Operation, searchId: string, now: Date): Promise<Search> {
  const search = await lockSearch(tx, resourceId, searchId, now)
  if (!search) throw new Error(`Operation ${id} has lost its search`)
  return search
}

const noLongerOwned = (e164: string): OperationFailure => ({
  code: 'NotFound',
  message: `The number ${e164} is not owned by this resource any more.`,
})

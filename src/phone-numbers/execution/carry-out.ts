/**
 * Carries out operations: one without a delay in the transaction that accepted it, others in their own transaction when
 * they are due. Either way the effect and the operation's end are stored together.
 */
import type { Tx } from '../../db/db.js'
import { isUnavailable } from '../../db/failures.js'
import { DomainError } from '../../errors.js'
import { releaseNumber } from '../../ledger/commands.js'
import type { Cause } from '../../ledger/history.js'
import { configureOwned } from '../../ledger/sales.js'
import { ended, isDue, type Operation, type OperationFailure } from '../../operations/operation.js'
import { claimDueOperation, endOperation, lockPendingOperation } from '../../operations/store.js'
import type { PhoneNumbersDeps } from '../model/deps.js'
import { lockSearch, saveSearch } from '../model/search-store.js'
import { abandonPurchase, completePurchase } from './purchase.js'
import { failedSearch, searchNow } from './run-search.js'
import { lockSale } from './sales.js'

/** Carries out the operation that has been due longest and that no one else works on. Returns it, if one is due. */
export const carryOutNextDue = (deps: PhoneNumbersDeps): Promise<Operation | undefined> =>
  carryOutClaimed(deps, (tx) => claimDueOperation(tx, deps.clock.now()))

export type OperationKey = Pick<Operation, 'resourceId' | 'id'>

/** Carries out this operation if it is due; waits if another process works on it. Returns it if it ended here. */
export const carryOutDue = (deps: PhoneNumbersDeps, { resourceId, id }: OperationKey): Promise<Operation | undefined> =>
  carryOutClaimed(deps, async (tx) => {
    const pending = await lockPendingOperation(tx, resourceId, id)
    return pending && isDue(pending, deps.clock.now()) ? pending : undefined
  })

/**
 * Carries out the operation that `claim` locks, in one transaction. An operation that can't be carried out ends as
 * failed, since a promise that stays open for ever is worse; only an unreachable database leaves it for later.
 */
async function carryOutClaimed(
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
    if (!claimed || isUnavailable(error)) throw error
    const { id, resourceId } = claimed
    deps.logger.error({ err: error, operation: id }, 'operation failed')
    return deps.db.transaction(async (tx) => {
      const pending = await lockPendingOperation(tx, resourceId, id)
      return pending && giveUp(deps, tx, pending, error)
    })
  }
}

/** Ends a locked operation that threw on the way. */
async function giveUp(deps: PhoneNumbersDeps, tx: Tx, operation: Operation, error: unknown): Promise<Operation> {
  const now = deps.clock.now()
  const message = error instanceof DomainError ? error.message : 'The server encountered an internal error.'
  const { kind } = operation.subject
  const code = kind === 'search' ? 'UnknownSearchError' : isPurchase(kind) ? 'PurchaseFailed' : 'InternalError'
  const failed = ended(operation, now, await fail(tx, operation, { code, message }, now))
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
  const { subject, resourceId, scriptedFailure } = operation
  if (scriptedFailure) return fail(tx, operation, scriptedFailure, now)
  const cause = causeOf(operation, now)
  switch (subject.kind) {
    case 'search': {
      const search = await requireSearch(tx, operation, subject.searchId, now)
      const ran = await searchNow(deps, tx, operation, search, undefined, now)
      await saveSearch(tx, ran.search)
      return ran.failure
    }
    case 'purchase':
    case 'reservationPurchase': {
      const { failure } = await completePurchase(tx, await lockSale(tx, operation, now), {}, cause)
      return failure
    }
    case 'release':
      return notReleased(
        await releaseNumber(tx, { e164: subject.e164, resourceId }, deps.policyOf, cause),
        subject.e164,
      )
    case 'capabilities':
      return (await configureOwned(tx, { e164: subject.e164, resourceId }, subject.capabilities, cause)).length > 0
        ? null
        : noLongerOwned(subject.e164)
  }
}

/** Marks the subject of an operation as failed, and returns the reason. */
async function fail(tx: Tx, operation: Operation, failure: OperationFailure, now: Date): Promise<OperationFailure> {
  const { subject } = operation
  if (subject.kind === 'search') {
    const search = await requireSearch(tx, operation, subject.searchId, now)
    await saveSearch(tx, failedSearch(search, failure, now))
  } else if (isPurchase(subject.kind)) {
    await abandonPurchase(tx, await lockSale(tx, operation, now), failure, causeOf(operation, now))
  }
  return failure
}

const isPurchase = (kind: Operation['subject']['kind']): boolean =>
  kind === 'purchase' || kind === 'reservationPurchase'

/** The cause of an operation's changes, for the history of numbers. */
export const causeOf = ({ id, actor }: Operation, at: Date): Cause => ({ at, actor, reason: id })

async function requireSearch(tx: Tx, { id, resourceId }: Operation, searchId: string, now: Date) {
  const search = await lockSearch(tx, resourceId, searchId, now)
  if (!search) throw new Error(`Operation ${id} has lost its search`)
  return search
}

const notReleased = (outcome: Awaited<ReturnType<typeof releaseNumber>>, e164: string): OperationFailure | null =>
  ({
    released: null,
    protected: { code: 'NumberProtected', message: `The number ${e164} is protected and can't be released.` },
    'not-owned': noLongerOwned(e164),
  })[outcome]

const noLongerOwned = (e164: string): OperationFailure => ({
  code: 'NotFound',
  message: `The number ${e164} is not owned by this resource any more.`,
})

import type { Principal } from '../../auth/authenticate.js'
import type { Tx } from '../../db/db.js'
import { DomainError, notFound } from '../../errors.js'
import type { Cause } from '../../ledger/history.js'
import { cancelHold } from '../../ledger/holds.js'
import { hasCalled } from '../../operations/call-out.js'
import { ended, hasStarted, isDue, type Operation, type OperationFailure } from '../../operations/operation.js'
import { endOperation, findOperation, lockPendingOperation, saveWaiting } from '../../operations/store.js'
import { carryOutAndEnd, causeOf } from '../execution/carry-out.js'
import { callOffPurchase } from '../execution/purchase.js'
import { lockSale } from '../execution/sales.js'
import type { PhoneNumbersDeps } from '../model/deps.js'
import { lockSearch, saveSearch } from '../model/search-store.js'

const MAX_OPERATION_ID_LENGTH = 100

/**
 * An operation of the resource. One that is due but not carried out yet (the worker is on its way) is carried out now,
 * so that the result agrees with the clock. Throws 'not-found'.
 */
export async function getOperation(deps: PhoneNumbersDeps, who: Principal, id: string): Promise<Operation> {
  const now = deps.clock.now()
  const operation = await requireOperation(deps, who, id)
  if (operation.waiting?.for === 'polls') return poll(deps, operation)
  if (!isDue(operation, now)) return operation
  await deps.carryOutNow(operation)
  return requireOperation(deps, who, id)
}

/**
 * Counts a poll of an operation that ends after a number of polls. The last poll finds it ended; earlier ones see it
 * not started at first, then running.
 */
async function poll(deps: PhoneNumbersDeps, { id, resourceId }: Operation): Promise<Operation> {
  const polled = await deps.db.transaction(async (tx) => {
    const pending = await lockPendingOperation(tx, resourceId, id)
    if (pending?.waiting?.for !== 'polls') return pending
    const now = deps.clock.now()
    const startsAt = pending.startsAt ?? now
    if (pending.waiting.left === 1) return goOn(deps, tx, { ...pending, startsAt, dueAt: now, waiting: null })
    await saveWaiting(tx, { ...pending, startsAt, waiting: { for: 'polls', left: pending.waiting.left - 1 } })
    return pending
  })
  if (polled?.callOut) deps.nudge()
  return polled ?? requireOperation(deps, { resourceId }, id)
}

/** Ends an operation that no longer waits for anything, or starts its calls. */
async function goOn(deps: PhoneNumbersDeps, tx: Tx, operation: Operation): Promise<Operation> {
  if (isDue(operation, deps.clock.now())) return carryOutAndEnd(deps, tx, operation)
  await saveWaiting(tx, operation)
  return operation
}

/** How a person may move a pending operation on. */
export type ByHand = { to: 'running' } | { to: 'succeeded' } | { to: 'failed'; failure: OperationFailure }

/**
 * Moves a pending operation on by hand, regardless of what it waits for: for emulators. Returns the operation; one that
 * has to call other systems goes on with its calls. Throws 'not-found', and 'state-conflict' for one that has ended or
 * whose calls have begun.
 */
export async function advanceByHand(
  deps: PhoneNumbersDeps,
  resourceId: string,
  id: string,
  say: ByHand,
): Promise<Operation> {
  await requireOperation(deps, { resourceId }, id)
  const advanced = await deps.db.transaction(async (tx) => {
    const pending = await lockPendingOperation(tx, resourceId, id)
    if (!pending) throw new DomainError('state-conflict', `The operation ${id} has ended already.`)
    if (pending.callOut && hasCalled(pending.callOut)) {
      throw new DomainError('state-conflict', `The operation ${id} is asking other systems at the moment.`)
    }
    const now = deps.clock.now()
    const startsAt = pending.startsAt !== null && pending.startsAt < now ? pending.startsAt : now
    if (say.to === 'running') {
      const running: Operation = { ...pending, startsAt, waiting: { for: 'hand' } }
      await saveWaiting(tx, running)
      return running
    }
    const freed: Operation = { ...pending, startsAt, dueAt: now, waiting: null }
    return say.to === 'succeeded'
      ? goOn(deps, tx, freed)
      : carryOutAndEnd(deps, tx, { ...freed, callOut: null, scriptedFailure: say.failure })
  })
  if (advanced.callOut) deps.nudge()
  return advanced
}

/**
 * Cancels a search until it has ended, any other operation until it has started, and the hold of a search that has
 * ended. Otherwise it has no effect. Throws 'not-found'.
 */
export async function cancelOperation(deps: PhoneNumbersDeps, who: Principal, id: string): Promise<void> {
  await requireOperation(deps, who, id)
  await deps.db.transaction(async (tx) => {
    const now = deps.clock.now()
    const pending = await lockPendingOperation(tx, who.resourceId, id)
    const cause: Cause = { at: now, actor: who.actor, reason: `cancel ${id}` }
    if (pending) await cancelPending(tx, pending, cause)
    else if (id.startsWith('search_')) await dropHold(tx, who, id.slice('search_'.length), cause)
  })
}

async function cancelPending(tx: Tx, operation: Operation, cause: Cause): Promise<void> {
  const { at } = cause
  const { subject, resourceId } = operation
  if (subject.kind !== 'search' && hasStarted(operation, at)) return
  if (subject.kind === 'search') {
    const search = await lockSearch(tx, resourceId, subject.searchId, at)
    if (search) await saveSearch(tx, { ...search, state: 'failed', error: 'UnknownSearchError', expiresAt: at })
  }
  if (subject.kind === 'purchase' || subject.kind === 'reservationPurchase') {
    await callOffPurchase(tx, await lockSale(tx, operation, at), causeOf(operation, at))
  }
  await endOperation(tx, ended(operation, at, canceled))
}

/** Gives back the numbers that a finished search holds; the search then reads as expired. */
async function dropHold(tx: Tx, { resourceId }: Principal, searchId: string, cause: Cause): Promise<void> {
  const search = await lockSearch(tx, resourceId, searchId, cause.at)
  if (search?.state !== 'found' || search.expiresAt <= cause.at) return
  await cancelHold(tx, searchId, cause)
  await saveSearch(tx, { ...search, expiresAt: cause.at })
}

async function requireOperation(
  { db, clock }: PhoneNumbersDeps,
  who: Pick<Principal, 'resourceId'>,
  id: string,
): Promise<Operation> {
  const known = id.length <= MAX_OPERATION_ID_LENGTH && !id.includes('\0')
  const operation = known ? await findOperation(db, who.resourceId, id, clock.now()) : undefined
  if (!operation) throw operationNotFound(id)
  return operation
}

const operationNotFound = (id: string): DomainError =>
  notFound(`Input operationId ${id} cannot be found.`, 'operationid')

const canceled: OperationFailure = { code: 'OperationCanceled', message: 'The operation was canceled.' }

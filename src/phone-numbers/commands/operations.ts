import type { Principal } from '../../auth/authenticate.js'
import type { Tx } from '../../db/db.js'
import { notFound, type DomainError } from '../../errors.js'
import { cancelHold, extendHold, type Cause } from '../../ledger/store.js'
import { ended, type Operation, type OperationFailure } from '../../operations/operation.js'
import { endOperation, findOperation, lockPendingOperation } from '../../operations/store.js'
import { actorOf, type PhoneNumbersDeps } from '../deps.js'
import { lockSearch, saveSearch } from '../store.js'
import { carryOutClaimed } from './carry-out.js'

const MAX_OPERATION_ID_LENGTH = 100

/**
 * An operation of the caller. One that is due but not carried out yet (the worker is on its way) is carried out now,
 * so that what is answered agrees with the clock. Throws 'not-found'.
 */
export async function getOperation(deps: PhoneNumbersDeps, who: Principal, id: string): Promise<Operation> {
  const now = deps.clock.now()
  const operation = await requireOperation(deps, who, id)
  if (operation.status !== 'pending' || operation.dueAt > now) return operation
  const carriedOut = await carryOutClaimed(deps, (tx) => lockPendingOperation(tx, who.resourceId, id))
  return carriedOut ?? requireOperation(deps, who, id)
}

/**
 * Cancels what can still be cancelled: a search until it has ended, anything else until it has started, and the hold
 * of a search that has ended. Otherwise it has no effect. Throws 'not-found'.
 */
export async function cancelOperation(deps: PhoneNumbersDeps, who: Principal, id: string): Promise<void> {
  await requireOperation(deps, who, id)
  await deps.db.transaction(async (tx) => {
    const now = deps.clock.now()
    const pending = await lockPendingOperation(tx, who.resourceId, id)
    const cause: Cause = { at: now, actor: actorOf(who), reason: `cancel ${id}` }
    if (pending) await cancelPending(tx, pending, cause)
    else if (id.startsWith('search_')) await dropHold(tx, who, id.slice('search_'.length), cause)
  })
}

async function cancelPending(tx: Tx, operation: Operation, { at }: Cause): Promise<void> {
  const { subject, resourceId } = operation
  if (subject.kind !== 'search' && operation.startsAt <= at) return
  if (subject.kind === 'search') {
    const search = await lockSearch(tx, resourceId, subject.searchId, at)
    if (search) await saveSearch(tx, { ...search, state: 'failed', error: 'UnknownSearchError', expiresAt: at })
  }
  if (subject.kind === 'purchase') {
    const search = await lockSearch(tx, resourceId, subject.searchId, at)
    if (search) {
      await extendHold(tx, search.id, search.expiresAt, at)
      await saveSearch(tx, { ...search, state: 'found' })
    }
  }
  await endOperation(tx, ended(operation, at, canceled))
}

/** Gives back what a finished search holds; the search then reads as expired. */
async function dropHold(tx: Tx, { resourceId }: Principal, searchId: string, cause: Cause): Promise<void> {
  const search = await lockSearch(tx, resourceId, searchId, cause.at)
  if (search?.state !== 'found' || search.expiresAt <= cause.at) return
  await cancelHold(tx, searchId, cause)
  await saveSearch(tx, { ...search, expiresAt: cause.at })
}

async function requireOperation({ db, clock }: PhoneNumbersDeps, who: Principal, id: string): Promise<Operation> {
  const known = id.length <= MAX_OPERATION_ID_LENGTH && !id.includes('\0')
  const operation = known ? await findOperation(db, who.resourceId, id, clock.now()) : undefined
  if (!operation) throw operationNotFound(id)
  return operation
}

const operationNotFound = (id: string): DomainError =>
  notFound(`Input operationId ${id} cannot be found.`, 'operationid')

const canceled: OperationFailure = { code: 'OperationCanceled', message: 'The operation was canceled.' }

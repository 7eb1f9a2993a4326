import { MARK_LIFETIME_MS } from '../../auth/request-mark.js'
import { violatesUnique, type Tx } from '../../db/db.js'
import { DomainError } from '../../errors.js'
import { isDue, type Operation } from '../../operations/operation.js'
import {
  clearOldMark,
  findOperationByMark,
  insertOperation,
  NUMBER_BUSY_INDEX,
  REQUEST_MARK_INDEX,
} from '../../operations/store.js'
import { carryOutAndEnd } from '../execution/carry-out.js'
import type { Requester, PhoneNumbersDeps } from '../model/deps.js'

/**
 * Runs the transaction that accepts an operation. When it fails because the very same request has started an operation
 * before (a client repeats it after losing the response), that operation is returned, and nothing is done twice.
 */
export async function acceptOnce(
  deps: PhoneNumbersDeps,
  requester: Requester,
  work: (tx: Tx) => Promise<Operation>,
): Promise<Operation> {
  // Twice at most: when the mark is taken again meanwhile, it is by an operation of now, which is found.
  const accepted = (await acceptOrFind(deps, requester, work)) ?? (await acceptOrFind(deps, requester, work))
  if (accepted === undefined) throw new Error('An old operation has the mark of the request again')
  return accepted
}

/** Undefined: an operation from too long ago had the mark of this request, and has it no more. */
async function acceptOrFind(
  deps: PhoneNumbersDeps,
  { principal, requestMark }: Requester,
  work: (tx: Tx) => Promise<Operation>,
): Promise<Operation | undefined> {
  try {
    const operation = await deps.db.transaction(work)
    if (operation.status === 'pending') deps.nudge()
    return operation
  } catch (error) {
    const marked = violatesUnique(error, REQUEST_MARK_INDEX)
    const busy = violatesUnique(error, NUMBER_BUSY_INDEX)
    if (requestMark !== null && (error instanceof DomainError || marked || busy)) {
      const since = new Date(deps.clock.now().getTime() - MARK_LIFETIME_MS)
      const first = await findOperationByMark(deps.db, principal.resourceId, requestMark, since)
      if (first) return first
      if (marked) {
        await deps.db.transaction((tx) => clearOldMark(tx, principal.resourceId, requestMark, since))
        return undefined
      }
    }
    throw busy ? numberBusy() : error
  }
}

/**
 * Stores an operation on one number and, unless it has a delay, carries it out in the same transaction. Stored as
 * pending first, so that the index of busy numbers decides between two operations on one number.
 */
export async function acceptOnNumber(
  deps: PhoneNumbersDeps,
  tx: Tx,
  operation: Operation,
  requestMark: Buffer | null,
): Promise<Operation> {
  await insertOperation(tx, operation, requestMark)
  return isDue(operation, deps.clock.now()) ? carryOutAndEnd(deps, tx, operation) : operation
}

const numberBusy = (): DomainError =>
  new DomainError('number-busy', 'Another operation on this phone number is still running. Wait until it has ended.', {
    target: 'phonenumber',
  })

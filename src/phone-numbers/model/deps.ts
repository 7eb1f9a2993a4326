import type { Principal } from '../../auth/authenticate.js'
import type { Clock } from '../../clock.js'
import type { Db } from '../../db/db.js'
import type { PolicyOf } from '../../ledger/policy.js'
import type { Logger } from '../../log.js'
import type { Course, Operation, OperationKind } from '../../operations/operation.js'
import type { Hooks } from '../hooks/hook.js'
import type { OperatorDetails } from '../operator-information/operator-prefixes.js'
import type { Catalogue } from './catalogue.js'

/** The dependencies of this API's commands. */
export interface PhoneNumbersDeps {
  db: Db
  clock: Clock
  logger: Logger
  catalogue: Catalogue
  /** The rules of each number. */
  policyOf: PolicyOf
  maxSearchQuantity: number
  maxReservationNumbers: number
  /** The course of an operation of this kind that this resource starts now. */
  courseOf(kind: OperationKind, resourceName: string): Course
  /** Whether a resource needs a wallet to buy numbers that have a price. */
  walletRequired: boolean
  /** The systems that are called before a purchase ends. */
  hooks: Hooks
  /** The operator of this installation, and so of every number in the ledger. */
  operator: OperatorDetails
  /** Wakes the workers that carry out operations; called after one has been stored. */
  nudge(): void
  /** Carries out an operation that is due; waits if its worker has already begun. */
  carryOutNow(operation: Pick<Operation, 'resourceId' | 'id'>): Promise<unknown>
}

/** Who requests a change, and the mark that recognises the same request sent again. */
export interface Requester {
  principal: Principal
  requestMark: Buffer | null
}

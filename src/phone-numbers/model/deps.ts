import type { Principal } from '../../auth/authenticate.js'
import type { Clock } from '../../clock.js'
import type { Db } from '../../db/db.js'
import type { PolicyOf } from '../../ledger/policy.js'
import type { Logger } from '../../log.js'
import type { Course, Operation, OperationKind } from '../../operations/operation.js'
import type { Hooks } from '../hooks/hook.js'
import type { OperatorDetails } from '../operator-information/operator-prefixes.js'
import type { Catalogue } from './catalogue.js'

/** What the commands of this API work with. */
export interface PhoneNumbersDeps {
  db: Db
  clock: Clock
  logger: Logger
  catalogue: Catalogue
  /** The rules of each number. */
  policyOf: PolicyOf
  maxSearchQuantity: number
  maxReservationNumbers: number
  /** How an operation of this kind, begun by this resource now, is to go. */
  courseOf(kind: OperationKind, resourceName: string): Course
  /** Whether a resource without a wallet can't buy what has a price. */
  walletRequired: boolean
  /** The systems that are asked before a purchase ends. */
  hooks: Hooks
  /** Who runs this installation: the operator of every number in the ledger. */
  operator: OperatorDetails
  /** Wakes the workers that carry out operations; called after one has been stored. */
  nudge(): void
  /** Carries out an operation that is due; its worker may be on the way, and is waited for then. */
  carryOutNow(operation: Pick<Operation, 'resourceId' | 'id'>): Promise<unknown>
}

/** A caller that asks for a change: who, and the mark by which the same request sent again is known. */
export interface Caller {
  principal: Principal
  requestMark: Buffer | null
}

/** How the history of numbers names a resource. */
export const actorOf = ({ resourceName }: Principal): string => `resource:${resourceName}`

/** Who an operation belongs to and acts for. */
export const askerOf = ({ principal }: Caller): { resourceId: string; actor: string } => ({
  resourceId: principal.resourceId,
  actor: actorOf(principal),
})

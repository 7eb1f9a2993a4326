/**
 * What purchases of a search and of a reservation have in common: a hold, and on what terms each of its numbers is
 * bought. `commands/purchase.ts` carries it out; whoever holds the numbers is told how it went (`settle`).
 */
import type { Tx } from '../../db/db.js'
import type { NumberType } from '../../ledger/number.js'
import type { PurchaseLine } from '../../ledger/sales.js'
import { operationId, type OperationFailure, type OperationSubject } from '../../operations/operation.js'

export interface SaleLine extends PurchaseLine {
  countryCode: string
  numberType: NumberType
}

/** How far a purchase has come, or how it ended. */
export type SaleProgress =
  | { state: 'accepted' }
  | { state: 'called-off' }
  | {
      state: 'ended'
      bought: readonly string[]
      /** Why the operation failed; null when all was bought. */
      failure: OperationFailure | null
      /** Why each number that was not bought was not. */
      reasons: ReadonlyMap<string, OperationFailure>
    }

export interface Sale {
  subject: OperationSubject & { kind: 'purchase' | 'reservationPurchase' }
  resourceId: string
  holdId: string
  lines: readonly SaleLine[]
  /** When the hold ends if the purchase is called off. */
  heldUntil: Date
  /** What clients are told as the time of creation: the search's, or the reservation's. */
  createdAt: Date
  /** Records on the search or reservation how its purchase stands. */
  settle(tx: Tx, progress: SaleProgress, now: Date): Promise<void>
}

/**
 * The name of a purchase towards other systems. A search's is its operation's; a reservation's is not, for its client
 * may choose the same id again one day.
 */
export const purchaseKey = ({ subject, holdId }: Sale): string => operationId(subject.kind, holdId)

/**
 * The common part of purchases of a search and of a reservation: a hold, and the terms on which each of its numbers is
 * bought. `execution/purchase.ts` carries it out; `settle` records the progress on the search or reservation.
 */
import type { Tx } from '../../db/db.js'
import type { NumberType } from '../../ledger/number.js'
import type { PurchaseLine } from '../../ledger/sales.js'
import { operationId, type OperationFailure, type OperationSubject } from '../../operations/operation.js'

export interface SaleLine extends PurchaseLine {
  countryCode: string
  numberType: NumberType
}

/** The progress of a purchase, or its end. */
export type SaleProgress =
  | { state: 'accepted' }
  | { state: 'called-off' }
  | {
      state: 'ended'
      bought: readonly string[]
      /** Why the operation failed; null when all numbers were bought. */
      failure: OperationFailure | null
      /** The reasons for the numbers that were not bought. */
      reasons: ReadonlyMap<string, OperationFailure>
    }

export interface Sale {
  subject: OperationSubject & { kind: 'purchase' | 'reservationPurchase' }
  resourceId: string
  holdId: string
  lines: readonly SaleLine[]
  /** When the hold ends if the purchase is called off. */
  heldUntil: Date
  /** The time of creation that clients see: that of the search or the reservation. */
  createdAt: Date
  /** Records the purchase's progress on the search or reservation. */
  settle(tx: Tx, progress: SaleProgress, now: Date): Promise<void>
}

/**
 * The name of a purchase for other systems. For a search it is the operation's id; for a reservation it is not, since
 * its client may choose the same id again one day.
 */
export const purchaseKey = ({ subject, holdId }: Sale): string => operationId(subject.kind, holdId)

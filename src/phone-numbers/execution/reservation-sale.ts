import type { Tx } from '../../db/db.js'
import type { ReservationWithNumbers } from '../model/reservation.js'
import { completeReservation, saveReservationState } from '../model/reservation-store.js'
import type { Sale, SaleProgress } from '../model/sale.js'

/** The purchase of a locked reservation: every number has its own terms. */
export const saleOfReservation = (found: ReservationWithNumbers): Sale => ({
  subject: { kind: 'reservationPurchase', reservationId: found.reservation.id },
  resourceId: found.reservation.resourceId,
  holdId: found.reservation.holdId,
  createdAt: found.reservation.createdAt,
  heldUntil: found.reservation.expiresAt,
  lines: found.numbers,
  settle: (tx, progress) => settle(tx, found, progress),
})

async function settle(tx: Tx, { reservation, numbers }: ReservationWithNumbers, progress: SaleProgress): Promise<void> {
  if (progress.state === 'accepted') return saveReservationState(tx, reservation, 'submitted')
  if (progress.state === 'called-off') return saveReservationState(tx, reservation, 'active')
  const bought = new Set(progress.bought)
  const outcomes = numbers.map(({ e164 }) => {
    if (bought.has(e164)) return { e164, outcome: 'purchased' as const }
    const reason = progress.reasons.get(e164) ?? progress.failure
    if (!reason) throw new Error(`${e164} was neither purchased nor refused`)
    return { e164, outcome: { code: reason.code, message: reason.message } }
  })
  await completeReservation(tx, reservation, outcomes)
}

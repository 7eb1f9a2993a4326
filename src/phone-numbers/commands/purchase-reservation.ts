import { DomainError } from '../../errors.js'
import { newOperation, operationId, type Operation } from '../../operations/operation.js'
import { findOperation } from '../../operations/store.js'
import { acceptPurchase } from '../execution/purchase.js'
import { saleOfReservation } from '../execution/reservation-sale.js'
import type { PhoneNumbersDeps, Requester } from '../model/deps.js'
import { reservationStatus } from '../model/reservation.js'
import { lockReservation } from '../model/reservation-store.js'
import { acceptOnce } from './accept.js'
import { resellAgreementMissing } from './purchase-search.js'
import { requireReservationId, reservationNotActive, reservationNotFound } from './read-reservations.js'

/**
 * Purchases all numbers of a reservation. Repeating a purchase that is under way or has ended has no second effect: its
 * operation has the reservation's id.
 *
 * Throws 'invalid-input' for an id that is no UUID, 'reservation-not-found', 'reservation-not-active',
 * 'reservation-empty' and 'resell-agreement-required'.
 */
export async function purchaseReservation(
  deps: PhoneNumbersDeps,
  requester: Requester,
  { reservationId, agreeToNotResell }: { reservationId: string; agreeToNotResell: boolean },
): Promise<Operation> {
  const id = requireReservationId(reservationId)
  const owner = requester.principal
  return acceptOnce(deps, requester, async (tx) => {
    const now = deps.clock.now()
    const found = await lockReservation(tx, owner.resourceId, id, now)
    if (!found) throw reservationNotFound()
    const sale = saleOfReservation(found)
    const status = reservationStatus(found.reservation, now)
    if (status === 'submitted' || status === 'completed') {
      return (
        (await findOperation(tx, owner.resourceId, operationId(sale.subject.kind, id), now)) ??
        // The operation ended so long ago that it has been purged; its effect remains.
        newOperation(id, owner, sale.subject, now, { delayMs: 0 }, sale.createdAt)
      )
    }
    if (status === 'expired') throw reservationNotActive(status)
    if (found.numbers.length === 0) throw reservationEmpty()
    if (!agreeToNotResell && found.numbers.some((number) => number.resellAgreementRequired)) {
      throw resellAgreementMissing()
    }
    return acceptPurchase(deps, tx, requester, id, sale)
  })
}

const reservationEmpty = (): DomainError =>
  new DomainError('reservation-empty', 'The reservation has no numbers. Add some, then purchase.', {
    target: 'reservationid',
  })

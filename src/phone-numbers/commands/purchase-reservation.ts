import { DomainError } from '../../errors.js'
import { newOperation, operationId, type Operation } from '../../operations/operation.js'
import { findOperation } from '../../operations/store.js'
import { acceptPurchase } from '../execution/purchase.js'
import { saleOfReservation } from '../execution/reservation-sale.js'
import { askerOf, type Caller, type PhoneNumbersDeps } from '../model/deps.js'
import { reservationStatus } from '../model/reservation.js'
import { lockReservation } from '../model/reservation-store.js'
import { acceptOnce } from './accept.js'
import { resellAgreementMissing } from './purchase-search.js'
import { requireReservationId, reservationNotActive, reservationNotFound } from './read-reservations.js'

/**
 * Purchases all numbers of a reservation. Asking again for a purchase that is under way or has ended has no second
 * effect: its operation has the reservation's id.
 *
 * Throws 'invalid-input' for an id that is no UUID, 'reservation-not-found', 'reservation-not-active',
 * 'reservation-empty' and 'resell-agreement-required'.
 */
export async function purchaseReservation(
  deps: PhoneNumbersDeps,
  caller: Caller,
  { reservationId, agreeToNotResell }: { reservationId: string; agreeToNotResell: boolean },
): Promise<Operation> {
  const id = requireReservationId(reservationId)
  const asker = askerOf(caller)
  return acceptOnce(deps, caller, async (tx) => {
    const now = deps.clock.now()
    const found = await lockReservation(tx, asker.resourceId, id, now)
    if (!found) throw reservationNotFound()
    const sale = saleOfReservation(found)
    const status = reservationStatus(found.reservation, now)
    if (status === 'submitted' || status === 'completed') {
      return (
        (await findOperation(tx, asker.resourceId, operationId(sale.subject.kind, id), now)) ??
        // Ended so long ago that it is forgotten; what it did stands.
        newOperation(id, asker, sale.subject, now, { delayMs: 0 }, sale.createdAt)
      )
    }
    if (status === 'expired') throw reservationNotActive(status)
    if (found.numbers.length === 0) throw reservationEmpty()
    if (!agreeToNotResell && found.numbers.some((number) => number.resellAgreementRequired)) {
      throw resellAgreementMissing()
    }
    return acceptPurchase(deps, tx, caller, id, sale)
  })
}

const reservationEmpty = (): DomainError =>
  new DomainError('reservation-empty', 'The reservation has no numbers. Add some, then purchase.', {
    target: 'reservationid',
  })

import type { Tx } from '../../db/db.js'
import type { Operation } from '../../operations/operation.js'
import { lockReservation } from '../model/reservation-store.js'
import type { Sale } from '../model/sale.js'
import { lockSearch } from '../model/search-store.js'
import { saleOfReservation } from './reservation-sale.js'
import { saleOfSearch } from './search-sale.js'

/** The sale of a purchase's operation, with its search or reservation locked. Throws when that is gone. */
export async function lockSale(tx: Tx, { id, resourceId, subject }: Operation, now: Date): Promise<Sale> {
  if (subject.kind === 'purchase') {
    const search = await lockSearch(tx, resourceId, subject.searchId, now)
    if (search) return saleOfSearch(search)
  }
  if (subject.kind === 'reservationPurchase') {
    const found = await lockReservation(tx, resourceId, subject.reservationId, now)
    if (found) return saleOfReservation(found)
  }
  throw new Error(`Operation ${id} has lost what it is about`)
}

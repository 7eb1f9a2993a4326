/** Reservations in the published shapes, with the keys in the order in which the service sends them. */
import type { FailedNumber } from '../commands/change-reservation.js'
import type { AvailablePhoneNumber, PhoneNumbersReservation, UnavailablePhoneNumber } from '../contract/models.js'
import {
  reservationStatus,
  type Reservation,
  type ReservationWithNumbers,
  type ReservedNumber,
} from '../model/reservation.js'
import { availableNumberView, dateTime } from './views.js'

export const reservationSummaryView = (reservation: Reservation, now: Date) => ({
  id: reservation.id,
  expiresAt: dateTime(reservation.expiresAt),
  status: reservationStatus(reservation, now),
})

/** @param failed numbers that this request could not reserve; later responses don't have them */
export function reservationView(
  { reservation, numbers }: ReservationWithNumbers,
  now: Date,
  failed: readonly FailedNumber[] = [],
): PhoneNumbersReservation {
  const status = reservationStatus(reservation, now)
  const entries = [
    ...numbers.map((number): [string, AvailablePhoneNumber] => [
      number.e164.slice(1),
      reservedNumberView(number, status === 'expired'),
    ]),
    ...failed.map((number): [string, UnavailablePhoneNumber] => [number.key, failedNumberView(number)]),
  ]
  return {
    id: reservation.id,
    expiresAt: dateTime(reservation.expiresAt),
    phoneNumbers: Object.fromEntries<AvailablePhoneNumber | UnavailablePhoneNumber>(entries),
    status,
  }
}

function reservedNumberView(number: ReservedNumber, isExpired: boolean): AvailablePhoneNumber {
  const { calling, sms, outcome } = number
  const view = availableNumberView(number.e164, { ...number, capabilities: { calling, sms } })
  if (outcome === null) return { ...view, status: isExpired ? 'expired' : 'reserved' }
  if (outcome === 'purchased') return { ...view, status: outcome }
  return { ...view, status: 'error', error: { code: outcome.code, message: outcome.message } }
}

/** ISO 3166-1 never assigns ZZ to a country. */
const NO_COUNTRY = 'ZZ'

function failedNumberView({ key, reason, offering }: FailedNumber): UnavailablePhoneNumber {
  const phoneNumber = /^\d+$/.test(key) ? `+${key}` : key
  const known = offering && availableNumberView(phoneNumber, offering)
  return {
    id: key,
    countryCode: known?.countryCode ?? NO_COUNTRY,
    phoneNumber,
    capabilities: known?.capabilities ?? { calling: 'none', sms: 'none' },
    phoneNumberType: known?.phoneNumberType ?? 'unknown',
    assignmentType: known?.assignmentType ?? 'unknown',
    ...(known && { cost: known.cost }),
    status: 'error',
    error: {
      code: 'FailedToReserveNumber',
      message: 'Failed to add the number to the reservation.',
      innererror: reason,
    },
  }
}

/** Turns domain values into the published shapes, with the keys in the order in which the service sends them. */
import type { Price } from '../../ledger/number.js'
import type { OwnedNumber } from '../../ledger/reads.js'
import {
  lastActionAt,
  shownStatus,
  type Operation,
  type OperationFailure,
  type OperationKind,
} from '../../operations/operation.js'
import type {
  AvailablePhoneNumber,
  PhoneNumberOperation,
  PhoneNumberSearchResult,
  PurchasedPhoneNumber,
} from '../contract/models.js'
import type { RequestVersion } from '../contract/versions.js'
import type { Offering } from '../model/catalogue.js'
import { searchErrorCodes, type Search, type SearchError } from '../model/search.js'
import { resultLink } from './links.js'

/** ISO 8601 with the offset written `+00:00`, as the service writes it. */
export const dateTime = (date: Date): string => date.toISOString().replace('Z', '+00:00')

const costView = ({ amount, currency }: Price) => ({
  amount: Number(amount),
  currencyCode: currency,
  billingFrequency: 'monthly' as const,
})

export const ownedNumberView = (number: OwnedNumber): PurchasedPhoneNumber => ({
  id: number.e164.slice(1),
  phoneNumber: number.e164,
  countryCode: number.countryCode,
  phoneNumberType: number.numberType,
  capabilities: { calling: number.calling, sms: number.sms },
  assignmentType: number.assignmentType,
  purchaseDate: dateTime(number.purchasedAt),
  cost: costView(number.price),
})

/** Leaves out properties that were added after the served version. */
export function searchResultView(search: Search, version: RequestVersion, now: Date): PhoneNumberSearchResult {
  const error = shownError(search, now)
  return {
    searchId: search.id,
    phoneNumbers: search.phoneNumbers,
    phoneNumberType: search.numberType,
    assignmentType: search.assignmentType,
    capabilities: search.capabilities,
    cost: costView(search.price),
    searchExpiresBy: dateTime(search.expiresAt),
    ...(version.served >= '2025-04-01' && { isAgreementToNotResellRequired: search.resellAgreementRequired }),
    ...(version.served >= '2022-12-01' && {
      ...(error !== 'NoError' && { errorCode: searchErrorCodes[error] }),
      error,
    }),
  }
}

/** The error that a reader sees: a search that was not purchased in time has expired. */
const shownError = ({ state, error, expiresAt }: Search, now: Date): SearchError =>
  state === 'found' && expiresAt <= now ? 'ReservationExpired' : error

const operationTypes: Record<OperationKind, PhoneNumberOperation['operationType']> = {
  search: 'search',
  purchase: 'purchase',
  reservationPurchase: 'reservationPurchase',
  release: 'releasePhoneNumber',
  capabilities: 'updatePhoneNumberCapabilities',
}

export const operationView = (operation: Operation, version: RequestVersion, now: Date): PhoneNumberOperation => ({
  operationType: operationTypes[operation.subject.kind],
  status: shownStatus(operation, now),
  resourceLocation: resultLink(operation.subject, version),
  createdDateTime: dateTime(operation.createdAt),
  id: operation.id,
  lastActionDateTime: dateTime(lastActionAt(operation, now)),
  ...(operation.failure && { error: failureView(operation.failure) }),
})

const failureView = ({ code, message, details = [] }: OperationFailure) => ({
  code,
  message,
  ...(details.length > 0 && { details: details.map((detail) => ({ ...detail })) }),
})

/** The terms on which a number is sold, as shown. */
type SoldOn = Pick<Offering, 'countryCode' | 'capabilities' | 'numberType' | 'assignmentType' | 'price'> &
  Pick<Offering, 'resellAgreementRequired'>

/** A number for sale on the terms of an offering. */
export const availableNumberView = (e164: string, offering: SoldOn): AvailablePhoneNumber => ({
  id: e164.slice(1),
  countryCode: offering.countryCode,
  phoneNumber: e164,
  capabilities: offering.capabilities,
  phoneNumberType: offering.numberType,
  assignmentType: offering.assignmentType,
  cost: costView(offering.price),
  status: 'available',
  ...(offering.resellAgreementRequired && { isAgreementToNotResellRequired: true }),
})

export const offeringView = ({ numberType, assignmentType, capabilities, price }: Offering) => ({
  phoneNumberType: numberType,
  assignmentType,
  availableCapabilities: capabilities,
  cost: costView(price),
})

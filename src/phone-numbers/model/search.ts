import type { AssignmentType, Capabilities, NumberType, Price } from '../../ledger/number.js'

/**
 * `running` until its operation has ended, then `found` (its numbers are or were held) or `failed`; `purchasing` while
 * a purchase that takes time is under way, `purchased` after it.
 */
export type SearchState = 'running' | 'found' | 'purchasing' | 'purchased' | 'failed'

/**
 * The published names of the errors of a search or its purchase, with their numbers. Only OutOfStock's number is
 * published (swagger examples of 2025-06-01); the others are ours, and only defined here so that they can be corrected.
 */
export const searchErrorCodes = {
  OutOfStock: 1000,
  AuthorizationDenied: 1001,
  MissingAddress: 1002,
  InvalidAddress: 1003,
  InvalidOfferModel: 1004,
  NotEnoughLicenses: 1005,
  NoWallet: 1006,
  NotEnoughCredit: 1007,
  NumbersPartiallyAcquired: 1008,
  AllNumbersNotAcquired: 1009,
  ReservationExpired: 1010,
  PurchaseFailed: 1011,
  BillingUnavailable: 1012,
  ProvisioningFailed: 1013,
  UnknownSearchError: 1099,
  UnknownErrorCode: 1999,
} as const

export type SearchErrorCode = keyof typeof searchErrorCodes
export type SearchError = SearchErrorCode | 'NoError'

export const isSearchErrorCode = (code: string): code is SearchErrorCode => Object.hasOwn(searchErrorCodes, code)

export interface Search {
  id: string
  resourceId: string
  countryCode: string
  numberType: NumberType
  assignmentType: AssignmentType
  /** As requested, which may be less than the offering has. */
  capabilities: Capabilities
  areaCode: string | undefined
  quantity: number
  price: Price
  resellAgreementRequired: boolean
  createdAt: Date
  expiresAt: Date
  state: SearchState
  phoneNumbers: string[]
  error: SearchError
}

/** How long a search can be read after its hold has expired. */
export const SEARCH_RETENTION_MS = 24 * 60 * 60_000

/** Every operation of the published API: the one source of its routes, its checks and its OpenAPI document. */
import Type, { type TSchema } from 'typebox'
import { browseAvailableNumbers } from './browse.js'
import * as models from './models.js'
import { operation, type OperationContract } from './operation.js'
import { searchOperatorInformation } from './operator-information.js'
import {
  createOrUpdateReservation,
  deleteReservation,
  getReservation,
  listReservations,
  purchaseReservation,
} from './reservations.js'
import { getSipRouting, updateSipRouting } from './sip-routing.js'
import { versionsSince } from './versions.js'

const none = Type.Object({})
const Skip = Type.Optional(Type.Integer({ minimum: 0, default: 0 }))
const PageSize = Type.Optional(Type.Integer({ minimum: 1, default: 100 }))
const FreeText = Type.String({ maxLength: 200, pattern: '^[^\\u0000-\\u001f]*$' })

const accepted = (description: string, body?: TSchema) => ({ status: 202, description, ...(body && { body }) })

export const listAvailableCountries = operation({
  operationId: 'PhoneNumbers_ListAvailableCountries',
  summary: 'Countries in which numbers may be bought, by name',
  method: 'GET',
  path: '/availablePhoneNumbers/countries',
  versions: versionsSince('2022-12-01'),
  query: Type.Object({ skip: Skip, maxPageSize: PageSize }),
  body: undefined,
  success: { status: 200, description: 'A page of countries', body: models.PhoneNumberCountries },
})

export const listAvailableLocalities = operation({
  operationId: 'PhoneNumbers_ListAvailableLocalities',
  summary: 'Localities of a country that have numbers for sale',
  method: 'GET',
  path: '/availablePhoneNumbers/countries/{countryCode}/localities',
  versions: versionsSince('2022-12-01'),
  query: Type.Object({
    administrativeDivision: Type.Optional(FreeText),
    phoneNumberType: Type.Optional(models.PhoneNumberType),
    skip: Skip,
    maxPageSize: PageSize,
  }),
  body: undefined,
  success: { status: 200, description: 'A page of localities', body: models.PhoneNumberLocalities },
})

export const listAreaCodes = operation({
  operationId: 'PhoneNumbers_ListAreaCodes',
  summary: 'Area codes of a country that have numbers for sale',
  method: 'GET',
  path: '/availablePhoneNumbers/countries/{countryCode}/areaCodes',
  versions: versionsSince('2021-03-07'),
  query: Type.Object({
    phoneNumberType: models.PhoneNumberType,
    assignmentType: Type.Optional(models.PhoneNumberAssignmentType),
    locality: Type.Optional(FreeText),
    administrativeDivision: Type.Optional(FreeText),
    skip: Skip,
    maxPageSize: PageSize,
  }),
  body: undefined,
  success: { status: 200, description: 'A page of area codes', body: models.PhoneNumberAreaCodes },
})

export const listOfferings = operation({
  operationId: 'PhoneNumbers_ListOfferings',
  summary: 'The offerings of a country, with capabilities and price',
  method: 'GET',
  path: '/availablePhoneNumbers/countries/{countryCode}/offerings',
  versions: versionsSince('2021-03-07'),
  query: Type.Object({
    phoneNumberType: Type.Optional(models.PhoneNumberType),
    assignmentType: Type.Optional(models.PhoneNumberAssignmentType),
    skip: Skip,
    maxPageSize: PageSize,
  }),
  body: undefined,
  success: { status: 200, description: 'A page of offerings', body: models.OfferingsResponse },
})

export const searchAvailablePhoneNumbers = operation({
  operationId: 'PhoneNumbers_SearchAvailablePhoneNumbers',
  summary: 'Search for numbers and hold those found',
  method: 'POST',
  path: '/availablePhoneNumbers/countries/{countryCode}/:search',
  versions: versionsSince('2021-03-07'),
  query: none,
  body: models.PhoneNumberSearchRequest,
  success: accepted('Accepted; the result when the search has finished already', models.PhoneNumberSearchResult),
})

export const getSearchResult = operation({
  operationId: 'PhoneNumbers_GetSearchResult',
  summary: 'The result of a search',
  method: 'GET',
  path: '/availablePhoneNumbers/searchResults/{searchId}',
  versions: versionsSince('2021-03-07'),
  query: none,
  body: undefined,
  success: { status: 200, description: 'The result', body: models.PhoneNumberSearchResult },
})

export const purchasePhoneNumbers = operation({
  operationId: 'PhoneNumbers_PurchasePhoneNumbers',
  summary: 'Purchase the numbers that a search holds',
  method: 'POST',
  path: '/availablePhoneNumbers/:purchase',
  versions: versionsSince('2021-03-07'),
  query: none,
  body: models.PhoneNumberPurchaseRequest,
  success: accepted('Accepted'),
})

export const getOperation = operation({
  operationId: 'PhoneNumbers_GetOperation',
  summary: 'The status of an operation',
  method: 'GET',
  path: '/phoneNumbers/operations/{operationId}',
  versions: versionsSince('2021-03-07'),
  query: none,
  body: undefined,
  success: { status: 200, description: 'The operation', body: models.PhoneNumberOperation },
})

export const cancelOperation = operation({
  operationId: 'PhoneNumbers_CancelOperation',
  summary: 'Cancel an operation, or give back the numbers that a finished search holds',
  method: 'DELETE',
  path: '/phoneNumbers/operations/{operationId}',
  versions: versionsSince('2021-03-07'),
  query: none,
  body: undefined,
  success: { status: 204, description: 'Canceled, or too late to cancel' },
})

export const listPhoneNumbers = operation({
  operationId: 'PhoneNumbers_ListPhoneNumbers',
  summary: 'The numbers that the resource owns, in the order of purchase',
  method: 'GET',
  path: '/phoneNumbers',
  versions: versionsSince('2021-03-07'),
  query: Type.Object({
    skip: Skip,
    top: PageSize,
    after: Type.Optional(
      Type.Integer({ minimum: 0, description: 'Where the page before ended; only nextLink sets it' }),
    ),
  }),
  body: undefined,
  success: { status: 200, description: 'A page of numbers', body: models.PurchasedPhoneNumbers },
})

export const getByNumber = operation({
  operationId: 'PhoneNumbers_GetByNumber',
  summary: 'One number that the resource owns',
  method: 'GET',
  path: '/phoneNumbers/{phoneNumber}',
  versions: versionsSince('2021-03-07'),
  query: none,
  body: undefined,
  success: { status: 200, description: 'The number', body: models.PurchasedPhoneNumber },
})

export const updateCapabilities = operation({
  operationId: 'PhoneNumbers_UpdateCapabilities',
  summary: 'Change the capabilities of an owned number',
  method: 'PATCH',
  path: '/phoneNumbers/{phoneNumber}/capabilities',
  versions: versionsSince('2021-03-07'),
  query: none,
  body: models.PhoneNumberCapabilitiesRequest,
  success: accepted('Accepted', models.PhoneNumberCapabilitiesUpdated),
})

export const releasePhoneNumber = operation({
  operationId: 'PhoneNumbers_ReleasePhoneNumber',
  summary: 'Release an owned number',
  method: 'DELETE',
  path: '/phoneNumbers/{phoneNumber}',
  versions: versionsSince('2021-03-07'),
  query: none,
  body: undefined,
  success: accepted('Accepted'),
})

export const operations: readonly OperationContract[] = [
  listAvailableCountries,
  listAvailableLocalities,
  listAreaCodes,
  listOfferings,
  browseAvailableNumbers,
  searchAvailablePhoneNumbers,
  getSearchResult,
  purchasePhoneNumbers,
  listReservations,
  createOrUpdateReservation,
  getReservation,
  deleteReservation,
  purchaseReservation,
  getOperation,
  cancelOperation,
  listPhoneNumbers,
  getByNumber,
  updateCapabilities,
  releasePhoneNumber,
  searchOperatorInformation,
  getSipRouting,
  updateSipRouting,
]

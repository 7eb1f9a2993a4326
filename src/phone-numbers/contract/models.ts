/** The shapes on the wire, as in the service's swagger and recordings. */
import Type, { type Static } from 'typebox'
import { assignmentTypes, capabilityTypes, numberTypes } from '../../ledger/number.js'

export {
  OperatorDetails,
  OperatorInformation,
  OperatorInformationRequest,
  OperatorInformationResult,
} from './operator-information.js'

export {
  SipConfiguration,
  SipConfigurationUpdate,
  SipTrunk,
  SipTrunkRoute,
  SipTrunkRouteUpdate,
  SipTrunkUpdate,
} from './sip-routing.js'

export const PhoneNumberType = Type.Enum([...numberTypes])
export const PhoneNumberAssignmentType = Type.Enum([...assignmentTypes])
export const PhoneNumberCapabilityType = Type.Enum([...capabilityTypes])

export const PhoneNumberCapabilities = Type.Object({
  calling: PhoneNumberCapabilityType,
  sms: PhoneNumberCapabilityType,
})

export const PhoneNumberCapabilitiesRequest = Type.Partial(PhoneNumberCapabilities)

export const PhoneNumberCost = Type.Object({
  amount: Type.Number(),
  currencyCode: Type.String(),
  billingFrequency: Type.Enum(['monthly']),
})

const DateTime = Type.String({ format: 'date-time' })

export const PhoneNumberSearchRequest = Type.Object({
  phoneNumberType: PhoneNumberType,
  assignmentType: PhoneNumberAssignmentType,
  capabilities: PhoneNumberCapabilities,
  areaCode: Type.Optional(Type.String()),
  quantity: Type.Optional(Type.Integer({ minimum: 1, maximum: 2147483647, default: 1 })),
})

export const PhoneNumberSearchResult = Type.Object({
  searchId: Type.String(),
  phoneNumbers: Type.Array(Type.String()),
  phoneNumberType: PhoneNumberType,
  assignmentType: PhoneNumberAssignmentType,
  capabilities: PhoneNumberCapabilities,
  cost: PhoneNumberCost,
  searchExpiresBy: DateTime,
  isAgreementToNotResellRequired: Type.Optional(Type.Boolean()),
  errorCode: Type.Optional(Type.Integer()),
  error: Type.Optional(Type.String()),
})
export type PhoneNumberSearchResult = Static<typeof PhoneNumberSearchResult>

export const PhoneNumberPurchaseRequest = Type.Object({
  searchId: Type.String(),
  agreeToNotResell: Type.Optional(Type.Boolean({ default: false })),
})

const ErrorDetails = Type.Optional(
  Type.Array(Type.Object({ code: Type.String(), message: Type.String(), target: Type.Optional(Type.String()) })),
)

export const CommunicationError = Type.Object({
  code: Type.String(),
  message: Type.String(),
  target: Type.Optional(Type.String()),
  details: ErrorDetails,
  innererror: Type.Optional(Type.Object({ code: Type.String(), message: Type.String(), details: ErrorDetails })),
})
export const CommunicationErrorResponse = Type.Object({ error: CommunicationError })
export type CommunicationErrorResponse = Static<typeof CommunicationErrorResponse>

export const PhoneNumberOperation = Type.Object({
  operationType: Type.Enum([
    'purchase',
    'releasePhoneNumber',
    'search',
    'updatePhoneNumberCapabilities',
    'reservationPurchase',
  ]),
  status: Type.Enum(['notStarted', 'running', 'succeeded', 'failed']),
  resourceLocation: Type.Union([Type.String(), Type.Null()]),
  createdDateTime: DateTime,
  id: Type.String(),
  lastActionDateTime: DateTime,
  error: Type.Optional(CommunicationError),
})
export type PhoneNumberOperation = Static<typeof PhoneNumberOperation>

export const PurchasedPhoneNumber = Type.Object({
  id: Type.String(),
  phoneNumber: Type.String(),
  countryCode: Type.String(),
  phoneNumberType: PhoneNumberType,
  capabilities: PhoneNumberCapabilities,
  assignmentType: PhoneNumberAssignmentType,
  purchaseDate: DateTime,
  cost: PhoneNumberCost,
})
export type PurchasedPhoneNumber = Static<typeof PurchasedPhoneNumber>

export const PurchasedPhoneNumbers = Type.Object({
  phoneNumbers: Type.Array(PurchasedPhoneNumber),
  nextLink: Type.Optional(Type.String()),
})

/** A number for sale, or one of a reservation, with its `status` and `error`. */
export const AvailablePhoneNumber = Type.Object({
  id: Type.String(),
  countryCode: Type.String(),
  phoneNumber: Type.String(),
  /** All capabilities of the number, even if fewer were requested. */
  capabilities: PhoneNumberCapabilities,
  phoneNumberType: PhoneNumberType,
  assignmentType: PhoneNumberAssignmentType,
  cost: PhoneNumberCost,
  status: Type.Enum(['available', 'reserved', 'expired', 'error', 'purchased']),
  isAgreementToNotResellRequired: Type.Optional(Type.Boolean()),
  error: Type.Optional(Type.Object({ code: Type.String(), message: Type.String() })),
})
export type AvailablePhoneNumber = Static<typeof AvailablePhoneNumber>

export const PhoneNumbersBrowseRequest = Type.Object({
  phoneNumberType: PhoneNumberType,
  capabilities: Type.Optional(PhoneNumberCapabilitiesRequest),
  assignmentType: Type.Optional(PhoneNumberAssignmentType),
  phoneNumberPrefixes: Type.Optional(
    Type.Array(Type.String(), {
      description: 'At most 10, of 1 to 15 digits, country calling code first; a number begins with one of them',
    }),
  ),
})

export const PhoneNumbersBrowseResult = Type.Object({ phoneNumbers: Type.Array(AvailablePhoneNumber) })

/** A number that could not be reserved. `unknown` stands for values that are not known. */
export const UnavailablePhoneNumber = Type.Object({
  id: Type.String(),
  countryCode: Type.String({ description: 'ZZ when it is not known' }),
  phoneNumber: Type.String(),
  capabilities: PhoneNumberCapabilities,
  phoneNumberType: Type.Enum([...numberTypes, 'unknown']),
  assignmentType: Type.Enum([...assignmentTypes, 'unknown']),
  cost: Type.Optional(PhoneNumberCost),
  status: Type.Enum(['error']),
  error: Type.Object({
    code: Type.Enum(['FailedToReserveNumber']),
    message: Type.String(),
    innererror: Type.Object({ code: Type.String(), message: Type.String() }),
  }),
})
export type UnavailablePhoneNumber = Static<typeof UnavailablePhoneNumber>

/** Our own pattern, because the usual `.*` leaves names with a line break unchecked. */
const AnyName = Type.String({ pattern: '^[\\s\\S]*$' })

const reservationParts = {
  id: Type.String({ format: 'uuid' }),
  expiresAt: DateTime,
  status: Type.Enum(['active', 'submitted', 'completed', 'expired']),
}

export const PhoneNumbersReservation = Type.Object({
  ...reservationParts,
  phoneNumbers: Type.Record(AnyName, Type.Union([AvailablePhoneNumber, UnavailablePhoneNumber]), {
    description: 'By their digits. Those that could not be reserved are only in the response to the request for them',
  }),
})
export type PhoneNumbersReservation = Static<typeof PhoneNumbersReservation>

export const PhoneNumbersReservations = Type.Object({
  reservations: Type.Array(Type.Object(reservationParts)),
  nextLink: Type.Union([Type.String(), Type.Null()]),
})

export const PhoneNumbersReservationUpdate = Type.Object({
  phoneNumbers: Type.Optional(
    Type.Record(AnyName, Type.Union([Type.Object({}), Type.Null()]), {
      description: 'By their digits: an object, whatever is in it, to add a number; null to remove it',
    }),
  ),
})

export const PhoneNumbersReservationPurchaseRequest = Type.Object({
  agreeToNotResell: Type.Optional(Type.Boolean({ default: false })),
})

export const PhoneNumberCapabilitiesUpdated = Type.Object({ capabilitiesUpdateId: Type.String() })

const NextLinkOrNull = Type.Union([Type.String(), Type.Null()])

export const PhoneNumberCountries = Type.Object({
  countries: Type.Array(Type.Object({ localizedName: Type.String(), countryCode: Type.String() })),
  nextLink: NextLinkOrNull,
})

export const PhoneNumberLocalities = Type.Object({
  phoneNumberLocalities: Type.Array(
    Type.Object({
      localizedName: Type.String(),
      administrativeDivision: Type.Union([
        Type.Object({ localizedName: Type.String(), abbreviatedName: Type.String() }),
        Type.Null(),
      ]),
    }),
  ),
  nextLink: NextLinkOrNull,
})

export const PhoneNumberAreaCodes = Type.Object({
  areaCodes: Type.Array(Type.Object({ areaCode: Type.String() })),
  nextLink: NextLinkOrNull,
})

export const OfferingsResponse = Type.Object({
  phoneNumberOfferings: Type.Array(
    Type.Object({
      phoneNumberType: PhoneNumberType,
      assignmentType: PhoneNumberAssignmentType,
      availableCapabilities: PhoneNumberCapabilities,
      cost: PhoneNumberCost,
    }),
  ),
  nextLink: NextLinkOrNull,
})

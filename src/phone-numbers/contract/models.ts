/** The shapes on the wire, as the service's swagger and recordings have them. */
import Type, { type Static } from 'typebox'
import { assignmentTypes, capabilityTypes, numberTypes } from '../../ledger/number.js'

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

export const CommunicationError = Type.Object({
  code: Type.String(),
  message: Type.String(),
  target: Type.Optional(Type.String()),
  innererror: Type.Optional(Type.Object({ code: Type.String(), message: Type.String() })),
})
export const CommunicationErrorResponse = Type.Object({ error: CommunicationError })
export type CommunicationErrorResponse = Static<typeof CommunicationErrorResponse>

export const PhoneNumberOperation = Type.Object({
  operationType: Type.Enum(['purchase', 'releasePhoneNumber', 'search', 'updatePhoneNumberCapabilities']),
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

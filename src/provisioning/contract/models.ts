/**
 * The shapes of responses, in api-versions 2024-02-29 and 2024-02-29-preview. Those of requests are in `requests.ts`.
 */
import Type, { type Static } from 'typebox'

const optional = Type.Optional
const Texts = Type.Array(Type.String())
const DateTime = Type.String({ format: 'date-time' })

export const ProvisioningError = Type.Object({
  code: Type.String(),
  message: Type.String(),
  target: optional(Type.String()),
})
export type ProvisioningError = Static<typeof ProvisioningError>

export const ErrorResponse = Type.Object({
  error: Type.Object({
    code: Type.String(),
    message: Type.String(),
    target: optional(Type.String()),
    details: optional(
      Type.Array(
        Type.Object({
          code: Type.String(),
          message: Type.String(),
          target: optional(Type.String()),
          details: optional(Type.Array(ProvisioningError)),
        }),
      ),
    ),
  }),
})
export type ErrorResponse = Static<typeof ErrorResponse>

const ServiceProvisioningStatus = Type.Enum(['pending', 'synced', 'failed'])
const ServiceProvisioningErrors = Type.Union([Type.Array(ProvisioningError), Type.Null()])

const provisioningState = {
  serviceProvisioningStatus: ServiceProvisioningStatus,
  serviceProvisioningErrors: ServiceProvisioningErrors,
}

export const SubdomainTokens = Type.Object({ region1Token: Type.String(), region2Token: Type.String() })

export const TeamsDirectRoutingAccountConfig = Type.Object({
  callScreening: Type.Boolean(),
  subdomain: Type.String(),
  subdomainTokens: SubdomainTokens,
})

export const AccountService = Type.Object({
  syncEnabled: Type.Boolean(),
  enabled: Type.Boolean(),
  numberCount: Type.Integer({ format: 'int64' }),
})

export const TeamsDirectRoutingAccountService = Type.Object({
  syncEnabled: Type.Boolean(),
  enabled: Type.Boolean(),
  numberCount: Type.Integer({ format: 'int64' }),
  configuration: optional(TeamsDirectRoutingAccountConfig),
  subdomainStatus: Type.Enum(['provisioned', 'notProvisioned', 'inconsistent']),
})

export const CallProtectionAccountService = Type.Object({
  enabled: Type.Boolean(),
  numberCount: Type.Integer({ format: 'int64' }),
})

export const AccountServiceDetails = Type.Object({
  teamsTenantId: optional(Type.String()),
  teamsOperatorConnect: optional(AccountService),
  teamsDirectRouting: optional(TeamsDirectRoutingAccountService),
  teamsPhoneMobile: optional(AccountService),
  zoomPhoneCloudPeering: optional(AccountService),
  azureOperatorCallProtection: optional(CallProtectionAccountService),
})

export const Account = Type.Object({
  ...provisioningState,
  name: Type.String(),
  correlationId: optional(Type.String()),
  serviceDetails: AccountServiceDetails,
})
export type Account = Static<typeof Account>

export const TeamsNumberConfiguration = Type.Object({
  usage: Type.String(),
  choosableCapabilities: Texts,
  acquiredCapabilities: optional(Texts),
  availableCapabilities: optional(Texts),
  additionalUsages: optional(Texts),
  civicAddressId: optional(Type.String()),
  locationId: optional(Type.String()),
  allowTenantAddressUpdate: Type.Boolean(),
  displayedCountryCode: optional(Type.String()),
})
export type TeamsNumberConfiguration = Static<typeof TeamsNumberConfiguration>

export const TeamsNumberService = Type.Object({
  enabled: Type.Boolean(),
  assignmentStatus: optional(Type.String()),
  configuration: optional(TeamsNumberConfiguration),
})

export const NumberService = Type.Object({ enabled: Type.Boolean() })

export const NumberServiceDetails = Type.Object({
  teamsOperatorConnect: optional(TeamsNumberService),
  teamsPhoneMobile: optional(TeamsNumberService),
  teamsDirectRouting: optional(NumberService),
  zoomPhoneCloudPeering: optional(NumberService),
  azureOperatorCallProtection: optional(NumberService),
})

export const NumberConfiguration = Type.Object({ customSipHeader: optional(Type.String()) })

export const Number = Type.Object({
  ...provisioningState,
  telephoneNumber: Type.String(),
  accountName: Type.String(),
  serviceDetails: NumberServiceDetails,
  configuration: optional(NumberConfiguration),
})
export type Number = Static<typeof Number>

export const BatchNumbers = Type.Object({ numbers: Type.Array(Number) })
export type BatchNumbers = Static<typeof BatchNumbers>

export const TeamsCapabilityPlan = Type.Object({
  name: Type.String(),
  usage: Type.String(),
  offerTypes: optional(Texts),
  mandatoryCapabilities: optional(Texts),
  choosableCapabilities: optional(Texts),
  supportsTollFree: Type.Boolean(),
})

export const TeamsCapabilityPlans = Type.Object({ capabilityPlans: Type.Array(TeamsCapabilityPlan) })
export type TeamsCapabilityPlans = Static<typeof TeamsCapabilityPlans>
export const TeamsAvailableCapabilities = Type.Object({ availableCapabilities: Texts })
export type TeamsAvailableCapabilities = Static<typeof TeamsAvailableCapabilities>

export const Location = Type.Object({
  id: Type.String({ minLength: 1 }),
  civicAddressId: Type.String({ minLength: 1 }),
  description: optional(Type.String()),
  additionalInfo: optional(Type.String()),
  isDefault: optional(Type.Boolean()),
  elin: optional(Type.String()),
})

const Text = optional(Type.String())

export const CivicAddress = Type.Object({
  id: Type.String({ minLength: 1 }),
  country: Text,
  houseNumber: Text,
  houseNumberSuffix: Text,
  preDirectional: Text,
  streetName: Text,
  streetSuffix: Text,
  postDirectional: Text,
  stateOrProvince: Text,
  countyOrDistrict: Text,
  cityOrTown: Text,
  cityOrTownAlias: Text,
  postalOrZipCode: Text,
  description: Text,
  companyName: Text,
  companyId: Text,
  defaultLocationId: Type.String({ minLength: 1 }),
  validationStatus: optional(Type.Enum(['notValidated', 'validated'])),
  tenantId: Text,
  partnerId: Text,
  locations: optional(Type.Array(Location)),
  latitude: Text,
  longitude: Text,
})
export type CivicAddress = Static<typeof CivicAddress>

export const ContactDetails = Type.Object({
  fullName: Type.String({ minLength: 1 }),
  email: Type.String({ minLength: 1 }),
  telephoneNumber: Text,
  companyName: Text,
  companySize: Text,
})

export const CustomerRelationship = Type.Object({
  status: Text,
  comment: Text,
  lastModifiedOn: optional(DateTime),
})

export const RequestForInformation = Type.Object({
  ...provisioningState,
  id: Type.String(),
  tenantId: Type.String(),
  accountName: Text,
  productContext: Type.String(),
  operatorId: Text,
  status: Type.String(),
  consentedOn: optional(DateTime),
  lastModifiedOn: optional(DateTime),
  consentedCountries: Texts,
  contacts: Type.Array(ContactDetails),
  customerRelationship: optional(CustomerRelationship),
})
export type RequestForInformation = Static<typeof RequestForInformation>

const nextLink = { nextLink: optional(Type.String({ format: 'uri' })) }
export const PagedAccounts = Type.Object({ value: Type.Array(Account), ...nextLink })
export const PagedNumbers = Type.Object({ value: Type.Array(Number), ...nextLink })
export const PagedCivicAddresses = Type.Object({ value: Type.Array(CivicAddress), ...nextLink })
export const PagedRequestsForInformation = Type.Object({ value: Type.Array(RequestForInformation), ...nextLink })

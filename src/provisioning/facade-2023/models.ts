/** The shapes of api-version 2023-10-01. Requests take no other properties. */
import Type, { type Static, type TProperties } from 'typebox'
import { CustomSipHeader, MAX_BATCH, Subdomain, SubdomainTokensRequest, TelephoneNumber } from '../contract/requests.js'

const optional = Type.Optional
const strictly = <Properties extends TProperties>(properties: Properties) =>
  Type.Object(properties, { additionalProperties: false })

export const DirectRoutingDetailsRequest = strictly({
  callScreening: Type.Boolean(),
  subdomain: Subdomain,
  subdomainTokens: SubdomainTokensRequest,
})
export const AccountDetailsRequest = strictly({ directRouting: optional(DirectRoutingDetailsRequest) })

export const SubdomainTokens = Type.Object({ region1Token: Type.String(), region2Token: Type.String() })
export const DirectRoutingDetails = Type.Object({
  callScreening: Type.Boolean(),
  subdomain: Type.String(),
  subdomainTokens: SubdomainTokens,
})
export const AccountDetails = Type.Object({ directRouting: optional(DirectRoutingDetails) })

export const AccountResponse = Type.Object({ etag: Type.String(), name: Type.String(), details: AccountDetails })
export type AccountResponse = Static<typeof AccountResponse>

/** A region without a record has no token. */
export const TokensInDns = Type.Partial(SubdomainTokens)
export const DirectRoutingProvisioningState = Type.Object({
  subdomainStatus: Type.Enum(['Provisioned', 'NotProvisioned', 'Inconsistent']),
  subdomainTokens: optional(TokensInDns),
})
export type DirectRoutingProvisioningState = Static<typeof DirectRoutingProvisioningState>

export const AccountWithStatusResponse = Type.Object({
  etag: Type.String(),
  name: Type.String(),
  details: AccountDetails,
  directRoutingProvisioningState: optional(DirectRoutingProvisioningState),
})
export type AccountWithStatusResponse = Static<typeof AccountWithStatusResponse>

export const NumberServicesRequest = strictly({
  teamsDrEnabled: Type.Boolean(),
  teamsOcEnabled: Type.Boolean(),
  zoomEnabled: Type.Boolean(),
})
export const NumberConfigurationRequest = strictly({ customSipHeader: optional(CustomSipHeader) })
/** The schema once published requires `services`; its text says what leaving it out means. */
export const NumberDetailsRequest = strictly({
  services: optional(NumberServicesRequest),
  configuration: optional(NumberConfigurationRequest),
})
export const BatchNumberRequest = strictly({ phoneNumber: TelephoneNumber, details: NumberDetailsRequest })
export const BatchNumbersRequest = strictly({
  numbers: Type.Array(BatchNumberRequest, { minItems: 1, maxItems: MAX_BATCH }),
})

export const NumberServices = Type.Object({
  teamsDrEnabled: Type.Boolean(),
  teamsOcEnabled: Type.Boolean(),
  zoomEnabled: Type.Boolean(),
})
export const NumberConfiguration = Type.Object({ customSipHeader: optional(Type.String()) })
export const NumberDetails = Type.Object({ services: NumberServices, configuration: optional(NumberConfiguration) })
export const NumberResponse = Type.Object({
  etag: Type.String(),
  accountName: Type.String(),
  phoneNumber: Type.String(),
  details: NumberDetails,
})
export type NumberResponse = Static<typeof NumberResponse>
export const BatchNumbersResponse = Type.Object({ numbers: Type.Array(NumberResponse) })

const nextLink = { nextLink: optional(Type.String({ format: 'uri' })) }
export const AccountsList = Type.Object({ value: Type.Array(AccountResponse), ...nextLink })
export const NumbersList = Type.Object({ value: Type.Array(NumberResponse), ...nextLink })

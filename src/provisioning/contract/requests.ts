/**
 * The shapes of requests, in api-versions 2024-02-29 and 2024-02-29-preview. Objects take only these properties.
 * Read-only ones are accepted and ignored, whatever their value: clients send back what they have read.
 */
import Type, { type TProperties, type TSchema } from 'typebox'

const optional = Type.Optional
const strictly = <Properties extends TProperties>(properties: Properties) =>
  Type.Object(properties, { additionalProperties: false })
const orNull = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()])
const ReadOnly = optional(Type.Unknown({ readOnly: true }))

/** Our own limits where the published API has none, so that no number grows without end. */
const FreeText = Type.String({ maxLength: 256 })
const FreeTexts = Type.Array(FreeText, { maxItems: 100 })

export const AccountName = Type.String({ minLength: 1, maxLength: 100, pattern: '^([A-Za-z0-9_-]+)$' })
export const TelephoneNumber = Type.String({ minLength: 3, maxLength: 16, pattern: '^\\+[1-9]\\d+$' })

/** The most numbers that one request is about. */
export const MAX_BATCH = 100

const provisioningState = { serviceProvisioningStatus: ReadOnly, serviceProvisioningErrors: ReadOnly }

export const Subdomain = Type.String({ minLength: 1, maxLength: 10, pattern: '^([A-Za-z0-9_-]+)$' })
const SubdomainToken = Type.String({ minLength: 1, maxLength: 100, pattern: '^([A-Za-z0-9=_-]+)$' })

export const SubdomainTokensRequest = strictly({ region1Token: SubdomainToken, region2Token: SubdomainToken })

export const TeamsDirectRoutingAccountConfigRequest = strictly({
  callScreening: optional(Type.Boolean({ default: true })),
  subdomain: Subdomain,
  subdomainTokens: SubdomainTokensRequest,
})

export const AccountServiceRequest = strictly({
  syncEnabled: Type.Boolean(),
  enabled: Type.Boolean(),
  numberCount: ReadOnly,
})

export const TeamsDirectRoutingAccountServiceRequest = strictly({
  syncEnabled: Type.Boolean(),
  enabled: Type.Boolean(),
  numberCount: ReadOnly,
  configuration: optional(TeamsDirectRoutingAccountConfigRequest),
  subdomainStatus: ReadOnly,
})

export const CallProtectionAccountServiceRequest = strictly({ enabled: Type.Boolean(), numberCount: ReadOnly })

export const AccountServiceDetailsRequest = strictly({
  teamsTenantId: optional(Type.String({ minLength: 1, maxLength: 100 })),
  teamsOperatorConnect: optional(AccountServiceRequest),
  teamsDirectRouting: optional(TeamsDirectRoutingAccountServiceRequest),
  teamsPhoneMobile: optional(AccountServiceRequest),
  zoomPhoneCloudPeering: optional(AccountServiceRequest),
  azureOperatorCallProtection: optional(CallProtectionAccountServiceRequest),
})

export const AccountRequest = strictly({
  ...provisioningState,
  name: optional(AccountName),
  correlationId: optional(Type.String({ minLength: 1, maxLength: 256 })),
  serviceDetails: optional(AccountServiceDetailsRequest),
})

export const TeamsNumberConfigurationRequest = strictly({
  usage: FreeText,
  choosableCapabilities: FreeTexts,
  acquiredCapabilities: ReadOnly,
  availableCapabilities: ReadOnly,
  additionalUsages: optional(FreeTexts),
  civicAddressId: optional(FreeText),
  locationId: optional(FreeText),
  allowTenantAddressUpdate: optional(Type.Boolean({ default: false })),
  displayedCountryCode: optional(FreeText),
})

export const TeamsNumberServiceRequest = strictly({
  enabled: Type.Boolean(),
  // Extensible: a client that changes what it read sends back the status that a backend reported.
  assignmentStatus: optional(
    Type.String({ minLength: 1, maxLength: 256, description: 'assigned, unassigned, or what a backend reports' }),
  ),
  configuration: optional(TeamsNumberConfigurationRequest),
})

export const NumberServiceRequest = strictly({ enabled: Type.Boolean() })

export const NumberServiceDetailsRequest = strictly({
  teamsOperatorConnect: optional(TeamsNumberServiceRequest),
  teamsPhoneMobile: optional(TeamsNumberServiceRequest),
  teamsDirectRouting: optional(NumberServiceRequest),
  zoomPhoneCloudPeering: optional(NumberServiceRequest),
  azureOperatorCallProtection: optional(NumberServiceRequest),
})

export const CustomSipHeader = Type.String({ minLength: 1, maxLength: 100, pattern: '^([A-Za-z0-9_-])+$' })
export const NumberConfigurationRequest = strictly({ customSipHeader: optional(CustomSipHeader) })

/** The path names the number; the body may repeat it. */
export const NumberRequest = strictly({
  ...provisioningState,
  telephoneNumber: optional(TelephoneNumber),
  accountName: optional(AccountName),
  serviceDetails: NumberServiceDetailsRequest,
  configuration: optional(NumberConfigurationRequest),
})

export const BatchNumberRequest = strictly({
  ...provisioningState,
  telephoneNumber: TelephoneNumber,
  accountName: optional(AccountName),
  serviceDetails: NumberServiceDetailsRequest,
  configuration: optional(NumberConfigurationRequest),
})

export const BatchNumbersRequest = strictly({
  numbers: Type.Array(BatchNumberRequest, { minItems: 1, maxItems: MAX_BATCH }),
})

export const NumberIdentifier = strictly({ telephoneNumber: TelephoneNumber })

/** For both `:deleteNumbers` and `:getTeamsAvailableCapabilities`. */
export const NumberIdentifiers = strictly({
  numbers: Type.Array(NumberIdentifier, { minItems: 1, maxItems: MAX_BATCH }),
})

export const NoContent = strictly({})

/** A JSON Merge Patch (RFC 7396): null clears. */
export const RequestForInformationPatch = strictly({
  ...provisioningState,
  id: ReadOnly,
  tenantId: ReadOnly,
  accountName: ReadOnly,
  productContext: ReadOnly,
  operatorId: ReadOnly,
  status: ReadOnly,
  consentedOn: ReadOnly,
  lastModifiedOn: ReadOnly,
  consentedCountries: ReadOnly,
  contacts: ReadOnly,
  customerRelationship: optional(
    orNull(
      strictly({
        status: optional(orNull(Type.String({ minLength: 1, maxLength: 256 }))),
        comment: optional(orNull(Type.String({ maxLength: 4096 }))),
        lastModifiedOn: ReadOnly,
      }),
    ),
  ),
})

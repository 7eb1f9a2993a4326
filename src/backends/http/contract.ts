/**
 * The protocol between Linebook and an operator's system behind a service: every operation and every shape on the wire.
 * docs/backend-protocol.md explains it; openapi/backend-protocol.json is generated from here.
 */
import Type, { type Static, type TSchema } from 'typebox'

/** The longest text accepted in a response, unless another limit is given. */
const MAX_TEXT_CHARS = 4_096
const MAX_LIST = 1_000

const Text = Type.String({ maxLength: MAX_TEXT_CHARS })
const Key = Type.String({ minLength: 1, maxLength: 256 })
const Texts = Type.Array(Text, { maxItems: MAX_LIST })
const TelephoneNumber = Type.String({ pattern: '^\\+[1-9][0-9]{1,14}$' })
const Instant = Type.String({ format: 'date-time' })
const Seconds = Type.Number({ minimum: 0, maximum: 86_400 })
const Cursor = Type.String({ minLength: 1, maxLength: 2_048 })

export const BackendFault = Type.Object({
  code: Type.String({ minLength: 1, maxLength: 256 }),
  message: Text,
  target: Type.Optional(Type.String({ maxLength: 256 })),
})
/** The body when a whole call is refused. */
export const ErrorResponse = Type.Object({ error: BackendFault })

const command = {
  idempotencyKey: Key,
  sequence: Type.Integer({ minimum: 0 }),
  ticket: Type.Optional(Key),
}

export const NumberConfiguration = Type.Object({
  usage: Type.Optional(Text),
  choosableCapabilities: Type.Optional(Texts),
  additionalUsages: Type.Optional(Texts),
  civicAddressId: Type.Optional(Text),
  locationId: Type.Optional(Text),
  allowTenantAddressUpdate: Type.Optional(Type.Boolean()),
  displayedCountryCode: Type.Optional(Text),
})

export const TenantSettings = Type.Object({
  tenantId: Text,
  accountName: Text,
  enabled: Type.Boolean(),
  syncEnabled: Type.Boolean(),
  ...command,
})

export const NumberUpload = Type.Object({
  telephoneNumber: TelephoneNumber,
  configuration: NumberConfiguration,
  assignmentStatus: Type.Optional(Text),
  ...command,
})

export const NumberCommand = Type.Object({ telephoneNumber: TelephoneNumber, ...command })

export const RelationshipChange = Type.Object({
  tenantId: Text,
  status: Type.Union([Text, Type.Null()]),
  comment: Type.Union([Text, Type.Null()]),
  ...command,
})

export const BackendNumber = Type.Object({
  telephoneNumber: TelephoneNumber,
  tenantId: Text,
  configuration: Type.Optional(NumberConfiguration),
  assignmentStatus: Type.Optional(Text),
  acquiredCapabilities: Type.Optional(Texts),
  availableCapabilities: Type.Optional(Texts),
})

export const NumberCapabilities = Type.Object({ telephoneNumber: TelephoneNumber, availableCapabilities: Texts })

export const Contact = Type.Object({
  fullName: Text,
  email: Text,
  telephoneNumber: Type.Optional(Text),
  companyName: Type.Optional(Text),
  companySize: Type.Optional(Text),
})

export const Relationship = Type.Object({
  status: Type.Optional(Text),
  comment: Type.Optional(Text),
  lastModifiedOn: Type.Optional(Instant),
})

export const Consent = Type.Object({
  id: Key,
  tenantId: Key,
  operatorId: Type.Optional(Text),
  status: Text,
  consentedOn: Type.Optional(Instant),
  lastModifiedOn: Type.Optional(Instant),
  consentedCountries: Texts,
  contacts: Type.Array(Contact, { maxItems: MAX_LIST }),
  relationship: Relationship,
})

export const Location = Type.Object({
  id: Key,
  civicAddressId: Key,
  description: Type.Optional(Text),
  additionalInfo: Type.Optional(Text),
  isDefault: Type.Optional(Type.Boolean()),
  elin: Type.Optional(Text),
})

export const CivicAddress = Type.Object({
  id: Key,
  country: Type.Optional(Text),
  houseNumber: Type.Optional(Text),
  houseNumberSuffix: Type.Optional(Text),
  preDirectional: Type.Optional(Text),
  streetName: Type.Optional(Text),
  streetSuffix: Type.Optional(Text),
  postDirectional: Type.Optional(Text),
  stateOrProvince: Type.Optional(Text),
  countyOrDistrict: Type.Optional(Text),
  cityOrTown: Type.Optional(Text),
  cityOrTownAlias: Type.Optional(Text),
  postalOrZipCode: Type.Optional(Text),
  description: Type.Optional(Text),
  companyName: Type.Optional(Text),
  companyId: Type.Optional(Text),
  defaultLocationId: Key,
  validationStatus: Type.Optional(Type.Enum(['notValidated', 'validated'])),
  tenantId: Type.Optional(Text),
  partnerId: Type.Optional(Text),
  locations: Type.Optional(Type.Array(Location, { maxItems: MAX_LIST })),
  latitude: Type.Optional(Text),
  longitude: Type.Optional(Text),
})

export const CapabilityPlan = Type.Object({
  name: Text,
  usage: Text,
  offerTypes: Type.Optional(Texts),
  mandatoryCapabilities: Type.Optional(Texts),
  choosableCapabilities: Type.Optional(Texts),
  supportsTollFree: Type.Boolean(),
})

/** One per item, in the order of the request. */
export const Outcome = Type.Object({
  outcome: Type.Enum(['done', 'refused', 'later']),
  /** With `done`, for uploads and updates. */
  number: Type.Optional(BackendNumber),
  /** With `refused`. */
  error: Type.Optional(BackendFault),
  /** With `later`: the reason, for people. */
  reason: Type.Optional(Text),
  afterSeconds: Type.Optional(Seconds),
  ticket: Type.Optional(Key),
})

export const Outcomes = Type.Object({ outcomes: Type.Array(Outcome, { maxItems: MAX_LIST }) })

const tenantAnd = <Schema extends TSchema>(items: Schema) =>
  Type.Object({ tenantId: Text, items: Type.Array(items, { maxItems: MAX_LIST }) })
const numbersOfTenant = Type.Object({
  tenantId: Text,
  telephoneNumbers: Type.Array(TelephoneNumber, { maxItems: MAX_LIST }),
})
const page = { nextCursor: Type.Optional(Cursor) }
const pageQuery = { cursor: Type.Optional(Cursor) }

export const models = {
  BackendFault,
  BackendNumber,
  CapabilityPlan,
  CivicAddress,
  Consent,
  Contact,
  ErrorResponse,
  Location,
  NumberCapabilities,
  NumberCommand,
  NumberConfiguration,
  NumberUpload,
  Outcome,
  Outcomes,
  Relationship,
  RelationshipChange,
  TenantSettings,
}

/** The operations of every backend. Commands are POSTs with items, answered by outcomes; the rest are reads. */
const backendOperations = {
  upsertTenants: {
    method: 'POST',
    path: '/tenants/upsert',
    summary: 'Creates or updates customers',
    body: Type.Object({ items: Type.Array(TenantSettings, { maxItems: MAX_LIST }) }),
    response: Outcomes,
  },
  uploadNumbers: {
    method: 'POST',
    path: '/numbers/upload',
    summary: 'Uploads numbers under a tenant; one that is there is updated',
    body: tenantAnd(NumberUpload),
    response: Outcomes,
  },
  updateNumbers: {
    method: 'POST',
    path: '/numbers/update',
    summary: 'Updates numbers; one that is not there is uploaded',
    body: tenantAnd(NumberUpload),
    response: Outcomes,
  },
  unassignNumbers: {
    method: 'POST',
    path: '/numbers/unassign',
    summary: 'Takes numbers from the users they are assigned to; one that has none, or is not there, is done',
    body: tenantAnd(NumberCommand),
    response: Outcomes,
  },
  releaseNumbers: {
    method: 'POST',
    path: '/numbers/release',
    summary: 'Takes unassigned numbers from the tenant; one that is not there is done',
    body: tenantAnd(NumberCommand),
    response: Outcomes,
  },
  getNumbers: {
    method: 'POST',
    path: '/numbers/get',
    summary: 'Returns those of these numbers that are there, with their settings',
    body: numbersOfTenant,
    response: Type.Object({ numbers: Type.Array(BackendNumber, { maxItems: MAX_LIST }) }),
  },
} as const

/** The operations of the backends of Operator Connect and Teams Phone Mobile only. */
export const teamsOperations = {
  getAvailableCapabilities: {
    method: 'POST',
    path: '/numbers/capabilities',
    summary: 'Returns the capabilities that each of these numbers can have; those that are not there are left out',
    body: numbersOfTenant,
    response: Type.Object({ numbers: Type.Array(NumberCapabilities, { maxItems: MAX_LIST }) }),
  },
  listConsents: {
    method: 'GET',
    path: '/consents',
    summary: 'Lists the requests for information, or the one of a tenant, whose id may be in any letter case',
    query: Type.Object({ tenantId: Type.Optional(Text), ...pageQuery }),
    response: Type.Object({ consents: Type.Array(Consent, { maxItems: MAX_LIST }), ...page }),
  },
  updateCustomerRelationships: {
    method: 'POST',
    path: '/consents/relationships',
    summary: "Sets the operator's side of requests for information",
    body: Type.Object({ items: Type.Array(RelationshipChange, { maxItems: MAX_LIST }) }),
    response: Outcomes,
  },
  listCivicAddresses: {
    method: 'GET',
    path: '/civic-addresses',
    summary: 'Lists the civic addresses of a tenant, or one of them',
    query: Type.Object({ tenantId: Text, id: Type.Optional(Text), ...pageQuery }),
    response: Type.Object({ civicAddresses: Type.Array(CivicAddress, { maxItems: MAX_LIST }), ...page }),
  },
  listCapabilityPlans: {
    method: 'GET',
    path: '/capability-plans',
    summary: 'Lists the usages and capabilities that the numbers of a tenant can have',
    query: Type.Object({ tenantId: Text }),
    response: Type.Object({ capabilityPlans: Type.Array(CapabilityPlan, { maxItems: MAX_LIST }) }),
  },
} as const

/** By the names of the port's methods. */
export const operations = { ...backendOperations, ...teamsOperations }

export type OperationName = keyof typeof operations
export type OperationResponse<Name extends OperationName> = Static<(typeof operations)[Name]['response']>
export type Wire = { [Name in keyof typeof models]: Static<(typeof models)[Name]> }

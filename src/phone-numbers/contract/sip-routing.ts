/** SIP routing: its shapes on the wire and its two operations. */
import Type, { type Static, type TSchema } from 'typebox'
import type { OperationContract } from './operation.js'
import { sipVersions } from './versions.js'

/** By FQDN. Our own pattern, because the usual `.*` leaves names with a line break unchecked. */
const byFqdn = <Value extends TSchema>(value: Value) => Type.Record(Type.String({ pattern: '^[\\s\\S]*$' }), value)

export const SipTrunk = Type.Object({ sipSignalingPort: Type.Integer({ minimum: 1, maximum: 65535 }) })

export const SipTrunkRoute = Type.Object({
  description: Type.Optional(Type.String({ maxLength: 1024 })),
  name: Type.String({ minLength: 1, maxLength: 256 }),
  numberPattern: Type.String({ minLength: 1, maxLength: 1024 }),
  trunks: Type.Array(Type.String(), { maxItems: 250 }),
})

export const SipConfiguration = Type.Object({
  trunks: byFqdn(SipTrunk),
  routes: Type.Array(SipTrunkRoute, { maxItems: 250 }),
})
export type SipConfiguration = Static<typeof SipConfiguration>

// sip/rules.ts checks everything that the service has its own codes for: hence no limits here.

export const SipTrunkUpdate = Type.Object({
  sipSignalingPort: Type.Optional(Type.Integer({ description: '1 to 65535; a trunk that is there may leave it out' })),
})

export const SipTrunkRouteUpdate = Type.Object({
  description: Type.Optional(Type.String({ description: 'At most 1024 characters' })),
  name: Type.String({ description: '1 to 256 characters; no two routes have the same' }),
  numberPattern: Type.String({ description: 'A regular expression of .NET, of 1 to 1024 characters' }),
  trunks: Type.Optional(Type.Array(Type.String(), { description: 'At most 250, none of them twice' })),
})

export const SipConfigurationUpdate = Type.Object({
  trunks: Type.Optional(byFqdn(Type.Union([SipTrunkUpdate, Type.Null()]))),
  routes: Type.Optional(Type.Array(SipTrunkRouteUpdate, { description: 'At most 250; replaces all there are' })),
})
export type SipConfigurationUpdate = Static<typeof SipConfigurationUpdate>

const none = Type.Object({})

export const getSipRouting = {
  operationId: 'SipRouting_Get',
  summary: 'The SIP routing configuration',
  method: 'GET',
  path: '/sip',
  versions: sipVersions,
  query: none,
  body: undefined,
  success: { status: 200, description: 'The whole configuration', body: SipConfiguration },
} satisfies OperationContract

export const updateSipRouting = {
  operationId: 'SipRouting_Update',
  summary: 'Change the SIP routing configuration: trunks one by one, routes as a whole',
  method: 'PATCH',
  path: '/sip',
  versions: sipVersions,
  query: none,
  body: SipConfigurationUpdate,
  bodyOptional: true,
  success: { status: 200, description: 'The whole configuration as it is now', body: SipConfiguration },
} satisfies OperationContract

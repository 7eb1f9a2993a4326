/** Buyers: their names, hosts, keys and terms, and which tokens' clients may use them. */
import Type from 'typebox'
import { Instant, listQuery, nullable, operation } from './operation.js'

export const Resource = Type.Object({
  name: Type.String(),
  hosts: Type.Array(Type.String(), {
    description: 'Host names it answers to; none: every host that no resource claims',
  }),
  createdAt: Instant,
  disabledAt: nullable(Instant),
  pool: Type.String({ description: 'The stock it has to itself; empty for the one that is shared' }),
})

export const Address = Type.Object({
  line: Type.String({ maxLength: 200 }),
  city: Type.String({ maxLength: 200 }),
  postalCode: Type.Optional(Type.String({ maxLength: 50 })),
  state: Type.Optional(Type.String({ maxLength: 200 })),
})

export const Terms = Type.Object({
  numberLimit: Type.Optional(
    nullable(
      Type.Integer({ minimum: 0, maximum: 2_147_483_647, description: 'Most numbers it may own; null: no limit' }),
    ),
  ),
  entitledTo: Type.Optional(
    nullable(
      Type.Array(Type.String({ maxLength: 60 }), {
        maxItems: 500,
        description: 'What it may buy, such as US, US:tollFree or US:tollFree:application; null: everything',
      }),
    ),
  ),
  addresses: Type.Optional(
    Type.Record(Type.String({ pattern: '^[A-Z]{2}$' }), nullable(Address), {
      description: 'By country; null takes one away, others stay',
    }),
  ),
})

export const ResourceDetails = Type.Object({
  ...Resource.properties,
  numberLimit: nullable(Type.Integer()),
  entitledTo: nullable(Type.Array(Type.String())),
  addresses: Type.Record(Type.String(), Address),
  wallets: Type.Array(Type.Object({ currency: Type.String(), balance: Type.String() })),
  numbers: Type.Object({}, { description: 'How many numbers it owns' }),
})

export const Keys = Type.Object({
  name: Type.String(),
  primary: Type.String(),
  secondary: Type.String(),
})

const Hosts = Type.Array(Type.String({ maxLength: 253 }), { maxItems: 50 })

export const listResources = operation({
  operationId: 'Resources_List',
  summary: 'Buyers, by name',
  method: 'GET',
  path: '/resources',
  role: 'Read',
  list: true,
  query: Type.Object({ ...listQuery, q: Type.Optional(Type.String({ maxLength: 63 })) }),
  success: { status: 200, description: 'A page of resources', body: Resource },
})

export const createResource = operation({
  operationId: 'Resources_Create',
  summary: 'Makes a resource; its access keys are shown this once',
  method: 'POST',
  path: '/resources',
  role: 'Admin',
  body: Type.Object({ name: Type.String({ minLength: 1, maxLength: 63 }), hosts: Type.Optional(Hosts) }),
  showsSecret: true,
  success: { status: 201, description: 'The resource with its access keys', body: Keys },
})

export const getResource = operation({
  operationId: 'Resources_Get',
  summary: 'A buyer: what it may buy, what it has',
  method: 'GET',
  path: '/resources/{name}',
  role: 'Read',
  conditional: true,
  success: { status: 200, description: 'The resource', body: ResourceDetails },
})

export const deleteResource = operation({
  operationId: 'Resources_Delete',
  summary: 'Removes a resource that nothing is left of: no numbers, holds, operations or wallets',
  method: 'DELETE',
  path: '/resources/{name}',
  role: 'Delete',
  success: { status: 204, description: 'Removed' },
})

export const disableResource = operation({
  operationId: 'Resources_Disable',
  summary: 'Shuts a resource out: its keys and tokens open nothing within seconds; what it owns stays',
  method: 'POST',
  path: '/resources/{name}:disable',
  role: 'Delete',
  success: { status: 204, description: 'Shut out' },
})

export const enableResource = operation({
  operationId: 'Resources_Enable',
  summary: 'Lets a resource in again',
  method: 'POST',
  path: '/resources/{name}:enable',
  role: 'Write',
  success: { status: 204, description: 'Let in' },
})

export const getKeys = operation({
  operationId: 'ResourceKeys_Get',
  summary: 'Both access keys, for a connection string',
  method: 'GET',
  path: '/resources/{name}/keys',
  role: 'Admin',
  showsSecret: true,
  success: { status: 200, description: 'The keys', body: Keys },
})

export const rotateKey = operation({
  operationId: 'ResourceKeys_Rotate',
  summary: 'Replaces one access key (primary or secondary); the old one stops working within seconds',
  method: 'POST',
  path: '/resources/{name}/keys/{which}:rotate',
  role: 'Admin',
  showsSecret: true,
  success: { status: 200, description: 'The new key', body: Type.Object({ which: Type.String(), key: Type.String() }) },
})

export const putHosts = operation({
  operationId: 'ResourceHosts_Put',
  summary: 'Says which host names a resource answers to',
  method: 'PUT',
  path: '/resources/{name}/hosts',
  role: 'Write',
  body: Type.Object({ hosts: Hosts }),
  success: { status: 204, description: 'Changed' },
})

export const patchTerms = operation({
  operationId: 'ResourceTerms_Patch',
  summary: 'Changes what a resource may buy; what is left out stays',
  method: 'PATCH',
  path: '/resources/{name}/terms',
  role: 'Write',
  conditional: true,
  body: Terms,
  success: { status: 200, description: 'The resource', body: ResourceDetails },
})

export const Grant = Type.Object({
  clientId: Type.String({ description: 'As its tokens name it; for a person user/ and their oid' }),
  issuer: nullable(Type.String({ description: 'Whose tokens alone count; null: of every issuer that is trusted' })),
})

export const listGrants = operation({
  operationId: 'ResourceGrants_List',
  summary: 'Whose tokens may use a resource, instead of an access key',
  method: 'GET',
  path: '/resources/{name}/grants',
  role: 'Admin',
  list: true,
  query: Type.Object(listQuery),
  success: { status: 200, description: 'The grants', body: Grant },
})

export const createGrant = operation({
  operationId: 'ResourceGrants_Create',
  summary: 'Lets a client use a resource with an access token',
  method: 'POST',
  path: '/resources/{name}/grants',
  role: 'Admin',
  body: Type.Object({
    clientId: Type.String({ minLength: 1, maxLength: 261 }),
    issuer: Type.Optional(nullable(Type.String({ maxLength: 500 }))),
  }),
  success: { status: 201, description: 'Granted', body: Grant },
})

export const deleteGrants = operation({
  operationId: 'ResourceGrants_Delete',
  summary: 'Takes from a client what it was granted; percent-encode its id',
  method: 'DELETE',
  path: '/resources/{name}/grants/{clientId}',
  role: 'Admin',
  success: { status: 204, description: 'Revoked' },
})

export const resourceOperations = [
  listResources,
  createResource,
  getResource,
  deleteResource,
  disableResource,
  enableResource,
  getKeys,
  rotateKey,
  putHosts,
  patchTerms,
  listGrants,
  createGrant,
  deleteGrants,
]

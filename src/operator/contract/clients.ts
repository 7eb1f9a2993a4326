/** Clients of the built-in token issuer, and the keys that it signs with. */
import Type from 'typebox'
import { Instant, listQuery, operation } from './operation.js'

export const Client = Type.Object({
  clientId: Type.String(),
  roles: Type.Array(Type.String()),
  createdAt: Instant,
  secrets: Type.Integer({ description: 'How many secrets work; 0 for one that signs' }),
  signs: Type.Boolean({ description: 'It signs with a key instead of showing a secret' }),
})

export const listClients = operation({
  operationId: 'Clients_List',
  summary: 'Clients with their roles, by id',
  method: 'GET',
  path: '/clients',
  role: 'Admin',
  list: true,
  query: Type.Object(listQuery),
  success: { status: 200, description: 'A page of clients', body: Client },
})

export const createClient = operation({
  operationId: 'Clients_Create',
  summary: 'Makes a client; its secret is shown this once',
  method: 'POST',
  path: '/clients',
  role: 'Admin',
  body: Type.Object({
    clientId: Type.String({ maxLength: 100 }),
    roles: Type.Optional(Type.Array(Type.String({ maxLength: 100 }), { maxItems: 50 })),
    publicKey: Type.Optional(
      Type.String({ maxLength: 20_000, description: 'What it signs with instead: PEM, a certificate or a JWK' }),
    ),
  }),
  showsSecret: true,
  success: { status: 201, description: 'The client; with its secret unless it signs', body: Client },
})

export const rotateSecret = operation({
  operationId: 'Clients_RotateSecret',
  summary: 'Gives a client a new secret; the one before it goes on working until the next rotation',
  method: 'POST',
  path: '/clients/{clientId}:rotateSecret',
  role: 'Admin',
  body: Type.Object({
    dropEarlier: Type.Optional(Type.Boolean({ description: 'No earlier secret works from now on' })),
  }),
  bodyOptional: true,
  showsSecret: true,
  success: {
    status: 200,
    description: 'The secret',
    body: Type.Object({ clientId: Type.String(), secret: Type.String() }),
  },
})

export const deleteClient = operation({
  operationId: 'Clients_Delete',
  summary: 'Removes a client; the tokens it has stay good until they expire, within the hour',
  method: 'DELETE',
  path: '/clients/{clientId}',
  role: 'Admin',
  success: { status: 204, description: 'Removed' },
})

export const rotateSigningKey = operation({
  operationId: 'IssuerKeys_Rotate',
  summary: 'Makes a new key that tokens are signed with; those of the earlier ones stay good until they expire',
  method: 'POST',
  path: '/issuer/keys:rotate',
  role: 'Admin',
  body: Type.Object({
    dropEarlier: Type.Optional(Type.Boolean({ description: 'Ends all tokens of earlier keys, within a minute' })),
  }),
  bodyOptional: true,
  success: { status: 200, description: 'The id of the key', body: Type.Object({ kid: Type.String() }) },
})

export const clientOperations = [listClients, createClient, rotateSecret, deleteClient, rotateSigningKey]

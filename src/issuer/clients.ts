/** The clients of the built-in issuer: programs that get tokens, with the roles that these will say. */
import type { JWK } from 'jose'
import { createHash, randomBytes } from 'node:crypto'
import { BY_SYSTEM, type Attribution, type NotedBy } from '../auth/changes.js'
import { operatorRoleName, roleName, roleNames, roles, type Role } from '../auth/tokens/roles.js'
import type { Clock } from '../clock.js'
import type { Db, Tx } from '../db/db.js'
import { DomainError, invalidInput, notFound } from '../errors.js'
import { noteIssuer, type ClientFacts } from './changes.js'
import { deleteClient, insertClient, insertMissingClients, listClients, pushSecretHash, type Client } from './store.js'

export interface ClientDeps extends NotedBy {
  db: Db
  clock: Clock
}

export interface NewClient {
  clientId: string
  /** As tokens say them, e.g. ProvisioningAPI.Read; none for one that only uses resources of Phone Numbers. */
  roles: string[]
  /** What it will sign with, instead of showing a secret. */
  publicJwk?: JWK | undefined
}

const SECRET_BYTES = 32
const CLIENT_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/

/** The secret of the clients of emulator mode. Everybody knows it, so it opens nothing in production. */
export const EMULATOR_CLIENT_SECRET = 'linebook-standin'

const emulatorClients: Readonly<Record<Role, string>> = {
  Admin: 'linebook-admin',
  Read: 'linebook-reader',
  Write: 'linebook-writer',
  Delete: 'linebook-deleter',
}

export const emulatorClientIds: readonly string[] = Object.values(emulatorClients)

/** Makes a client. Returns its secret, which is stored nowhere; undefined for one that signs. Throws
 * 'invalid-input', 'state-conflict'. */
export async function addClient(
  { db, clock, logger }: ClientDeps,
  wanted: NewClient,
  by: Attribution,
): Promise<string | undefined> {
  const { clientId, publicJwk } = wanted
  if (!isClientId(clientId)) {
    throw invalidInput(
      `"${clientId}" can't name a client: up to 100 letters, digits, dots, hyphens and underscores.`,
      'clientId',
    )
  }
  const secret = publicJwk === undefined ? newSecret() : undefined
  const client: Client = {
    clientId,
    secretHashes: secret === undefined ? [] : [secretHash(secret).toString('hex')],
    publicJwk: publicJwk ?? null,
    roles: checkedRoles(wanted.roles),
    createdAt: clock.now(),
  }
  await db.transaction(async (tx) => {
    if (!(await insertClient(tx, client))) {
      throw new DomainError('state-conflict', `There is already a client named "${clientId}".`, { target: 'clientId' })
    }
    noteIssuer({ logger }, tx, { kind: 'client', subject: clientId, before: undefined, after: factsOf(client) }, by)
  })
  return secret
}

const factsOf = ({ roles, secretHashes, publicJwk }: Client): ClientFacts => ({
  roles,
  secrets: secretHashes.length,
  signs: publicJwk !== null,
})

/**
 * Gives a client a new secret and returns it. The one before it goes on working until the next rotation, so that the
 * client can change over, unless `dropEarlier` ends it now. Throws 'not-found', 'state-conflict'.
 */
export async function rotateSecret(
  { db, logger }: Omit<ClientDeps, 'clock'>,
  clientId: string,
  { dropEarlier = false } = {},
  by: Attribution,
): Promise<string> {
  const secret = newSecret()
  const hash = secretHash(secret).toString('hex')
  await db.transaction(async (tx) => {
    const before = await requireClient(tx, clientId)
    if (!(await pushSecretHash(tx, clientId, hash, dropEarlier ? 0 : 1))) {
      throw new DomainError(
        'state-conflict',
        `The client "${clientId}" signs with a key and has no secret. For a new key, delete and create it.`,
      )
    }
    const after = factsOf(await requireClient(tx, clientId))
    noteIssuer({ logger }, tx, { kind: 'client', subject: clientId, before: factsOf(before), after }, by)
  })
  return secret
}

/** Removes a client. Tokens that it has stay good until they expire. Throws 'not-found'. */
export const removeClient = (
  { db, logger }: Omit<ClientDeps, 'clock'>,
  clientId: string,
  by: Attribution,
): Promise<void> =>
  db.transaction(async (tx) => {
    const before = factsOf(await requireClient(tx, clientId))
    await deleteClient(tx, clientId)
    noteIssuer({ logger }, tx, { kind: 'client', subject: clientId, before, after: undefined }, by)
  })

/** Makes the well-known clients of emulator mode unless they are there: one per role, with one secret. */
export const ensureEmulatorClients = ({ db, clock, logger }: ClientDeps): Promise<void> =>
  db.transaction(async (tx) => {
    const made = await insertMissingClients(tx, {
      clientIds: roles.map((role) => emulatorClients[role]),
      roles: roles.map(roleName),
      operatorRoles: roles.map(operatorRoleName),
      secretHash: secretHash(EMULATOR_CLIENT_SECRET).toString('hex'),
      createdAt: clock.now(),
    })
    for (const client of made) {
      const change = { kind: 'client' as const, subject: client.clientId, before: undefined, after: factsOf(client) }
      noteIssuer({ logger }, tx, change, BY_SYSTEM)
    }
  })

export const isClientId = (text: string): boolean => CLIENT_ID.test(text)

export const secretHash = (secret: string): Buffer => createHash('sha256').update(secret).digest()

const newSecret = (): string => randomBytes(SECRET_BYTES).toString('base64url')

function checkedRoles(wanted: string[]): string[] {
  const bad = wanted.find((role) => !roleNames.includes(role))
  if (bad !== undefined) throw invalidInput(`"${bad}" is no role; there are ${roleNames.join(', ')}.`, 'roles')
  return [...new Set(wanted)]
}

/** Throws 'not-found', naming those that there are. */
async function requireClient(tx: Tx, clientId: string): Promise<Client> {
  const clients = await listClients(tx)
  const client = clients.find((candidate) => candidate.clientId === clientId)
  if (client === undefined) throw noSuchClient(clientId, clients)
  return client
}

function noSuchClient(clientId: string, clients: { clientId: string }[]): DomainError {
  const known = clients.map((client) => client.clientId).join(', ')
  return notFound(`There is no client named "${clientId}". ${known ? `There are: ${known}.` : 'There is none yet.'}`)
}

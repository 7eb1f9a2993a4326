import type { JWK } from 'jose'
import { sql, type Db, type Queryable, type Tx } from '../db/db.js'

/** A program that may ask the built-in issuer for tokens. */
export interface Client {
  clientId: string
  /** SHA-256 in hex, the newest first; empty for one that signs instead. */
  secretHashes: string[]
  publicJwk: JWK | null
  /** As tokens say them. */
  roles: string[]
  createdAt: Date
}

const clientColumns = sql`
  client_id as "clientId", secret_hashes as "secretHashes", public_jwk as "publicJwk", roles, created_at as "createdAt"`

/** Stores a new client; false when there is one of that id. */
export async function insertClient(tx: Tx, client: Client): Promise<boolean> {
  const publicJwk = client.publicJwk && JSON.stringify(client.publicJwk)
  const rows = await tx.query(sql`
    insert into issuer_client (client_id, secret_hashes, public_jwk, roles, created_at)
    values (${client.clientId}, ${client.secretHashes}::text[], ${publicJwk}::jsonb, ${client.roles}::text[],
            ${client.createdAt})
    on conflict (client_id) do nothing
    returning client_id`)
  return rows.length > 0
}

/**
 * Stores clients that have a secret and one role each, in one statement; those that are there stay as they are. Returns
 * the others.
 */
export const insertMissingClients = (
  tx: Tx,
  clients: { clientIds: string[]; roles: string[]; operatorRoles: string[]; secretHash: string; createdAt: Date },
): Promise<Client[]> =>
  tx.query<Client>(sql`
    insert into issuer_client (client_id, secret_hashes, roles, created_at)
    select client_id, array[${clients.secretHash}::text], array[role, operator_role],
           ${clients.createdAt}::timestamptz
    from unnest(${clients.clientIds}::text[], ${clients.roles}::text[], ${clients.operatorRoles}::text[])
      as wanted (client_id, role, operator_role)
    on conflict (client_id) do nothing
    returning ${clientColumns}`)

export async function findClient(db: Queryable, clientId: string): Promise<Client | undefined> {
  const [row] = await db.query<Client>(sql`
    select ${clientColumns} from issuer_client where client_id = ${clientId}`)
  return row
}

/** All clients, by id. */
export const listClients = (db: Queryable): Promise<Client[]> =>
  db.query<Client>(sql`
    select ${clientColumns} from issuer_client order by client_id`)

/** Puts a secret in front and keeps `kept` of the earlier ones; false when no client of that id has secrets. */
export async function pushSecretHash(tx: Tx, clientId: string, hash: string, kept: number): Promise<boolean> {
  const rows = await tx.query(sql`
    update issuer_client set secret_hashes = array[${hash}::text] || secret_hashes[1:${kept}::integer]
    where client_id = ${clientId} and public_jwk is null
    returning client_id`)
  return rows.length > 0
}

/** False when there is no such client. */
export async function deleteClient(tx: Tx, clientId: string): Promise<boolean> {
  const rows = await tx.query(sql`delete from issuer_client where client_id = ${clientId} returning client_id`)
  return rows.length > 0
}

/** Remembers that an assertion was shown; false when it had been before. Forgets those that have expired. */
export async function rememberAssertion(
  db: Db,
  assertion: { clientId: string; jtiHash: string; expiresAt: Date },
  now: Date,
): Promise<boolean> {
  await db.query(sql`delete from issuer_assertion where expires_at <= ${now}`)
  const rows = await db.query(sql`
    insert into issuer_assertion (client_id, jti_hash, expires_at)
    values (${assertion.clientId}, ${assertion.jtiHash}, ${assertion.expiresAt})
    on conflict (client_id, jti_hash) do nothing
    returning jti_hash`)
  return rows.length > 0
}

/** A signing key as stored: its private part sealed. */
export interface StoredKey {
  kid: string
  privateJwkSealed: Uint8Array
}

/** The key that signs, if one was ever made. */
export async function findSigningKey(db: Queryable): Promise<StoredKey | undefined> {
  const [row] = await db.query<StoredKey>(sql`
    select kid, private_jwk_sealed as "privateJwkSealed" from issuer_key where retired_at is null`)
  return row
}

/** The key that signs, and those that were retired after `since`. */
export const listKeys = (db: Queryable, since: Date): Promise<StoredKey[]> =>
  db.query<StoredKey>(sql`
    select kid, private_jwk_sealed as "privateJwkSealed" from issuer_key
    where retired_at is null or retired_at > ${since} order by created_at desc, kid`)

/** Stores the key that signs, unless there is one already. */
export async function insertSigningKey(db: Db | Tx, key: StoredKey, createdAt: Date): Promise<void> {
  await db.query(sql`
    insert into issuer_key (kid, private_jwk_sealed, created_at)
    values (${key.kid}, ${key.privateJwkSealed}, ${createdAt})
    on conflict do nothing`)
}

/** Ends the signing of the key that signs, and removes those that were retired before `forgottenBefore`. */
export async function retireSigningKey(tx: Tx, at: Date, forgottenBefore: Date): Promise<void> {
  await tx.query(sql`update issuer_key set retired_at = ${at} where retired_at is null`)
  await tx.query(sql`delete from issuer_key where retired_at <= ${forgottenBefore}`)
}

/** What every emulator's issuer has and everybody knows: found by what it is, under whatever name it is stored. */
import { EMULATOR_SEALING_KEY, Sealer } from '../auth/seal.js'
import { sql, type Queryable, type Tx } from '../db/db.js'
import { SetupError } from '../errors.js'
import { EMULATOR_CLIENT_SECRET, secretHash } from './clients.js'
import { sealContext } from './signing-keys.js'
import type { StoredKey } from './store.js'

const hash = (): string => secretHash(EMULATOR_CLIENT_SECRET).toString('hex')

/** Whether a client of the issuer has the published secret. */
export async function hasWellKnownClient(db: Queryable): Promise<boolean> {
  const [table] = await db.query<{ present: boolean }>(sql`select to_regclass('issuer_client') is not null as present`)
  if (!table?.present) return false
  const [row] = await db.query<{ found: boolean }>(
    sql`select exists (select from issuer_client where ${hash()} = any (secret_hashes)) as found`,
  )
  return row?.found ?? false
}

/**
 * Takes the published secret from every client, and removes those that have no other, with what they were granted.
 * Removes the signing keys that are sealed under the emulator's published key, and so are everybody's. Returns what it
 * did, in words.
 */
export async function removeWellKnownClients(tx: Tx): Promise<string[]> {
  const done: string[] = []
  const removed = await tx.query<Named>(sql`
    delete from issuer_client where secret_hashes <@ array[${hash()}] and public_jwk is null
    returning client_id as "clientId"`)
  for (const clientId of removed.map((client) => client.clientId).sort()) {
    await tx.query(sql`delete from resource_grant where client_id = ${clientId}`)
    done.push(`removed the client "${clientId}", which had the published secret`)
  }
  const kept = await tx.query<Named>(sql`
    update issuer_client set secret_hashes = array_remove(secret_hashes, ${hash()})
    where ${hash()} = any (secret_hashes)
    returning client_id as "clientId"`)
  for (const clientId of kept.map((client) => client.clientId).sort()) {
    done.push(`took the published secret from the client "${clientId}", which has another`)
  }
  const everybodys = new Sealer([EMULATOR_SEALING_KEY])
  const keys = await tx.query<StoredKey>(
    sql`select kid, private_jwk_sealed as "privateJwkSealed" from issuer_key order by created_at, kid`,
  )
  for (const { kid, privateJwkSealed } of keys) {
    if (opens(everybodys, kid, privateJwkSealed)) {
      await tx.query(sql`delete from issuer_key where kid = ${kid}`)
      done.push(`removed the signing key ${kid}, which was sealed under the emulator's published key`)
    }
  }
  return done
}

interface Named {
  clientId: string
}

function opens(sealer: Sealer, kid: string, sealed: Uint8Array): boolean {
  try {
    sealer.open(sealed, sealContext(kid))
    return true
  } catch (error) {
    if (error instanceof SetupError) return false
    throw error
  }
}

/**
 * The keys of the built-in issuer. All processes share them through the database, where the private parts are sealed.
 * The first is made when first needed; several processes may make one at once, and the one that is stored counts.
 */
import type { CryptoKey, JSONWebKeySet, JWK } from 'jose'
import { generateKeyPairSync } from 'node:crypto'
import type { Attribution, NotedBy } from '../auth/changes.js'
import type { Sealer } from '../auth/seal.js'
import { later, type Clock } from '../clock.js'
import type { Db } from '../db/db.js'
import { SetupError } from '../errors.js'
import type { Logger } from '../log.js'
import { noteIssuer } from './changes.js'
import { findSigningKey, insertSigningKey, listKeys, retireSigningKey, type StoredKey } from './store.js'

export const SIGNING_ALGORITHM = 'ES256'
export const TOKEN_LIFE_SECONDS = 3600

/** How long a retired key verifies: until the last token it signed is over by the clock of the one that verifies it. */
const RETIRED_KEY_LIFE_MS = TOKEN_LIFE_SECONDS * 1000 + 5 * 60_000

export interface SigningKeysDeps {
  db: Db
  sealer: Sealer
  clock: Clock
}

export interface SigningKey {
  kid: string
  key: CryptoKey
}

export class SigningKeys {
  readonly #deps: SigningKeysDeps & { logger: Logger }
  /** Keys of this process that are open, by kid: opening takes longer than the query. */
  readonly #open = new Map<string, JWK>()
  #signing: SigningKey | undefined

  constructor(deps: SigningKeysDeps & { logger: Logger }) {
    this.#deps = deps
  }

  /** The key that signs, made if there is none. Asked of the database each time, so that a rotation counts at once. */
  async current(): Promise<SigningKey> {
    const { db } = this.#deps
    let stored = await findSigningKey(db)
    if (stored === undefined) {
      await insertSigningKey(db, await newKey(this.#deps.sealer), this.#deps.clock.now())
      stored = await findSigningKey(db)
    }
    if (stored === undefined) throw new Error('The signing key was removed while it was made')
    if (this.#signing?.kid !== stored.kid) {
      const { importJWK } = await import('jose')
      const key = (await importJWK(this.#opened(stored), SIGNING_ALGORITHM)) as CryptoKey
      this.#signing = { kid: stored.kid, key }
    }
    return this.#signing
  }

  /** The public parts of the keys whose tokens may still be good. */
  async publicKeys(): Promise<JSONWebKeySet> {
    const stored = await listKeys(this.#deps.db, later(this.#deps.clock.now(), -RETIRED_KEY_LIFE_MS))
    const keys = stored.flatMap((key) => {
      try {
        const { kty, crv, x, y } = this.#opened(key)
        return [{ kid: key.kid, use: 'sig', alg: SIGNING_ALGORITHM, kty, crv, x, y } as JWK]
      } catch (error) {
        if (!(error instanceof SetupError)) throw error
        // Not sealed by us, so not to be trusted either: an emulator's key is everybody's.
        this.#deps.logger.error({ err: error, kid: key.kid }, 'signing key of the issuer can not be opened')
        return []
      }
    })
    for (const kid of this.#open.keys()) if (!stored.some((key) => key.kid === kid)) this.#open.delete(kid)
    return { keys }
  }

  #opened({ kid, privateJwkSealed }: StoredKey): JWK {
    const known = this.#open.get(kid)
    if (known !== undefined) return known
    const jwk = JSON.parse(this.#deps.sealer.open(privateJwkSealed, sealContext(kid)).toString('utf8')) as JWK
    this.#open.set(kid, jwk)
    return jwk
  }
}

/**
 * Makes a new key the one that signs and returns its id. Tokens that the earlier ones signed stay good until they are over, unless
 * `dropEarlier` ends them now.
 */
export async function rotateSigningKey(
  { db, sealer, clock, logger }: SigningKeysDeps & NotedBy,
  { dropEarlier = false } = {},
  by: Attribution,
): Promise<string> {
  const key = await newKey(sealer)
  const now = clock.now()
  return db.transaction(async (tx) => {
    const before = (await findSigningKey(tx))?.kid
    await retireSigningKey(tx, now, dropEarlier ? now : later(now, -RETIRED_KEY_LIFE_MS))
    await insertSigningKey(tx, key, now)
    // Of two rotations at once the first has just made a new key.
    const after = (await findSigningKey(tx))?.kid ?? key.kid
    noteIssuer({ logger }, tx, { kind: 'signing-key', subject: 'issuer', before, after }, by)
    return after
  })
}

async function newKey(sealer: Sealer): Promise<StoredKey> {
  const { calculateJwkThumbprint } = await import('jose')
  const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }) as JWK
  const kid = await calculateJwkThumbprint(jwk)
  return { kid, privateJwkSealed: sealer.seal(Buffer.from(JSON.stringify(jwk)), sealContext(kid)) }
}

export const sealContext = (kid: string): string => `issuer key ${kid}`

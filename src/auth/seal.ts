import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { SetupError } from '../errors.js'

const NONCE_BYTES = 12
const TAG_BYTES = 16
const KEY_BYTES = 32

/**
 * Encrypts secrets for the database (AES-256-GCM), so that a leak of the database alone gives none away. The first key
 * seals, every key opens: to change keys, put the new one first and keep the old one behind it until all is resealed.
 */
export class Sealer {
  readonly #keys: Buffer[]

  /** @param keys 32 bytes each, at least one */
  constructor(keys: Buffer[]) {
    if (keys.length === 0 || keys.some((key) => key.length !== KEY_BYTES)) {
      throw new Error('A sealer needs keys of 32 bytes')
    }
    this.#keys = keys
  }

  /** @param context what the secret belongs to; it opens under the same context only, so rows can't be swapped */
  seal(secret: Buffer, context: string): Buffer {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', this.#keys[0] as Buffer, nonce)
    cipher.setAAD(Buffer.from(context))
    return Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()])
  }

  /** Throws a SetupError when no key opens it. */
  open(sealed: Uint8Array, context: string): Buffer {
    const bytes = Buffer.from(sealed)
    for (const key of this.#keys) {
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      })
      decipher.setAAD(Buffer.from(context))
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
      try {
        return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()])
      } catch {
        // Sealed under another key: the next one may open it.
      }
    }
    throw new SetupError(
      `LINEBOOK_SECRET_KEY: it does not open what is stored of ${context}. ` +
        'Set the key they were stored under (several are separated by commas, the newest first).',
    )
  }
}

/** The key of emulator mode, where nothing is secret: the access key it seals is printed in the README. */
export const EMULATOR_SEALING_KEY = createHash('sha256').update('linebook stand-in: not a secret').digest()

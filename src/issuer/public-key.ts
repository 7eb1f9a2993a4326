import type { JWK } from 'jose'
import { createPublicKey, X509Certificate, type KeyObject } from 'node:crypto'
import { SetupError } from '../errors.js'

const MIN_RSA_BITS = 2048

/**
 * Reads the public key that a client will sign with: PEM, a certificate in PEM, or a JSON Web Key. Throws a SetupError
 * for anything else, a private key above all.
 * @param name of the file, for messages
 */
export function readPublicKey(text: string, name: string): JWK {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) throw privateKey(name)
  const key = parseKey(text, name)
  const jwk = key.export({ format: 'jwk' }) as JWK
  const { kty, crv, x, y, n, e } = jwk
  if (kty === 'EC' && crv === 'P-256') return { kty, crv, x, y } as JWK
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
  if (kty === 'RSA' && bits >= MIN_RSA_BITS) return { kty, n, e } as JWK
  throw new SetupError(`--public-key: the key in ${name} is neither RSA of ${MIN_RSA_BITS} bits or more nor EC P-256.`)
}

function parseKey(text: string, name: string): KeyObject {
  try {
    if (text.includes('-----BEGIN CERTIFICATE-----')) return new X509Certificate(text).publicKey
    if (text.includes('-----BEGIN ')) return createPublicKey(text)
    const key = JSON.parse(text) as JWK
    if (key.d !== undefined) throw privateKey(name)
    return createPublicKey({ key: key as never, format: 'jwk' })
  } catch (error) {
    if (error instanceof SetupError) throw error
    throw new SetupError(
      `--public-key: ${name} holds no public key; give one in PEM, a certificate in PEM, or a JSON Web Key.`,
      { cause: error },
    )
  }
}

const privateKey = (name: string): SetupError =>
  new SetupError(`--public-key: ${name} holds a private key. Keep it with the client and give its public part here.`)

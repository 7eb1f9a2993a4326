import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join, resolve } from 'node:path'
import { SetupError } from '../errors.js'
import { makeFolder } from '../folder.js'

export interface TlsFiles {
  cert: Buffer
  key: Buffer
  /** The absolute path of the certificate. */
  certFile: string
}

/** Reads a certificate chain and its key. Throws a SetupError that names the setting. */
export async function readTlsFiles(certFile: string, keyFile: string): Promise<TlsFiles> {
  const read = (setting: string, file: string) =>
    readFile(file).catch((error: unknown) => {
      throw new SetupError(`${setting}: "${file}" can't be read: ${String(error)}`, { cause: error })
    })
  const [cert, key] = await Promise.all([
    read('LINEBOOK_TLS_CERT_FILE', certFile),
    read('LINEBOOK_TLS_KEY_FILE', keyFile),
  ])
  return { cert, key, certFile: resolve(certFile) }
}

const VALID_YEARS = 10
const RENEW_BEFORE_MS = 30 * 24 * 60 * 60_000

/**
 * The self-signed certificate of emulator mode. It is made once and kept in the data folder, so that clients that were
 * set up to trust it (NODE_EXTRA_CA_CERTS) keep working, and made again when it is about to expire or lacks the host.
 */
export async function emulatorTls(dataDir: string, host: string): Promise<TlsFiles> {
  const folder = resolve(dataDir, 'tls')
  const certFile = join(folder, 'cert.pem')
  const keyFile = join(folder, 'key.pem')
  try {
    const [cert, key] = await Promise.all([readFile(certFile), readFile(keyFile)])
    if (isGood(cert, key, host)) return { cert, key, certFile }
  } catch {
    // Not there yet, or not readable as a certificate: made anew below.
  }
  try {
    await makeFolder(folder)
    const { cert, key } = await selfSign(host)
    await writeWhole(keyFile, key, 0o600)
    await writeWhole(certFile, cert, 0o644)
    return { cert: Buffer.from(cert), key: Buffer.from(key), certFile }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new SetupError(
      `LINEBOOK_DATA_DIR: the certificate can't be kept in "${folder}": ${reason}. ` +
        'Choose a folder that can be written, or set LINEBOOK_HTTPS_PORT to nothing.',
      { cause: error },
    )
  }
}

function isGood(cert: Buffer, key: Buffer, host: string): boolean {
  const certificate = new X509Certificate(cert)
  if (!certificate.checkPrivateKey(createPrivateKey(key))) return false
  const goodUntil = Date.parse(certificate.validTo) - RENEW_BEFORE_MS
  const covered = isWildcardAddress(host) || certificate.checkHost(host) || certificate.checkIP(host)
  return goodUntil > Date.now() && Boolean(covered)
}

const isWildcardAddress = (host: string): boolean => host === '0.0.0.0' || host === '::'

async function selfSign(host: string): Promise<{ cert: string; key: string }> {
  // Loaded only here: it is needed once in the life of a data folder.
  const { generate } = await import('selfsigned')
  const notAfter = new Date()
  notAfter.setFullYear(notAfter.getFullYear() + VALID_YEARS)
  const own = isIP(host) !== 0 && !isWildcardAddress(host) ? [host] : []
  const addresses = new Set(['127.0.0.1', '::1', ...own])
  const pems = await generate([{ name: 'commonName', value: 'Linebook emulator' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notAfterDate: notAfter,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', digitalSignature: true, keyCertSign: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [{ type: 2, value: 'localhost' }, ...[...addresses].map((ip) => ({ type: 7 as const, ip }))],
      },
    ],
  })
  return { cert: pems.cert, key: pems.private }
}

/** Two processes may write while they start: each file is whole, whichever is last. */
async function writeWhole(file: string, text: string, mode: number): Promise<void> {
  const draft = `${file}.${randomBytes(6).toString('hex')}`
  await writeFile(draft, text, { mode })
  await rename(draft, file)
}

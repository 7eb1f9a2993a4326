import { decodeJwt } from 'jose'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { generate } from 'selfsigned'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ManualClock } from '../../../src/clock.js'
import { emulatorTls } from '../../../src/http/tls.js'
import { addClient, ensureEmulatorClients } from '../../../src/issuer/clients.js'
import { readPublicKey } from '../../../src/issuer/public-key.js'
import { openTestDatabase, truncate } from '../../fixtures/database.js'
import { BY_TEST } from '../../fixtures/service.js'
import { AUDIENCE, createTestIssuer, type TestIssuer } from './an-issuer.js'

const PROGRAM = fileURLToPath(new URL('get-tokens.mjs', import.meta.url))

interface Shown {
  token?: string
  error?: string
}

const db = await openTestDatabase()
const folder = await mkdtemp(join(tmpdir(), 'linebook-issuer-'))
let issuer: TestIssuer
let origin: string
let shown: Record<'secret' | 'wrongSecret' | 'otherTenant' | 'certificate' | 'wrongAssertion', Shown>

beforeAll(async () => {
  await truncate(db)
  const tls = await emulatorTls(folder, 'localhost')
  // The client compares the assertions it makes with its own clock, so this one has to be right.
  issuer = await createTestIssuer(db, { tls, clock: new ManualClock(new Date()) })
  await ensureEmulatorClients(issuer.deps)
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'billing' }], { keySize: 2048 })
  const certificateFile = join(folder, 'billing.pem')
  await writeFile(certificateFile, `${key}\n${cert}\n`)
  await addClient(
    issuer.deps,
    {
      clientId: 'billing',
      roles: ['ProvisioningAPI.Read'],
      publicJwk: readPublicKey(cert, 'certificate'),
    },
    BY_TEST,
  )
  const { port } = new URL(await issuer.server.listen({ host: '127.0.0.1', port: 0 }))
  origin = `https://localhost:${port}`
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [PROGRAM, origin, `${AUDIENCE}/.default`, certificateFile],
    { env: { PATH: process.env.PATH, NODE_EXTRA_CA_CERTS: tls.certFile } },
  )
  shown = JSON.parse(stdout) as typeof shown
})
afterAll(async () => {
  await issuer.server.close()
  await db.close()
  await rm(folder, { recursive: true, force: true })
})

describe('the official identity library, over HTTPS', () => {
  it('gets a token for a secret, and our verifier accepts it', async () => {
    const { token = '' } = shown.secret
    expect(decodeJwt(token)).toMatchObject({ iss: `${origin}/linebook/v2.0`, aud: AUDIENCE, azpacr: '1' })
    expect(await issuer.verifier.verify(`Bearer ${token}`)).toEqual({
      callerId: 'linebook-writer',
      issuer: 'built-in',
      name: 'linebook-writer',
      roles: new Set(['Write']),
      operatorRoles: new Set(['Write']),
      actor: 'client:linebook-writer',
      isUser: false,
    })
  })

  it('gets a token for a certificate, and our verifier accepts it', async () => {
    const { token = '' } = shown.certificate
    expect(decodeJwt(token)).toMatchObject({ azpacr: '2' })
    expect(await issuer.verifier.verify(`Bearer ${token}`)).toMatchObject({ callerId: 'billing' })
  })

  it('shows its user what was wrong', () => {
    expect(shown.wrongSecret.error).toContain('AADSTS7000215')
    expect(shown.wrongAssertion.error).toContain('AADSTS700027')
    expect(shown.otherTenant.error).toMatch(/endpoints_resolution_error|AADSTS90002/)
  })
})

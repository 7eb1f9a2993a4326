import { decodeProtectedHeader } from 'jose'
import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect } from 'vitest'
import { Sealer } from '../../../src/auth/seal.js'
import { TokenVerifier } from '../../../src/auth/tokens/token-verifier.js'
import { sql, type Db } from '../../../src/db/db.js'
import { ensureEmulatorClients } from '../../../src/issuer/clients.js'
import { rotateSigningKey } from '../../../src/issuer/signing-keys.js'
import { BY_TEST } from '../../fixtures/service.js'
import { it } from '../../fixtures/test.js'
import { aRequest, AUDIENCES, createTestIssuer, TENANT, type TestIssuer } from './an-issuer.js'

let issuer: TestIssuer
it.beforeEach(async ({ db }) => {
  issuer = await createTestIssuer(db)
  await ensureEmulatorClients(issuer.deps)
})
afterEach(() => issuer.server.close())

describe('the signing key of the issuer', () => {
  it('is made when it is first needed', async ({ db }) => {
    expect(await storedKeys(db)).toHaveLength(0)
    await tokenFrom(issuer)
    await tokenFrom(issuer)
    expect(await storedKeys(db)).toHaveLength(1)
  })

  it('is published without its private part', async () => {
    const keys = await published()
    expect(keys).toEqual([
      {
        kid: expect.any(String),
        use: 'sig',
        alg: 'ES256',
        kty: 'EC',
        crv: 'P-256',
        x: expect.any(String),
        y: expect.any(String),
      },
    ])
    expect(decodeProtectedHeader(await tokenFrom(issuer)).kid).toBe(keys[0]?.kid)
  })

  it('is stored sealed', async ({ db }) => {
    await tokenFrom(issuer)
    const [row] = await db.query<{ sealed: Uint8Array }>(sql`select private_jwk_sealed as sealed from issuer_key`)
    expect(Buffer.from(row?.sealed ?? []).toString('latin1')).not.toContain('"d"')
  })

  it('lets other verifiers in who know the issuer by discovery alone', async () => {
    const address = await issuer.server.listen({ host: '127.0.0.1', port: 0 })
    const host = new URL(address).host
    const trusted = { issuer: `http://${host}/${TENANT}/v2.0` }
    const verifier = new TokenVerifier({ clock: issuer.clock, issuers: [trusted], audiences: AUDIENCES })
    const token = (await issuer.ask(aRequest(), { host })).json<{ access_token: string }>().access_token
    expect(await verifier.verify(`Bearer ${token}`)).toMatchObject({ callerId: 'linebook-reader' })
  })

  it('is shared: a token of one process is good at the others, at once', async ({ db }) => {
    const other = await createTestIssuer(db, { clock: issuer.clock })
    // The other one has looked before there was a key: a token of another database names one it has to look for.
    await expect(verify(await tokenOfElsewhere(db), other)).rejects.toMatchObject({ kind: 'unauthenticated' })
    expect(await verify(await tokenFrom(issuer), other)).toMatchObject({ callerId: 'linebook-reader' })
    await rotateSigningKey({ ...issuer, db }, {}, BY_TEST)
    expect(await verify(await tokenFrom(issuer), other)).toMatchObject({ callerId: 'linebook-reader' })
    await other.server.close()
  })

  it('refuses a token of the same tenant elsewhere', async ({ db }) => {
    const token = await tokenOfElsewhere(db)
    const other = await createTestIssuer(db, { clock: issuer.clock })
    await tokenFrom(other)
    await expect(verify(token, other)).rejects.toMatchObject({ kind: 'unauthenticated' })
    await other.server.close()
  })

  it('can not be opened under another secret key, and then neither signs nor verifies', async ({ db }) => {
    const token = await tokenFrom(issuer)
    const sealer = new Sealer([randomBytes(32)])
    const other = await createTestIssuer(db, { clock: issuer.clock, sealer })
    expect((await other.ask(aRequest())).statusCode).toBe(500)
    await expect(verify(token, other)).rejects.toMatchObject({ kind: 'unauthenticated' })
    await rotateSigningKey({ db, sealer, clock: issuer.clock }, {}, BY_TEST)
    expect(await verify(await tokenFrom(other), other)).toBeDefined()
    await other.server.close()
  })
})

describe('a rotation of the signing key', () => {
  it('makes new tokens of the new key and leaves those of the old one good until they are over', async ({ db }) => {
    const before = await tokenFrom(issuer)
    const kid = await rotateSigningKey({ ...issuer, db }, {}, BY_TEST)
    const after = await tokenFrom(issuer)
    expect(decodeProtectedHeader(after).kid).toBe(kid)
    expect(decodeProtectedHeader(before).kid).not.toBe(kid)
    expect(await published()).toHaveLength(2)
    issuer.clock.advance(3_600_000)
    expect([await verify(before), await verify(after)]).toMatchObject([{ callerId: 'linebook-reader' }, {}])
    issuer.clock.advance(600_000)
    expect((await published()).map((key) => key.kid)).toEqual([kid])
    await rotateSigningKey({ ...issuer, db }, {}, BY_TEST)
    expect(await storedKeys(db)).toHaveLength(2)
  })

  it('can end the tokens of the old key within a minute', async ({ db }) => {
    const before = await tokenFrom(issuer)
    await verify(before)
    await rotateSigningKey({ ...issuer, db }, { dropEarlier: true }, BY_TEST)
    expect(await storedKeys(db)).toHaveLength(1)
    issuer.clock.advance(60_001)
    await expect(verify(before)).rejects.toMatchObject({ kind: 'unauthenticated' })
  })

  it('may come before there is any key', async ({ db }) => {
    const kid = await rotateSigningKey({ ...issuer, db }, {}, BY_TEST)
    expect(decodeProtectedHeader(await tokenFrom(issuer)).kid).toBe(kid)
  })
})

const tokenFrom = async ({ ask }: TestIssuer): Promise<string> => {
  const answer = await ask(aRequest())
  expect(answer.statusCode, answer.body).toBe(200)
  return answer.json<{ access_token: string }>().access_token
}
const verify = (token: string, { verifier } = issuer) => verifier.verify(`Bearer ${token}`)
const published = async () => {
  const answer = await issuer.server.inject('/linebook/discovery/v2.0/keys')
  return answer.json<{ keys: Record<string, string>[] }>().keys
}
/** Signed with a key that is no longer stored. */
const tokenOfElsewhere = async (db: Db) => {
  const token = await tokenFrom(issuer)
  await db.query(sql`delete from issuer_key`)
  return token
}
const storedKeys = (db: Db) => db.query(sql`select kid from issuer_key`)

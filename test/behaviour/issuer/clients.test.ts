import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../../../src/clock.js'
import { DomainError } from '../../../src/errors.js'
import { addClient, removeClient, rotateSecret } from '../../../src/issuer/clients.js'
import { readPublicKey } from '../../../src/issuer/public-key.js'
import { listClients } from '../../../src/issuer/store.js'
import { openTestDatabase, truncate } from '../../fixtures/database.js'
import { BY_TEST } from '../../fixtures/service.js'

const db = await openTestDatabase()
afterAll(() => db.close())
beforeEach(() => truncate(db))

const deps = { db, clock: new ManualClock() }
const READ = ['ProvisioningAPI.Read']
const ec = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})

describe('a client', () => {
  it.each(['', '-x', 'a b', 'a/b', 'ü', 'x'.repeat(101)])('can not be called "%s"', async (clientId) => {
    await expect(addClient(deps, { clientId, roles: READ }, BY_TEST)).rejects.toThrow(DomainError)
  })

  it('has a name of its own', async () => {
    await addClient(deps, { clientId: 'billing', roles: READ }, BY_TEST)
    await expect(addClient(deps, { clientId: 'billing', roles: READ }, BY_TEST)).rejects.toThrow(
      'already a client named "billing"',
    )
  })

  it.each([[['Read']], [['ProvisioningAPI.Read', 'ProvisioningAPI.ReadUser']]])(
    'has roles that there are: %j is refused, naming them',
    async (roles) => {
      await expect(addClient(deps, { clientId: 'billing', roles }, BY_TEST)).rejects.toThrow('ProvisioningAPI.Delete')
      expect(await listClients(db)).toEqual([])
    },
  )

  it('needs no role: it may have grants on resources instead', async () => {
    await addClient(deps, { clientId: 'shop', roles: [] }, BY_TEST)
    expect(await listClients(db)).toMatchObject([{ clientId: 'shop', roles: [] }])
  })

  it('has a secret or a key, not both', async () => {
    const publicJwk = readPublicKey(ec.publicKey, 'key')
    expect(await addClient(deps, { clientId: 'billing', roles: READ, publicJwk }, BY_TEST)).toBeUndefined()
    expect(await listClients(db)).toMatchObject([{ clientId: 'billing', secretHashes: [], publicJwk, roles: READ }])
    await expect(rotateSecret(deps, 'billing', {}, BY_TEST)).rejects.toThrow('signs with a key')
  })

  it('can be removed, and one that is not there is told apart', async () => {
    await addClient(deps, { clientId: 'billing', roles: READ }, BY_TEST)
    await expect(removeClient(deps, 'crm', BY_TEST)).rejects.toThrow('no client named "crm". There are: billing.')
    await expect(rotateSecret(deps, 'crm', {}, BY_TEST)).rejects.toThrow('no client named "crm"')
    await removeClient(deps, 'billing', BY_TEST)
    expect(await listClients(db)).toEqual([])
    await expect(removeClient(deps, 'billing', BY_TEST)).rejects.toThrow('There is none yet.')
  })
})

describe('the public key of a client', () => {
  it('is not taken from a private one', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    expect(() => readPublicKey(ec.privateKey, 'key.pem')).toThrow('key.pem holds a private key')
    expect(() => readPublicKey(JSON.stringify(privateKey.export({ format: 'jwk' })), 'key.json')).toThrow('private key')
    expect(() => readPublicKey(`${ec.publicKey}${ec.privateKey}`, 'both.pem')).toThrow('private key')
  })

  it.each([
    '',
    'hello',
    '{}',
    '[]',
    'null',
    '{"kty":"oct","k":"AA"}',
    '-----BEGIN PUBLIC KEY-----\nAA\n-----END PUBLIC KEY-----',
  ])('is not %j', (text) => {
    expect(() => readPublicKey(text, 'key')).toThrow('key holds no public key')
  })

  it('is strong enough, and of a kind that tokens may be signed with', () => {
    const pem = { type: 'spki', format: 'pem' } as const
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export(pem) as string
    const curve = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export(pem) as string
    for (const text of [weak, curve]) expect(() => readPublicKey(text, 'key')).toThrow('neither RSA of 2048 bits')
  })
})

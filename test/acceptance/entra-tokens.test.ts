/** The official client with a credential of the official identity library, over HTTPS against the built program. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runLinebook, startLinebook, type Linebook } from '../fixtures/linebook-process.js'
import { createPostgresDatabase, type PostgresDatabase } from '../fixtures/postgres-database.js'

const PROGRAM = fileURLToPath(new URL('buyer-program.mjs', import.meta.url))
const AUDIENCE = 'https://communication.azure.com/'

interface Seen {
  audience: string
  straight: number
  token: string
  outcome: {
    bought?: string[]
    owned?: string[]
    left?: string[]
    refused?: { status: number; code: string; message: string }
  }
}

let database: PostgresDatabase
let env: Record<string, string>
let linebook: Linebook
beforeAll(async () => {
  database = await createPostgresDatabase({ migrated: false })
  env = { DATABASE_URL: database.url }
  linebook = await startLinebook({ env })
})
afterAll(async () => {
  await linebook?.stop()
  await database?.drop()
})

async function runAs(client: string, secret: string): Promise<Seen> {
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, linebook.httpsUrl, client, secret], {
    env: { PATH: process.env.PATH, NODE_EXTRA_CA_CERTS: linebook.certFile },
  })
  return JSON.parse(stdout) as Seen
}

async function command(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runLinebook(args, { env })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}

describe('a program that signs in', () => {
  it('as a well-known client buys and releases a number, unchanged', async () => {
    const { audience, straight, outcome } = await runAs('linebook-writer', 'linebook-standin')
    expect({ audience, straight }).toEqual({ audience: AUDIENCE, straight: 200 })
    expect(outcome.refused).toBeUndefined()
    expect(outcome.owned).toEqual(outcome.bought)
    expect(outcome.left).toEqual([])
  })

  it('as a client of its own is let in by a grant, while the server runs, and shut out when it is revoked', async () => {
    const created = await command('client', 'create', 'shop')
    const secret = /secret {2}(\S+)/.exec(created)?.[1] as string
    const before = await runAs('shop', secret)
    expect(before).toMatchObject({ audience: AUDIENCE, straight: 403 })
    expect(before.outcome.refused).toMatchObject({ status: 403, code: 'Forbidden' })
    expect(before.outcome.refused?.message).toContain('linebook resource grant <name> shop')

    await command('resource', 'grant', 'local', 'shop')
    expect(await command('resource', 'grants', 'local')).toMatch(/^linebook-admin \(built-in\)\n[^]*^shop$/m)
    const granted = await runAs('shop', secret)
    expect(granted.straight).toBe(200)
    expect(granted.outcome.bought).toHaveLength(1)

    await command('resource', 'revoke', 'local', 'shop')
    const withToken = { headers: { authorization: `Bearer ${granted.token}` } }
    const ask = () => fetch(`${linebook.httpUrl}/phoneNumbers?api-version=2025-06-01`, withToken)
    await expect.poll(async () => (await ask()).status).toBe(403)
    expect((await runAs('shop', secret)).outcome.refused).toMatchObject({ status: 403, code: 'Forbidden' })
  })
})

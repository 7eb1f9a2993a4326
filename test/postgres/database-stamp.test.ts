/** A database is stamped with what it is for, and whatever has the other mode refuses it before it writes anything. */
import { randomBytes } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { addResource, EMULATOR_ACCESS_KEY, revealResource } from '../../src/auth/resources.js'
import { startService } from '../../src/compose/service.js'
import { openStore } from '../../src/compose/store.js'
import { readConfig } from '../../src/config/config.js'
import { raw, sql, type Db } from '../../src/db/db.js'
import { openPostgres } from '../../src/db/postgres.js'
import { readStamp } from '../../src/db/stamp.js'
import { createLogger } from '../../src/log.js'
import { cases } from '../behaviour/cli/cases.js'
import { runInThisProcess } from '../fixtures/command-line.js'
import { opened } from '../fixtures/opened.js'
import { createPostgresDatabase } from '../fixtures/postgres-database.js'
import { BY_TEST, createClient, createTestService, openTestService } from '../fixtures/service.js'

const SECRET_KEY = randomBytes(32).toString('base64')
let url: string
let db: Db
beforeEach(async () => {
  const database = await createPostgresDatabase({ migrated: false })
  url = database.url
  const pool = await openPostgres({ connectionString: url, poolSize: 2, logger: createLogger('fatal') })
  db = opened({ ...pool, close: () => pool.close().then(() => database.drop()) })
})

const forgetful = () => ({ DATABASE_URL: url, LINEBOOK_LOG_LEVEL: 'fatal' })
const production = () => ({ ...forgetful(), LINEBOOK_MODE: 'production', LINEBOOK_SECRET_KEY: SECRET_KEY })
const run = (args: readonly string[], env: Record<string, string>) => runInThisProcess(args, { env })
const open = async (env: Record<string, string>, purpose: 'serve' | 'migrate' | 'use') =>
  (await openStore(readConfig(env), purpose)).close()

/** Every row of every table, and which tables there are. */
async function dump(): Promise<string> {
  const tables = await db.query<{ name: string }>(sql`
    select quote_ident(tablename) as name from pg_tables where schemaname = 'public' order by 1`)
  const rows = []
  for (const { name } of tables) {
    rows.push(name, await db.query(raw(`select to_jsonb(t)::text as row from ${name} t order by 1`)))
  }
  return JSON.stringify(rows)
}

describe('a production database, with the mode forgotten', () => {
  beforeEach(async () => {
    const store = opened(await openStore(readConfig(production()), 'migrate'))
    await addResource(store, { name: 'contoso', hosts: [] }, BY_TEST)
  })

  it('is left as it is by every command', async () => {
    const before = await dump()
    for (const { args } of cases) {
      const { code, stdout, stderr } = await run(args('a'), forgetful())
      expect({ code, stdout }, args('a').join(' ')).toEqual({ code: 1, stdout: '' })
      expect(stderr, args('a').join(' ')).toMatch(/^linebook: LINEBOOK_MODE: this database is in production[^\n]*\n$/)
    }
    await expect(startService(readConfig({ ...forgetful(), LINEBOOK_HTTP_PORT: '0' }))).rejects.toThrow('LINEBOOK_MODE')
    await expect(open(forgetful(), 'migrate')).rejects.toThrow('LINEBOOK_MODE')
    expect(await dump()).toBe(before)
  })

  it('made before there were stamps is known by what it lacks, and left as it is too', async () => {
    await db.query(sql`drop table database_stamp`)
    await db.query(sql`delete from schema_version where version = (select max(version) from schema_version)`)
    const before = await dump()
    for (const purpose of ['serve', 'migrate', 'use'] as const) {
      await expect(open(forgetful(), purpose)).rejects.toThrow('this database is in production')
    }
    expect(await dump()).toBe(before)
  })
})

describe('a database from before there were stamps', () => {
  it('is stamped by the next migration: an emulator by the published credentials, any other for production', async () => {
    await open(forgetful(), 'serve')
    await db.query(sql`drop table database_stamp`)
    await expect(open(production(), 'migrate')).rejects.toThrow("this database is an emulator's")
    await open(forgetful(), 'migrate')
    expect(await readStamp(db)).toBe('emulator')

    await db.query(sql`drop table database_stamp`)
    await db.query(sql`delete from resource_grant`)
    await db.query(sql`delete from issuer_client`)
    await expect(open(production(), 'migrate')).rejects.toThrow("this database is an emulator's")
    await db.query(sql`delete from resource`)
    await open(production(), 'migrate')
    expect(await readStamp(db)).toBe('production')
  })
})

describe('commands other than serve and migrate', () => {
  it('ask for a migration, and make nothing of an empty database', async () => {
    const { code, stderr } = await run(['resource', 'list'], production())
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'linebook: The database is empty. Run "linebook migrate" on it first, or start "linebook serve".\n',
    })
    expect(await dump()).toBe('[]')
    await open(production(), 'migrate')
    expect(await readStamp(db)).toBe('production')
    await db.query(sql`delete from schema_version where version > 3`)
    expect((await run(['resource', 'list'], production())).stderr).toMatch(/has schema version 3, .*"linebook migrate"/)
  })

  it('fill no emulator: only its serve does', async () => {
    await open(forgetful(), 'migrate')
    expect((await run(['resource', 'list', '--json'], forgetful())).stdout.trim()).toBe('[]')
    await open({ ...forgetful(), LINEBOOK_SEED_STOCK: 'off' }, 'serve')
    expect((await run(['resource', 'list'], forgetful())).stdout).toMatch(/^local /)
  })
})

describe('linebook database stamp production', () => {
  it('removes what is well known and says so, and keeps what else there is', async () => {
    await open({ ...forgetful(), LINEBOOK_SEED_STOCK: 'off' }, 'serve')
    const store = opened(await openStore(readConfig(forgetful()), 'use'))
    const kept = await addResource(store, { name: 'contoso', hosts: [] }, BY_TEST)
    const service = opened(await openTestService(db, {}))
    await service.server.inject({
      method: 'POST',
      url: '/linebook/oauth2/v2.0/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload:
        'grant_type=client_credentials&client_id=linebook-admin&client_secret=linebook-standin&scope=' +
        'https://communication.azure.com/.default',
    })
    expect(await run(['database', 'stamp', 'production'], forgetful())).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^linebook: LINEBOOK_SECRET_KEY: /) as string,
    })
    const { stdout, stderr } = await run(['database', 'stamp', 'production'], production())
    expect(stderr).toBe('')
    const lines = stdout.trimEnd().split('\n')
    expect(lines).toEqual([
      '- removed the resource "local", which had the published access key',
      ...['admin', 'deleter', 'reader', 'writer'].map(
        (role) => expect.stringContaining(`removed the client "linebook-${role}"`) as string,
      ),
      expect.stringMatching(/^- removed the signing key \S+, which was sealed under the emulator's published key$/),
      'The database is stamped: production.',
    ])
    const after = opened(await openStore(readConfig(production()), 'serve'))
    expect((await revealResource(after, 'contoso')).keys).toEqual(kept)
    await expect(open(forgetful(), 'use')).rejects.toThrow('this database is in production')
  })

  it('gives a resource that has numbers a new key, which is not the published one', async () => {
    await open(forgetful(), 'serve')
    await db.query(sql`
      update number set state = 'held', hold_id = gen_random_uuid(), resource_id = (select id from resource),
        free_at = 'infinity' where e164 = (select min(e164) from number where state = 'available')`)
    const { stdout, stderr } = await run(['database', 'stamp', 'production'], production())
    expect(stderr).toBe('')
    expect(stdout).toContain('gave the resource "local" a new primary key in place of the published one')
    const store = opened(await openStore(readConfig(production()), 'use'))
    expect((await revealResource(store, 'local')).keys.primary).not.toBe(EMULATOR_ACCESS_KEY)
  })

  it('takes a database from before there were stamps', async () => {
    await open({ ...forgetful(), LINEBOOK_SEED_STOCK: 'off' }, 'serve')
    await db.query(sql`drop table database_stamp`)
    const { stdout, stderr } = await run(['database', 'stamp', 'production'], production())
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^- removed the resource "local"[^]*The database is stamped: production\.\n$/)
    await open(production(), 'serve')
  })

  it('and back, but only when it is said twice', async () => {
    await open(production(), 'migrate')
    expect((await run(['database', 'stamp', 'emulator'], production())).code).toBe(1)
    expect((await run(['database', 'stamp', 'emulator', '--yes'], production())).code).toBe(0)
    await open(forgetful(), 'serve')
  })
})

it('the published key opens nothing in production, under whatever name it is stored', async () => {
  const env = { LINEBOOK_MODE: 'production', DATABASE_URL: url, LINEBOOK_SECRET_KEY: SECRET_KEY }
  await open(production(), 'migrate')
  const service = opened(await createTestService(db, env))
  await addResource(
    service.store,
    { name: 'renamed', hosts: ['acs.example.test'], keys: { primary: EMULATOR_ACCESS_KEY, secondary: 'c2Vjb25kYXJ5' } },
    BY_TEST,
  )
  const ask = (key: string) =>
    createClient(service.server, service.clock, { name: 'renamed', key, host: 'acs.example.test' }).send(
      'GET',
      '/phoneNumbers',
    )
  expect((await ask(EMULATOR_ACCESS_KEY)).statusCode).toBe(401)
  expect((await ask('c2Vjb25kYXJ5')).statusCode).toBe(200)
})

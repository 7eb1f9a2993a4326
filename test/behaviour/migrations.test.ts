/** Migrations on either engine: they may take long, and what has been applied stays as it was. */
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, inject, it } from 'vitest'
import { raw, sql, type Db } from '../../src/db/db.js'
import { migrate, readMigrations, type Migration } from '../../src/db/migrate.js'
import { openPglite } from '../../src/db/pglite.js'
import { openPostgres } from '../../src/db/postgres.js'
import { SetupError } from '../../src/errors.js'
import { createLogger } from '../../src/log.js'
import { createPostgresDatabase } from '../fixtures/postgres-database.js'

const EMPTY_IMAGE = fileURLToPath(new URL('../../dist/embedded-empty.tar', import.meta.url))
const STATEMENT_MS = 100

/** A database of its own, for the tests change its schema; no statement may take long. */
async function openHasty(): Promise<Db> {
  if (inject('engine') === 'pglite') {
    const pglite = await openPglite({ dataDir: undefined, imageFile: EMPTY_IMAGE })
    await pglite.query(raw(`set statement_timeout = ${STATEMENT_MS}`))
    return pglite
  }
  const { url, drop } = await createPostgresDatabase()
  const bounds = { statementMs: STATEMENT_MS, responseMs: 2 * STATEMENT_MS }
  const db = await openPostgres({ connectionString: url, poolSize: 2, logger: createLogger('fatal'), bounds })
  return {
    ...db,
    close: async () => {
      await db.close()
      await drop()
    },
  }
}

let db: Db
let released: Migration[]
beforeEach(async () => {
  db = await openHasty()
  released = await readMigrations()
})
afterEach(() => db.close())

const next = (name: string, script: string): Migration => ({ version: released.length + 1, name, script })

it('a migration may take longer than statements that serve requests', async () => {
  await migrate(db, released, 'emulator')
  const slow = next('slow', `select pg_sleep(${(5 * STATEMENT_MS) / 1000}); create table slow (id integer)`)
  expect(await migrate(db, [...released, slow], 'emulator')).toEqual([slow])
  expect(await db.query(sql`select to_regclass('slow') is not null as present`)).toEqual([{ present: true }])
})

it('a script that was changed after it had been applied is refused by name, and nothing is done', async () => {
  await migrate(db, released, 'emulator')
  const changed = released.map((migration) =>
    migration.version === 2 ? { ...migration, script: `${migration.script}\n-- changed` } : migration,
  )
  const refusal = await migrate(db, [...changed, next('more', 'create table more (id integer)')], 'emulator').catch(
    (error: unknown) => error,
  )
  expect(refusal).toBeInstanceOf(SetupError)
  expect(String(refusal)).toContain(`migrations/0002-${released[1]?.name}.sql is not the script`)
  expect(await db.query(sql`select to_regclass('more') as present`)).toEqual([{ present: null }])
})

it('line ends of another checkout are no change', async () => {
  await migrate(db, released, 'emulator')
  const checkedOut = released.map((migration) => ({ ...migration, script: migration.script.replaceAll('\n', '\r\n') }))
  expect(await migrate(db, checkedOut, 'emulator')).toEqual([])
})

it('what an earlier program applied without a checksum gets one', async () => {
  await migrate(db, released, 'emulator')
  await db.query(sql`alter table schema_version drop column checksum`)
  expect(await migrate(db, released, 'emulator')).toEqual([])
  const without = sql`select count(*) as count from schema_version where checksum is null`
  expect(await db.query(without)).toEqual([{ count: 0 }])
  const [first, ...rest] = released as [Migration, ...Migration[]]
  await expect(migrate(db, [{ ...first, script: 'select 1' }, ...rest], 'emulator')).rejects.toThrow('migrations/0001-')
})

import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SetupError } from '../errors.js'
import { sql, sqlState, type Db, type Queryable, type Tx } from './db.js'
import { createStampTable, stampOnce, type DatabaseMode } from './stamp.js'

export interface Migration {
  version: number
  name: string
  script: string
}

const MIGRATIONS_DIR = fileURLToPath(new URL('../../migrations', import.meta.url))

/** The migrations that this program brings, oldest first. */
export async function readMigrations(dir: string = MIGRATIONS_DIR): Promise<Migration[]> {
  const files = (await readdir(dir)).filter((file) => file.endsWith('.sql')).sort()
  return Promise.all(
    files.map(async (file, index) => {
      const match = /^(\d{4})-([a-z0-9-]+)\.sql$/.exec(file)
      if (!match || Number(match[1]) !== index + 1) {
        throw new Error(`migrations/${file}: files are named 0001-what-it-does.sql, without gaps`)
      }
      return { version: index + 1, name: match[2] as string, script: await readFile(join(dir, file), 'utf8') }
    }),
  )
}

/**
 * Brings the database to this program's schema, each migration in a transaction of its own. The version row goes in
 * first, so of two programs that start together one waits for the other's row and then finds the work done.
 * Returns what was applied. Throws a SetupError when the database is newer than the program.
 * @param mode what an empty database is stamped with, together with its first migration
 */
export async function migrate(db: Db, migrations: Migration[], mode: DatabaseMode): Promise<Migration[]> {
  await refuseNewerSchema(db, migrations)
  await createVersionTable(db)
  await createStampTable(db)
  await refuseChangedScripts(db, migrations)
  const applied: Migration[] = []
  const current = await schemaVersion(db)
  for (const migration of migrations.filter(({ version }) => version > current)) {
    const mine = await db.transaction(async (tx) => {
      const isMine = await applyOnce(tx, migration)
      if (isMine && migration.version === 1) await stampOnce(tx, mode)
      return isMine
    })
    if (mine) applied.push(migration)
  }
  return applied
}

/** Long enough for requests under way, and so short that those behind us in the queue for the table still get through. */
const LOCK_TIMEOUT_MS = 10_000
const LOCK_NOT_AVAILABLE = '55P03'

async function applyOnce(tx: Tx, migration: Migration): Promise<boolean> {
  const { version, name, script } = migration
  // An index on a large table takes its time, and so does the other program that may be making it.
  await tx.liftTimeLimit()
  await tx.script('set local lock_timeout = 0')
  const claimed = await tx.query(sql`
    insert into schema_version (version, name, checksum) values (${version}, ${name}, ${checksumOf(migration)})
    on conflict (version) do nothing
    returning version`)
  if (claimed.length === 0) return false
  await tx.script(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`)
  try {
    await tx.script(script)
  } catch (error) {
    if (sqlState(error) !== LOCK_NOT_AVAILABLE) throw error
    throw new SetupError(
      `DATABASE_URL: ${fileOf(migration)} waited ${LOCK_TIMEOUT_MS / 1000} s for a table that others keep locked, and ` +
        'was given up; nothing of it was done. Try again, or stop the other programs on this database first.',
      { cause: error },
    )
  }
  return true
}

const fileOf = ({ version, name }: Migration): string => `migrations/${String(version).padStart(4, '0')}-${name}.sql`

/** Line ends are those of the checkout, so they don't count. */
const checksumOf = ({ script }: Migration): string =>
  createHash('sha256').update(script.replaceAll('\r\n', '\n')).digest('hex')

/** Earlier programs kept no checksums: what they applied counts as what is there now. */
async function refuseChangedScripts(db: Db, migrations: Migration[]): Promise<void> {
  const stored = await db.query<{ version: number; checksum: string | null }>(
    sql`select version, checksum from schema_version order by version`,
  )
  for (const { version, checksum } of stored) {
    const migration = migrations[version - 1]
    if (migration === undefined) continue
    const expected = checksumOf(migration)
    if (checksum === null) {
      await db.query(
        sql`update schema_version set checksum = ${expected} where version = ${version} and checksum is null`,
      )
    } else if (checksum !== expected) {
      throw new SetupError(
        `${fileOf(migration)} is not the script that made this database: it was changed after it had been applied. ` +
          'Put back the files of the release; a change of the schema is a new migration.',
      )
    }
  }
}

/** The migration up to which a database has come; 0 without any. */
export async function schemaVersion(db: Queryable): Promise<number> {
  if (!(await exists(db, 'schema_version'))) return 0
  const [row] = await db.query<{ version: number | null }>(sql`select max(version) as version from schema_version`)
  return row?.version ?? 0
}

/** Throws a SetupError unless the database has this program's schema; writes nothing. */
export async function requireSchema(db: Queryable, migrations: Migration[]): Promise<void> {
  await refuseNewerSchema(db, migrations)
  const current = await schemaVersion(db)
  if (current === migrations.length) return
  throw new SetupError(
    current === 0
      ? 'The database is empty. Run "linebook migrate" on it first, or start "linebook serve".'
      : `The database has schema version ${current}, and this Linebook needs ${migrations.length}. ` +
          'Run "linebook migrate", or start "linebook serve", which does the same.',
  )
}

async function refuseNewerSchema(db: Queryable, migrations: Migration[]): Promise<void> {
  const current = await schemaVersion(db)
  if (current > migrations.length) {
    throw new SetupError(
      `DATABASE_URL: the database has schema version ${current}, this Linebook knows up to ${migrations.length}. ` +
        'Start the newer Linebook that last used it.',
    )
  }
}

async function exists(db: Queryable, table: string): Promise<boolean> {
  const [row] = await db.query<{ present: boolean }>(sql`select to_regclass(${table}) is not null as present`)
  return row?.present ?? false
}

/** Creates the table of what was applied, or adds the column that it lacks. */
async function createVersionTable(db: Db): Promise<void> {
  if (await checksumColumnExists(db)) return
  try {
    await db.query(sql`
      create table if not exists schema_version (
        version integer primary key,
        name text not null,
        applied_at timestamptz not null default now(),
        checksum text
      )`)
    await db.query(sql`alter table schema_version add column if not exists checksum text`)
  } catch (error) {
    // "if not exists" is not atomic: two starters may both find it absent, and one then meets the other's catalogue row.
    if (!(await checksumColumnExists(db))) throw error
  }
}

async function checksumColumnExists(db: Queryable): Promise<boolean> {
  const [row] = await db.query<{ present: boolean }>(sql`
    select exists (
      select from pg_attribute
      where attrelid = to_regclass('schema_version') and attname = 'checksum' and not attisdropped
    ) as present`)
  return row?.present ?? false
}

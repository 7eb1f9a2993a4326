import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SetupError } from '../errors.js'
import { sql, type Db, type Queryable, type Sql } from './db.js'
import { STAMP_TABLE, stampOnce, type DatabaseMode } from './stamp.js'

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
  await createIfAbsent(db, 'schema_version', VERSION_TABLE)
  await createIfAbsent(db, 'database_stamp', STAMP_TABLE)
  const applied: Migration[] = []
  const current = await schemaVersion(db)
  for (const migration of migrations.filter(({ version }) => version > current)) {
    const mine = await db.transaction(async (tx) => {
      const claimed = await tx.query(sql`
        insert into schema_version (version, name) values (${migration.version}, ${migration.name})
        on conflict (version) do nothing
        returning version`)
      if (claimed.length > 0) await tx.script(migration.script)
      if (claimed.length > 0 && migration.version === 1) await stampOnce(tx, mode)
      return claimed.length > 0
    })
    if (mine) applied.push(migration)
  }
  return applied
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

const VERSION_TABLE = sql`
  create table if not exists schema_version (
    version integer primary key,
    name text not null,
    applied_at timestamptz not null default now()
  )`

async function exists(db: Queryable, table: string): Promise<boolean> {
  const [row] = await db.query<{ present: boolean }>(sql`select to_regclass(${table}) is not null as present`)
  return row?.present ?? false
}

async function createIfAbsent(db: Db, table: string, statement: Sql): Promise<void> {
  if (await exists(db, table)) return
  try {
    await db.query(statement)
  } catch (error) {
    // "if not exists" is not atomic: two starters may both find it absent, and one then meets the other's catalogue row.
    if (!(await exists(db, table))) throw error
  }
}

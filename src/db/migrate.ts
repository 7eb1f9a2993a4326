import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SetupError } from '../errors.js'
import { sql, type Db, type Queryable } from './db.js'

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
 */
export async function migrate(db: Db, migrations: Migration[]): Promise<Migration[]> {
  if (!(await versionTableExists(db))) await createVersionTable(db)
  await refuseNewerSchema(db, migrations)
  const applied: Migration[] = []
  const current = await schemaVersion(db)
  for (const migration of migrations.filter(({ version }) => version > current)) {
    const mine = await db.transaction(async (tx) => {
      const claimed = await tx.query(sql`
        insert into schema_version (version, name) values (${migration.version}, ${migration.name})
        on conflict (version) do nothing
        returning version`)
      if (claimed.length > 0) await tx.script(migration.script)
      return claimed.length > 0
    })
    if (mine) applied.push(migration)
  }
  return applied
}

/** The migration up to which a database has come; 0 without any. */
export async function schemaVersion(db: Queryable): Promise<number> {
  const [row] = await db.query<{ version: number | null }>(sql`select max(version) as version from schema_version`)
  return row?.version ?? 0
}

async function refuseNewerSchema(db: Db, migrations: Migration[]): Promise<void> {
  if (!(await versionTableExists(db))) return
  const current = await schemaVersion(db)
  if (current > migrations.length) {
    throw new SetupError(
      `DATABASE_URL: the database has schema version ${current}, this Linebook knows up to ${migrations.length}. ` +
        'Start the newer Linebook that last used it.',
    )
  }
}

async function versionTableExists(db: Queryable): Promise<boolean> {
  const [row] = await db.query<{ present: boolean }>(sql`select to_regclass('schema_version') is not null as present`)
  return row?.present ?? false
}

async function createVersionTable(db: Db): Promise<void> {
  try {
    await db.query(sql`
      create table if not exists schema_version (
        version integer primary key,
        name text not null,
        applied_at timestamptz not null default now()
      )`)
  } catch (error) {
    // "if not exists" is not atomic: two starters may both find it absent, and one then meets the other's catalogue row.
    if (!(await versionTableExists(db))) throw error
  }
}

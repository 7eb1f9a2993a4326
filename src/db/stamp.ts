/**
 * What a database is for. It is said when it is made, and a program in the other mode refuses it: an emulator fills
 * databases with credentials that everybody knows, and may be told to empty them.
 */
import { sql, type Queryable, type Tx } from './db.js'

export type DatabaseMode = 'emulator' | 'production'

/** The stamp of a database; undefined for one that was made before there were stamps, and for an empty one. */
export async function readStamp(db: Queryable): Promise<DatabaseMode | undefined> {
  const [table] = await db.query<{ present: boolean }>(sql`select to_regclass('database_stamp') is not null as present`)
  if (!table?.present) return undefined
  const [row] = await db.query<{ mode: DatabaseMode }>(sql`select mode from database_stamp`)
  return row?.mode
}

/** Stamps a database that has no stamp. Of two that do so at once the first counts. */
export async function stampOnce(tx: Tx, mode: DatabaseMode): Promise<void> {
  await tx.query(sql`insert into database_stamp (mode) values (${mode}) on conflict do nothing`)
}

/** Gives a database another stamp. */
export async function restamp(tx: Tx, mode: DatabaseMode): Promise<void> {
  await stampOnce(tx, mode)
  await tx.query(sql`update database_stamp set mode = ${mode}, stamped_at = now()`)
}

export async function createStampTable(db: Queryable): Promise<void> {
  if (await hasStampTable(db)) return
  try {
    await db.query(sql`
      create table if not exists database_stamp (
        singleton boolean primary key default true check (singleton),
        mode text not null check (mode in ('emulator', 'production')),
        stamped_at timestamptz not null default now()
      )`)
  } catch (error) {
    // "if not exists" is not atomic: two starters may both find it absent, and one then meets the other's catalogue row.
    if (!(await hasStampTable(db))) throw error
  }
}

async function hasStampTable(db: Queryable): Promise<boolean> {
  const [table] = await db.query<{ present: boolean }>(sql`select to_regclass('database_stamp') is not null as present`)
  return table?.present ?? false
}

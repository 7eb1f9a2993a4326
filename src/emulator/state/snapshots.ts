/**
 * Takes and restores snapshots of an emulator's whole state.
 *
 * A snapshot is a schema of the same database, `snapshot_{name}`, with a copy of each table that isn't empty; the
 * schema's comment has the snapshot's metadata. A restore compares each table with its copy and writes only the
 * differences, in one transaction that has the tables to itself, so that concurrent reads see either the state before
 * or the one after. If that is impossible, because rows that stay refer to rows that have to go (after a reset, all
 * places are new ones), all rows are deleted and copied back instead. Sequences keep their values: ids and generations
 * that were given out since, to a backend say, are never given out again.
 */
import { raw, sql, type Db, type Queryable } from '../../db/db.js'
import { schemaVersion } from '../../db/migrate.js'
import { DomainError, invalidInput, notFound } from '../../errors.js'
import { withAllLocked } from './locked.js'
import { quoted, readTables, type Table } from './tables.js'

export interface Snapshot {
  name: string
  takenAt: string
  /** The migration up to which the database had come. */
  schemaVersion: number
}

export const MAX_SNAPSHOTS = 20
const PREFIX = 'snapshot_'
const NAME = /^[a-z0-9]([a-z0-9_-]{0,38}[a-z0-9])?$/
/** Distinguishes our schemas from others that happen to have such a name. */
const NOTE = 'A snapshot of Linebook: '

/** Takes a snapshot; one of the same name is replaced. Throws 'invalid-input', 'state-conflict'. */
export async function takeSnapshot(db: Db, name: string, at: Date): Promise<Snapshot> {
  checkName(name)
  try {
    return await db.transaction(async (tx) => {
      // All tables as of one instant.
      await tx.script('set transaction isolation level repeatable read')
      await tx.liftTimeLimit()
      const taken = await listSnapshots(tx)
      const isThere = taken.some((other) => other.name === name)
      if (!isThere && taken.length >= MAX_SNAPSHOTS) throw tooMany(taken)
      const snapshot = { takenAt: at.toISOString(), schemaVersion: await schemaVersion(tx) }
      const schema = schemaOf(name)
      await tx.script(
        [
          ...(isThere ? [`drop schema ${schema} cascade`] : []),
          `create schema ${schema}`,
          ...(await filledTables(tx)).map((table) => `create table ${schema}.${table} as table ${table}`),
          `comment on schema ${schema} is '${NOTE}${JSON.stringify(snapshot)}'`,
        ].join(';\n'),
      )
      return { name, ...snapshot }
    })
  } catch (error) {
    throw takingFailed(error, name)
  }
}

/** Restores the state of a snapshot. Throws 'not-found', 'state-conflict', 'unavailable'. */
export async function restoreSnapshot(db: Db, name: string): Promise<Snapshot> {
  const tables = await readTables(db)
  try {
    return await restoreBy(differenceScript, db, tables, name)
  } catch (error) {
    if (!IN_THE_WAY.includes(sqlStateOf(error))) throw error
    return restoreBy(replacementScript, db, tables, name)
  }
}

/** A row refers to one that has to go, or has a unique value of one that has to come. */
const IN_THE_WAY = ['23503', '23505']

type Script = (tables: readonly Table[], copied: ReadonlySet<string>, schema: string) => string

function restoreBy(script: Script, db: Db, tables: readonly Table[], name: string): Promise<Snapshot> {
  return withAllLocked(db, tables, 'exclusive', async (tx) => {
    const snapshot = await findSnapshot(tx, name)
    const now = await schemaVersion(tx)
    if (snapshot.schemaVersion !== now) {
      throw new DomainError(
        'state-conflict',
        `The snapshot ${name} is of schema version ${snapshot.schemaVersion}, and the database has come to ${now}. ` +
          'Delete it, and take it again.',
      )
    }
    const copies = await tx.query<{ name: string }>(sql`
      select tablename as name from pg_tables where schemaname = ${`${PREFIX}${name}`}`)
    await tx.script(script(tables, new Set(copies.map((copy) => copy.name)), schemaOf(name)))
    return snapshot
  })
}

/** Throws 'not-found'. */
export async function deleteSnapshot(db: Db, name: string): Promise<void> {
  await db.transaction(async (tx) => {
    await findSnapshot(tx, name)
    await tx.script(`drop schema ${schemaOf(name)} cascade`)
  })
}

/** All snapshots, by name. */
export async function listSnapshots(db: Queryable): Promise<Snapshot[]> {
  const rows = await db.query<{ schema: string; note: string }>(sql`
    select nspname as schema, obj_description(oid, 'pg_namespace') as note
    from pg_namespace
    where starts_with(nspname::text, ${PREFIX}) and obj_description(oid, 'pg_namespace') like ${`${NOTE}%`}
    order by nspname`)
  return rows.map(({ schema, note }) => ({
    name: schema.slice(PREFIX.length),
    ...(JSON.parse(note.slice(NOTE.length)) as Omit<Snapshot, 'name'>),
  }))
}

async function findSnapshot(db: Queryable, name: string): Promise<Snapshot> {
  const taken = await listSnapshots(db)
  const found = taken.find((snapshot) => snapshot.name === name)
  if (found) return found
  const known = taken.map((snapshot) => snapshot.name).join(', ')
  throw notFound(
    `There is no snapshot ${name.slice(0, 100)}. ${known ? `There are: ${known}.` : 'There is none yet.'} ` +
      'PUT /_emulator/snapshots/{name} takes one.',
  )
}

const schemaOf = (name: string): string => quoted(`${PREFIX}${name}`)

/** Most are empty, and making a table costs more than asking. */
async function filledTables(db: Queryable): Promise<string[]> {
  const names = (await readTables(db)).map(({ name }) => quoted(name))
  const rows = await db.query<{ name: string }>(
    raw(names.map((name) => `select '${name}' as name where exists (select from ${name})`).join(' union all ')),
  )
  return rows.map(({ name }) => name)
}

/**
 * Statements that make each table what its copy is. Rows that came since go first, those of the tables that refer to
 * others before what they refer to; then, the other way round, what was there comes back. A row that is referred to is
 * changed in place, or else taken out and put back in one statement, so that what refers to it is never without.
 */
function differenceScript(tables: readonly Table[], copied: ReadonlySet<string>, schema: string): string {
  const referred = new Set(tables.flatMap(({ parents }) => parents))
  const removals = [...tables].reverse().map((table) => {
    const at = quoted(table.name)
    if (!copied.has(table.name)) return `delete from ${at}`
    const kept = referred.has(table.name) ? sameKey(table) : same(table)
    return `delete from ${at} as t where not exists (select from ${schema}.${at} as s where ${kept})`
  })
  const returns = tables
    .filter(({ name }) => copied.has(name))
    .flatMap((table) => {
      if (!referred.has(table.name)) return [insertMissing(table, schema)]
      return table.hasOtherUnique
        ? [replaceChanged(table, schema)]
        : [changeInPlace(table, schema), insertMissing(table, schema)]
    })
  return [...removals, ...returns].join(';\n')
}

/** Statements that empty all tables and fill them from their copies. */
function replacementScript(tables: readonly Table[], copied: ReadonlySet<string>, schema: string): string {
  const removals = [...tables].reverse().map(({ name }) => `delete from ${quoted(name)}`)
  const returns = tables.filter(({ name }) => copied.has(name)).map((table) => insertFrom(table, schema))
  return [...removals, ...returns].join(';\n')
}

/** By now every row is one of the copy's: when the counts are equal, no row can be missing. */
function insertMissing(table: Table, schema: string): string {
  const at = quoted(table.name)
  return (
    `${insertFrom(table, schema)} where not exists (select from ${at} as t where ${sameKey(table)}) ` +
    `and (select count(*) from ${at}) < (select count(*) from ${schema}.${at})`
  )
}

function changeInPlace(table: Table, schema: string): string {
  const at = quoted(table.name)
  const columns = table.columns.filter((column) => !table.primaryKey.includes(column)).map(quoted)
  const values = columns.map((column) => `${column} = s.${column}`).join(', ')
  return `update ${at} as t set ${values} from ${schema}.${at} as s where ${sameKey(table)} and not s.* *= t.*`
}

/**
 * For tables in which two rows may have swapped a unique value: no row may come back before all have gone, which
 * counting the deleted rows ensures.
 */
function replaceChanged(table: Table, schema: string): string {
  const at = quoted(table.name)
  return (
    `with gone as (delete from ${at} as t using ${schema}.${at} as s where ${sameKey(table)} and not s.* *= t.* ` +
    `returning 1) ${insertFrom(table, schema)} where not exists (select from ${at} as t where ${same(table)}) ` +
    'and (select count(*) from gone) >= 0'
  )
}

function insertFrom({ name, columns }: Table, schema: string): string {
  const list = columns.map(quoted).join(', ')
  return `insert into ${quoted(name)} (${list}) overriding system value select ${list} from ${schema}.${quoted(name)} as s`
}

const sameKey = ({ name, primaryKey }: Table): string => {
  if (primaryKey.length === 0) throw new Error(`The table ${name} has no primary key`)
  return primaryKey.map((column) => `s.${quoted(column)} = t.${quoted(column)}`).join(' and ')
}

/** `*=` compares the stored bytes, so that values of any type can be compared and nulls are equal. */
const same = (table: Table): string => `${sameKey(table)} and s.* *= t.*`

function checkName(name: string): void {
  if (NAME.test(name)) return
  throw invalidInput(
    `"${name.slice(0, 100)}" can't name a snapshot: 1 to 40 lower-case letters, digits and inner hyphens or underscores.`,
    'name',
  )
}

const tooMany = (taken: readonly Snapshot[]): DomainError =>
  new DomainError(
    'state-conflict',
    `There are ${taken.length} snapshots, which is the most: ${taken.map(({ name }) => name).join(', ')}. Delete one.`,
  )

const INSUFFICIENT_PRIVILEGE = '42501'
/** Of a schema, by its name or by the row of the catalogue; or of something in it. */
const ALREADY_THERE = ['42P06', '42P07', '23505']

const sqlStateOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '')

function takingFailed(error: unknown, name: string): unknown {
  const code = sqlStateOf(error)
  if (code === INSUFFICIENT_PRIVILEGE) {
    return new DomainError(
      'state-conflict',
      'A snapshot is a schema, and the database lets Linebook make none. Let it: grant create on database … to …',
      { cause: error },
    )
  }
  if (ALREADY_THERE.includes(code)) {
    return new DomainError(
      'state-conflict',
      `The snapshot ${name} is being taken by another process, or its schema is there.`,
      {
        cause: error,
      },
    )
  }
  return error
}

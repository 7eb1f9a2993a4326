/**
 * The tables of an emulator, read from the database's own catalogue, so that snapshots and reset include each new table
 * by themselves.
 */
import { sql, type Queryable } from '../../db/db.js'

export interface Table {
  name: string
  columns: readonly string[]
  primaryKey: readonly string[]
  /** Tables that it refers to. */
  parents: readonly string[]
  /** Whether anything besides the primary key is unique. */
  hasOtherUnique: boolean
}

/**
 * Tables that belong to the installation, not to its content: migrations, the stamp, and the keys of the token issuer. The tokens
 * of clients keep working after a reset or restore.
 */
const APART = ['schema_version', 'database_stamp', 'issuer_key', 'issuer_assertion']

/** Every table of an emulator's state; tables that others refer to come before those that refer to them. */
export async function readTables(db: Queryable): Promise<Table[]> {
  const tables = await db.query<Table>(sql`
    select c.relname as name,
           array(select attname::text from pg_attribute
                 where attrelid = c.oid and attnum > 0 and not attisdropped order by attnum) as columns,
           array(select a.attname::text from pg_constraint k
                 cross join lateral unnest(k.conkey) with ordinality as key (attnum, place)
                 join pg_attribute a on a.attrelid = c.oid and a.attnum = key.attnum
                 where k.conrelid = c.oid and k.contype = 'p' order by place) as "primaryKey",
           array(select distinct p.relname::text from pg_constraint k join pg_class p on p.oid = k.confrelid
                 where k.conrelid = c.oid and k.contype = 'f' and k.confrelid <> c.oid) as parents,
           exists (select from pg_index where indrelid = c.oid and indisunique and not indisprimary)
             as "hasOtherUnique"
    from pg_class c
    where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'
      and not c.relname = any (${APART}::text[])
    order by c.relname`)
  return parentsFirst(tables)
}

function parentsFirst(tables: readonly Table[]): Table[] {
  const sorted: Table[] = []
  const waiting = new Set(tables)
  while (waiting.size > 0) {
    const ready = [...waiting].filter(({ parents }) => ![...waiting].some(({ name }) => parents.includes(name)))
    if (ready.length === 0) throw new Error(`Tables refer to one another: ${[...waiting].map(nameOf).join(', ')}`)
    for (const table of ready) waiting.delete(table)
    sorted.push(...ready)
  }
  return sorted
}

const nameOf = ({ name }: Table): string => name

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

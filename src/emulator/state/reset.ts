import type { Db } from '../../db/db.js'
import { withAllLocked } from './locked.js'
import { quoted, readTables } from './tables.js'

/**
 * Empties everything but what belongs to the installation; snapshots stay too, to be gone back to. Sequences go on:
 * what was given out is never given out again.
 */
export async function emptyTables(db: Db): Promise<void> {
  const tables = await readTables(db)
  await withAllLocked(db, tables, 'access exclusive', (tx) =>
    tx.script(`truncate ${tables.map(({ name }) => quoted(name)).join(', ')}`),
  )
}

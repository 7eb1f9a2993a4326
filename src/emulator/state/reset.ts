import type { Db } from '../../db/db.js'
import { withAllLocked } from './locked.js'
import { quoted, readTables } from './tables.js'

/**
 * Empties everything except what belongs to the installation; snapshots stay too, so that they can be restored.
 * Sequences continue: a value that was given out is never given out again.
 */
export async function emptyTables(db: Db): Promise<void> {
  const tables = await readTables(db)
  await withAllLocked(db, tables, 'access exclusive', (tx) =>
    tx.script(`truncate ${tables.map(({ name }) => quoted(name)).join(', ')}`),
  )
}

import { sql, type Db } from './db.js'
import { isReadOnly } from './failures.js'

export type Readiness = 'ready' | 'read-only' | 'unreachable'

/** Less than probes usually wait. */
const PATIENCE_MS = 3_000

/** Whether the database can serve requests: it is there, and takes changes. */
export async function readinessOf(db: Db): Promise<Readiness> {
  // Needs the right to change rows, which a standby and a read-only database refuse, and meets none.
  const asked = db.query(sql`select 1 from schema_version where false for update`).then(
    (): Readiness => 'ready',
    (error: unknown): Readiness => (isReadOnly(error) ? 'read-only' : 'unreachable'),
  )
  // The embedded engine has one session: a long transaction in front is no sign of trouble.
  if (db.engine === 'pglite') return asked
  let timer: NodeJS.Timeout | undefined
  const overdue = new Promise<Readiness>((resolve) => {
    timer = setTimeout(() => resolve('unreachable'), PATIENCE_MS)
  })
  try {
    return await Promise.race([asked, overdue])
  } finally {
    clearTimeout(timer)
  }
}

import { setTimeout as wait } from 'node:timers/promises'
import type { Db, Tx } from '../../db/db.js'
import { DomainError } from '../../errors.js'
import { quoted, type Table } from './tables.js'

/**
 * Requests of other processes and workers of this one lock rows first and other tables later. A transaction that wants
 * all tables and waits long could deadlock with one of them, and after a second the database would abort that one. So
 * we only wait this long and give way.
 */
const PATIENCE_MS = 100
const GIVE_UP_MS = 10_000
const PAUSE_MS = 20
const LOCK_NOT_AVAILABLE = '55P03'

/**
 * Runs work in a transaction that has every table to itself.
 * @param mode exclusive: others may still read the earlier state
 * Throws 'unavailable' when others keep them locked.
 */
export async function withAllLocked<T>(
  db: Db,
  tables: readonly Table[],
  mode: 'exclusive' | 'access exclusive',
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  const names = tables.map(({ name }) => quoted(name)).join(', ')
  const until = performance.now() + GIVE_UP_MS
  for (;;) {
    try {
      return await db.transaction(async (tx) => {
        await tx.liftTimeLimit()
        await tx.script(`set local lock_timeout = ${PATIENCE_MS}; lock table ${names} in ${mode} mode`)
        return work(tx)
      })
    } catch (error) {
      if (!isLockedOut(error)) throw error
      if (performance.now() > until) {
        throw new DomainError('unavailable', 'Others keep the tables locked. Try again when they have ended.', {
          cause: error,
          retryAfterSeconds: 1,
        })
      }
      await wait(PAUSE_MS)
    }
  }
}

const isLockedOut = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === LOCK_NOT_AVAILABLE

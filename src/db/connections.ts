/**
 * The connections to a PostgreSQL server: each is lent to one piece of work at a time, watched from its first moment to
 * its last, and thrown away once it is of no use.
 *
 * A connection can be lost while nobody waits for it: between two statements, or in the very packet by which it becomes
 * ready, before it has been lent. An 'error' event without a listener would end the process, so one is added as soon as
 * the connection is there; the next piece of work that gets such a connection gives it back and takes another.
 */
import type pg from 'pg'
import type { Logger } from '../log.js'
import { endsSession, isReadOnly } from './failures.js'

export interface Connections {
  /** Lends a connection to `work`. Throws what has ended the connection rather than what came of that. */
  use<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T>
  /** Rolls back what `error` has ended; where that is impossible, the connection is not used again. */
  rollBack(client: pg.PoolClient, error: unknown): Promise<void>
  /** Lends no more. What is under way may end within `graceMs`, then it fails. */
  close(graceMs: number): Promise<void>
}

type Reject = (error: Error) => void

export function openConnections(pool: pg.Pool, logger: Logger): Connections {
  const open = new Set<pg.PoolClient>()
  /** Why they are of no use any more. */
  const lost = new WeakMap<pg.PoolClient, Error>()
  /** Those to a server that others have found to be read-only: after a fail-over a new connection leads elsewhere. */
  const retired = new WeakSet<pg.PoolClient>()
  const waiting = new Set<Reject>()

  const lose = (client: pg.PoolClient, error: Error): void => {
    if (!lost.has(client)) lost.set(client, error)
  }
  const release = (client: pg.PoolClient): void => client.release(lost.get(client) ?? retired.has(client))

  pool.on('connect', (client) => {
    open.add(client)
    client.on('error', (error) => lose(client, error))
  })
  pool.on('remove', (client) => open.delete(client))
  // The pool replaces an idle connection that breaks at the next use, so no one has to act. The error itself is not
  // logged: it carries the client, with statements and the key that cancels them.
  pool.on('error', (error) => logger.warn({ reason: error.message || error.name }, 'idle database connection lost'))

  /** Not `pool.connect()` as a promise: on closing, what waits for a connection has to fail at once. */
  const connect = (): Promise<pg.PoolClient> =>
    new Promise((resolve, reject) => {
      waiting.add(reject)
      pool.connect((error, client) => {
        const wasWaiting = waiting.delete(reject)
        if (client === undefined) reject(error ?? new Error('Connection terminated'))
        else if (wasWaiting) resolve(client)
        else client.release(true)
      })
    })

  const borrow = async (): Promise<pg.PoolClient> => {
    // Each try gives one back for good, so after as many as the pool may hold, also new ones are lost at once.
    for (let tries = 0; ; tries++) {
      const client = await connect()
      const failure = lost.get(client)
      if (failure === undefined && !retired.has(client)) return client
      release(client)
      if (failure !== undefined && tries >= pool.options.max) throw failure
    }
  }

  const cut = (error: Error): void => {
    for (const reject of waiting) reject(error)
    waiting.clear()
    for (const client of open) {
      lose(client, error)
      // Destroys the socket when a statement is under way, and refuses further ones.
      void client.end()
    }
  }

  return {
    use: async (work) => {
      const client = await borrow()
      try {
        return await work(client)
      } catch (error) {
        if (isReadOnly(error)) for (const other of open) retired.add(other)
        if (endsSession(error)) lose(client, error as Error)
        throw lost.get(client) ?? error
      } finally {
        release(client)
      }
    },
    rollBack: async (client, error) => {
      // A statement without a response would keep the rollback waiting for as long again.
      if (lost.has(client) || endsSession(error)) return
      await client.query('rollback').catch((failure: unknown) => lose(client, failure as Error))
    },
    close: async (graceMs) => {
      let timer: NodeJS.Timeout | undefined
      const graceOver = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, graceMs)
      })
      // The pool also waits for connections that are only being made, which may take until they time out.
      await Promise.race([pool.end(), graceOver])
      clearTimeout(timer)
      // Also when the pool has ended in time: it leaves those alone that wait for a connection.
      cut(new Error('Connection terminated: the database is being closed'))
    },
  }
}

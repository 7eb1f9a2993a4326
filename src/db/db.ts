/**
 * The one way to the database, the same for the embedded engine and for PostgreSQL.
 *
 * A store function that writes takes a `Tx`, which only `Db.transaction` hands out: the type system then refuses a
 * write that would run outside its transaction. A store function that only reads may take any `Queryable`.
 * Inside a transaction use nothing but its `tx`: with PGlite a query on the `Db` would wait for the transaction for
 * ever, with a pool it would silently run outside of it (lint rule `no-db-inside-transaction`).
 */
import type { Sql } from 'sql-template-tag'

export { default as sql, empty, join, raw, type Sql } from 'sql-template-tag'

export interface Queryable {
  /**
   * Runs one parameterised statement and returns its rows. `bigint` columns come as numbers, `numeric` as strings,
   * `timestamptz` as Dates (or ±Infinity).
   */
  query<Row extends object = Record<string, unknown>>(statement: Sql): Promise<Row[]>
}

declare const transactional: unique symbol

export interface Tx extends Queryable {
  readonly [transactional]: true
  /** Runs a script of several statements without parameters; for migrations. */
  script(text: string): Promise<void>
  /**
   * Lets the other statements of this transaction take any time, for work on whole tables: the time limit is for
   * statements that serve requests.
   */
  liftTimeLimit(): Promise<void>
}

export interface Db extends Queryable {
  readonly engine: 'pglite' | 'postgres'
  /**
   * Runs `work` in one READ COMMITTED transaction: committed when it resolves, rolled back when it rejects. The work
   * is run again, up to {@link MAX_TRANSACTION_TRIES} times, when the database gives it up as a deadlock victim or a
   * serialization failure, so it must have no effect but on the database.
   */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/**
 * A `Db` whose transactions are part of an open one: commands that open their own join it. A failure in one of them
 * fails the whole.
 */
export const joinedTo = (tx: Tx, { engine }: Pick<Db, 'engine'>): Db => ({
  engine,
  query: (statement) => tx.query(statement),
  transaction: (work) => work(tx),
  close: () => Promise.resolve(),
})

export const MAX_TRANSACTION_TRIES = 4

const SERIALIZATION_FAILURE = '40001'
const DEADLOCK_DETECTED = '40P01'
const UNIQUE_VIOLATION = '23505'

/** The SQLSTATE of a failure, or the code of a socket error. */
export const sqlState = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

/** Repeats `attempt` while the database reports an error that a retry can cure. */
export async function retryTransaction<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      const state = sqlState(error)
      const cured = state === SERIALIZATION_FAILURE || state === DEADLOCK_DETECTED
      if (!cured || tries >= MAX_TRANSACTION_TRIES) throw error
    }
  }
}

/** Whether `error` is the violation of the unique constraint or index called `constraint`. */
export const violatesUnique = (error: unknown, constraint: string): boolean =>
  sqlState(error) === UNIQUE_VIOLATION &&
  error instanceof Error &&
  'constraint' in error &&
  error.constraint === constraint

/** Whether the database can't take a value for what it is to be: a text that is no time, no uuid, no number (class 22). */
export const isDataException = (error: unknown): boolean => sqlState(error)?.startsWith('22') === true

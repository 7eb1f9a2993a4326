import pg from 'pg'
import { SetupError } from '../errors.js'
import type { Logger } from '../log.js'
import { retryTransaction, type Db, type Queryable, type Sql, type Tx } from './db.js'

export interface PostgresOptions {
  connectionString: string
  poolSize: number
  logger: Logger
}

const STATEMENT_TIMEOUT_MS = 30_000
const LOCK_TIMEOUT_MS = 10_000
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 30_000
const CONNECT_TIMEOUT_MS = 10_000
const OLDEST_SERVER_VERSION = 150_000

/** Opens a pool on a PostgreSQL 15+ server. Throws a SetupError that names DATABASE_URL when it can't be used. */
export async function openPostgres({ connectionString, poolSize, logger }: PostgresOptions): Promise<Db> {
  const pool = createPool(connectionString, poolSize)
  // The pool replaces an idle connection that breaks at the next use, so no one has to act. The error itself is not
  // logged: it carries the client, with statements and the key that cancels them.
  pool.on('error', (error) => logger.warn({ reason: reason(error) }, 'idle database connection lost'))
  try {
    const { rows } = await pool.query<{ version: string }>("select current_setting('server_version_num') as version")
    if (Number(rows[0]?.version) < OLDEST_SERVER_VERSION) {
      throw new SetupError(`DATABASE_URL: PostgreSQL 15 or later is needed, the server is version ${rows[0]?.version}.`)
    }
  } catch (error) {
    await pool.end()
    if (error instanceof SetupError) throw error
    throw new SetupError(`DATABASE_URL: the database can't be reached: ${reason(error)}.`, { cause: error })
  }

  return {
    engine: 'postgres',
    query: (statement) => runStatement(pool, statement),
    transaction: (work) => retryTransaction(() => runTransaction(pool, work)),
    close: () => pool.end(),
  }
}

function createPool(connectionString: string, poolSize: number): pg.Pool {
  const types: pg.CustomTypesConfig = {
    getTypeParser: (oid, format) =>
      oid === pg.types.builtins.INT8 ? Number : (pg.types.getTypeParser(oid, format) as never),
  }
  try {
    return new pg.Pool({
      connectionString,
      max: poolSize,
      types,
      application_name: 'linebook',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      lock_timeout: LOCK_TIMEOUT_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    })
  } catch (error) {
    throw new SetupError(
      'DATABASE_URL: not a connection string; a good one is postgres://user:password@host:5432/linebook',
      { cause: error },
    )
  }
}

async function runTransaction<T>(pool: pg.Pool, work: (tx: Tx) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  // The server may end the connection between two statements; without a listener that would end the process. The next
  // statement fails then, and a connection that has failed, or on which not even the rollback works, is thrown away.
  let broken: Error | undefined
  const onLost = (error: Error) => (broken = error)
  client.on('error', onLost)
  try {
    await client.query('begin')
    const result = await work(transactionOn(client))
    const { command } = await client.query('commit')
    // COMMIT of a transaction in which a statement failed and the failure was swallowed answers ROLLBACK, not an error.
    if (command !== 'COMMIT') throw new Error('The transaction was rolled back: a failed statement in it was ignored')
    return result
  } catch (error) {
    const failure = broken ?? error
    await client.query('rollback').catch(onLost)
    throw failure
  } finally {
    client.off('error', onLost)
    client.release(broken)
  }
}

const transactionOn = (client: pg.PoolClient): Tx =>
  ({
    query: (statement: Sql) => runStatement(client, statement),
    script: async (text: string) => {
      await client.query(text)
    },
  }) as Queryable as Tx

async function runStatement<Row extends object>(on: pg.Pool | pg.PoolClient, statement: Sql): Promise<Row[]> {
  const { text, values } = statement
  const name = statementName(text)
  const { rows } = await on.query<Row>({ ...(name !== undefined && { name }), text, values })
  return rows
}

/**
 * Each statement text gets a short name under which every connection prepares it once. Texts come from templates in the
 * source, but for the filters of clients, which may be any: once there are very many, new ones are not prepared.
 */
const statementNames = new Map<string, string>()
const MAX_NAMED_STATEMENTS = 500

function statementName(text: string): string | undefined {
  const known = statementNames.get(text)
  if (known !== undefined || statementNames.size >= MAX_NAMED_STATEMENTS) return known
  const name = `lb${statementNames.size + 1}`
  statementNames.set(text, name)
  return name
}

const reason = (error: unknown): string => {
  if (error instanceof AggregateError && error.errors.length > 0) return reason(error.errors[0])
  return error instanceof Error ? error.message || error.name : String(error)
}

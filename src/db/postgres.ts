import pg from 'pg'
import { SetupError } from '../errors.js'
import type { Logger } from '../log.js'
import { openConnections, type Connections } from './connections.js'
import { retryTransaction, sql, type Db, type Queryable, type Sql, type Tx } from './db.js'

export interface PostgresOptions {
  connectionString: string
  poolSize: number
  logger: Logger
  /** The usual ones when left out. */
  bounds?: Partial<Bounds>
}

/** How long everything may take that waits for the server. */
export interface Bounds {
  connectMs: number
  /** The server gives up a statement after this time, and a wait for a lock. */
  statementMs: number
  lockMs: number
  idleInTransactionMs: number
  /**
   * We give up a statement, and with it its connection, when no response has come: longer than the server takes, so
   * only when the network swallows what is sent.
   */
  responseMs: number
  /** What is under way may still take this long when the database is closed. */
  closeMs: number
}

const BOUNDS: Bounds = {
  connectMs: 10_000,
  statementMs: 30_000,
  lockMs: 10_000,
  idleInTransactionMs: 30_000,
  responseMs: 35_000,
  closeMs: 2_000,
}

/** The system probes connections that have been silent for this long; what lies between may forget them, too. */
const KEEP_ALIVE_AFTER_MS = 10_000
/** The longest that a timer can take: for statements that may take any time. */
const NO_LIMIT_MS = 2 ** 31 - 1
const OLDEST_SERVER_VERSION = 150_000

/** Opens a pool on a PostgreSQL 15+ server. Throws a SetupError that names DATABASE_URL when it can't be used. */
export async function openPostgres(options: PostgresOptions): Promise<Db> {
  const bounds = { ...BOUNDS, ...options.bounds }
  const connections = openConnections(createPool(options, bounds), options.logger)
  const query = <Row extends object>(statement: Sql) =>
    connections.use((client) => runStatement<Row>(client, statement))
  try {
    const [row] = await query<{ version: string }>(versionOfServer)
    if (Number(row?.version) < OLDEST_SERVER_VERSION) {
      throw new SetupError(`DATABASE_URL: PostgreSQL 15 or later is needed, the server is version ${row?.version}.`)
    }
  } catch (error) {
    await connections.close(bounds.closeMs)
    if (error instanceof SetupError) throw error
    throw new SetupError(`DATABASE_URL: the database can't be reached: ${reason(error)}.`, { cause: error })
  }

  return {
    engine: 'postgres',
    query,
    transaction: (work) => retryTransaction(() => runTransaction(connections, work)),
    close: () => connections.close(bounds.closeMs),
  }
}

const versionOfServer = sql`select current_setting('server_version_num') as version`

function createPool({ connectionString, poolSize }: PostgresOptions, bounds: Bounds): pg.Pool {
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
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
      connectionTimeoutMillis: bounds.connectMs,
      statement_timeout: bounds.statementMs,
      lock_timeout: bounds.lockMs,
      idle_in_transaction_session_timeout: bounds.idleInTransactionMs,
      query_timeout: bounds.responseMs,
    })
  } catch (error) {
    throw new SetupError(
      'DATABASE_URL: not a connection string; a good one is postgres://user:password@host:5432/linebook',
      { cause: error },
    )
  }
}

/**
 * When the connection is lost with COMMIT under way, only the server knows what has become of it. That is a failure
 * like any other: nothing is run again, and whoever asked is told to look.
 */
const runTransaction = <T>(connections: Connections, work: (tx: Tx) => Promise<T>): Promise<T> =>
  connections.use(async (client) => {
    const limit: TimeLimit = {}
    try {
      await client.query('begin')
      const result = await work(transactionOn(client, limit))
      const { command } = await client.query(limited('commit', limit))
      // COMMIT of a transaction in which a statement failed and the failure was swallowed answers ROLLBACK, not an error.
      if (command !== 'COMMIT') throw new Error('The transaction was rolled back: a failed statement in it was ignored')
      return result
    } catch (error) {
      await connections.rollBack(client, error)
      throw error
    }
  })

/** The driver's time limit for one statement; the pool's when left out. */
interface TimeLimit {
  query_timeout?: number
}

const limited = (text: string, limit: TimeLimit): pg.QueryConfig => ({ text, ...limit })

const transactionOn = (client: pg.PoolClient, limit: TimeLimit): Tx =>
  ({
    query: (statement: Sql) => runStatement(client, statement, limit),
    script: async (text: string) => {
      await client.query(limited(text, limit))
    },
    liftTimeLimit: async () => {
      await client.query('set local statement_timeout = 0')
      limit.query_timeout = NO_LIMIT_MS
    },
  }) as Queryable as Tx

async function runStatement<Row extends object>(
  client: pg.PoolClient,
  { text, values }: Sql,
  limit: TimeLimit = {},
): Promise<Row[]> {
  const name = statementName(text)
  const { rows } = await client.query<Row>({ ...(name !== undefined && { name }), text, values, ...limit })
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

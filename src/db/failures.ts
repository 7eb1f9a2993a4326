/**
 * Failures of the database, by what they mean to whoever asked: try again later, or a fault of ours. The one place that
 * knows SQLSTATEs and the texts of the driver for that.
 */
import { DomainError } from '../errors.js'
import { sqlState } from './db.js'

/** Whether the database can't do its work at the moment, as opposed to having refused a statement for what it says. */
export const isUnavailable = (error: unknown): boolean => refusalOfDatabase(error) !== undefined

/** The refusal for a failure that passes by itself; undefined for all others. */
export function refusalOfDatabase(error: unknown): DomainError | undefined {
  const message = reasonOf(error)
  return message === undefined ? undefined : new DomainError('unavailable', message, { cause: error })
}

function reasonOf(error: unknown): string | undefined {
  // Before the connection: that the server takes no more of them is class 53, too.
  if (isReadOnly(error)) return 'The database takes no changes at the moment. Try again.'
  if (isConnectionFailure(error)) return 'The database is not reachable at the moment. Try again.'
  const state = sqlState(error) ?? ''
  if (state === QUERY_CANCELED) return 'This takes the database too long. Ask for less at a time.'
  if (LOCKED_OUT.has(state)) return 'Others change the same at the moment. Try again.'
  if (/^53...$/.test(state)) return 'The database lacks disk space or memory at the moment. Try again.'
  return undefined
}

const READ_ONLY_TRANSACTION = '25006'
const QUERY_CANCELED = '57014'
/** Serialization failure and deadlock, when tries are used up, and a lock that did not become free in time. */
const LOCKED_OUT = new Set(['40001', '40P01', '55P03'])

/** Whether the database takes no changes: it has become a standby, or is about to. */
export const isReadOnly = (error: unknown): boolean => sqlState(error) === READ_ONLY_TRANSACTION

/**
 * Whether the session that met `error` is gone, or of no use any more: a standby does not become a primary by waiting.
 */
export const endsSession = (error: unknown): boolean => isReadOnly(error) || isConnectionFailure(error)

/**
 * SQLSTATE classes 08 (connection), 28 (login), 57P (operator intervention), 3D000 (no such database), 53300 (too many
 * connections), 25P03 and 25P04 (the server ended a transaction that idled or took too long, and the session with it),
 * and socket errors.
 */
const isConnectionFailure = (error: unknown): boolean => {
  const code = sqlState(error)
  if (code !== undefined) {
    return (
      /^(08...|28...|57P..|3D000|53300|25P03|25P04)$/.test(code) ||
      /^E(CONN|PIPE|HOST|NET|TIMEDOUT|AI_)/.test(code) ||
      code === 'ENOTFOUND'
    )
  }
  return error instanceof Error && DRIVER_TEXTS.test(error.message)
}

/** What the driver says without a code: of connections that are lost, and of a response that did not come in time. */
const DRIVER_TEXTS = new RegExp(
  [
    'Connection terminated',
    'timeout exceeded when trying to connect',
    'Query read timeout',
    'is not queryable',
    'Cannot use a pool after calling end on the pool',
  ].join('|'),
)

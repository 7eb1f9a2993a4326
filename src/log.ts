import { pino, type Logger } from 'pino'

export type { Logger }

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

/**
 * The process's logger: JSON lines on standard error, so that standard output stays free for the output of commands. It
 * never gets anything that could carry a secret (keys, signatures, Authorization headers, connection strings).
 */
export const createLogger = (level: LogLevel): Logger => pino({ level, base: null }, pino.destination(2))

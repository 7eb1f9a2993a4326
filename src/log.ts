import { pino, type Logger } from 'pino'

export type { Logger }

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

/**
 * The process's logger: JSON lines on standard error, so that standard output stays free for the output of commands. It
 * never gets anything that could carry a secret (keys, signatures, Authorization headers, connection strings).
 */
export function createLogger(level: LogLevel): Logger {
  const sink = pino.destination(2)
  // A log on a full disk loses lines; without a listener the failure would end the process.
  sink.on('error', () => {})
  return pino({ level, base: null }, sink)
}

/** What commands share with the world: streams, environment, and how the APIs are opened. Tests bring their own. */
import { userInfo } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import type { InProcess } from '../compose/in-process.js'
import type { Config } from '../config/config.js'

export interface Io {
  env: NodeJS.ProcessEnv
  stdin: Readable
  stdout: Writable
  /** `isTTY`: progress is drawn. */
  stderr: Writable & { isTTY?: boolean }
  /** Opens the APIs over the configured database. Throws SetupErrors, DataDirInUse. */
  openInProcess(config: Config, user: string): Promise<InProcess>
  /** Who runs the commands. */
  user: string
  /** Calls `handle` on the first Ctrl-C instead of ending the process. Returns the function that ends that. */
  onInterrupt(handle: () => void): () => void
}

/** Those of this process. */
export const processIo = (): Io => ({
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  // Loaded when it is needed: `--help` and commands over HTTP do without the server's modules.
  openInProcess: async (...of) => (await import('../compose/in-process.js')).openInProcess(...of),
  user: userName(),
  onInterrupt: (handle) => {
    process.once('SIGINT', handle)
    return () => process.off('SIGINT', handle)
  },
})

/** A process may have a user id that no account goes with, as in containers. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return process.env['USER'] ?? 'unknown'
  }
}

import { readFileSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SetupError } from '../errors.js'

const LOCK_FILE = 'linebook.lock'

/** The folder belongs to a Linebook that is running. */
export class DataDirInUse extends SetupError {}

/** A process, distinguishable from a later one with the same id. */
export interface Holder {
  pid: number
  /** When the process started, in clock ticks since boot, to detect reused pids; null where the system doesn't tell. */
  startedTicks: string | null
}

/**
 * Keeps a second process out of an embedded database, which two would corrupt. A lock left behind by a process that
 * is gone (`kill -9`) is taken over. Returns the function that unlocks; throws a SetupError while another holds it.
 */
export async function lockDataDir(dataDir: string): Promise<() => Promise<void>> {
  const file = join(dataDir, LOCK_FILE)
  const me = thisProcess()
  for (;;) {
    try {
      await writeFile(file, JSON.stringify(me), { flag: 'wx' })
      return () => rm(file, { force: true })
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
    const holder = await readHolder(file)
    if (holder !== undefined && isRunning(holder)) {
      throw new DataDirInUse(
        `LINEBOOK_DATA_DIR: "${dataDir}" is in use by another Linebook (process ${holder.pid}). ` +
          'Stop that one, choose another folder, or set DATABASE_URL: PostgreSQL can be shared.',
      )
    }
    await rm(file, { force: true })
  }
}

async function readHolder(file: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Holder
  } catch {
    return undefined
  }
}

export const thisProcess = (): Holder => ({ pid: process.pid, startedTicks: startedTicks(process.pid) })

export function isRunning({ pid, startedTicks: since }: Holder): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
  return since === null || since === startedTicks(pid)
}

/** Null for a process that is gone, and for one that has ended and only waits for its parent to notice. */
function startedTicks(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // Counted after the command's name, which is in brackets and may contain spaces: state is field 3, start 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? null : (fields[19] ?? null)
  } catch {
    return null
  }
}

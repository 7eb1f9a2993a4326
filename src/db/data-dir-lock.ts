/**
 * Keeps a second process out of an embedded database, which two would corrupt, and lets others ask who has it.
 *
 * The process that has a folder listens on a socket file in it. That shows life where a process id doesn't: two
 * containers that share a folder don't see each other's processes, but the kernel connects them; and a socket whose
 * process is gone, however it ended, refuses. Files are named by generation and never reused, so that taking over a dead
 * one is binding the next name, which one of several starters can do.
 */
import { readdir, rm } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { relative, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { SetupError } from '../errors.js'

/** The folder belongs to a Linebook that is running. */
export class DataDirInUse extends SetupError {}

/** What the process that has a folder says of itself. */
export interface Holder {
  /** In its own namespace: another container may have another process of this id. */
  pid: number
  /** Where its server listens; null for a command, or before it does. */
  url: string | null
}

/** Windows has named pipes instead, which are gone with their process. */
const PIPES = process.platform === 'win32'
const SOCKET_FILE = /^linebook\.(\d+)\.sock$/
/** Longest path of a socket file that every system takes. */
const MAX_SOCKET_PATH = 100
const MAX_TRIES = 10
const ANSWER_LIMIT_MS = 2_000

/**
 * Takes a folder for this process. Returns the function that gives it back. Throws DataDirInUse while another process
 * has it, and a SetupError when the folder can't hold a socket file.
 */
export async function lockDataDir(dataDir: string): Promise<() => Promise<void>> {
  for (let tries = 1; ; tries++) {
    const present = await generationsIn(dataDir)
    const holder = await firstAlive(dataDir, present)
    if (holder) throw inUse(dataDir, holder)
    const mine = PIPES ? 1 : Math.max(0, ...present) + 1
    const unlock = await listenAs(dataDir, mine)
    if (unlock !== undefined) {
      // Two starters may have bound different names at once. Both listen by now, so at least one sees the other.
      const others = (await generationsIn(dataDir)).filter((generation) => generation !== mine)
      if ((await firstAlive(dataDir, others)) === undefined) {
        await Promise.all(others.map((generation) => rm(pathOf(dataDir, generation), { force: true })))
        return unlock
      }
      await unlock()
    }
    if (tries >= MAX_TRIES) throw inUse(dataDir, undefined)
    await pause(Math.random() * 20 * tries)
  }
}

/** What this process says of itself, by the folders that it has. */
const mineByFolder = new Map<string, Holder>()

/** Lets others learn where the server of this process listens, which has the folder. */
export function announce(dataDir: string, url: string): void {
  const me = mineByFolder.get(resolve(dataDir))
  if (me) me.url = url
}

/** The address of the server that runs on a folder; undefined where none does. */
export async function findRunning(dataDir: string): Promise<string | undefined> {
  const holder = await firstAlive(dataDir, await generationsIn(dataDir))
  return holder?.url ?? undefined
}

const inUse = (dataDir: string, holder: Holder | undefined): DataDirInUse =>
  new DataDirInUse(
    `LINEBOOK_DATA_DIR: "${dataDir}" is in use by another Linebook${holder?.pid ? ` (process ${holder.pid})` : ''}. ` +
      'Stop that one, choose another folder, or set DATABASE_URL: PostgreSQL can be shared.',
  )

/** Generations of socket files, newest first. */
async function generationsIn(dataDir: string): Promise<number[]> {
  if (PIPES) return [1]
  const names = await readdir(dataDir).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return []
    throw error
  })
  return names
    .flatMap((name) => SOCKET_FILE.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => b - a)
}

async function firstAlive(dataDir: string, generations: readonly number[]): Promise<Holder | undefined> {
  for (const generation of generations) {
    const holder = await ask(pathOf(dataDir, generation))
    if (holder) return holder
  }
  return undefined
}

/** Undefined where nobody listens. A process that listens and says nothing is alive all the same: it may be busy. */
function ask(path: string): Promise<Holder | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    let text = ''
    const end = (holder: Holder | undefined) => {
      socket.destroy()
      resolve(holder)
    }
    socket.setTimeout(ANSWER_LIMIT_MS, () => end(UNKNOWN_HOLDER))
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    socket.on('end', () => end(readHolder(text)))
    socket.on('error', (error) => {
      const code = codeOf(error)
      if (code === 'ECONNREFUSED' || code === 'ENOENT') end(undefined)
      else if (code === 'EACCES' || code === 'EPERM') {
        reject(new SetupError(`LINEBOOK_DATA_DIR: "${path}" belongs to another user; run both as the same one.`))
      } else end(UNKNOWN_HOLDER)
    })
  })
}

const UNKNOWN_HOLDER: Holder = { pid: 0, url: null }

function readHolder(text: string): Holder {
  try {
    return JSON.parse(text) as Holder
  } catch {
    return UNKNOWN_HOLDER
  }
}

/** Undefined where somebody has the name already. */
async function listenAs(dataDir: string, generation: number): Promise<(() => Promise<void>) | undefined> {
  const me: Holder = { pid: process.pid, url: null }
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.end(JSON.stringify(me))
  })
  try {
    await listen(server, pathOf(dataDir, generation))
  } catch (error) {
    if (codeOf(error) === 'EADDRINUSE') return undefined
    throw new SetupError(
      `LINEBOOK_DATA_DIR: "${dataDir}" can't hold the socket file by which a second Linebook sees that it is in use ` +
        `(${String(codeOf(error))}). Choose a folder on a local disk, or set LINEBOOK_IN_MEMORY=on.`,
      { cause: error },
    )
  }
  server.unref()
  mineByFolder.set(resolve(dataDir), me)
  return () => {
    mineByFolder.delete(resolve(dataDir))
    // Node removes the file as it closes.
    return new Promise((done) => server.close(() => done()))
  }
}

const listen = (server: Server, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      server.off('error', reject)
      server.on('error', () => {})
      resolve()
    })
  })

/** Systems bound the length of a socket's path, so the shorter of the two forms is taken. */
function pathOf(dataDir: string, generation: number): string {
  const path = resolve(dataDir, `linebook.${generation}.sock`)
  if (PIPES) return `\\\\.\\pipe\\${path.replaceAll('\\', '-')}`
  const fromHere = relative(process.cwd(), path)
  const shorter = fromHere.length < path.length ? fromHere : path
  if (Buffer.byteLength(shorter) > MAX_SOCKET_PATH) {
    throw new SetupError(
      `LINEBOOK_DATA_DIR: "${dataDir}" is too long a path for a socket file in it; it may have ${MAX_SOCKET_PATH - 20} ` +
        'bytes, counted from the working directory where that is shorter.',
    )
  }
  return shorter
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)

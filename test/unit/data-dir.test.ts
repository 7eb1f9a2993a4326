import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { announce, findRunning, lockDataDir } from '../../src/db/data-dir-lock.js'
import { openPglite } from '../../src/db/pglite.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linebook-data-'))
})
afterEach(() => rm(folder, { recursive: true }))

const canUnshare = spawnSync('unshare', ['--pid', '--fork', 'true']).status === 0

/** The part of the program that locks, in a process of its own; it prints a line when it has the folder or is refused. */
const LOCKER = `
  import { announce, findRunning, lockDataDir } from ${JSON.stringify(new URL('../../dist/db/data-dir-lock.js', import.meta.url).href)}
  try { await lockDataDir(process.argv[1]); console.log('mine'); setInterval(() => {}, 1000) }
  catch (error) { console.log(error.message); process.exit(1) }`
const lockerArguments = () => ['--input-type=module', '-e', LOCKER, folder]

async function start(command: string, args: string[]): Promise<{ said: string; child: ChildProcess }> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [text] = (await once(child.stdout, 'data')) as [Buffer]
  return { said: text.toString().trim(), child }
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

describe('a data folder', () => {
  it('is kept from a second one while one runs, and free after it', async () => {
    const unlock = await lockDataDir(folder)
    await expect(lockDataDir(folder)).rejects.toThrow(`in use by another Linebook (process ${process.pid})`)
    await unlock()
    await (
      await lockDataDir(folder)
    )()
    expect(await readdir(folder)).toEqual([])
  })

  it('is taken over at once from a process that was killed', async () => {
    const { said, child } = await start(process.execPath, lockerArguments())
    expect(said).toBe('mine')
    await expect(lockDataDir(folder)).rejects.toThrow(`(process ${child.pid})`)
    await kill(child)
    await (
      await lockDataDir(folder)
    )()
    expect(await readdir(folder)).toEqual([])
  })

  // As two containers that share a volume: neither sees the other's processes.
  it.skipIf(!canUnshare && process.env.CI === undefined)(
    'is kept from a process in another namespace of process ids',
    async () => {
      expect(canUnshare, 'unshare --pid --fork').toBe(true)
      const inNamespace = () =>
        start('unshare', ['--pid', '--fork', '--kill-child', process.execPath, ...lockerArguments()])
      const first = await inNamespace()
      expect(first.said).toBe('mine')
      expect((await inNamespace()).said).toContain('is in use by another Linebook')
      await kill(first.child)
      const third = await inNamespace()
      expect(third.said).toBe('mine')
      await kill(third.child)
    },
  )

  it('is kept by a process that is stopped, and so says nothing', async () => {
    const { child } = await start(process.execPath, lockerArguments())
    child.kill('SIGSTOP')
    await expect(lockDataDir(folder)).rejects.toThrow('is in use by another Linebook')
    await kill(child)
  })

  it('is had by one of many that find a dead lock at once', async () => {
    for (let round = 0; round < 8; round++) {
      await kill((await start(process.execPath, lockerArguments())).child)
      const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => lockDataDir(folder)))
      const locks = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
      expect(locks.length).toBeLessThanOrEqual(1)
      for (const unlock of locks) await unlock()
      await (
        await lockDataDir(folder)
      )()
    }
  })

  it('tells where its server listens, as long as it does', async () => {
    expect(await findRunning(folder)).toBeUndefined()
    expect(await findRunning(join(folder, 'nowhere'))).toBeUndefined()
    const unlock = await lockDataDir(folder)
    expect(await findRunning(folder)).toBeUndefined()
    announce(folder, 'http://127.0.0.1:8080')
    expect(await findRunning(folder)).toBe('http://127.0.0.1:8080')
    await unlock()
    expect(await findRunning(folder)).toBeUndefined()
  })

  it('that is too far down for a socket file is refused in words', async () => {
    await expect(lockDataDir(join(folder, 'x'.repeat(120)))).rejects.toThrow('LINEBOOK_DATA_DIR')
  })

  it('with a damaged database is refused in words', async () => {
    await mkdir(join(folder, 'database'))
    await writeFile(join(folder, 'database', 'PG_VERSION'), 'junk')
    await expect(openPglite({ dataDir: folder })).rejects.toThrow('LINEBOOK_DATA_DIR: the database in')
  })
})

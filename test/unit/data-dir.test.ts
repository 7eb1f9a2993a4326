import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lockDataDir } from '../../src/db/data-dir-lock.js'
import { openPglite } from '../../src/db/pglite.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linebook-data-'))
})
afterEach(() => rm(folder, { recursive: true }))

const leaveLock = (holder: object) => writeFile(join(folder, 'linebook.lock'), JSON.stringify(holder))

describe('a data folder', () => {
  it('is kept from a second process while one runs, and free after it', async () => {
    const unlock = await lockDataDir(folder)
    await expect(lockDataDir(folder)).rejects.toThrow(`in use by another Linebook (process ${process.pid})`)
    await unlock()
    await (
      await lockDataDir(folder)
    )()
  })

  it('is taken over from a process that is gone, and from a lock that is none', async () => {
    await leaveLock({ pid: 2 ** 22 + 1, startedTicks: null })
    await (
      await lockDataDir(folder)
    )()
    await writeFile(join(folder, 'linebook.lock'), 'half a lo')
    await (
      await lockDataDir(folder)
    )()
  })

  it.runIf(process.platform === 'linux')('is taken over from a process whose number another one has now', async () => {
    await leaveLock({ pid: process.pid, startedTicks: '1' })
    await (
      await lockDataDir(folder)
    )()
  })

  it.runIf(process.platform === 'linux')(
    'is taken over from a process that ended unnoticed by its parent',
    async () => {
      // The shell becomes a program that never asks how its child ended; only then the child is let end.
      const parent = spawn('sh', ['-c', 'cat <&3 & echo $!; exec sleep 60'], {
        stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
      })
      try {
        const [text] = (await once(parent.stdout as Readable, 'data')) as [Buffer]
        const pid = Number(text.toString())
        await expect.poll(() => readFileSync(`/proc/${parent.pid}/comm`, 'latin1')).toBe('sleep\n')
        ;(parent.stdio[3] as Writable).end()
        const fields = () => readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? []
        await expect.poll(() => fields()[0]).toBe('Z')
        await leaveLock({ pid, startedTicks: fields()[19] })
        await (
          await lockDataDir(folder)
        )()
      } finally {
        parent.kill()
      }
    },
  )

  it('with a damaged database is refused in words', async () => {
    await mkdir(join(folder, 'database'))
    await writeFile(join(folder, 'database', 'PG_VERSION'), 'junk')
    await expect(openPglite({ dataDir: folder })).rejects.toThrow('LINEBOOK_DATA_DIR: the database in')
  })
})

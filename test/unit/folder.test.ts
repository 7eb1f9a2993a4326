import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeFolder } from '../../src/folder.js'

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'linebook-folder-'))
})
afterAll(() => rm(root, { recursive: true }))

describe('a folder', () => {
  it('is made with those above it, and may be there already', async () => {
    const path = join(root, 'a', 'b', 'c')
    await makeFolder(path)
    await makeFolder(path)
    expect((await stat(path)).isDirectory()).toBe(true)
  })

  it('is refused where a file stands in the way', async () => {
    await writeFile(join(root, 'file'), '')
    await expect(makeFolder(join(root, 'file'))).rejects.toThrow('EEXIST')
    await expect(makeFolder(join(root, 'file', 'a'))).rejects.toThrow('ENOTDIR')
  })

  it.runIf(process.platform === 'linux')('is refused, not tried for ever, where nothing can be made', async () => {
    await expect(makeFolder('/proc/linebook/a')).rejects.toThrow('ENOENT')
  })
})

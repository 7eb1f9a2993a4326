import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { findRunning, rememberAddress } from '../../src/db/running-server.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linebook-address-'))
})
afterEach(() => rm(folder, { recursive: true }))

const URL = 'http://127.0.0.1:8080'

it('a running server is found by its data folder, until it takes its address away', async () => {
  const forget = await rememberAddress(folder, URL)
  expect(await findRunning(folder)).toBe(URL)
  await forget()
  expect(await findRunning(folder)).toBeUndefined()
  expect(await readdir(folder)).toEqual([])
})

it('the address of a server that is gone, or that came to a process with the same id, does not count', async () => {
  await rememberAddress(folder, URL)
  const file = join(folder, 'linebook.address')
  const left = JSON.parse(await readFile(file, 'utf8')) as object
  await writeFile(file, JSON.stringify({ ...left, pid: 2 ** 22 + 1 }))
  expect(await findRunning(folder)).toBeUndefined()
  await writeFile(file, JSON.stringify({ ...left, startedTicks: '1' }))
  expect(await findRunning(folder)).toBeUndefined()
})

it('a folder without an address, no folder at all, or a damaged address is none', async () => {
  expect(await findRunning(folder)).toBeUndefined()
  expect(await findRunning(join(folder, 'nowhere'))).toBeUndefined()
  await writeFile(join(folder, 'linebook.address'), '{"url":')
  expect(await findRunning(folder)).toBeUndefined()
})

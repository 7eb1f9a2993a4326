/**
 * Lets commands find the server that runs on a data folder. The embedded database belongs to that server alone, so
 * commands have to ask it; it leaves its address beside the folder's lock.
 */
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { newId } from '../ids.js'
import { isRunning, thisProcess, type Holder } from './data-dir-lock.js'

const ADDRESS_FILE = 'linebook.address'

interface Address extends Holder {
  url: string
}

/** Stores the address of this process. Returns the function that deletes it again. */
export async function rememberAddress(dataDir: string, url: string): Promise<() => Promise<void>> {
  const file = join(dataDir, ADDRESS_FILE)
  const draft = `${file}.${newId()}`
  const address: Address = { ...thisProcess(), url }
  // Written as a whole or not at all: another process may be reading.
  await writeFile(draft, JSON.stringify(address))
  await rename(draft, file)
  return () => rm(file, { force: true })
}

/** The address of the server that runs on the folder. One left behind by a process that is gone doesn't count. */
export async function findRunning(dataDir: string): Promise<string | undefined> {
  try {
    const address = JSON.parse(await readFile(join(dataDir, ADDRESS_FILE), 'utf8')) as Address
    return isRunning(address) ? address.url : undefined
  } catch {
    return undefined
  }
}

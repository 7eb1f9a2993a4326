// The state of the example on disk: a file of JSON lines to which every change is appended and synced before it is
// answered, so that neither kill -9 nor a power cut loses what was acknowledged. Read as a whole at the start, and
// written anew then without what later lines have replaced.
import { open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * @param file undefined: nothing is kept
 * @param replay called with each line of the file, in order
 * @param snapshot the lines that stand for everything replayed
 */
export async function openJournal(file, replay, snapshot) {
  if (file === undefined) return { append: async () => {}, settled: async () => {}, close: async () => {} }
  for (const line of await completeLines(file)) replay(JSON.parse(line))
  await writeWhole(file, snapshot())
  const handle = await open(file, 'a')

  // One write after the other; those that come while one is under way go together in the next.
  let waiting = []
  let underWay = Promise.resolve()
  const flush = async () => {
    const lines = waiting
    waiting = []
    if (lines.length === 0) return
    await handle.appendFile(lines.map((line) => `${line}\n`).join(''))
    await handle.datasync()
  }
  const settled = () => {
    const mine = underWay.then(flush)
    // After a write that failed nobody knows what is on disk: this and all later ones fail, until a restart reads it.
    underWay = mine
    mine.catch(() => {})
    return mine
  }
  return {
    append: (entries) => {
      waiting.push(...entries.map((entry) => JSON.stringify(entry)))
      return settled()
    },
    settled,
    close: () => settled().finally(() => handle.close()),
  }
}

/** A last line without its end was being written when the process died; nobody was told of it. */
async function completeLines(file) {
  const text = await readFile(file, 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(0, -1)
}

/** Written aside, synced, and then put in the file's place. */
async function writeWhole(file, entries) {
  const draft = `${file}.new`
  const handle = await open(draft, 'w')
  await handle.writeFile(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''))
  await handle.sync()
  await handle.close()
  await rename(draft, file)
  const folder = await open(dirname(file), 'r')
  await folder.sync()
  await folder.close()
}

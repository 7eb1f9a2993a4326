// The state of the example on disk: a file of JSON lines to which every change is appended and synced before it is
// acknowledged, so that neither kill -9 nor a power cut loses it. The file is read as a whole at the start, and then
// rewritten without the lines that later ones have replaced.
import { open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * @param file undefined: nothing is kept
 * @param replay called with each line of the file, in order
 * @param snapshot returns lines with the state after the replay
 */
export async function openJournal(file, replay, snapshot) {
  if (file === undefined) return { append: async () => {}, settled: async () => {}, close: async () => {} }
  for (const line of await completeLines(file)) replay(JSON.parse(line))
  await writeWhole(file, snapshot())
  const handle = await open(file, 'a')

  // One write after the other; changes that come while one is under way share the next.
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
    // After a failed write the content of the disk is unknown: this and all later writes fail, until a restart reads
    // it.
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

/** Drops an incomplete last line: it was being written when the process died, and was never acknowledged. */
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

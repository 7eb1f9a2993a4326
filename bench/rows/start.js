import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { withConnections } from '../connection.js'
import { median } from '../rounds.js'
import { startLinebook } from '../service.js'
import { wantedSearch } from '../stock.js'
import { purchaseOverHttp } from './purchase.js'

/** What Azurite, the storage emulator of the same clouds' SDKs, was measured to take on this kind of machine. */
const AZURITE = { readyMs: 450, memoryMb: 119 }
const STARTS = 5
const PURCHASES = 200

/** @param {import('../run.js').Bench} bench @returns {Promise<import('../table.js').Row[]>} */
export async function measure({ folder }) {
  const first = []
  const second = []
  for (let start = 0; start < STARTS; start++) {
    // The certificate is all that is kept there.
    const dataDir = await mkdtemp(join(folder, 'start-'))
    first.push(await startAndBuy(dataDir))
    second.push(await startAndBuy(dataDir))
  }
  const ready = (starts) => median(starts.map(({ readyMs }) => readyMs))
  const memory = (starts, when) => median(starts.map((start) => start[when]))
  const all = [...first, ...second]
  return [
    time('ready after serve --in-memory, certificate there', ready(second), 1_000),
    time('ready after the very first start', ready(first)),
    space('peak memory when ready', memory(all, 'readyMb'), 300),
    space(`peak memory after ${PURCHASES} purchases`, memory(all, 'boughtMb'), 300),
  ]
}

async function startAndBuy(dataDir) {
  const linebook = await startLinebook({ LINEBOOK_DATA_DIR: dataDir }, [
    '--in-memory',
    ...['--http-port', '0', '--https-port', '0'],
  ])
  try {
    const readyMb = await linebook.peakMemoryMb()
    await withConnections(linebook.port, 1, async ([connection]) => {
      for (let bought = 0; bought < PURCHASES; bought++) await purchaseOverHttp(linebook, connection, wantedSearch())
    })
    return { readyMs: linebook.readyMs, readyMb, boughtMb: await linebook.peakMemoryMb() }
  } finally {
    await linebook.stop()
  }
}

const time = (what, ms, limitMs) => ({
  what,
  ours: `${(ms / 1000).toFixed(2)} s`,
  comparedWith: `Azurite, ${(AZURITE.readyMs / 1000).toFixed(2)} s (a constant)`,
  ratio: ms / AZURITE.readyMs,
  ...(limitMs && { aim: `≤ ${(limitMs / 1000).toFixed(1)} s`, met: ms <= limitMs }),
})

const space = (what, mb, limitMb) => ({
  what,
  ours: `${mb.toFixed(0)} MB`,
  comparedWith: `Azurite, ${AZURITE.memoryMb} MB (a constant)`,
  ratio: mb / AZURITE.memoryMb,
  aim: `≤ ${limitMb} MB`,
  met: mb <= limitMb,
})

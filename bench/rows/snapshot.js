import { withConnections } from '../connection.js'
import { compare, interleave, median } from '../rounds.js'
import { startLinebook } from '../service.js'
import { wantedSearch } from '../stock.js'
import { purchaseOverHttp } from './purchase.js'

const ROUNDS = 9
/** What has changed since the snapshot, as after a test. */
const PURCHASES = 20
const LIMIT_MS = 200

/**
 * An emulator with its seeded stock in the embedded database: a snapshot is taken, numbers are bought, and it is gone
 * back to. Beside it, beginning anew.
 * @param {import('../run.js').Bench} bench @returns {Promise<import('../table.js').Row[]>}
 */
export async function measure({ folder }) {
  const linebook = await startLinebook({ LINEBOOK_DATA_DIR: folder }, [
    '--in-memory',
    '--http-port',
    '0',
    '--https-port',
    '',
  ])
  try {
    const emulator = async (method, path) => {
      const startedAt = performance.now()
      const answer = await fetch(`http://127.0.0.1:${linebook.port}/_emulator${path}`, {
        method,
        headers: { authorization: `Basic ${btoa('linebook-admin:linebook-standin')}` },
      })
      const text = await answer.text()
      if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`)
      return performance.now() - startedAt
    }
    const buy = () =>
      withConnections(linebook.port, 1, async ([connection]) => {
        for (let bought = 0; bought < PURCHASES; bought++) await purchaseOverHttp(linebook, connection, wantedSearch())
      })
    const parts = { take: [], restore: [] }
    const { back, anew } = await interleave(ROUNDS, {
      back: async () => {
        const take = await emulator('PUT', '/snapshots/bench')
        await buy()
        const restore = await emulator('POST', '/snapshots/bench/restore')
        await emulator('DELETE', '/snapshots/bench')
        parts.take.push(take)
        parts.restore.push(restore)
        return take + restore
      },
      anew: async () => {
        await buy()
        return emulator('POST', '/reset')
      },
    })
    const { ours, other, ratio, spread } = compare(back, anew)
    const [take, restore] = [parts.take, parts.restore].map((times) => median(times).toFixed(0))
    return [
      {
        what: `snapshot + restore, 8,902 numbers, ${PURCHASES} purchases between`,
        ours: `${ours.toFixed(0)} ms (${take} + ${restore})`,
        comparedWith: `reset, ${other.toFixed(0)} ms`,
        ratio,
        spread,
        aim: `≤ ${LIMIT_MS} ms`,
        met: ours <= LIMIT_MS,
      },
    ]
  } finally {
    await linebook.stop()
  }
}

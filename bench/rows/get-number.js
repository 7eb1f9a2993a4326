import { withConnections } from '../connection.js'
import { throughput } from '../load.js'
import { runOnce } from '../postgres.js'
import { signedRequest } from '../requests.js'
import { compare, interleave } from '../rounds.js'
import { HTTP_ONLY, startBareHandler, startLinebook } from '../service.js'
import { createStockedDatabase } from '../stock.js'

const OWNED = 1_000
const CONCURRENCY = 16
const ROUNDS = 9
const SECONDS = 2

/** @param {import('../run.js').Bench} bench @returns {Promise<import('../table.js').Row[]>} */
export async function measure({ postgres }) {
  const url = await createStockedDatabase(await postgres(), 'get_number', { areas: 10, perArea: 1_000 })
  const linebook = await startLinebook({ DATABASE_URL: url, ...HTTP_ONLY })
  const bare = await startBareHandler({ DATABASE_URL: url })
  try {
    const e164s = await ownNumbers(url)
    const load = (service) => async () => {
      const requests = e164s.map((e164) => {
        const { head } = signedRequest(service, 'GET', `/phoneNumbers/${e164}`)
        return `${head}\r\n`
      })
      return withConnections(service.port, CONCURRENCY, (connections) =>
        throughput(connections, SECONDS, async (connection) => {
          const answer = await connection.send(requests[Math.floor(Math.random() * requests.length)])
          answer.expect(200)
        }),
      )
    }
    const { ours, others } = await interleave(ROUNDS, { ours: load(linebook), others: load(bare) })
    const { ours: rate, other, ratio, spread } = compare(ours, others)
    return [
      {
        what: 'GET one purchased number, access key checked',
        ours: `${rate.toFixed(0)}/s`,
        comparedWith: `bare Fastify + pg, ${other.toFixed(0)}/s`,
        ratio,
        spread,
        aim: '≥ 0.6',
        met: ratio >= 0.6,
      },
    ]
  } finally {
    await Promise.all([linebook.stop(), bare.stop()])
  }
}

async function ownNumbers(url) {
  const rows = await runOnce(
    url,
    `update number
     set state = 'owned', resource_id = (select id from resource where name = 'local'), purchased_at = now(),
         purchase_order = nextval('purchase_order'), assignment_type = 'application', calling = 'inbound+outbound',
         sms = 'none', price_amount = 1, price_currency = 'USD'
     where e164 in (select e164 from number order by shuffle limit ${OWNED})
     returning e164`,
  )
  return rows.map(({ e164 }) => e164)
}

import { randomBytes, randomUUID } from 'node:crypto'
import { searchNumbers } from '../../dist/phone-numbers/commands/search-numbers.js'
import { withConnections } from '../connection.js'
import { throughput } from '../load.js'
import { signedRequest, withRequestId } from '../requests.js'
import { compare, interleave } from '../rounds.js'
import { HTTP_ONLY, startLinebook } from '../service.js'
import { areaCodes, COUNTRY, createStockedDatabase, releaseHolds, wantedSearch } from '../stock.js'
import { openStraight } from '../straight.js'

const AREAS = 100
const CONCURRENCY = 16
const ROUNDS = 9
const SECONDS = 3

/** @param {import('../run.js').Bench} bench @returns {Promise<import('../table.js').Row[]>} */
export async function measure({ postgres }) {
  const url = await createStockedDatabase(await postgres(), 'search', { areas: AREAS, perArea: 1_000 })
  const linebook = await startLinebook({ DATABASE_URL: url, ...HTTP_ONLY })
  const straight = await openStraight(url)
  try {
    const bodies = areaCodes(AREAS).map(wantedSearch)
    const anyOf = (items) => items[Math.floor(Math.random() * items.length)]

    const overHttp = () => {
      const path = `/availablePhoneNumbers/countries/${COUNTRY}/:search`
      const requests = bodies.map((body) => signedRequest(linebook, 'POST', path, body))
      return withConnections(linebook.port, CONCURRENCY, (connections) =>
        throughput(connections, SECONDS, async (connection) => {
          const answer = await connection.send(withRequestId(anyOf(requests), randomUUID()))
          requireNumber(JSON.parse(answer.expect(202).body))
        }),
      )
    }
    const withoutHttp = () =>
      throughput(Array(CONCURRENCY).fill(straight), SECONDS, async ({ deps, principal }) => {
        const { phoneNumberType, ...wanted } = anyOf(bodies)
        // As random as the mark of a request would be.
        const caller = { principal, requestMark: randomBytes(32) }
        const { search } = await searchNumbers(deps, caller, {
          ...wanted,
          countryCode: COUNTRY,
          numberType: phoneNumberType,
        })
        requireNumber(search)
      })
    const { ours, others } = await interleave(ROUNDS, { ours: overHttp, others: withoutHttp }, () => releaseHolds(url))
    const { ours: rate, other, ratio, spread } = compare(ours, others)
    return [
      {
        what: 'search: one number held, history and operation written',
        ours: `${rate.toFixed(0)}/s`,
        comparedWith: `the same SQL, no HTTP, ${other.toFixed(0)}/s`,
        ratio,
        spread,
        aim: '≥ 0.45',
        met: ratio >= 0.45,
      },
    ]
  } finally {
    await straight.close()
    await linebook.stop()
  }
}

/** A search that finds nothing does less than is measured here. */
function requireNumber({ phoneNumbers }) {
  if (phoneNumbers.length !== 1) throw new Error(`A search held ${phoneNumbers.length} numbers instead of one`)
}

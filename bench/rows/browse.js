import { randomUUID } from 'node:crypto'
import { withConnections } from '../connection.js'
import { latencies } from '../load.js'
import { signedRequest, withRequestId } from '../requests.js'
import { compare, compareP99, interleave } from '../rounds.js'
import { HTTP_ONLY, startLinebook } from '../service.js'
import { COUNTRY, SIZES, sizedDatabase } from '../stock.js'

const CONCURRENCY = 4
const BROWSES_PER_ROUND = 1_000
const ROUNDS = 7
const SAMPLE = 25
/** Of all numbers of these stocks; of an area's; and one of each tenth of the areas. See the numbers in `stock.js`. */
const [EVERY, AREA, TEN] = [['999'], ['9990042'], Array.from({ length: 10 }, (_, tenth) => `99900${tenth}5`)]

/** @param {import('../run.js').Bench} bench @returns {Promise<import('../table.js').Row[]>} */
export async function measure({ postgres, note }) {
  const server = await postgres()
  const small = await openStock(server, SIZES.small)
  note('filling the large stock …')
  const large = await openStock(server, SIZES.large)
  try {
    const wanted = { any: undefined, every: EVERY, area: AREA, ten: TEN }
    const ways = Object.entries(wanted).flatMap(([name, prefixes]) => [
      [`large ${name}`, large.browse(prefixes)],
      [`small ${name}`, small.browse(prefixes)],
    ])
    const timed = await interleave(ROUNDS, Object.fromEntries(ways))
    const [size, smaller] = [SIZES.large, SIZES.small].map((perArea) => `with ${thousands(SIZES.areas * perArea)}`)
    const texts = { any: '', every: ', by a prefix of all', area: ", by an area's prefix", ten: ', by 10 prefixes' }
    return Object.entries(texts).flatMap(([name, text]) => {
      const [ours, others] = [timed[`large ${name}`], timed[`small ${name}`]]
      const slowest = compareP99(
        `browse p99 ${size} numbers${text}`,
        ours.map(({ times }) => times),
        smaller,
        others.map(({ times }) => times),
      )
      const rate = compare(
        ours.map(({ perSecond }) => perSecond),
        others.map(({ perSecond }) => perSecond),
      )
      return [
        { ...slowest, aim: '≤ 1.5', met: slowest.ratio <= 1.5 },
        {
          what: '  browses a second',
          ours: rate.ours.toFixed(0),
          comparedWith: `${smaller}, ${rate.other.toFixed(0)}`,
          ratio: rate.ratio,
          spread: rate.spread,
          aim: '≥ 0.67',
          met: rate.ratio >= 1 / 1.5,
        },
      ]
    })
  } finally {
    await Promise.all([small.stop(), large.stop()])
  }
}

async function openStock(postgres, perArea) {
  const { url } = await sizedDatabase(postgres, perArea)
  const linebook = await startLinebook({ DATABASE_URL: url, ...HTTP_ONLY })
  const path = `/availablePhoneNumbers/countries/${COUNTRY}/:browse`
  /** @param {string[] | undefined} phoneNumberPrefixes */
  const browse = (phoneNumberPrefixes) => async () => {
    const request = signedRequest(linebook, 'POST', path, { phoneNumberType: 'geographic', phoneNumberPrefixes })
    return withConnections(linebook.port, CONCURRENCY, async (connections) => {
      const startedAt = performance.now()
      const times = await latencies(connections, BROWSES_PER_ROUND, async (connection) => {
        const { body } = (await connection.send(withRequestId(request, randomUUID()))).expect(200)
        const found = JSON.parse(body).phoneNumbers.length
        if (found !== SAMPLE) throw new Error(`A browse showed ${found} numbers`)
      })
      return { times, perSecond: (BROWSES_PER_ROUND / (performance.now() - startedAt)) * 1000 }
    })
  }
  return { browse, stop: linebook.stop }
}

const thousands = (count) => count.toLocaleString('en')

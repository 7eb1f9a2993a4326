import { randomUUID } from 'node:crypto'
import { changeReservation } from '../../dist/phone-numbers/commands/change-reservation.js'
import { withConnections } from '../connection.js'
import { throughput } from '../load.js'
import { runOnce } from '../postgres.js'
import { signedRequest, withRequestId } from '../requests.js'
import { compare, interleave } from '../rounds.js'
import { HTTP_ONLY, startLinebook } from '../service.js'
import { createStockedDatabase, releaseHolds } from '../stock.js'
import { openStraight } from '../straight.js'

const AREAS = 300
const PER_AREA = 1_000
const NUMBERS = 100
const CONCURRENCY = 8
const ROUNDS = 9
const SECONDS = 3

/** @param {import('../run.js').Bench} bench @returns {Promise<import('../table.js').Row[]>} */
export async function measure({ postgres }) {
  const url = await createStockedDatabase(await postgres(), 'reservation', { areas: AREAS, perArea: PER_AREA })
  const linebook = await startLinebook({ DATABASE_URL: url, ...HTTP_ONLY })
  const straight = await openStraight(url)
  try {
    const overHttp = () => {
      // Signed before it is measured: ids and numbers are the client's own choice.
      const next = inTurn(choices().map((e164s) => reservationRequest(linebook, e164s)))
      return withConnections(linebook.port, CONCURRENCY, (connections) =>
        throughput(connections, SECONDS, async (connection) => {
          const answer = await connection.send(withRequestId(next(), randomUUID()))
          requireAll(Object.values(JSON.parse(answer.expect(201).body).phoneNumbers))
        }),
      )
    }
    const withoutHttp = () => {
      const next = inTurn(choices())
      return throughput(Array(CONCURRENCY).fill(straight), SECONDS, async ({ deps, principal }) => {
        const wanted = { add: next(), remove: [], noNumbers: [] }
        requireAll((await changeReservation(deps, principal, randomUUID(), wanted)).numbers)
      })
    }
    const { ours, others } = await interleave(ROUNDS, { ours: overHttp, others: withoutHttp }, async () => {
      await runOnce(url, 'truncate reservation cascade')
      await releaseHolds(url)
    })
    const { ours: rate, other, ratio, spread } = compare(ours, others)
    return [
      {
        what: `reservation of ${NUMBERS} chosen numbers, history written; 5 round trips`,
        ours: `${rate.toFixed(0)}/s`,
        comparedWith: `the same SQL, no HTTP, ${other.toFixed(0)}/s`,
        ratio,
        spread,
        aim: '≥ 0.4',
        met: ratio >= 0.4,
      },
    ]
  } finally {
    await straight.close()
    await linebook.stop()
  }
}

/** Every number of the stock once, so many at a time, each time of another area. */
const choices = () =>
  Array.from({ length: (AREAS * PER_AREA) / NUMBERS }, (_, index) => {
    const area = String((index % AREAS) + 1).padStart(4, '0')
    const from = Math.floor(index / AREAS) * NUMBERS + 1
    return Array.from({ length: NUMBERS }, (_, n) => `+999${area}${String(from + n).padStart(7, '0')}`)
  })

const reservationRequest = (service, e164s) =>
  signedRequest(service, 'PATCH', `/availablePhoneNumbers/reservations/${randomUUID()}`, {
    phoneNumbers: Object.fromEntries(e164s.map((e164) => [e164.slice(1), {}])),
  })

const inTurn = (items) => {
  let index = 0
  return () => {
    if (index === items.length) throw new Error('The stock is too small for the time measured')
    return items[index++]
  }
}

/** A reservation that gets fewer does less than is measured here. */
function requireAll(numbers) {
  if (numbers.length !== NUMBERS) throw new Error(`A reservation has ${numbers.length} numbers instead of ${NUMBERS}`)
}

import { randomBytes, randomUUID } from 'node:crypto'
import { getSearchResult } from '../../dist/phone-numbers/commands/get-search-result.js'
import { getOperation } from '../../dist/phone-numbers/commands/operations.js'
import { purchaseSearch } from '../../dist/phone-numbers/commands/purchase-search.js'
import { searchNumbers } from '../../dist/phone-numbers/commands/search-numbers.js'
import { withConnections } from '../connection.js'
import { throughput } from '../load.js'
import { signedRequest, signTarget, withRequestId } from '../requests.js'
import { compare, interleave } from '../rounds.js'
import { HTTP_ONLY, startLinebook } from '../service.js'
import { areaCodes, COUNTRY, createStockedDatabase, wantedSearch } from '../stock.js'
import { openStraight } from '../straight.js'

const AREAS = 100
const CONCURRENCY = 16
const ROUNDS = 9
const SECONDS = 3

/** @param {import('../run.js').Bench} bench @returns {Promise<import('../table.js').Row[]>} */
export async function measure({ postgres }) {
  const url = await createStockedDatabase(await postgres(), 'purchase', { areas: AREAS, perArea: 2_000 })
  const linebook = await startLinebook({ DATABASE_URL: url, ...HTTP_ONLY })
  const straight = await openStraight(url)
  try {
    const bodies = areaCodes(AREAS).map(wantedSearch)
    const anyBody = () => bodies[Math.floor(Math.random() * bodies.length)]
    const overHttp = () =>
      withConnections(linebook.port, CONCURRENCY, (connections) =>
        throughput(connections, SECONDS, (connection) => purchaseOverHttp(linebook, connection, anyBody())),
      )
    const withoutHttp = () =>
      throughput(Array(CONCURRENCY).fill(straight), SECONDS, (to) => purchaseStraight(to, anyBody()))
    const { ours, others } = await interleave(ROUNDS, { ours: overHttp, others: withoutHttp })
    const { ours: rate, other, ratio, spread } = compare(ours, others)
    return [
      {
        what: 'whole purchase: search, poll, result, purchase, poll',
        ours: `${rate.toFixed(0)}/s`,
        comparedWith: `the same SQL, no HTTP, ${other.toFixed(0)}/s`,
        ratio,
        spread,
      },
    ]
  } finally {
    await straight.close()
    await linebook.stop()
  }
}

/** What the SDK sends, following the links that it is given. Unlike elsewhere, signing is part of the loop. */
export async function purchaseOverHttp(service, connection, wanted) {
  const send = (request) => connection.send(withRequestId(request, randomUUID()))
  const get = async (target) => JSON.parse((await send(signTarget(service, 'GET', target))).expect(200).body)
  const succeeded = async (answer) => {
    const { status } = await get(answer.header('operation-location'))
    if (status !== 'succeeded') throw new Error(`The operation is ${status}`)
  }
  const path = `/availablePhoneNumbers/countries/${COUNTRY}/:search`
  const searched = (await send(signedRequest(service, 'POST', path, wanted))).expect(202)
  await succeeded(searched)
  const { searchId } = await get(searched.header('location'))
  const order = signedRequest(service, 'POST', '/availablePhoneNumbers/:purchase', { searchId })
  await succeeded((await send(order)).expect(202))
}

async function purchaseStraight({ deps, principal }, { phoneNumberType, ...wanted }) {
  const caller = () => ({ principal, requestMark: randomBytes(32) })
  const succeeded = async ({ id }) => {
    const { status } = await getOperation(deps, principal, id)
    if (status !== 'succeeded') throw new Error(`The operation is ${status}`)
  }
  const { operation } = await searchNumbers(deps, caller(), {
    ...wanted,
    countryCode: COUNTRY,
    numberType: phoneNumberType,
  })
  await succeeded(operation)
  const { id: searchId } = await getSearchResult(deps, principal, operation.subject.searchId)
  await succeeded(await purchaseSearch(deps, caller(), { searchId, agreeToNotResell: true }))
}

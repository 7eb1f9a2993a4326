import { putNumbers } from '../../dist/accounts/commands/put-numbers.js'
import { readNumber } from '../../dist/accounts/commands/read.js'
import { withConnections } from '../connection.js'
import { throughput } from '../load.js'
import {
  ACCOUNT,
  freshNumbers,
  numberBody,
  openOperator,
  openOperatorDeps,
  operatorRequest,
  storedDetails,
} from '../operator.js'
import { compare, interleave } from '../rounds.js'

const CONCURRENCY = 16
const ROUNDS = 9
const SECONDS = 3

/** @param {import('../run.js').Bench} bench @returns {Promise<import('../table.js').Row[]>} */
export async function measure({ postgres }) {
  const operator = await openOperator(await postgres(), 'put_number')
  const deps = await openOperatorDeps(operator.url)
  const { service } = operator
  try {
    const number = freshNumbers()
    const overHttp = () =>
      withConnections(service.port, CONCURRENCY, (connections) =>
        throughput(connections, SECONDS, async (connection) => {
          const path = `/accounts/${ACCOUNT}/numbers/${number()}`
          ;(await connection.send(operatorRequest(service, 'PUT', path, numberBody))).expect(201)
        }),
      )
    const withoutHttp = () => throughput(Array(CONCURRENCY).fill(deps), SECONDS, () => putStraight(deps, number()))
    const { ours, others } = await interleave(ROUNDS, { ours: overHttp, others: withoutHttp })
    const { ours: rate, other, ratio, spread } = compare(ours, others)
    return [
      {
        what: 'PUT one number: validated, assigned, history, generation',
        ours: `${rate.toFixed(0)}/s`,
        comparedWith: `the same SQL, no HTTP, ${other.toFixed(0)}/s`,
        ratio,
        spread,
        aim: '≥ 0.4',
        met: ratio >= 0.4,
      },
    ]
  } finally {
    await deps.close()
    await operator.stop()
  }
}

const caller = { actor: 'client:bench', reason: 'bench' }

const putStraight = (deps, e164) =>
  deps.db.transaction(async (tx) => {
    const { account } = await putNumbers(deps, tx, caller, {
      accountName: ACCOUNT,
      e164s: [e164],
      precondition: () => {},
      read: () => [{ e164, details: storedDetails }],
    })
    return readNumber(deps, tx, account, e164)
  })

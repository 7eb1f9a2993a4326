import { putNumbers } from '../../dist/provisioning/commands/put-numbers.js'
import { readNumber } from '../../dist/provisioning/commands/read.js'
import { withConnections } from '../connection.js'
import { throughput } from '../load.js'
import {
  ACCOUNT,
  accountBody,
  DEAD_BACKEND,
  freshNumbers,
  numberBody,
  openOperatorDeps,
  operatorRequest,
  storedDetails,
  tokenFrom,
} from '../operator.js'
import { compare, interleave } from '../rounds.js'
import { HTTP_ONLY, startLinebook } from '../service.js'

const CONCURRENCY = 16
const ROUNDS = 9
const SECONDS = 3

/** @param {import('../run.js').Bench} bench @returns {Promise<import('../table.js').Row[]>} */
export async function measure({ postgres }) {
  const url = await (await postgres()).createDatabase('put_number')
  const linebook = await startLinebook({ DATABASE_URL: url, ...HTTP_ONLY, LINEBOOK_BACKENDS: DEAD_BACKEND })
  const deps = await openOperatorDeps(url)
  try {
    const service = { ...linebook, token: await tokenFrom(linebook.port) }
    const number = freshNumbers()
    await withConnections(linebook.port, 1, async ([connection]) => {
      const account = operatorRequest(service, 'PUT', `/accounts/${ACCOUNT}`, accountBody)
      ;(await connection.send(account)).expect(201)
    })
    const overHttp = () =>
      withConnections(linebook.port, CONCURRENCY, (connections) =>
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
    await linebook.stop()
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

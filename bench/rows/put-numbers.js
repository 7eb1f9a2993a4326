import { runOnce } from '../postgres.js'
import { sql } from '../../dist/db/db.js'
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

const CONCURRENCY = 8
const BATCH = 100
const ROUNDS = 9
const SECONDS = 3

/** @param {import('../run.js').Bench} bench @returns {Promise<import('../table.js').Row[]>} */
export async function measure({ postgres }) {
  const operator = await openOperator(await postgres(), 'put_numbers')
  const deps = await openOperatorDeps(operator.url)
  const { service } = operator
  try {
    const number = freshNumbers()
    const batch = () => Array.from({ length: BATCH }, number)
    const [{ id }] = await runOnce(operator.url, `select id from account where name = '${ACCOUNT}'`)
    const path = `/accounts/${ACCOUNT}:createOrUpdateNumbers`
    const overHttp = () =>
      withConnections(service.port, CONCURRENCY, (connections) =>
        throughput(connections, SECONDS, async (connection) => {
          const numbers = batch().map((telephoneNumber) => ({ telephoneNumber, ...numberBody }))
          ;(await connection.send(operatorRequest(service, 'POST', path, { numbers }))).expect(200)
        }),
      )
    const oneStatement = () =>
      throughput(Array(CONCURRENCY).fill(deps.db), SECONDS, (db) => insertStraight(db, id, batch()))
    const { ours, others } = await interleave(ROUNDS, { ours: overHttp, others: oneStatement })
    const { ours: rate, other, ratio, spread } = compare(ours, others)
    return [
      {
        what: 'numbers by :createOrUpdateNumbers, 100 each',
        ours: `${(rate * BATCH).toFixed(0)}/s`,
        comparedWith: `one hand-written statement with the same inserts, ${(other * BATCH).toFixed(0)}/s`,
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

/** The rows that a batch of new numbers leaves behind, inserted without any check. */
const insertStraight = (db, accountId, e164s) => {
  const now = new Date()
  return db.query(sql`
    with given as (select e164 from unnest(${e164s}::text[]) as g (e164)),
    entered as (
      insert into number (e164, shuffle, state, account_id)
      select e164, floor(random() * 1000000000)::bigint, 'assigned', ${accountId} from given
    ), told as (
      insert into number_history (e164, at, event, from_state, to_state, actor, reason)
      select e164, ${now}::timestamptz, 'assign', null, 'assigned', 'client:bench', 'bench' from given
    ), placed as (
      insert into account_number (e164, account_id, details, modified_at)
      select e164, ${accountId}, ${JSON.stringify(storedDetails)}::jsonb, ${now}::timestamptz from given
    ), requested as (
      insert into sync (kind, key, service, account_id, goal, generation, pending_since, next_attempt_at, changed_at)
      select 'number', e164, 'oc', ${accountId}, 'present', nextval('sync_generation'), ${now}::timestamptz,
             ${now}::timestamptz, ${now}::timestamptz
      from given
    )
    insert into account_number_count as c (account_id, slot, total, oc, tpm, dr, zoom, aocp, changed_at)
    values (${accountId}, floor(random() * 16)::smallint, ${e164s.length}, ${e164s.length}, 0, 0, 0, 0, ${now})
    on conflict (account_id, slot) do update set total = c.total + excluded.total, oc = c.oc + excluded.oc`)
}

import { reconcile } from '../../dist/reconcile/reconcile.js'
import { ACCOUNT, openOperator, openOperatorDeps, operatorRequest, storedDetails, TENANT } from '../operator.js'
import { runOnce } from '../postgres.js'
import { withConnections } from '../connection.js'
import { latencies } from '../load.js'
import { median } from '../rounds.js'

const BACKLOG = 100_000
/** The parts at the beginning and at the end that are compared. */
const STRETCH = 20_000
const LANES = 4
const PAGE_ROUNDS = 200

/** @param {import('../run.js').Bench} bench @returns {Promise<import('../table.js').Row[]>} */
export async function measure({ postgres, note }) {
  const operator = await openOperator(await postgres(), 'sync')
  const { url, service } = operator
  try {
    await runOnce(url, backlogOf(BACKLOG))
    await runOnce(
      url,
      `insert into account_number_count (account_id, slot, total, oc, tpm, dr, zoom, aocp, changed_at)
       select id, 0, ${BACKLOG}, ${BACKLOG}, 0, 0, 0, 0, now() from account where name = '${ACCOUNT}'`,
    )
    await runOnce(url, 'vacuum analyze')
    const rows = await pages(service)
    await operator.stop()
    return [...(await syncRows(url, note)), ...rows]
  } finally {
    await operator.stop()
  }
}

/** Numbers that are all due, as so many PUTs would have left them. */
const backlogOf = (count) => `
  with a as (select id from account where name = '${ACCOUNT}'),
  given as (select '+999' || lpad(n::text, 9, '0') as e164 from generate_series(1, ${count}) as n),
  entered as (
    insert into number (e164, shuffle, state, account_id)
    select e164, floor(random() * 1000000000)::bigint, 'assigned', a.id from given, a returning e164
  ), requested as (
    insert into sync (kind, key, service, account_id, goal, generation, pending_since, next_attempt_at, changed_at)
    select 'number', e164, 'oc', a.id, 'present', nextval('sync_generation'), now(), now(), now() from given, a
  )
  insert into account_number (e164, account_id, details, modified_at)
  select e164, a.id, '${JSON.stringify(storedDetails)}'::jsonb, now() from entered, a`

async function syncRows(url, note) {
  const deps = await openOperatorDeps(url)
  try {
    // How many were done by when.
    const marks = [{ at: performance.now(), done: 0 }]
    let done = 0
    await Promise.all(
      Array.from({ length: LANES }, async () => {
        for (;;) {
          const { claimed, confirmed } = await reconcile(deps, 'oc')
          if (claimed === 0) return
          done += confirmed
          marks.push({ at: performance.now(), done })
        }
      }),
    )
    if (done < BACKLOG) throw new Error(`${done} of ${BACKLOG} numbers were synced (tenant ${TENANT})`)
    const rate = (from, to) => {
      const [first, last] = [marks.find((mark) => mark.done >= from), marks.find((mark) => mark.done >= to)]
      return ((last.done - first.done) / (last.at - first.at)) * 1000
    }
    const [start, end] = [rate(0, STRETCH), rate(BACKLOG - STRETCH, BACKLOG)]
    note(`synced in ${((marks.at(-1).at - marks[0].at) / 1000).toFixed(1)} s`)
    return [
      {
        what: 'numbers synced a second, one process, a backend that answers at once',
        ours: `${rate(0, BACKLOG).toFixed(0)}/s`,
        comparedWith: '2,000/s',
        ratio: rate(0, BACKLOG) / 2_000,
        aim: '≥ 1',
        met: rate(0, BACKLOG) >= 2_000,
      },
      {
        what: `claims at the end of a backlog of ${BACKLOG.toLocaleString('en')}`,
        ours: `${end.toFixed(0)}/s`,
        comparedWith: `at its start, ${start.toFixed(0)}/s`,
        ratio: end / start,
        aim: '≥ 0.8',
        met: end / start >= 0.8,
      },
    ]
  } finally {
    await deps.close()
  }
}

/** Pages of the numbers of one account: the first one, one far down by skip, and one far down by the link to it. */
async function pages(service) {
  const list = `/accounts/${ACCOUNT}/numbers`
  return withConnections(service.port, 1, async (connections) => {
    const [connection] = connections
    const get = async (path) => (await connection.send(operatorRequest(service, 'GET', path))).expect(200)
    const deep = `${list}?skip=90000`
    const before = JSON.parse((await get(`${list}?skip=89800`)).body).nextLink
    const linked = new URL(before)
    linked.searchParams.delete('api-version')
    const paths = { first: list, deep, linked: `${linked.pathname}${linked.search}` }
    const times = { first: [], deep: [], linked: [] }
    for (let round = 0; round < PAGE_ROUNDS; round++) {
      for (const [name, path] of Object.entries(paths)) {
        const [ms] = await latencies(connections, 1, () => get(path))
        if (round >= PAGE_ROUNDS / 10) times[name].push(ms)
      }
    }
    const first = median(times.first)
    const row = (name, what) => ({
      what,
      ours: `${median(times[name]).toFixed(1)} ms`,
      comparedWith: `first page, ${first.toFixed(1)} ms`,
      ratio: median(times[name]) / first,
      aim: '≤ 2',
      met: median(times[name]) <= 2 * first,
    })
    return [
      row('deep', 'a page of numbers at skip 90,000 of 100,000'),
      row('linked', 'the same page, by the nextLink of the one before'),
    ]
  })
}

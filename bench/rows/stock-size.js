import { randomUUID } from 'node:crypto'
import { withConnections } from '../connection.js'
import { explainHold } from '../explain.js'
import { latencies } from '../load.js'
import { runOnce } from '../postgres.js'
import { signedRequest, withRequestId } from '../requests.js'
import { compareP99, interleave } from '../rounds.js'
import { HTTP_ONLY, startLinebook } from '../service.js'
import { areaCodes, COUNTRY, releaseHolds, settle, SIZES, sizedDatabase, wantedSearch } from '../stock.js'

const { areas: AREAS, small: SMALL_PER_AREA, large: LARGE_PER_AREA } = SIZES
const CONCURRENCY = 4
const SEARCHES_PER_ROUND = 1_000
const ROUNDS = 7
const [EXHAUSTED, ...OTHERS] = areaCodes(AREAS)

/** @param {import('../run.js').Bench} bench @returns {Promise<import('../table.js').Row[]>} */
export async function measure({ postgres, note, explain }) {
  const server = await postgres()
  const small = await openStock(server, SMALL_PER_AREA)
  note('filling the large stock …')
  const large = await openStock(server, LARGE_PER_AREA)
  note(`${AREAS * SMALL_PER_AREA} and ${AREAS * LARGE_PER_AREA} numbers, each in ${AREAS} areas of equal size`)
  const rows = []
  try {
    if (explain) for (const { url } of [small, large]) note(await explainHold(url, OTHERS[0]))
    const all = areaCodes(AREAS)
    const timed = await interleave(
      ROUNDS,
      {
        'large area': large.search(all),
        'small area': small.search(all),
        'large any': large.search([undefined]),
        'small any': small.search([undefined]),
      },
      async () => {
        await releaseHolds(small.url)
        await releaseHolds(large.url)
      },
    )
    const size = `with ${thousands(AREAS * LARGE_PER_AREA)} numbers`
    const smaller = `with ${thousands(AREAS * SMALL_PER_AREA)}`
    const byArea = compareP99(`search p99 ${size}, area code given`, timed['large area'], smaller, timed['small area'])
    rows.push({ ...byArea, aim: '≤ 1.5', met: byArea.ratio <= 1.5 })
    rows.push(compareP99(`search p99 ${size}, any area`, timed['large any'], smaller, timed['small any']))

    note('holding all numbers of an area, then of all areas but one …')
    await releaseHolds(large.url)
    await holdAreas(large.url, [EXHAUSTED])
    const exhausted = await interleave(ROUNDS, {
      exhausted: large.search([EXHAUSTED], { finds: 0 }),
      stocked: large.search(OTHERS),
    })
    rows.push(
      compareP99(
        `search p99 in an area whose ${thousands(LARGE_PER_AREA)} numbers have just been taken`,
        exhausted.exhausted,
        'in the others',
        exhausted.stocked,
      ),
    )
    await holdAreas(large.url, OTHERS.slice(1))
    const [firstMs] = await large.search([undefined], { count: 1 })()
    note(
      `the first search after that, which meets all entries of the index that are left over: ${firstMs.toFixed(0)} ms`,
    )
    if (explain) note(await explainHold(large.url, EXHAUSTED))
    const scarce = await interleave(3, {
      any: large.search([undefined]),
      area: large.search([OTHERS[0]]),
    })
    rows.push(
      compareP99(
        `search p99 anywhere, all but one of ${AREAS} areas just taken`,
        scarce.any,
        'in the one left',
        scarce.area,
      ),
    )
    await settle(large.url)
    const tidied = await interleave(3, {
      any: large.search([undefined]),
      area: large.search([OTHERS[0]]),
    })
    rows.push(compareP99('  the same after vacuum', tidied.any, 'in the one left', tidied.area))
    if (explain) note(await explainHold(large.url, OTHERS[0]))
  } finally {
    await Promise.all([small.stop(), large.stop()])
  }
  for (const { name, url, scansBefore } of [small, large]) {
    note(`${name}: the table of numbers was scanned sequentially ${(await sequentialScans(url)) - scansBefore} times`)
  }
  return rows
}

async function openStock(postgres, perArea) {
  const { name, url } = await sizedDatabase(postgres, perArea)
  const linebook = await startLinebook({ DATABASE_URL: url, ...HTTP_ONLY })
  const path = `/availablePhoneNumbers/countries/${COUNTRY}/:search`
  /** @param {(string | undefined)[]} areas */
  const search =
    (areas, { finds = 1, count = SEARCHES_PER_ROUND } = {}) =>
    () => {
      const requests = areas.map((area) => signedRequest(linebook, 'POST', path, wantedSearch(area)))
      return withConnections(linebook.port, CONCURRENCY, (connections) =>
        latencies(connections, count, async (connection) => {
          const request = requests[Math.floor(Math.random() * requests.length)]
          const { body } = (await connection.send(withRequestId(request, randomUUID()))).expect(202)
          const found = JSON.parse(body).phoneNumbers.length
          if (found !== finds) throw new Error(`A search held ${found} numbers`)
        }),
      )
    }
  return { name, url, search, scansBefore: await sequentialScans(url), stop: linebook.stop }
}

/**
 * Without vacuuming: the index of available numbers still has the entries of those taken. Without a sequential scan,
 * so that any that is counted is the program's.
 */
const holdAreas = (url, areas) =>
  runOnce(
    url,
    `set enable_seqscan = off;
     update number
     set state = 'held', hold_id = gen_random_uuid(), free_at = now() + interval '1 day',
         resource_id = (select id from resource where name = 'local')
     where state = 'available'
       and place_id in (select id from place where area_code in (${areas.map((area) => `'${area}'`).join(', ')}))`,
  )

async function sequentialScans(url) {
  const [row] = await runOnce(url, `select seq_scan from pg_stat_user_tables where relname = 'number'`)
  return Number(row.seq_scan)
}

const thousands = (count) => count.toLocaleString('en')

import pg from 'pg'
import { holdAny } from '../dist/ledger/holds.js'
import { COUNTRY } from './stock.js'

const NO_ONE = '00000000-0000-4000-8000-000000000000'

/**
 * The plans of the statement with which a search holds a number, with and without an area code: planned for its
 * parameters, and as the generic plan that a prepared statement comes to use. What it did is rolled back.
 */
export async function explainHold(url, areaCode) {
  const plans = []
  for (const area of [areaCode, undefined]) {
    const statement = await holdStatement(area)
    for (const mode of ['force_custom_plan', 'force_generic_plan']) {
      plans.push(`\n${new URL(url).pathname} ${area ?? 'any area'} ${mode}`, ...(await planOf(url, statement, mode)))
    }
  }
  return plans.join('\n')
}

/** What the code really sends. */
async function holdStatement(areaCode) {
  let sent
  const tx = { query: async (statement) => ((sent = statement), []) }
  const now = new Date()
  await holdAny(
    tx,
    { pool: '', countryCode: COUNTRY, numberType: 'geographic', areaCode, quantity: 1 },
    { holdId: NO_ONE, resourceId: NO_ONE, until: new Date(now.getTime() + 60_000) },
    { at: now, actor: 'bench', reason: 'explain' },
  )
  return sent
}

async function planOf(url, { text, values }, mode) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('begin')
    await client.query(`set local plan_cache_mode = ${mode}`)
    await client.query(`prepare hold as ${text}`)
    const literals = values.map((value) =>
      pg.escapeLiteral(value instanceof Date ? value.toISOString() : String(value)),
    )
    const { rows } = await client.query(`explain (analyze, buffers) execute hold (${literals.join(', ')})`)
    await client.query('rollback')
    return rows.map((row) => row['QUERY PLAN'])
  } finally {
    await client.end()
  }
}

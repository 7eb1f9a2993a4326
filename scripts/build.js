// Compiles src/ to dist/ and prepares the images that embedded databases are born from.
// With --if-stale it does so only when something it reads is newer than what it made.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const DIST = join(root, 'dist')
const DRAFT = join(root, `dist.${process.pid}`)
const STAMP = join(DIST, '.built')
const SOURCES = [
  'src',
  'migrations',
  'data',
  'scripts/build.js',
  'tsconfig.json',
  'tsconfig.build.json',
  'package-lock.json',
]

const newest = (path) => {
  const stat = statSync(path)
  if (!stat.isDirectory()) return stat.mtimeMs
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))))
}

const isStale = () => {
  if (!existsSync(STAMP)) return true
  const made = statSync(STAMP).mtimeMs
  return SOURCES.map((name) => join(root, name)).some((path) => existsSync(path) && newest(path) > made)
}

if (!process.argv.includes('--if-stale') || isStale()) {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  if (!existsSync(compiler)) {
    console.error('TypeScript is missing: run npm ci without leaving out development dependencies.')
    process.exit(1)
  }
  // Made aside and moved into place as a whole: the program may be starting just now.
  rmSync(DRAFT, { recursive: true, force: true })
  const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', DRAFT], {
    cwd: root,
    stdio: 'inherit',
  })
  if (status !== 0) {
    rmSync(DRAFT, { recursive: true, force: true })
    process.exit(status ?? 1)
  }
  const { buildDatabaseImages } = await import(join(DRAFT, 'compose', 'store.js'))
  await buildDatabaseImages()
  writeFileSync(join(DRAFT, '.built'), '')
  rmSync(DIST, { recursive: true, force: true })
  renameSync(DRAFT, DIST)
}

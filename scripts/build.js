// Compiles src/ to dist/ and prepares the images that embedded databases are born from.
// With --if-stale it does so only when something it reads is newer than what it made.
import { build as bundle } from 'esbuild'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
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

/** TypeBox comes as 680 modules, and reading them would be most of the time that a short command takes. */
const SCHEMAS = ['typebox', 'typebox/compile', 'typebox/format']
const SCHEMA_IMPORT = new RegExp(`from '(${SCHEMAS.join('|')})'`, 'g')

/** Puts what `folder` imports of TypeBox into a few files of its own, and makes it import those. */
async function gatherSchemas(folder) {
  const gathered = join(folder, 'gathered')
  await bundle({
    entryPoints: Object.fromEntries(SCHEMAS.map((name) => [name, name])),
    outdir: gathered,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    legalComments: 'eof',
    absWorkingDir: root,
  })
  for (const name of readdirSync(folder, { recursive: true })) {
    const file = join(folder, name)
    if (file.startsWith(gathered) || !name.endsWith('.js')) continue
    const text = readFileSync(file, 'utf8')
    const there = relative(dirname(file), gathered).split(sep).join('/')
    const changed = text.replace(
      SCHEMA_IMPORT,
      (_, path) => `from '${there.startsWith('.') ? there : `./${there}`}/${path}.js'`,
    )
    if (changed !== text) writeFileSync(file, changed)
  }
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
  await gatherSchemas(DRAFT)
  const { buildDatabaseImages } = await import(join(DRAFT, 'compose', 'store.js'))
  await buildDatabaseImages()
  writeFileSync(join(DRAFT, '.built'), '')
  rmSync(DIST, { recursive: true, force: true })
  renameSync(DRAFT, DIST)
}

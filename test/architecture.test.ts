/**
 * Who may import whom, read from the imports themselves. The rules are written down for people in docs/architecture.md,
 * section "Who may import whom"; whoever changes one changes both.
 */
import { Linter } from 'eslint'
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const WRITTEN_DOWN = 'docs/architecture.md, section "Who may import whom"'

const SETTINGS = ['config.ts', 'settings.ts', 'phone-numbers-settings.ts', 'provisioning-settings.ts', 'setting.ts']
const LEAVES = [...SETTINGS, 'errors.ts', 'clock.ts', 'fetch-failure.ts', 'folder.ts', 'ids.ts', 'log.ts']
const COMPOSITION = [
  'compose.ts',
  'compose-issuer.ts',
  'compose-provisioning.ts',
  'compose-standin.ts',
  'compose-store.ts',
]
const APIS = ['phone-numbers/', 'provisioning/']
const BACKEND_PORTS = ['backends/backend.ts', 'backends/zone.ts']
const BELOW_AN_API = ['http/', 'auth/', 'buyers/', 'operations/', 'ledger/', 'db/', ...LEAVES]

interface Row {
  /** A folder (with its slash) or file of src. A file belongs to the longest that fits. */
  of: string
  /** Folders and files it may import beside itself. */
  may: readonly string[]
  /** The same, but only types. */
  mayType?: readonly string[]
}

const TABLE: readonly Row[] = [
  // The commands are thin fronts of what the folders below can do, as routes are: auth, buyers, ledger and db, and how the
  // sync with backends stands.
  {
    of: 'cli/',
    may: [
      'main.ts',
      'running-server.ts',
      'compose-store.ts',
      'provisioning/sync/',
      'provisioning/commands/',
      'provisioning/services.ts',
      'backends/configure.ts',
      'issuer/',
      'auth/',
      'buyers/',
      'operations/',
      'ledger/',
      'db/',
      ...LEAVES,
    ],
  },
  // What is printed at the start shows the stand-in resource's keys: auth.
  { of: 'main.ts', may: ['compose.ts', 'config.ts', 'running-server.ts', 'issuer/', 'auth/'] },
  // Where a running server is found, by its folder's lock.
  { of: 'running-server.ts', may: ['db/', ...LEAVES] },
  ...COMPOSITION.map((of) => ({
    of,
    may: [
      ...COMPOSITION,
      'workers/',
      ...APIS,
      'standin/',
      'issuer/',
      'http/',
      'auth/',
      'buyers/',
      'operations/',
      'ledger/',
      'backends/',
      'db/',
      ...LEAVES,
    ],
  })),
  {
    of: 'workers/',
    // Purging what is old is one statement that decides nothing; a command around it would only pass it on.
    may: [
      ...inEachApi('commands/', 'store.ts'),
      'phone-numbers/reservation-store.ts',
      'provisioning/sync/',
      'provisioning/repeatable-store.ts',
      'operations/',
      'ledger/',
      'backends/',
      'db/',
      ...LEAVES,
    ],
    // What commands take first is what their workers are made with.
    mayType: inEachApi('deps.ts'),
  },
  // The words of the port to backends are an API's too; running one is for its commands and its sync.
  ...APIS.map((api) => ({ of: api, may: BELOW_AN_API, mayType: BACKEND_PORTS })),
  ...inEachApi('commands/', 'sync/').map((of) => ({
    of,
    may: [of.slice(0, of.indexOf('/') + 1), ...BACKEND_PORTS, ...BELOW_AN_API],
  })),
  // Makes resources with stock and money, and scripts operations: on nobody's behalf but a test's.
  {
    of: 'standin/',
    may: ['http/', 'auth/', 'operations/operation.ts', 'buyers/', 'ledger/', 'backends/', 'db/', ...LEAVES],
  },
  { of: 'issuer/', may: ['http/', 'auth/', 'db/', ...LEAVES] },
  { of: 'http/', may: ['auth/', ...LEAVES] },
  { of: 'auth/', may: ['db/', ...LEAVES] },
  // What may be bought is said in the ledger's words.
  { of: 'buyers/', may: ['ledger/number.ts', 'db/', ...LEAVES] },
  // An operation is about numbers and says so in the ledger's words.
  { of: 'operations/', may: ['db/', ...LEAVES], mayType: ['ledger/number.ts'] },
  { of: 'ledger/', may: ['db/', ...LEAVES] },
  { of: 'backends/', may: LEAVES },
  { of: 'db/', may: LEAVES },
  // Their errors are for people to mend; some settings are read by whoever knows what they mean.
  ...SETTINGS.map((of) => ({
    of,
    may: [
      ...SETTINGS,
      'errors.ts',
      'log.ts',
      'auth/tokens/issuers.ts',
      'backends/configure.ts',
      'http/addresses.ts',
      'http/rate-limit.ts',
      'phone-numbers/cors.ts',
      'phone-numbers/throttle.ts',
    ],
  })),
  ...LEAVES.filter((leaf) => !SETTINGS.includes(leaf)).map((leaf) => ({ of: leaf, may: [] })),
]

/** Packages that one place knows and hides from the rest. */
const HIDDEN_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  '@electric-sql/pglite': ['db/'],
  commander: ['cli/'],
  fastify: ['http/'],
  jose: ['auth/tokens/', 'issuer/'],
  pg: ['db/'],
  pino: ['log.ts'],
  'sql-template-tag': ['db/'],
}

/** What is above the domain: its words and codes are an API's, not ours. */
const ABOVE_THE_DOMAIN = [
  'http/',
  ...inEachApi('contract/', 'routes.ts', 'views.ts', 'errors.ts', 'door.ts', 'admit.ts'),
]
const THE_DOMAIN = ['ledger/', 'operations/', 'buyers/', ...inEachApi('commands/', 'store.ts')]

const FORBIDDEN_FOLDERS = ['utils', 'common', 'helpers', 'types', 'managers']
const MAX_LINES = 400

interface Import {
  from: string
  /** A file relative to src, or a package's name. */
  to: string
  ours: boolean
  typeOnly: boolean
}

const files = filesUnder('src').map((path) => path.slice('src/'.length))
const imports = files.flatMap((path) => importsOf(path, read(`src/${path}`)))

describe(WRITTEN_DOWN, () => {
  const importRules: Record<string, (edge: Import) => boolean> = {
    'a file imports only what the row of its folder lists': ({ from, to, ours, typeOnly }) => {
      const { of = '', may = [], mayType = [] } = rowOf(from) ?? {}
      return !ours || isIn(to, [of, ...may, ...(typeOnly ? mayType : [])])
    },
    'the API folders never import one another': ({ from, to }) =>
      APIS.every((api) => !isIn(from, [api]) || !isIn(to, APIS) || isIn(to, [api])),
    "only workers and an API's commands and sync run backends; compose makes them": ({ from, to, typeOnly }) =>
      typeOnly ||
      !isIn(to, ['backends/']) ||
      isIn(from, [
        'backends/',
        'standin/',
        'compose-provisioning.ts',
        'provisioning-settings.ts',
        'workers/',
        ...inEachApi('commands/', 'sync/'),
      ]),
    'commands, stores and what is under them know no contract and no HTTP': ({ from, to }) =>
      !isIn(from, THE_DOMAIN) || !isIn(to, ABOVE_THE_DOMAIN),
    'src imports nothing outside of src': ({ to, ours }) => !ours || !to.startsWith('..'),
    'databases, HTTP server, command line and log are known in one place each': ({ from, to, ours }) =>
      ours || isIn(from, HIDDEN_PACKAGES[packageOf(to)] ?? ['']),
  }
  for (const [rule, keeps] of Object.entries(importRules)) {
    it(rule, () => {
      report(
        rule,
        imports.filter((edge) => !keeps(edge)).map(({ from, to }) => `src/${from} imports ${to}`),
      )
    })
  }

  const fileRules: Record<string, (path: string) => boolean> = {
    'every file belongs to a row': (path) => rowOf(path) !== undefined,
    [`no folder is called ${FORBIDDEN_FOLDERS.join(', ')}: folders name the domain`]: (path) =>
      !path.split('/').some((part) => FORBIDDEN_FOLDERS.includes(part)),
    [`a file is one thought, of at most ${MAX_LINES} lines`]: (path) =>
      read(`src/${path}`).trimEnd().split('\n').length <= MAX_LINES,
    'process.env is read only where the command line hands it to config.ts': (path) =>
      !readsEnvironment(path, read(`src/${path}`)) ||
      (isIn(path, ['cli/']) && imports.some(({ from, to }) => from === path && to === 'config.ts')),
  }
  for (const [rule, keeps] of Object.entries(fileRules)) {
    it(rule, () => {
      report(
        rule,
        files.filter((path) => !keeps(path)).map((path) => `src/${path}`),
      )
    })
  }

  it('acceptance tests reach nothing of src, not even through fixtures', () => {
    const seen = new Set(filesUnder('test').filter((path) => isIn(path, ['test/acceptance/', 'test/crash/'])))
    for (const path of seen) {
      for (const { to, ours } of importsOf(path, read(path), '')) if (ours && to.startsWith('test/')) seen.add(to)
    }
    const broken = [...seen].flatMap((path) =>
      importsOf(path, read(path), '').filter(({ to }) => to.startsWith('src/')),
    )
    report(
      'acceptance tests reach nothing of src',
      broken.map(({ from, to }) => `${from} imports ${to}`),
    )
  })
})

it('sees every form of import', () => {
  const text = `
    import './a.js'
    import { b, type B } from '../db/b.js'
    import type { C } from './c.js'
    import { type D } from './d.js'
    export * from './e.js'
    export type { F } from './f.js'
    const lazily = () => import('./g.js')
    let h: import('./h.js').H
    import fastify from 'fastify'`
  expect(importsOf('http/sample.ts', text).map(({ to, typeOnly }) => `${typeOnly ? 'type ' : ''}${to}`)).toEqual([
    'http/a.ts',
    'db/b.ts',
    'type http/c.ts',
    'type http/d.ts',
    'http/e.ts',
    'type http/f.ts',
    'http/g.ts',
    'type http/h.ts',
    'fastify',
  ])
})

describe('lint rule no-db-inside-transaction', async () => {
  const config = '../eslint.config.js'
  const { noDbInsideTransaction } = (await import(config)) as { noDbInsideTransaction: never }
  const findings = (code: string): number =>
    new Linter().verify(code, {
      plugins: { linebook: { rules: { 'no-db-inside-transaction': noDbInsideTransaction } } },
      rules: { 'linebook/no-db-inside-transaction': 'error' },
    }).length

  it.each([
    'db.transaction(async (tx) => db.query(1))',
    'deps.db.transaction(async (t) => { const f = () => deps.db.query(1); return f(t) })',
    'db.transaction(async function (tx) { const { db: other } = deps; return other.query(tx) })',
    'db.transaction((tx) => db.transaction((inner) => inner.query(tx)))',
    'acceptOnce(deps, async (tx) => deps.db.query(tx))',
    'async function carryOut(deps, tx) { await deps.db.query(tx) }',
  ])('finds %s', (code) => {
    expect(findings(code)).toBe(1)
  })

  it.each([
    'db.transaction(async (tx) => tx.query(1))',
    'db.transaction((tx) => carryOut(deps, tx)).then(() => db.query(1))',
    'async function read(db) { return db.query(1) }',
  ])('lets %s pass', (code) => {
    expect(findings(code)).toBe(0)
  })
})

function report(rule: string, broken: string[]): void {
  expect(broken, `Rule broken: ${rule}. It is written down in ${WRITTEN_DOWN}.`).toEqual([])
}

function inEachApi(...rooms: string[]): string[] {
  return APIS.flatMap((api) => rooms.map((room) => api + room))
}

function rowOf(path: string): Row | undefined {
  return TABLE.filter(({ of }) => isIn(path, [of])).sort((a, b) => b.of.length - a.of.length)[0]
}

/** Whether a file is one of `places` or in one of them; the empty place holds everything. */
function isIn(path: string, places: readonly string[]): boolean {
  return places.some((place) => path === place || ((place === '' || place.endsWith('/')) && path.startsWith(place)))
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

function filesUnder(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.m?[jt]s$/.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .sort()
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

/** The imports of one file, whose path is relative to `base` like the paths that come out. */
function importsOf(from: string, text: string, base = 'src'): Import[] {
  const found: Import[] = []
  const add = (specifier: ts.Node | undefined, typeOnly: boolean) => {
    if (!specifier || !ts.isStringLiteralLike(specifier)) return
    const ours = specifier.text.startsWith('.')
    const target = ours ? posix.join(posix.dirname(posix.join('/', base, from)), specifier.text) : specifier.text
    const to = ours ? posix.relative(posix.join('/', base), target).replace(/\.js$/, '.ts') : target
    found.push({ from, to, ours, typeOnly })
  }
  visit(from, text, (node) => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, importsOnlyTypes(node))
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly)
    else if (ts.isImportTypeNode(node))
      add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, true)
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], false)
    }
  })
  return found
}

function importsOnlyTypes({ importClause }: ts.ImportDeclaration): boolean {
  if (!importClause) return false
  const { phaseModifier, name, namedBindings } = importClause
  if (phaseModifier === ts.SyntaxKind.TypeKeyword) return true
  return (
    !name && !!namedBindings && ts.isNamedImports(namedBindings) && namedBindings.elements.every((e) => e.isTypeOnly)
  )
}

/** Whether `process` is used for its `env`, or as a whole, from which anything could be taken. */
function readsEnvironment(path: string, text: string): boolean {
  let reads = false
  visit(path, text, (node) => {
    if (!ts.isIdentifier(node) || node.text !== 'process') return
    const use = node.parent
    if (!ts.isPropertyAccessExpression(use) || (use.expression === node && use.name.text === 'env')) reads = true
  })
  return reads
}

function visit(path: string, text: string, look: (node: ts.Node) => void): void {
  const walk = (node: ts.Node): void => {
    look(node)
    ts.forEachChild(node, walk)
  }
  walk(ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true))
}

/** Who may import whom, read from the imports themselves, and that each rule finds what breaks it. */
import { Linter } from 'eslint'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { brokenRules, isIn, type Tree } from '../fixtures/architecture.js'
import { importsOf } from '../fixtures/imports.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const WRITTEN_DOWN = 'docs/architecture.md, section "Who may import whom"'

const tree: Tree = new Map(
  filesUnder('src').map((path) => [path.slice('src/'.length), readFileSync(join(ROOT, path), 'utf8')]),
)

describe(WRITTEN_DOWN, () => {
  it.each([...brokenRules(tree)])('%s', (rule, broken) => {
    expect(broken, `Rule broken: ${rule}. It is written down in ${WRITTEN_DOWN}.`).toEqual([])
  })

  it('acceptance tests reach nothing of src, not even through fixtures', () => {
    const seen = new Set(filesUnder('test').filter((path) => isIn(path, ['test/acceptance/', 'test/crash/'])))
    const importsIn = (path: string) => importsOf(path, readFileSync(join(ROOT, path), 'utf8'))
    for (const path of seen) {
      for (const { to, ours } of importsIn(path)) if (ours && to.startsWith('test/')) seen.add(to)
    }
    const broken = [...seen].flatMap(importsIn).filter(({ to }) => to.startsWith('src/'))
    expect(broken.map(({ from, to }) => `${from} imports ${to}`)).toEqual([])
  })
})

describe('a planted fault is found and named', () => {
  const planted: Record<string, [Record<string, string>, RegExp, RegExp]> = {
    'an upward arrow, if only of a type': [
      { 'ledger/planted.ts': "import type { ProvisioningDeps } from '../accounts/deps.js'" },
      /^arrows point down/,
      /ledger\/planted.ts imports accounts\/deps.ts/,
    ],
    'a circle of two files, if only of types': [
      {
        'ledger/one.ts': "import type { Two } from './two.js'\nexport interface One { two: Two }",
        'ledger/two.ts': "import type { One } from './one.js'\nexport interface Two { one: One }",
      },
      /^no circle of files/,
      /ledger\/one.ts ↔ ledger\/two.ts/,
    ],
    'a circle of folders': [
      {
        'ledger/one.ts': "import { two } from './stock/two.js'",
        'ledger/stock/two.ts': "import { three } from '../three.js'\nexport const two = three",
        'ledger/three.ts': 'export const three = 3',
      },
      /^no circle of folders/,
      /ledger ↔ ledger\/stock/,
    ],
    'a thirteenth file in a folder': [
      Object.fromEntries(Array.from({ length: 13 }, (_, index) => [`clocks/${index}.ts`, ''])),
      /^at most 12 files flat/,
      /clocks has 13/,
    ],
    'a thirteenth floor': [
      Object.fromEntries(
        Array.from({ length: 13 }, (_, index) => [
          `f${index}/a.ts`,
          index === 12 ? '' : `import '../f${index + 1}/a.js'`,
        ]),
      ),
      /^at most 12 floors/,
      /f0\/ → f1\/.* → f12\//,
    ],
    'an import of the test controls': [
      { 'workers/planted.ts': "import { createTestControls } from '../emulator/controls.js'" },
      /^production imports nothing of the test controls/,
      /workers\/planted.ts imports emulator\/controls.ts/,
    ],
    'the test controls loaded by production as well': [
      { 'compose/planted.ts': "import { openEmulator } from './emulator.js'" },
      /^production imports nothing of the test controls/,
      /compose\/planted.ts imports compose\/emulator.ts/,
    ],
    'one published API that imports the other': [
      { 'phone-numbers/planted.ts': "import { routes } from '../provisioning/api.js'" },
      /side by side/,
      /phone-numbers\/planted.ts imports provisioning\/api.ts/,
    ],
    'a command that knows HTTP': [
      { 'ledger/planted.ts': "import { rawBody } from '../http/server.js'" },
      /know no contract and no HTTP/,
      /ledger\/planted.ts imports http\/server.ts/,
    ],
    'a database client outside of its place': [
      { 'ledger/planted.ts': "import pg from 'pg'" },
      /known in one place each/,
      /ledger\/planted.ts imports pg/,
    ],
    'a number that is written past the ledger': [
      { 'accounts/planted.ts': 'export const gone = sql`delete from number where e164 = ${e164}`' },
      /^one folder writes numbers/,
      /accounts\/planted.ts writes to number/,
    ],
    'a line of history past the fragment': [
      { 'ledger/planted.ts': 'export const told = sql`insert into number_history (e164) select e164 from moved`' },
      /^one folder writes numbers/,
      /ledger\/planted.ts writes to number_history/,
    ],
    'a folder of odds and ends': [
      { 'ledger/utils/planted.ts': '' },
      /^no folder is called/,
      /ledger\/utils\/planted.ts/,
    ],
    'a file of 401 lines': [{ 'ledger/planted.ts': 'x\n'.repeat(401) }, /^a file is one thought/, /ledger\/planted.ts/],
    'a setting read on the way': [
      { 'ledger/planted.ts': 'export const poolSize = process.env.POOL_SIZE' },
      /^process.env is read only/,
      /ledger\/planted.ts/,
    ],
    'a folder that nobody knows': [{ 'misc/planted.ts': '' }, /^every file belongs/, /misc\/planted.ts/],
    'an import from outside': [
      { 'ledger/planted.ts': "import { anOrder } from '../../test/fixtures/orders.js'" },
      /^src imports nothing outside/,
      /ledger\/planted.ts imports \.\.\/test/,
    ],
  }
  it.each(Object.entries(planted))('%s', (_, [files, rule, message]) => {
    const broken = [...brokenRules(new Map([...tree, ...Object.entries(files)]))].filter(([name]) => rule.test(name))
    expect(broken.flatMap(([, found]) => found).join('\n')).toMatch(message)
  })

  it('and every rule has one', () => {
    const rules = [...brokenRules(tree).keys()]
    expect(rules.filter((rule) => !Object.values(planted).some(([, pattern]) => pattern.test(rule)))).toEqual([])
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
  const shown = importsOf('http/sample.ts', text).map(
    ({ to, typeOnly, dynamic }) => `${typeOnly ? 'type ' : ''}${dynamic ? 'dynamic ' : ''}${to}`,
  )
  expect(shown).toEqual([
    'http/a.ts',
    'db/b.ts',
    'type http/c.ts',
    'type http/d.ts',
    'http/e.ts',
    'type http/f.ts',
    'dynamic http/g.ts',
    'type http/h.ts',
    'fastify',
  ])
})

describe('lint rule no-db-inside-transaction', async () => {
  const config = '../../eslint.config.js'
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

function filesUnder(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.m?[jt]s$/.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .sort()
}

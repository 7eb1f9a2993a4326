// What a reader can't be trusted to see: dropped promises, wrong types, and the rules of docs/architecture.md that
// concern single lines. Form is prettier's business, imports between folders are test/architecture.test.ts's.
import js from '@eslint/js'
import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'

const TAKES_TX =
  ":matches(CallExpression[callee.property.name='transaction'] > :function, :function:has(> .params[name='tx']))"

/** Inside a transaction only its `tx` may be used; src/db/db.ts says why. What takes a `tx` runs inside of one. */
export const noDbInsideTransaction = {
  meta: {
    type: 'problem',
    schema: [],
    messages: { db: 'Inside a transaction use its `tx`: `db` hangs on PGlite and runs outside of it on PostgreSQL.' },
  },
  create: (context) => ({
    [`${TAKES_TX} Identifier[name='db']`]: (node) => context.report({ node, messageId: 'db' }),
  }),
}

/** What has to be named but is not wanted, as in `for await (const _ of …)`. */
const UNUSED = { argsIgnorePattern: '^_', varsIgnorePattern: '^_', destructuredArrayIgnorePattern: '^_' }

export default defineConfig(
  { ignores: ['dist/', 'coverage/', '.linebook/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: {
      globals: Object.fromEntries(Object.getOwnPropertyNames(globalThis).map((name) => [name, 'readonly'])),
    },
    rules: { 'no-unused-vars': ['error', UNUSED] },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { linebook: { rules: { 'no-db-inside-transaction': noDbInsideTransaction } } },
    rules: {
      'linebook/no-db-inside-transaction': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', UNUSED],
      // Numbers are ASCII.
      '@typescript-eslint/no-misused-spread': ['error', { allow: ['string'] }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // `async` also says that a function without `await` keeps a promised signature; `() => f()` may give nothing back.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      // Our parts are plain objects of functions, which are passed on one by one.
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    // Answers are read as JSON, and a wrong guess at their shape fails the test.
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      // What `beforeAll` should have made is missing in `afterAll` when it failed.
      '@typescript-eslint/no-unnecessary-condition': 'off',
    },
  },
  {
    files: ['src/**'],
    ignores: ['src/cli/**'],
    rules: { 'no-console': 'error' },
  },
  {
    files: ['src/**'],
    ignores: ['src/config/**', 'src/cli/io.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Settings come from src/config/, which reads them once.' },
      ],
    },
  },
)

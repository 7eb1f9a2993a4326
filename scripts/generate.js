// Writes the generated files. With --check it writes nothing, and fails naming those that are stale.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generatedFiles } from './generated-files.js'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

const { status } = spawnSync(process.execPath, [join(root, 'scripts', 'build.js'), '--if-stale'], { stdio: 'inherit' })
if (status !== 0) process.exit(status ?? 1)

const fromDist = (path) => import(new URL(`../dist/${path}`, import.meta.url).href)
const { imageFor } = await fromDist('db/image.js')
const { migrate, readMigrations } = await fromDist('db/migrate.js')
const { openPglite } = await fromDist('db/pglite.js')

const db = await openPglite({ dataDir: undefined, imageFile: imageFor(false) })
await migrate(db, await readMigrations(), 'emulator')
const files = await generatedFiles({
  config: await fromDist('config/config.js'),
  operations: await fromDist('phone-numbers/contract/operations.js'),
  models: await fromDist('phone-numbers/contract/models.js'),
  versions: await fromDist('phone-numbers/contract/versions.js'),
  provisioning: {
    operation: await fromDist('provisioning/contract/operation.js'),
    operations: await fromDist('provisioning/contract/operations.js'),
    models: await fromDist('provisioning/contract/models.js'),
    requests: await fromDist('provisioning/contract/requests.js'),
    parameters: await fromDist('provisioning/contract/parameters.js'),
    versions: await fromDist('provisioning/contract/versions.js'),
    errors: await fromDist('provisioning/wire/errors.js'),
    facadeOperations: await fromDist('provisioning/facade-2023/operations.js'),
    facadeModels: await fromDist('provisioning/facade-2023/models.js'),
  },
  operator: {
    operations: (await fromDist('operator/contract/operations.js')).operations,
    isRepeatable: (await fromDist('operator/contract/operation.js')).isRepeatable,
    basePath: (await fromDist('operator/contract/operation.js')).BASE_PATH,
  },
  backendProtocol: await fromDist('backends/http/contract.js'),
  db,
})
await db.close()

const current = (path) => (existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : undefined)
const stale = Object.keys(files).filter((path) => current(path) !== files[path])

if (process.argv.includes('--check')) {
  for (const path of stale) console.error(`${path} is stale. Run: npm run generate`)
  if (stale.length > 0) process.exitCode = 1
} else {
  for (const path of stale) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), files[path])
    console.log(`${path} written`)
  }
}

import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { runnerImport } from 'vite'

const FIXTURE = join(dirname(dirname(fileURLToPath(import.meta.url))), 'test', 'fixtures', 'postgres-server.ts')

/**
 * What a crash must not lose is on disk before it is acknowledged, as in production: each side of a ratio pays for it.
 * The rest is what a small server would be given.
 */
const SETTINGS = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  shared_buffers: '512MB',
  max_wal_size: '4GB',
}

/**
 * @typedef {object} DurablePostgres
 * @property {string} description version and settings, in a line
 * @property {(name: string) => Promise<string>} createDatabase makes an empty database, returns its connection string
 * @property {() => Promise<void>} stop
 */

/** Starts the tests' PostgreSQL server, with settings that keep data safe. @returns {Promise<DurablePostgres>} */
export async function startDurablePostgres() {
  const { module } = await runnerImport(FIXTURE, { configFile: false, logLevel: 'error' })
  const server = await module.startPostgresServer({ settings: SETTINGS })
  const [{ version }] = await runOnce(server.url, "select current_setting('server_version') as version")
  const settings = Object.entries(SETTINGS).map(([name, value]) => `${name}=${value}`)
  return {
    description: `PostgreSQL ${version}, ${settings.join(' ')}`,
    createDatabase: async (name) => {
      await runOnce(server.url, `create database ${name}`)
      return server.urlFor(name)
    },
    stop: () => server.stop(),
  }
}

/** Runs one statement, or a script without parameters, on a connection of its own. */
export async function runOnce(url, text, values) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text, values)).rows
  } finally {
    await client.end()
  }
}

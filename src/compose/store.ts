/** The part of the composition root that opens the database: all that commands other than `serve` need. */
import { ensureEmulatorGrants } from '../auth/grants.js'
import { ensureEmulatorResource, type ResourceDeps } from '../auth/resources.js'
import { Sealer, EMULATOR_SEALING_KEY } from '../auth/seal.js'
import { systemClock, type Clock } from '../clock.js'
import type { Config } from '../config/config.js'
import type { Db } from '../db/db.js'
import { buildImages, imageFor } from '../db/image.js'
import { migrate, readMigrations } from '../db/migrate.js'
import { openPglite } from '../db/pglite.js'
import { openPostgres } from '../db/postgres.js'
import { ensureEmulatorClients, emulatorClientIds } from '../issuer/clients.js'
import { seedStock } from '../ledger/stock/seed.js'
import { createLogger, type Logger } from '../log.js'

/** The dependencies of commands that only work on the database. */
export interface Store extends ResourceDeps {
  logger: Logger
  close(): Promise<void>
}

/**
 * Opens the configured database, migrates it to this program's schema and, in emulator mode, ensures that the
 * well-known resource and a stock exist. Throws SetupErrors.
 */
export async function openStore(config: Config, clock: Clock = systemClock): Promise<Store> {
  const logger = createLogger(config.logLevel)
  const db = await openDatabase(config, logger)
  const sealer = new Sealer(config.secretKeys.length > 0 ? [...config.secretKeys] : [EMULATOR_SEALING_KEY])
  const store: Store = { db, sealer, clock, logger, close: () => db.close() }
  try {
    const applied = await migrate(db, await readMigrations())
    for (const { version, name } of applied) logger.info({ version, name }, 'migration applied')
    if (config.mode === 'emulator') await fillEmulator(store, config)
    return store
  } catch (error) {
    await db.close()
    throw error
  }
}

/** Adds the initial content of an emulator's database, unless it is there. */
export async function fillEmulator(store: Store, config: Config): Promise<void> {
  await ensureEmulatorResource(store)
  if (config.builtInIssuer) {
    await ensureEmulatorClients(store)
    await ensureEmulatorGrants(store, emulatorClientIds)
  }
  if (config.seedStock) await seedStock(store.db, store.clock.now())
}

const openDatabase = (config: Config, logger: Logger): Promise<Db> =>
  config.databaseUrl === undefined
    ? openPglite({
        dataDir: config.inMemory ? undefined : config.dataDir,
        imageFile: imageFor(config.seedStock),
      })
    : openPostgres({ connectionString: config.databaseUrl, poolSize: config.databasePoolSize, logger })

/** Prepares the images of embedded databases; part of the build. */
export const buildDatabaseImages = (): Promise<void> =>
  buildImages(
    async (db) => {
      await migrate(db, await readMigrations())
    },
    async (db) => {
      await seedStock(db, systemClock.now())
    },
  )

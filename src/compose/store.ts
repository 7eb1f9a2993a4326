/** The part of the composition root that opens the database: all that commands other than `serve` need. */
import { ensureEmulatorGrants } from '../auth/grants.js'
import { ensureEmulatorResource, type ResourceDeps } from '../auth/resources.js'
import { Sealer, EMULATOR_SEALING_KEY } from '../auth/seal.js'
import { systemClock, type Clock } from '../clock.js'
import type { Config } from '../config/config.js'
import type { Db } from '../db/db.js'
import { buildImages, imageFor } from '../db/image.js'
import { migrate, readMigrations, requireSchema } from '../db/migrate.js'
import { hasDatabase, openPglite } from '../db/pglite.js'
import { openPostgres } from '../db/postgres.js'
import { readStamp, stampOnce } from '../db/stamp.js'
import { SetupError } from '../errors.js'
import { ensureEmulatorClients, emulatorClientIds } from '../issuer/clients.js'
import { seedStock } from '../ledger/stock/seed.js'
import { createLogger, type Logger } from '../log.js'
import { checkMode, modeOf } from './stamp.js'

/** The dependencies of commands that only work on the database. */
export interface Store extends ResourceDeps {
  logger: Logger
  close(): Promise<void>
}

/**
 * What a database is opened for. 'serve' migrates it and, for an emulator, fills it with the well-known resource and a
 * stock; 'migrate' only migrates; 'use' writes nothing.
 */
export type Purpose = 'serve' | 'migrate' | 'use'

/** Opens the configured database. Throws SetupErrors, for one of the other mode before anything is written. */
export async function openStore(config: Config, purpose: Purpose, clock: Clock = systemClock): Promise<Store> {
  const logger = createLogger(config.logLevel)
  // What lives in memory is made by whatever opens it.
  const wanted = config.inMemory ? 'serve' : purpose
  const db = await openDatabase(config, logger, wanted)
  const sealer = new Sealer(config.secretKeys.length > 0 ? [...config.secretKeys] : [EMULATOR_SEALING_KEY])
  const store: Store = { db, sealer, clock, logger, close: () => db.close() }
  try {
    const migrations = await readMigrations()
    const mode = await modeOf(db, config)
    checkMode(mode, config)
    if (wanted === 'use') await requireSchema(db, migrations)
    else {
      const applied = await migrate(db, migrations, config.mode)
      for (const { version, name } of applied) logger.info({ version, name }, 'migration applied')
      if (mode !== undefined) await db.transaction((tx) => stampOnce(tx, mode))
      // Another program may have stamped an empty database first.
      checkMode(await readStamp(db), config)
    }
    if (wanted === 'serve' && config.mode === 'emulator') await fillEmulator(store, config)
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

async function openDatabase(config: Config, logger: Logger, purpose: Purpose): Promise<Db> {
  const { databaseUrl, databasePoolSize, dataDir, inMemory, seedStock } = config
  if (databaseUrl !== undefined) {
    return openPostgres({ connectionString: databaseUrl, poolSize: databasePoolSize, logger })
  }
  if (purpose === 'use' && !hasDatabase(dataDir)) {
    throw new SetupError(
      `LINEBOOK_DATA_DIR: there is no database in "${dataDir}" yet. "linebook serve" makes one, with fictional ` +
        'numbers in it; "linebook migrate" makes an empty one.',
    )
  }
  const imageFile = imageFor(purpose === 'serve' && seedStock)
  return openPglite({ dataDir: inMemory ? undefined : dataDir, imageFile })
}

/** Prepares the images of embedded databases; part of the build. */
export const buildDatabaseImages = (): Promise<void> =>
  buildImages(
    async (db) => {
      await migrate(db, await readMigrations(), 'emulator')
    },
    async (db) => {
      await seedStock(db, systemClock.now())
    },
  )

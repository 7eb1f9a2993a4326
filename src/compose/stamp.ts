/** What a database is for, found out and changed; see docs/adr/0013-databases-are-stamped.md. */
import { hasWellKnownResource, removeWellKnownResources } from '../auth/well-known.js'
import type { Config } from '../config/config.js'
import { sql, type Db } from '../db/db.js'
import { readMigrations, requireSchema, schemaVersion } from '../db/migrate.js'
import { openPostgres } from '../db/postgres.js'
import { createStampTable, readStamp, restamp, type DatabaseMode } from '../db/stamp.js'
import { SetupError } from '../errors.js'
import { hasWellKnownClient, removeWellKnownClients } from '../issuer/well-known.js'
import { createLogger } from '../log.js'

/**
 * What a database is for; undefined for an empty one. One from before there were stamps is an emulator's if it has the
 * published credentials, and in production otherwise.
 */
export async function modeOf(db: Db, { secretKeys }: Pick<Config, 'secretKeys'>): Promise<DatabaseMode | undefined> {
  const stamp = await readStamp(db)
  if (stamp !== undefined || (await schemaVersion(db)) === 0) return stamp
  const wellKnown = (await hasWellKnownClient(db)) || (await hasWellKnownResource(db, secretKeys))
  return wellKnown ? 'emulator' : 'production'
}

/** Throws a SetupError for a database of the other mode. */
export function checkMode(found: DatabaseMode | undefined, { mode }: Pick<Config, 'mode'>): void {
  if (found === undefined || found === mode) return
  throw new SetupError(
    found === 'production'
      ? 'LINEBOOK_MODE: this database is in production, and an emulator would give it credentials that everybody ' +
          'knows. Set LINEBOOK_MODE=production, or DATABASE_URL to another database.'
      : "LINEBOOK_MODE: this database is an emulator's, with credentials that everybody knows. Set " +
          'LINEBOOK_MODE=emulator, or DATABASE_URL to another database; to put this one into production, run ' +
          '"linebook database stamp production", which removes them first.',
  )
}

/**
 * Stamps the configured database anew. Before it is stamped for production, the published credentials are removed and
 * what the emulator sealed is sealed under LINEBOOK_SECRET_KEY. Returns what was done, in words. Throws SetupErrors.
 */
export async function stampDatabase(config: Config, mode: DatabaseMode): Promise<string[]> {
  if (config.databaseUrl === undefined) {
    throw new SetupError("DATABASE_URL: it is not set, and an embedded database is always an emulator's.")
  }
  if (mode === 'production' && config.secretKeys.length === 0) {
    throw new SetupError(
      'LINEBOOK_SECRET_KEY: production needs a key for what it keeps secret: openssl rand -base64 32.',
    )
  }
  const logger = createLogger(config.logLevel)
  const db = await openPostgres({ connectionString: config.databaseUrl, poolSize: 2, logger })
  try {
    await requireSchema(db, await readMigrations())
    // One from before there were stamps has no place for one.
    await createStampTable(db)
    return await db.transaction(async (tx) => {
      const done =
        mode === 'production'
          ? [...(await removeWellKnownResources(tx, config.secretKeys)), ...(await removeWellKnownClients(tx))]
          : []
      if (mode === 'production') {
        const settings = await tx.query(sql`delete from emulator_setting returning name`)
        if (settings.length > 0) done.push(`removed ${settings.length} settings of the emulator's clock and faults`)
      }
      await restamp(tx, mode)
      return done
    })
  } finally {
    await db.close()
  }
}

import { systemClock } from '../dist/clock.js'
import { policyFrom } from '../dist/compose/parts/policy.js'
import { readConfig } from '../dist/config/config.js'
import { openPostgres } from '../dist/db/postgres.js'
import { createLogger } from '../dist/log.js'
import { readCatalogue } from '../dist/phone-numbers/model/catalogue.js'
import { runOnce } from './postgres.js'

/**
 * What commands need to be called straight: the statements that they send, in their transactions, from a pool of the
 * server's size, without HTTP, access keys or schemas.
 * @param {string} url of a database that a server has run on: the resource `local` is there
 */
export async function openStraight(url) {
  const config = readConfig({ DATABASE_URL: url, LINEBOOK_LOG_LEVEL: 'fatal' })
  const logger = createLogger(config.logLevel)
  const db = await openPostgres({ connectionString: url, poolSize: config.databasePoolSize, logger })
  const [resource] = await runOnce(url, `select id, name from resource where name = 'local'`)
  return {
    deps: {
      db,
      clock: systemClock,
      logger,
      catalogue: await readCatalogue(config.catalogueFile),
      policyOf: policyFrom(config),
      maxSearchQuantity: config.maxSearchQuantity,
      maxReservationNumbers: config.maxReservationNumbers,
      courseOf: () => ({ delayMs: 0 }),
      walletRequired: config.walletRequired,
      hooks: { billing: undefined, fulfilment: undefined, giveUpMs: 0 },
      nudge: () => {},
      carryOutNow: () => Promise.resolve(),
    },
    principal: {
      resourceId: resource.id,
      resourceName: resource.name,
      actor: `resource:${resource.name}`,
      pool: '',
      restricted: false,
      evidence: { scheme: 'access-key', signature: Buffer.alloc(0) },
    },
    close: () => db.close(),
  }
}

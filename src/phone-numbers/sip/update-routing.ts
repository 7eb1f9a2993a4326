import type { Principal } from '../../auth/authenticate.js'
import type { Db } from '../../db/db.js'
import { changed, type SipConfiguration, type SipConfigurationChange } from './configuration.js'
import { requireValid } from './rules.js'
import { ensureConfiguration, lockConfiguration, saveConfiguration } from './store.js'

/**
 * Changes the configuration of the caller's resource and returns what it has become. All of a change is stored or
 * nothing; of two changes at once the later one is made to what the earlier one left. Throws what `requireValid` throws
 * about the configuration that would result.
 */
export const updateRouting = (
  { db }: { db: Db },
  { resourceId }: Principal,
  change: SipConfigurationChange,
): Promise<SipConfiguration> =>
  db.transaction(async (tx) => {
    await ensureConfiguration(tx, resourceId)
    const configuration = changed(await lockConfiguration(tx, resourceId), change)
    requireValid(configuration)
    await saveConfiguration(tx, resourceId, configuration)
    return configuration
  })

import type { Principal } from '../../auth/authenticate.js'
import type { Db } from '../../db/db.js'
import { changed, type SipConfiguration, type SipConfigurationChange } from './configuration.js'
import { requireValid } from './rules.js'
import { ensureConfiguration, lockConfiguration, saveConfiguration } from './store.js'

/**
 * Changes the configuration of the client's resource and returns the result. A change is stored as a whole or not at
 * all; of two concurrent changes the later one applies to the result of the earlier one. Throws what `requireValid`
 * throws about the resulting configuration.
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

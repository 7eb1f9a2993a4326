import type { Config } from '../../config/config.js'
import type { PolicyOf } from '../../ledger/policy.js'

/** The rules of numbers, from the settings; they are the same for every number. */
export function policyFrom(
  config: Pick<Config, 'quarantineMs' | 'searchHoldMs' | 'reservationHoldMs' | 'reservationMaxMs'>,
): PolicyOf {
  const { quarantineMs: restMs, searchHoldMs, reservationHoldMs, reservationMaxMs } = config
  const policy = { restMs, releasable: true, searchHoldMs, reservationHoldMs, reservationMaxMs }
  return () => policy
}

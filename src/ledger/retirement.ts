/** Numbers that an operator takes out of service and puts back into stock. */
import { sql, type Tx } from '../db/db.js'
import { change, type Cause } from './history.js'

/**
 * Takes available or resting numbers out of service, with `evenHeld` also those on hold: a purchase of the hold then
 * gets the numbers that are left in it. Returns the numbers it retired.
 */
export const retireNumbers = (
  tx: Tx,
  e164s: string[],
  cause: Cause,
  { evenHeld = false }: { evenHeld?: boolean } = {},
): Promise<string[]> =>
  change(
    tx,
    'retire',
    'retired',
    cause,
    sql`set state = 'retired', hold_id = null, resource_id = null, free_at = null, left_account = false`,
    {
      found: sql`e164 = any(${e164s}::text[])`,
      guard: sql`state in ('available', 'quarantined') or (state = 'held' and ${evenHeld}) or free_at <= ${cause.at}`,
    },
  )

/** Puts retired or resting numbers back into stock at once. Returns the numbers it restored. */
export const restoreNumbers = (tx: Tx, e164s: string[], cause: Cause): Promise<string[]> =>
  change(tx, 'restore', 'available', cause, sql`set state = 'available', free_at = null, left_account = false`, {
    found: sql`e164 = any(${e164s}::text[])`,
    guard: sql`state = 'retired' or (state = 'quarantined' and free_at > ${cause.at})`,
  })

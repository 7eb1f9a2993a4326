/** What a buyer does with numbers once they are held: purchases, configures and releases them. */
import { sql, type Tx } from '../db/db.js'
import { change, type Cause, type Which } from './history.js'
import type { Hold } from './holds.js'
import type { AssignmentType, Capabilities, Price } from './number.js'

export interface Terms extends Capabilities {
  assignmentType: AssignmentType
  price: Price
}

/** A number and the terms on which it is bought. */
export interface PurchaseLine extends Terms {
  e164: string
}

/** Makes the numbers of an unexpired hold that `lines` name owned, each on its terms. Returns them. */
export function purchaseHeld(
  tx: Tx,
  hold: Omit<Hold, 'until'>,
  lines: readonly PurchaseLine[],
  cause: Cause,
): Promise<string[]> {
  const e164s = lines.map(({ e164 }) => e164)
  // The element of `texts` at the index that the row's number has in `e164s`.
  const at = (texts: string[]) => sql`(${texts}::text[])[array_position(${e164s}::text[], e164)]`
  return change(
    tx,
    'purchase',
    'owned',
    cause,
    sql`set state = 'owned', hold_id = null, free_at = null, purchased_at = ${cause.at},
            purchase_order = nextval('purchase_order'),
            assignment_type = ${at(lines.map(({ assignmentType }) => assignmentType))},
            calling = ${at(lines.map(({ calling }) => calling))}, sms = ${at(lines.map(({ sms }) => sms))},
            price_amount = ${at(lines.map(({ price }) => price.amount))}::numeric,
            price_currency = ${at(lines.map(({ price }) => price.currency))}`,
    {
      found: sql`hold_id = ${hold.holdId}`,
      guard: sql`resource_id = ${hold.resourceId} and state = 'held' and free_at > ${cause.at}
                 and e164 = any(${e164s}::text[])`,
    },
  )
}

/** Sets the capabilities of an owned number; one that is left out stays. Returns the number if the resource owns it. */
export const configureOwned = (
  tx: Tx,
  owned: { e164: string; resourceId: string },
  { calling, sms }: Partial<Capabilities>,
  cause: Cause,
): Promise<string[]> =>
  change(
    tx,
    'configure',
    'owned',
    cause,
    sql`set calling = coalesce(${calling ?? null}, calling), sms = coalesce(${sms ?? null}, sms)`,
    isOwned(owned),
  )

/** Takes an owned number from its resource; it rests until `freeAt`. Returns the number if the resource owned it. */
export const releaseOwned = (
  tx: Tx,
  owned: { e164: string; resourceId: string },
  freeAt: Date,
  cause: Cause,
): Promise<string[]> =>
  change(
    tx,
    'release',
    'quarantined',
    cause,
    sql`set state = 'quarantined', free_at = ${freeAt}, resource_id = null, purchased_at = null, purchase_order = null,
            assignment_type = null, calling = null, sms = null, price_amount = null, price_currency = null`,
    isOwned(owned),
  )

const isOwned = ({ e164, resourceId }: { e164: string; resourceId: string }): Which => ({
  found: sql`e164 = ${e164}`,
  guard: sql`state = 'owned' and resource_id = ${resourceId}`,
})

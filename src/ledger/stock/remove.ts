import { sql, type Tx } from '../../db/db.js'

/**
 * Removes a pool from the ledger: its numbers in any state, their history and its places. Nothing of it remains, so
 * this is not for numbers that anyone relies on.
 */
export async function removePool(tx: Tx, pool: string): Promise<void> {
  if (pool === '') throw new Error('The stock that all buyers share is not removed')
  await tx.query(sql`
    delete from number_history
    where e164 in (select e164 from number join place on place.id = place_id where pool = ${pool})`)
  await tx.query(sql`delete from number where place_id in (select id from place where pool = ${pool})`)
  await tx.query(sql`delete from place where pool = ${pool}`)
}

import { sql, type Sql } from '../db/db.js'
import type { Cause } from './history.js'

export interface Hold {
  holdId: string
  resourceId: string
  until: Date
}

/**
 * The part of a statement that puts a hold on the numbers of its CTE `taken (e164, state)`, locked there, and writes
 * their history: CTEs `held` and `told`. What time has done to them and nobody has written down yet comes first.
 */
export const holdTaken = (hold: Hold, cause: Cause): Sql => sql`
    held as (
      update number
      set state = 'held', hold_id = ${hold.holdId}, resource_id = ${hold.resourceId}, free_at = ${hold.until},
          left_account = false
      -- An array, not a join: the planner can't know how few rows there are and might read the whole table.
      where e164 = any (array(select e164 from taken))
      returning e164
    ), told as (
      insert into number_history (e164, at, event, from_state, to_state, actor, reason)
      select e164, ${cause.at}::timestamptz, case state when 'held' then 'expire' else 'rest' end,
             state, 'available', 'system', 'time'
      from taken where state <> 'available'
      union all
      select e164, ${cause.at}::timestamptz, 'hold', 'available', 'held', ${cause.actor}, ${cause.reason}
      from held
    )`

import { sql, type Db } from '../../db/db.js'
import type { NumberState, NumberType } from '../number.js'

/** How many numbers count as being in each state; a state without any is left out. */
export type StateCounts = Partial<Record<NumberState, number>>

export interface StockCount {
  /** Left out for the pool that all buyers share. */
  pool?: string
  countryCode: string
  phoneNumberType: NumberType
  areaCode: string
  states: StateCounts
}

export interface StockReport {
  /** By pool, the shared one first, then by country, type and area code. */
  stock: StockCount[]
  /** Numbers on accounts that never were stock. */
  neverStock: StateCounts
}

/**
 * Counts the ledger. Holds and quarantines whose time is over count as available, as everywhere. Reads every row: two
 * or three seconds for ten million.
 */
export async function reportStock(db: Db, now: Date): Promise<StockReport> {
  const rows = await db.transaction(async (tx) => {
    await tx.liftTimeLimit()
    return tx.query<Counted>(sql`
      with counted as (
        -- By place first: few groups, and nothing to join ten million times.
        select place_id, case when free_at <= ${now} then 'available' else state end as state, count(*) as numbers
        from number
        group by 1, 2
      )
      select p.pool, country_code as "countryCode", number_type as "phoneNumberType", area_code as "areaCode", state,
             sum(numbers)::bigint as numbers
      from counted left join place p on p.id = place_id
      group by 1, 2, 3, 4, 5
      order by p.pool, country_code collate "C", number_type, area_code collate "C", state`)
  })
  const report: StockReport = { stock: [], neverStock: {} }
  for (const { pool, countryCode, phoneNumberType, areaCode, state, numbers } of rows) {
    if (countryCode === null || pool === null) {
      report.neverStock[state] = numbers
      continue
    }
    const last = report.stock.at(-1)
    const isSame =
      (last?.pool ?? '') === pool &&
      last?.countryCode === countryCode &&
      last.phoneNumberType === phoneNumberType &&
      last.areaCode === areaCode
    if (last && isSame) last.states[state] = numbers
    else {
      const whose = pool === '' ? {} : { pool }
      report.stock.push({ ...whose, countryCode, phoneNumberType, areaCode, states: { [state]: numbers } })
    }
  }
  return report
}

interface Counted {
  /** Null for numbers without a place, as the next three. */
  pool: string | null
  countryCode: string | null
  phoneNumberType: NumberType
  areaCode: string
  state: NumberState
  numbers: number
}

import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { sql, type Tx } from '../../src/db/db.js'
import { newId } from '../../src/ids.js'
import { assignNumbers } from '../../src/ledger/assignment.js'
import type { Cause } from '../../src/ledger/history.js'
import { listHistory } from '../../src/ledger/reads.js'
import { StockEntry } from '../../src/ledger/stock/enter.js'
import { openTestPostgres, truncate } from '../fixtures/database.js'
import { seattle } from '../fixtures/stock.js'

const db = await openTestPostgres()
afterAll(() => db.close())

const cause: Cause = { at: new Date('2026-03-01T12:00:00.000Z'), actor: 'operator', reason: 'race' }
const accountId = newId()
const e164 = '+12065550100'

const put = (tx: Tx): Promise<string[]> => assignNumbers(tx, accountId, [e164], cause)

/** Puts the number on the account while a transaction that has already done `first` is still open. */
async function putDuring(first: (tx: Tx) => Promise<unknown>): Promise<string[]> {
  let commit = (): void => {}
  const mayCommit = new Promise<void>((resolve) => (commit = resolve))
  let started = (): void => {}
  const isOpen = new Promise<void>((resolve) => (started = resolve))
  const other = db.transaction(async (tx) => {
    await first(tx)
    started()
    await mayCommit
  })
  await isOpen
  const putting = db.transaction(put)
  for (;;) {
    const [row] = await db.query<{ waiting: number }>(
      sql`select count(*) as waiting from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    )
    if (row?.waiting === 1) break
  }
  commit()
  await other
  return putting
}

describe('a number that is put on an account while somebody else enters it', () => {
  beforeEach(() => truncate(db))

  it('as stock is taken from stock, and its story has no gap', async () => {
    expect(await putDuring((tx) => new StockEntry(tx, cause).enter([{ e164, place: seattle }]))).toEqual([e164])
    expect(await listHistory(db, e164)).toMatchObject([
      { event: 'enter', fromState: null, toState: 'available' },
      { event: 'assign', fromState: 'available', toState: 'assigned' },
    ])
  })

  it('on the same account is entered once', async () => {
    expect(await putDuring(put)).toEqual([e164])
    expect(await listHistory(db, e164)).toMatchObject([
      { event: 'assign', fromState: null, toState: 'assigned' },
      { event: 'configure', fromState: 'assigned', toState: 'assigned' },
    ])
  })

  it('on another account is left to that one', async () => {
    expect(await putDuring((tx) => assignNumbers(tx, newId(), [e164], cause))).toEqual([])
    expect(await listHistory(db, e164)).toHaveLength(1)
  })
})

import { afterEach, expect, it } from 'vitest'
import { sql } from '../../src/db/db.js'
import { migrate, readMigrations } from '../../src/db/migrate.js'
import { SetupError } from '../../src/errors.js'
import { openTestPostgres } from '../fixtures/database.js'

let db: Awaited<ReturnType<typeof openTestPostgres>>
afterEach(() => db.close())

it('a migration that meets a locked table gives up with the reason, and is done at the next start', async () => {
  db = await openTestPostgres(3)
  const released = await readMigrations()
  // Its own limit, shorter than the usual one.
  const script = "set local lock_timeout = '50ms'; alter table number add column seen integer"
  const wanted = [...released, { version: released.length + 1, name: 'seen', script }]
  const refusal = await db.transaction(async (tx) => {
    await tx.query(sql`lock table number in share mode`)
    // eslint-disable-next-line linebook/no-db-inside-transaction -- from another connection, on purpose
    return migrate(db, wanted, 'emulator').catch((error: unknown) => error)
  })
  expect(refusal).toBeInstanceOf(SetupError)
  expect(String(refusal)).toMatch(/migrations\/\d{4}-seen\.sql waited .* for a table that others keep locked/)
  expect(await migrate(db, wanted, 'emulator')).toHaveLength(1)
})

import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { ResourceDirectory } from '../../src/auth/resource-directory.js'
import { Sealer, EMULATOR_SEALING_KEY } from '../../src/auth/seal.js'
import type { Queryable } from '../../src/db/db.js'
import { createLogger } from '../../src/log.js'

const QUERY_MS = 10
/** A reading asks for the resources and for the grants. */
const QUERIES_PER_READING = 2
const READING_MS = QUERIES_PER_READING * QUERY_MS

let queries = 0
const db: Queryable = {
  query: async () => {
    queries++
    vi.advanceTimersByTime(QUERY_MS)
    return []
  },
}

beforeEach(() => {
  queries = 0
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

it('wrong signatures get a tenth of the time for reading the resources again, and none is refused unread', async () => {
  const directory = new ResourceDirectory(db, new Sealer([EMULATOR_SEALING_KEY]), createLogger('silent'), true)
  const readings = () => queries / QUERIES_PER_READING
  await directory.reloadInDoubt()
  expect(readings()).toBe(1)
  let done = 0
  const waiting = Array.from({ length: 40 }, () => directory.reloadInDoubt().then(() => done++))
  await vi.advanceTimersByTimeAsync(9 * READING_MS)
  expect([readings(), done]).toEqual([1, 0])
  await vi.advanceTimersByTimeAsync(READING_MS)
  await Promise.all(waiting)
  expect([readings(), done]).toEqual([2, 40])
})

/** How writes become calls to a backend, one by one: what supersedes what, what waits how long, and what is told whom. */
import { describe, expect, vi } from 'vitest'
import { later } from '../../../src/clock.js'
import { sql, type Db } from '../../../src/db/db.js'
import { MOST_PER_RUN } from '../../../src/reconcile/reconcile.js'
import { it } from '../../fixtures/test.js'
import {
  aWatchedOperator,
  expectAtRest,
  expectStoredWhole,
  HOUR,
  MINUTE,
  SECOND,
  type WatchedOperator,
} from './watched-operator.js'

const [e164, other] = ['+12065550100', '+12065550101'] as const
const bad = { code: 'Bad', message: 'Not so.' }
let operator: WatchedOperator
it.beforeEach(async ({ db }) => {
  operator = aWatchedOperator(db)
  await operator.putAccount('contoso')
  await operator.runAll()
})

describe('a write that comes while its number is being told', () => {
  /** Puts the number, and puts it again while the first call stands still. */
  async function putTwice(where: 'before' | 'after'): Promise<void> {
    const stop = operator.watched.stop('uploadNumbers', where)
    await operator.put('contoso', e164, 'ConferenceAssignment')
    const first = operator.run()
    await stop.reached
    await operator.put('contoso', e164, 'CallingUserAssignment')
    // Nobody else may touch it meanwhile.
    expect(await operator.run()).toMatchObject({ claimed: 0 })
    stop.go()
    expect(await first).toMatchObject({ claimed: 1, more: true })
  }

  it.for(['before', 'after'] as const)(
    'is told next, and only then is the number synced (%s the effect)',
    async (where, { db }) => {
      await putTwice(where)
      expect(await status()).toBe('pending')
      await operator.runAll()
      expect(operator.watched.about(e164)).toEqual(['uploadNumbers', 'updateNumbers'])
      await expectAtRest(db, operator, present('CallingUserAssignment'))
    },
  )

  it('hides that the first was refused', async ({ db }) => {
    await control().misbehave('refuse', { ...bad, times: 1 })
    await putTwice('after')
    expect(await status()).toBe('pending')
    await operator.runAll()
    await expectAtRest(db, operator, present('CallingUserAssignment'))
  })

  it('does not wait for what the first would have had to', async ({ db }) => {
    await control().misbehave('throttle', { afterMs: HOUR, times: 1 })
    await putTwice('after')
    expect(await due(db)).toEqual({ inSeconds: 0, attempts: 0 })
    await operator.runAll()
    await expectAtRest(db, operator, present('CallingUserAssignment'))
  })

  it('waits for the end of its claim when the process that makes the call dies', async ({ db }) => {
    const stop = operator.watched.stop('uploadNumbers', 'before')
    await operator.put('contoso', e164)
    void operator.run()
    await stop.reached
    await operator.put('contoso', e164, 'CallingUserAssignment')
    expect(await due(db)).toMatchObject({ inSeconds: 40 })
  })

  it('and takes it off its account: what has just been uploaded is released again', async ({ db }) => {
    const stop = operator.watched.stop('uploadNumbers', 'after')
    await operator.put('contoso', e164)
    const first = operator.run()
    await stop.reached
    await operator.deleteNumbers('contoso', [e164])
    stop.go()
    await first
    await operator.runAll()
    expect(operator.watched.about(e164)).toEqual(['uploadNumbers', 'unassignNumbers', 'releaseNumbers'])
    await expectAtRest(db, operator, new Map())
  })

  it('and takes it off and puts it on again: it is released before it is uploaded anew', async ({ db }) => {
    const stop = operator.watched.stop('uploadNumbers', 'after')
    await operator.put('contoso', e164)
    const first = operator.run()
    await stop.reached
    await operator.deleteNumbers('contoso', [e164])
    await operator.put('contoso', e164, 'CallingUserAssignment')
    stop.go()
    await first
    await operator.runAll()
    const uploadedAnew = ['uploadNumbers', 'unassignNumbers', 'releaseNumbers', 'uploadNumbers']
    expect(operator.watched.about(e164)).toEqual(uploadedAnew)
    await expectAtRest(db, operator, present('CallingUserAssignment'))
  })
})

describe('an account’s sync that is switched off while a number is being told', () => {
  it.for([
    ['is done', () => Promise.resolve()],
    ['is refused', () => control().misbehave('refuse', bad)],
    ['is lost', () => control().misbehave('timeout-after-success', { methods: ['uploadNumbers'] })],
    ['has to wait', () => control().misbehave('throttle', { afterMs: MINUTE })],
  ] as const)(
    'leaves it alone when the call %s: synced, told no more, and looked at no more',
    async ([_, misbehave], { db }) => {
      const stop = operator.watched.stop('uploadNumbers', 'after')
      await operator.put('contoso', e164)
      await misbehave()
      const first = operator.run()
      await stop.reached
      await operator.switchSync('contoso', false)
      stop.go()
      await first
      expect(await operator.status('contoso', e164)).toEqual({ status: 'synced', errors: [] })
      const calls = operator.watched.about(e164).length
      await operator.settle()
      expect(operator.watched.about(e164)).toHaveLength(calls)
      await operator.switchSync('contoso', true)
      await operator.settle()
      await expectAtRest(db, operator, present())
    },
  )

  it('and the number taken off: nothing is left of it here', async ({ db }) => {
    const stop = operator.watched.stop('uploadNumbers', 'after')
    await operator.put('contoso', e164)
    const first = operator.run()
    await stop.reached
    await operator.switchSync('contoso', false)
    await operator.deleteNumbers('contoso', [e164])
    stop.go()
    await first
    expect(await db.query(sql`select key from sync where kind = 'number'`)).toEqual([])
    await expectStoredWhole(db)
  })
})

it('an account that is deleted while its backend is told of it leaves nothing behind', async ({ db }) => {
  const stop = operator.watched.stop('upsertTenants', 'after')
  await operator.putAccount('fabrikam')
  const first = operator.run()
  await stop.reached
  await operator.deleteAccount('fabrikam')
  stop.go()
  await first
  expect(await db.query(sql`select name from account`)).toEqual([{ name: 'contoso' }])
  expect(
    await db.query(sql`select s.key from sync s left join account a on a.id::text = s.key where a.id is null`),
  ).toEqual([])
})

describe('a call that fails', () => {
  it('is made again after 1, 2, 4, … seconds, and never less often than every five minutes', async ({ db }) => {
    await control().misbehave('timeout-before', {})
    await operator.put('contoso', e164)
    for (const seconds of [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]) {
      await operator.run()
      expect((await due(db)).inSeconds).toBe(seconds)
      operator.clock.advance(seconds * SECOND - 1)
      expect(await operator.run()).toMatchObject({ claimed: 0 })
      operator.clock.advance(1)
    }
    expect(await status()).toBe('pending')
    const keys = operator.watched.of('uploadNumbers').map(({ idempotencyKey }) => idempotencyKey)
    expect(new Set(keys).size).toBe(1)
    await operator.settle()
    await expectAtRest(db, operator, present())
  })

  it('is made again when the backend has asked for it, up to an hour later', async ({ db }) => {
    await control().misbehave('throttle', { afterMs: 700 * SECOND, times: 1 })
    await operator.putNumbers('contoso', [e164, other])
    await operator.run()
    expect((await due(db)).inSeconds).toBe(700)
    operator.clock.advance(700 * SECOND)
    await control().misbehave('throttle', { afterMs: 1_000 * HOUR, times: 1 })
    await operator.run()
    expect((await due(db)).inSeconds).toBe(HOUR / SECOND)
    operator.clock.advance(HOUR)
    await operator.runAll()
    expect([await status(), await status(other)]).toEqual(['synced', 'synced'])
  })

  it.for(['throttle', 'unavailable'] as const)(
    'is made ever more seldom when the backend asks for no time at all (%s)',
    async (name, { db }) => {
      await control().misbehave(name, { afterMs: 0 })
      await operator.put('contoso', e164)
      const waits: number[] = []
      for (let calls = 0; calls < 4; calls++) {
        await operator.runAll()
        const { inSeconds } = await due(db)
        waits.push(inSeconds)
        operator.clock.advance(inSeconds * SECOND)
      }
      expect(waits).toEqual([1, 2, 4, 8])
    },
  )

  it('is given up after a day, with the last reason; a new write begins anew', async ({ db }) => {
    await control().misbehave('unavailable', {})
    await operator.put('contoso', e164)
    for (let hours = 0; hours < 24; hours += 4) {
      await operator.run()
      operator.clock.advance(4 * HOUR - 1)
      expect(await status()).toBe('pending')
    }
    operator.clock.advance(SECOND)
    await operator.run()
    const message: unknown = expect.stringMatching(/^Given up after 24 hours\. ServiceUnavailable: \S/)
    expect(await operator.status('contoso', e164)).toEqual({
      status: 'failed',
      errors: [{ code: 'ServiceUnavailable', message, target: 'oc' }],
    })
    await operator.put('contoso', e164)
    expect(await due(db)).toEqual({ inSeconds: 0, attempts: 0 })
    await operator.settle()
    await expectAtRest(db, operator, present())
  })

  it('keeps its faults to itself: what the adapter throws is logged, and tried again', async ({ db }) => {
    const broken = new Error('a bug')
    const oc = { ...operator.backends.oc, uploadNumbers: () => Promise.reject(broken) }
    const good = operator.deps.backends
    operator.deps.backends = { ...good, oc }
    const error = vi.spyOn(operator.deps.logger, 'error')
    await operator.put('contoso', e164)
    await operator.run()
    expect(error).toHaveBeenCalledWith(expect.objectContaining({ err: broken }), expect.anything())
    expect(await status()).toBe('pending')
    operator.deps.backends = good
    await operator.settle()
    await expectAtRest(db, operator, present())
  })
})

describe('a job', () => {
  it('is asked for by its ticket until it is done, also when a poll is lost or the backend is busy', async ({ db }) => {
    await control().misbehave('job', { polls: 4, afterMs: 5 * SECOND, times: 1 })
    await operator.put('contoso', e164)
    await operator.run()
    await control().misbehave('timeout-before', { times: 1 })
    await control().misbehave('throttle', { afterMs: SECOND, times: 1 })
    for (let polls = 0; polls < 6; polls++) {
      operator.clock.advance(5 * SECOND)
      await operator.run()
    }
    const asked = operator.watched.of('uploadNumbers')
    expect(asked).toHaveLength(7)
    expect(asked[0]).not.toHaveProperty('ticket')
    expect(new Set(asked.slice(1).map(({ ticket }) => ticket)).size).toBe(1)
    expect(asked[1]?.ticket).toMatch(/\S/)
    await operator.settle()
    await expectAtRest(db, operator, present())
  })

  it('is forgotten when the number is written to', async ({ db }) => {
    await control().misbehave('job', { polls: 100, times: 1 })
    await operator.put('contoso', e164)
    await operator.run()
    await operator.put('contoso', e164, 'CallingUserAssignment')
    await operator.runAll()
    expect(operator.watched.calls.at(-1)?.items[0]).not.toHaveProperty('ticket')
    await operator.settle()
    await expectAtRest(db, operator, present('CallingUserAssignment'))
  })
})

describe('a backend that takes no calls', () => {
  it('is sent none, and that costs no attempts', async ({ db }) => {
    const closed = { reason: 'Five calls failed.', until: later(operator.clock.now(), MINUTE) }
    operator.backends.oc.unavailable = () => (operator.clock.now() < closed.until ? closed : undefined)
    await operator.put('contoso', e164)
    const before = operator.watched.calls.length
    expect(await operator.run()).toMatchObject({ claimed: 0, more: false })
    expect(operator.watched.calls).toHaveLength(before)
    operator.clock.advance(MINUTE)
    await operator.runAll()
    await expectAtRest(db, operator, present())
  })

  it('in the middle of a run is sent no more, and what was claimed for it is let go of at once', async ({ db }) => {
    let isClosed = false
    Object.assign(operator.backends.oc, {
      batchSize: 1,
      concurrency: 1,
      unavailable: () => (isClosed ? { reason: 'It failed.', until: later(operator.clock.now(), SECOND) } : undefined),
    })
    await operator.putNumbers('contoso', [e164, other])
    const stop = operator.watched.stop('uploadNumbers', 'after')
    const run = operator.run()
    await stop.reached
    isClosed = true
    stop.go()
    expect(await run).toMatchObject({ claimed: 2, confirmed: 1, unfinished: 1, more: false })
    const [left] = await db.query(sql`
      select attempts, claimed_by, last_attempt_at, last_error, next_attempt_at <= ${operator.clock.now()} as due
      from sync where kind = 'number' and pending_since is not null`)
    expect(left).toEqual({ attempts: 0, claimed_by: null, last_attempt_at: null, last_error: null, due: true })
    isClosed = false
    await operator.runAll()
    expect([await status(), await status(other)]).toEqual(['synced', 'synced'])
  })
})

it('a run takes on no more than its bound, and says that there is more', async () => {
  const many = Array.from({ length: MOST_PER_RUN + 1 }, (_, index) => `+1206556${String(index).padStart(4, '0')}`)
  await operator.putNumbers('contoso', many)
  expect(await operator.run()).toMatchObject({ claimed: MOST_PER_RUN, confirmed: MOST_PER_RUN, more: true })
  expect(await operator.run()).toMatchObject({ claimed: 1, confirmed: 1, more: false })
})

const control = () => operator.backends.oc.control
const status = async (number: string = e164) => (await operator.status('contoso', number))?.status
const present = (usage = 'FirstPartyAppAssignment') => new Map([[e164, { account: 'contoso', usage }]])

/** When the next attempt at the number is due, in seconds from now, and what it is to be. */
async function due(db: Db): Promise<{ inSeconds: number; attempts: number }> {
  const [row] = await db.query<{ at: Date; attempts: number }>(
    sql`select next_attempt_at as at, attempts from sync where kind = 'number' and key = ${e164}`,
  )
  if (!row) throw new Error('The number has no row.')
  return { inSeconds: (row.at.getTime() - operator.clock.now().getTime()) / SECOND, attempts: row.attempts }
}

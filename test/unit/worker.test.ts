import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ManualClock, systemClock } from '../../src/clock.js'
import { createLogger } from '../../src/log.js'
import { WorkerRegistry, type TaskReport } from '../../src/workers/registry.js'
import { Worker, type Task } from '../../src/workers/worker.js'

const report = (over: Partial<TaskReport> = {}): TaskReport => ({
  ...{ claimed: 1, done: 1, failed: 0, skipped: 0, more: false },
  ...over,
})
const makeWorker = <Key>(task: Task<Key>, registry = new WorkerRegistry(systemClock)): Worker<Key> =>
  new Worker(task, { logger: createLogger('silent'), clock: systemClock, registry })

/** A task whose runs end when the test says so. */
class Runs implements Task {
  readonly name = 'test'
  readonly intervalMs = 5_000
  begun = 0
  dueAt: Date | undefined
  readonly #open: { end: (more?: boolean) => void; fail: () => void }[] = []

  constructor(readonly lanes = 1) {}

  runOnce(): Promise<TaskReport> {
    this.begun++
    return new Promise((resolve, reject) => {
      this.#open.push({
        end: (more = false) => resolve(report({ more })),
        fail: () => reject(new Error('the database is away')),
      })
    })
  }

  nextDueAt(): Promise<Date | undefined> {
    return Promise.resolve(this.dueAt)
  }

  get underWay(): number {
    return this.#open.length
  }

  /** Ends the oldest run, and lets what follows from it happen. */
  async end(more = false): Promise<void> {
    this.#open.shift()?.end(more)
    await vi.advanceTimersByTimeAsync(0)
  }

  async fail(): Promise<void> {
    this.#open.shift()?.fail()
    await vi.advanceTimersByTimeAsync(0)
  }
}

let worker: Worker | undefined
const start = (task: Task): Worker => {
  worker = makeWorker(task)
  worker.start()
  return worker
}
beforeEach(() => vi.useFakeTimers())
afterEach(async () => {
  await worker?.stop()
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})
const wait = (ms: number) => vi.advanceTimersByTimeAsync(ms)

describe('a worker', () => {
  it('runs its task at the start, and again each time the interval is over', async () => {
    const task = new Runs()
    start(task)
    expect(task.begun).toBe(1)
    await task.end()
    await wait(4_999)
    expect(task.begun).toBe(1)
    await wait(1)
    expect(task.begun).toBe(2)
    await task.end()
    await wait(5_000)
    expect(task.begun).toBe(3)
    await task.end()
  })

  it('runs it again at once while there is more to do', async () => {
    const task = new Runs()
    start(task)
    await task.end(true)
    await task.end(true)
    expect(task.begun).toBe(3)
    await task.end()
    expect(task.underWay).toBe(0)
  })

  it('sleeps no longer than until the next item is due', async () => {
    const task = new Runs()
    start(task)
    task.dueAt = new Date(Date.now() + 300)
    await task.end()
    await wait(299)
    expect(task.begun).toBe(1)
    await wait(1)
    expect(task.begun).toBe(2)
    await task.end()
  })

  it('does not spin when something is due that it can’t get hold of', async () => {
    const task = new Runs()
    start(task)
    task.dueAt = new Date(Date.now() - 1_000)
    for (let ms = 0; ms < 1_000; ms++) {
      await task.end()
      await wait(1)
    }
    expect(task.begun).toBeGreaterThan(10)
    expect(task.begun).toBeLessThan(25)
    task.dueAt = undefined
    await task.end()
  })

  it('runs at once when nudged, and once more for a nudge that came while it ran', async () => {
    const task = new Runs()
    const { nudge } = bound(start(task))
    await task.end()
    nudge()
    expect(task.begun).toBe(2)
    for (let times = 0; times < 5; times++) nudge()
    expect(task.begun).toBe(2)
    await task.end()
    expect(task.begun).toBe(3)
    await task.end()
    expect(task.underWay).toBe(0)
  })

  it('loses no nudge, at whatever moment of a run it comes', async () => {
    for (let ticks = 0; ticks < 12; ticks++) {
      const task: Task & { begun: number } = {
        name: 'test',
        intervalMs: 5_000,
        begun: 0,
        runOnce() {
          this.begun++
          return Promise.resolve(report({ claimed: 0, done: 0 }))
        },
        nextDueAt: () => Promise.resolve(undefined),
      }
      const nudged = makeWorker(task)
      nudged.start()
      for (let tick = 0; tick < ticks; tick++) await Promise.resolve()
      const before = task.begun
      nudged.nudge()
      await wait(0)
      expect(task.begun, `nudged after ${ticks} ticks`).toBeGreaterThan(before)
      await nudged.stop()
    }
  })

  it('goes on after an error: at the next nudge, or when the interval is over', async () => {
    const task = new Runs()
    const { nudge } = bound(start(task))
    // Something is due, but what failed is not tried again and again.
    task.dueAt = new Date(Date.now())
    await task.fail()
    await wait(4_999)
    expect(task.begun).toBe(1)
    await wait(1)
    expect(task.begun).toBe(2)
    await task.fail()
    nudge()
    expect(task.begun).toBe(3)
    task.dueAt = undefined
    await task.end()
  })

  it('goes on when reading the next due time fails', async () => {
    const task = new Runs()
    task.nextDueAt = () => Promise.reject(new Error('the database is away'))
    start(task)
    await task.end()
    await wait(5_000)
    expect(task.begun).toBe(2)
    await task.end()
  })
})

describe('a worker with several lanes', () => {
  it('begins on new work while a slow run is under way, in each lane once', async () => {
    const task = new Runs(3)
    const { nudge } = bound(start(task))
    nudge()
    nudge()
    expect(task.underWay).toBe(3)
    nudge()
    expect(task.underWay).toBe(3)
    await task.end()
    expect(task.underWay).toBe(3)
    while (task.underWay > 0) await task.end()
    expect(task.begun).toBe(4)
  })

  it('takes up what falls due while a slow run is under way', async () => {
    const task = new Runs(2)
    start(task)
    await wait(1_000)
    expect(task.underWay).toBe(2)
    task.dueAt = new Date(Date.now() + 200)
    // Were runs to end in another order: the first of them is as good as the second.
    await task.end()
    expect(task.begun).toBe(2)
    await wait(200)
    expect(task.begun).toBe(3)
    task.dueAt = undefined
    while (task.underWay > 0) await task.end()
  })
})

describe('stopping', () => {
  it('lets the runs that are under way end, and begins no other', async () => {
    const task = new Runs(2)
    const running = start(task)
    running.nudge()
    let stopped = false
    const stopping = running.stop().then(() => (stopped = true))
    running.nudge()
    await task.end(true)
    expect(stopped).toBe(false)
    await task.end(true)
    await stopping
    expect(task.begun).toBe(2)
    await wait(60_000)
    expect(task.begun).toBe(2)
  })

  it('waits for the question what is due next, since the database is closed after it', async () => {
    const task = new Runs()
    let answer: (due: undefined) => void = () => {}
    task.nextDueAt = () => new Promise((resolve) => (answer = resolve))
    const running = start(task)
    await task.end()
    let stopped = false
    const stopping = running.stop().then(() => (stopped = true))
    await wait(0)
    expect(stopped).toBe(false)
    answer(undefined)
    await stopping
  })
})

const bound = (running: Worker) => ({ nudge: () => running.nudge() })

describe('what is carried out now', () => {
  const NOTHING = report({ claimed: 0, done: 0 })

  it('is run to its end while the calling code waits, whether the worker was started or not', async () => {
    const runs = [report({ more: true }), report({ done: 0, failed: 1, more: true }), NOTHING]
    const task: Task = { name: 'test', intervalMs: 5_000, runOnce: () => Promise.resolve(runs.shift() ?? NOTHING) }
    expect(await makeWorker(task).carryOut()).toEqual({ claimed: 2, done: 1, failed: 1, skipped: 0 })
    expect(runs).toEqual([])
  })

  it('may be some items alone', async () => {
    const asked: unknown[] = []
    const task: Task<string> = {
      name: 'test',
      intervalMs: 5_000,
      runOnce: (only) => (asked.push(only), Promise.resolve(report())),
      nextDueAt: () => Promise.resolve(new Date(0)),
    }
    await makeWorker(task).carryOut(['a', 'b'])
    expect(asked).toEqual([['a', 'b']])
  })

  it('includes what others have taken, which is waited for a little', async () => {
    const due = [new Date(0), new Date(0), new Date(Date.now() + 1_000)]
    let begun = 0
    const task: Task = {
      name: 'test',
      intervalMs: 5_000,
      runOnce: () => (begun++, Promise.resolve(NOTHING)),
      nextDueAt: () => Promise.resolve(due.shift()),
    }
    const carriedOut = makeWorker(task).carryOut()
    await wait(100)
    expect(await carriedOut).toEqual({ claimed: 0, done: 0, failed: 0, skipped: 0 })
    expect(begun).toBe(3)
    due.push(...Array.from({ length: 10_000 }, () => new Date(0)))
    const givenUp = makeWorker(task).carryOut()
    await wait(6_000)
    await givenUp
    expect(due.length).toBeGreaterThan(0)
  })

  it('throws what the task throws', async () => {
    const task: Task = { name: 'test', intervalMs: 5_000, runOnce: () => Promise.reject(new Error('away')) }
    const running = makeWorker(task)
    await expect(running.carryOut()).rejects.toThrow('away')
    await running.stop()
  })
})

describe('the registry', () => {
  it('has what each worker has done', async () => {
    const clock = new ManualClock(new Date('2026-03-01T12:00:00Z'))
    const registry = new WorkerRegistry(clock)
    const task = new Runs(2)
    const running = (worker = makeWorker(task, registry))
    makeWorker({ name: 'idle', intervalMs: 5_000, runOnce: () => Promise.resolve(report()) }, registry)
    const fresh = { runs: 0, running: 0, claimed: 0, done: 0, failed: 0, skipped: 0 }
    const never = { lastRunAt: null, lastDurationMs: null, lastError: null }
    expect(registry.reports()).toEqual([
      { name: 'test', ...fresh, ...never },
      { name: 'idle', ...fresh, ...never },
    ])

    running.start()
    expect(registry.reports()[0]).toMatchObject({ runs: 0, running: 1, lastRunAt: clock.now(), lastDurationMs: null })
    await wait(70)
    await task.end()
    expect(registry.reports()[0]).toMatchObject({ runs: 1, running: 0, claimed: 1, done: 1, lastDurationMs: 70 })

    clock.advance(5_000)
    running.nudge()
    await task.fail()
    const broken = { at: clock.now(), message: 'the database is away' }
    expect(registry.reports()[0]).toMatchObject({ runs: 2, claimed: 1, lastRunAt: clock.now(), lastError: broken })

    clock.advance(5_000)
    running.nudge()
    await task.end()
    expect(registry.reports()[0]).toMatchObject({ runs: 3, done: 2, lastRunAt: clock.now(), lastError: broken })
  })

  it('adds up what became of items', async () => {
    const registry = new WorkerRegistry(systemClock)
    const runs = [report({ claimed: 4, done: 2, failed: 1, skipped: 1, more: true }), report({ claimed: 3, done: 3 })]
    const task: Task = { name: 'test', intervalMs: 5_000, runOnce: () => Promise.resolve(runs.shift() ?? report()) }
    await makeWorker(task, registry).carryOut()
    expect(registry.reports()[0]).toMatchObject({ runs: 2, claimed: 7, done: 5, failed: 1, skipped: 1 })
  })
})

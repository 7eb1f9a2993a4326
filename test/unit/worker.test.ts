import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createLogger } from '../../src/log.js'
import { Worker, type Job } from '../../src/workers/worker.js'

/** A job whose runs end when the test says so. */
class Runs implements Job {
  readonly name = 'test'
  readonly intervalMs = 5_000
  begun = 0
  dueAt: Date | undefined
  readonly #open: { end: (more?: boolean) => void; fail: () => void }[] = []

  constructor(readonly lanes = 1) {}

  runOnce(): ReturnType<Job['runOnce']> {
    this.begun++
    return new Promise((resolve, reject) => {
      this.#open.push({
        end: (more = false) => resolve({ done: 1, more }),
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
const start = (job: Job): Worker => {
  worker = new Worker(job, createLogger('silent'))
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
  it('runs its job at the start, and again each time the interval is over', async () => {
    const job = new Runs()
    start(job)
    expect(job.begun).toBe(1)
    await job.end()
    await wait(4_999)
    expect(job.begun).toBe(1)
    await wait(1)
    expect(job.begun).toBe(2)
    await job.end()
    await wait(5_000)
    expect(job.begun).toBe(3)
    await job.end()
  })

  it('runs it again at once while there is more to do', async () => {
    const job = new Runs()
    start(job)
    await job.end(true)
    await job.end(true)
    expect(job.begun).toBe(3)
    await job.end()
    expect(job.underWay).toBe(0)
  })

  it('sleeps no longer than until the next thing is due', async () => {
    const job = new Runs()
    start(job)
    job.dueAt = new Date(Date.now() + 300)
    await job.end()
    await wait(299)
    expect(job.begun).toBe(1)
    await wait(1)
    expect(job.begun).toBe(2)
    await job.end()
  })

  it('does not spin when something is due that it can’t get hold of', async () => {
    const job = new Runs()
    start(job)
    job.dueAt = new Date(Date.now() - 1_000)
    for (let ms = 0; ms < 1_000; ms++) {
      await job.end()
      await wait(1)
    }
    expect(job.begun).toBeGreaterThan(10)
    expect(job.begun).toBeLessThan(25)
    job.dueAt = undefined
    await job.end()
  })

  it('runs at once when nudged, and once more for a nudge that came while it ran', async () => {
    const job = new Runs()
    const { nudge } = bound(start(job))
    await job.end()
    nudge()
    expect(job.begun).toBe(2)
    for (let times = 0; times < 5; times++) nudge()
    expect(job.begun).toBe(2)
    await job.end()
    expect(job.begun).toBe(3)
    await job.end()
    expect(job.underWay).toBe(0)
  })

  it('loses no nudge, at whatever moment of a run it comes', async () => {
    for (let ticks = 0; ticks < 12; ticks++) {
      const job: Job & { begun: number } = {
        name: 'test',
        intervalMs: 5_000,
        begun: 0,
        runOnce() {
          this.begun++
          return Promise.resolve({ done: 0, more: false })
        },
        nextDueAt: () => Promise.resolve(undefined),
      }
      const nudged = new Worker(job, createLogger('silent'))
      nudged.start()
      for (let tick = 0; tick < ticks; tick++) await Promise.resolve()
      const before = job.begun
      nudged.nudge()
      await wait(0)
      expect(job.begun, `nudged after ${ticks} ticks`).toBeGreaterThan(before)
      await nudged.stop()
    }
  })

  it('goes on after an error: at the next nudge, or when the interval is over', async () => {
    const job = new Runs()
    const { nudge } = bound(start(job))
    // Something is due, but what failed is not tried again and again.
    job.dueAt = new Date(Date.now())
    await job.fail()
    await wait(4_999)
    expect(job.begun).toBe(1)
    await wait(1)
    expect(job.begun).toBe(2)
    await job.fail()
    nudge()
    expect(job.begun).toBe(3)
    job.dueAt = undefined
    await job.end()
  })

  it('goes on when it can’t be told what is due next', async () => {
    const job = new Runs()
    job.nextDueAt = () => Promise.reject(new Error('the database is away'))
    start(job)
    await job.end()
    await wait(5_000)
    expect(job.begun).toBe(2)
    await job.end()
  })
})

describe('a worker with several lanes', () => {
  it('begins on new work while a slow run is under way, in each lane once', async () => {
    const job = new Runs(3)
    const { nudge } = bound(start(job))
    nudge()
    nudge()
    expect(job.underWay).toBe(3)
    nudge()
    expect(job.underWay).toBe(3)
    await job.end()
    expect(job.underWay).toBe(3)
    while (job.underWay > 0) await job.end()
    expect(job.begun).toBe(4)
  })

  it('takes up what falls due while a slow run is under way', async () => {
    const job = new Runs(2)
    start(job)
    await wait(1_000)
    expect(job.underWay).toBe(2)
    job.dueAt = new Date(Date.now() + 200)
    // Were runs to end in another order: the first of them is as good as the second.
    await job.end()
    expect(job.begun).toBe(2)
    await wait(200)
    expect(job.begun).toBe(3)
    job.dueAt = undefined
    while (job.underWay > 0) await job.end()
  })
})

describe('stopping', () => {
  it('lets the runs that are under way end, and begins no other', async () => {
    const job = new Runs(2)
    const running = start(job)
    running.nudge()
    let stopped = false
    const stopping = running.stop().then(() => (stopped = true))
    running.nudge()
    await job.end(true)
    expect(stopped).toBe(false)
    await job.end(true)
    await stopping
    expect(job.begun).toBe(2)
    await wait(60_000)
    expect(job.begun).toBe(2)
  })

  it('waits for the question what is due next, since the database is closed after it', async () => {
    const job = new Runs()
    let answer: (due: undefined) => void = () => {}
    job.nextDueAt = () => new Promise((resolve) => (answer = resolve))
    const running = start(job)
    await job.end()
    let stopped = false
    const stopping = running.stop().then(() => (stopped = true))
    await wait(0)
    expect(stopped).toBe(false)
    answer(undefined)
    await stopping
  })
})

const bound = (running: Worker) => ({ nudge: () => running.nudge() })

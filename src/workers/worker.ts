/**
 * A task is given no input: it finds what is due in the database, does a bounded batch of it and reports the results. A
 * worker runs its task by timer and when nudged; another process may run the same task at the same time.
 */
import type { Clock } from '../clock.js'
import type { Logger } from '../log.js'
import type { TaskReport, WorkerRegistry } from './registry.js'

/** @typeParam Key identifies an item that is due */
export interface Task<Key = never> {
  name: string
  intervalMs: number
  /** How many runs may be under way at once, so that a slow one doesn't delay new items; 1 unless given. */
  lanes?: number
  /**
   * Does one batch; when there is more to do, the worker runs it again at once.
   * @param only of the items that are due only these, for a request that waits for them
   */
  runOnce(only?: readonly Key[]): Promise<TaskReport>
  /** When the next item is due, if that is known. */
  nextDueAt?(): Promise<Date | undefined>
}

/** The dependencies of workers. */
export interface WorkerDeps {
  logger: Logger
  /** Due times refer to this clock; code that moves it nudges the workers. */
  clock: Clock
  registry: WorkerRegistry
}

/** An item that is due although a run has just found nothing is under another process's claim. */
const LEAST_REST_MS = 50
/** After this long, another lane checks what has fallen due during a slow run. */
const SLOW_MS = 1_000

/** How long `carryOut` waits for what others are carrying out. */
const OTHERS_LIMIT_MS = 5_000
const OTHERS_PAUSE_MS = 10

export class Worker<Key = never> {
  readonly #task: Task<Key>
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #registry: WorkerRegistry
  /** Everything that is under way: runs, and queries for the next due time. */
  readonly #underWay = new Set<Promise<unknown>>()
  #runs = 0
  #nudged = false
  #stopped = true
  #timer: NodeJS.Timeout | undefined
  /** When the timer will go off, by `performance.now()`. */
  #wakesAt = Infinity

  constructor(task: Task<Key>, { logger, clock, registry }: WorkerDeps) {
    this.#task = task
    this.#logger = logger
    this.#clock = clock
    this.#registry = registry
    registry.add(task.name)
  }

  start(): void {
    this.#stopped = false
    this.nudge()
  }

  /** Makes the task run soon: at once if a lane is free, otherwise when the first run ends. */
  nudge(): void {
    if (this.#stopped) return
    this.#nudged = true
    const { lanes = 1, intervalMs } = this.#task
    if (this.#runs >= lanes) return
    if (lanes > 1) this.#wakeIn(Math.min(SLOW_MS, intervalMs))
    this.#runs++
    void this.#keep(this.#run())
  }

  /**
   * Carries out now what is due, while the calling code waits and whether the worker was started or not: only these
   * items, or all of them, waiting a little for items that others have claimed. Throws what the task throws. Returns
   * what was done here.
   */
  carryOut(only?: readonly Key[]): Promise<Omit<TaskReport, 'more'>> {
    return this.#keep(this.#carryOut(only))
  }

  /** Lets runs that are under way end and starts no other. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    while (this.#underWay.size > 0) await Promise.all(this.#underWay)
  }

  #keep<T>(work: Promise<T>): Promise<T> {
    const kept = work.catch(() => {}).finally(() => this.#underWay.delete(kept))
    this.#underWay.add(kept)
    return work
  }

  #runOnce(only?: readonly Key[]): Promise<TaskReport> {
    return this.#registry.record(this.#task.name, () => this.#task.runOnce(only))
  }

  async #carryOut(only?: readonly Key[]): Promise<Omit<TaskReport, 'more'>> {
    const total = { claimed: 0, done: 0, failed: 0, skipped: 0 }
    const giveUpAt = performance.now() + OTHERS_LIMIT_MS
    for (;;) {
      const { more, ...did } = await this.#runOnce(only)
      for (const count of ['claimed', 'done', 'failed', 'skipped'] as const) total[count] += did[count]
      if (more) continue
      const dueAt = only === undefined ? await this.#task.nextDueAt?.() : undefined
      if (dueAt === undefined || dueAt > this.#clock.now() || performance.now() > giveUpAt) return total
      await new Promise((resolve) => setTimeout(resolve, OTHERS_PAUSE_MS))
    }
  }

  async #run(): Promise<void> {
    let failed = false
    try {
      while (this.#nudged && !this.#stopped) {
        this.#nudged = false
        const { more, ...did } = await this.#runOnce()
        if (did.claimed > 0) this.#logger.debug({ task: this.#task.name, ...did }, 'task ran')
        if (more) this.#nudged = true
      }
    } catch (error) {
      // The items stay due; they are tried again when the interval is over or the worker is nudged.
      failed = true
      this.#logger.error({ err: error, task: this.#task.name }, 'task failed')
    }
    this.#runs--
    if (this.#nudged) this.nudge()
    else if (failed) this.#wakeIn(this.#task.intervalMs)
    else void this.#keep(this.#rest())
  }

  /** Sleeps until the next item is due, or the interval is over. */
  async #rest(): Promise<void> {
    let restMs = this.#task.intervalMs
    try {
      const dueAt = this.#stopped ? undefined : await this.#task.nextDueAt?.()
      if (dueAt) restMs = Math.min(restMs, Math.max(LEAST_REST_MS, dueAt.getTime() - this.#clock.now().getTime()))
    } catch (error) {
      this.#logger.error({ err: error, task: this.#task.name }, 'task failed')
    }
    this.#wakeIn(restMs)
  }

  /** Sleeps for at most `ms`: an earlier time that was set already stays. */
  #wakeIn(ms: number): void {
    const at = performance.now() + ms
    if (this.#stopped || at >= this.#wakesAt) return
    clearTimeout(this.#timer)
    this.#wakesAt = at
    this.#timer = setTimeout(() => {
      this.#wakesAt = Infinity
      this.nudge()
    }, ms)
  }
}

/**
 * A job that is given no input: it finds what is due in the database, does a bounded batch of it and says how much.
 * A worker runs its job by timer and when nudged; another process may run the same job beside it.
 */
import { systemClock, type Clock } from '../clock.js'
import type { Logger } from '../log.js'

export interface Job {
  name: string
  intervalMs: number
  /** How many runs may be under way at once, so that a slow one doesn't keep what is new waiting; 1 unless given. */
  lanes?: number
  /** Does one batch. Returns how many items it did; when there is more to do, the worker runs it again at once. */
  runOnce(): Promise<{ done: number; more: boolean }>
  /** When the next item is due, if that is known to be before the interval is over. */
  nextDueAt?(): Promise<Date | undefined>
}

/** What is due although a run has just found nothing is somebody else's at the moment. */
const LEAST_REST_MS = 50
/** How slow a run is when another lane looks what has fallen due meanwhile. */
const SLOW_MS = 1_000

export class Worker {
  readonly #job: Job
  readonly #logger: Logger
  readonly #clock: Clock
  /** Everything that is under way: runs, and questions for when the next is to be. */
  readonly #underWay = new Set<Promise<void>>()
  #runs = 0
  #nudged = false
  #stopped = true
  #timer: NodeJS.Timeout | undefined
  /** When the timer will go off, by `performance.now()`. */
  #wakesAt = Infinity

  /** @param clock what the job's due times are of; whoever moves it nudges the worker */
  constructor(job: Job, logger: Logger, clock: Clock = systemClock) {
    this.#job = job
    this.#logger = logger
    this.#clock = clock
  }

  start(): void {
    this.#stopped = false
    this.nudge()
  }

  /** Makes the job run soon: at once where a lane is free, otherwise when the first run ends. */
  nudge(): void {
    if (this.#stopped) return
    this.#nudged = true
    const { lanes = 1, intervalMs } = this.#job
    if (this.#runs >= lanes) return
    if (lanes > 1) this.#wakeIn(Math.min(SLOW_MS, intervalMs))
    this.#runs++
    this.#keep(this.#run())
  }

  /** Lets runs that are under way end and starts no other. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    while (this.#underWay.size > 0) await Promise.all(this.#underWay)
  }

  #keep(work: Promise<void>): void {
    const kept = work.finally(() => this.#underWay.delete(kept))
    this.#underWay.add(kept)
  }

  async #run(): Promise<void> {
    let failed = false
    try {
      while (this.#nudged && !this.#stopped) {
        this.#nudged = false
        const { done, more } = await this.#job.runOnce()
        if (done > 0) this.#logger.debug({ job: this.#job.name, done }, 'job ran')
        if (more) this.#nudged = true
      }
    } catch (error) {
      // What is due stays due; it is not tried again before the interval is over, or somebody nudges.
      failed = true
      this.#logger.error({ err: error, job: this.#job.name }, 'job failed')
    }
    this.#runs--
    if (this.#nudged) this.nudge()
    else if (failed) this.#wakeIn(this.#job.intervalMs)
    else this.#keep(this.#rest())
  }

  /** Sleeps until the next thing is due, or the interval is over. */
  async #rest(): Promise<void> {
    let restMs = this.#job.intervalMs
    try {
      const dueAt = this.#stopped ? undefined : await this.#job.nextDueAt?.()
      if (dueAt) restMs = Math.min(restMs, Math.max(LEAST_REST_MS, dueAt.getTime() - this.#clock.now().getTime()))
    } catch (error) {
      this.#logger.error({ err: error, job: this.#job.name }, 'job failed')
    }
    this.#wakeIn(restMs)
  }

  /** Sleeps so long at most: an earlier time that was set already stays. */
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

/**
 * A job that is given no input: it finds what is due in the database, does a bounded batch of it and says how much.
 * A worker runs its job by timer and when nudged; another process may run the same job beside it.
 */
import type { Logger } from '../log.js'

export interface Job {
  name: string
  intervalMs: number
  /** How many runs may be under way at once, so that a slow one doesn't keep what is new waiting; 1 unless given. */
  lanes?: number
  /** Does one batch. Returns how many items it did; a full batch makes the worker run it again at once. */
  runOnce(): Promise<{ done: number; more: boolean }>
  /** When the next item is due, if that is known to be before the interval is over. */
  nextDueAt?(): Promise<Date | undefined>
}

export class Worker {
  readonly #job: Job
  readonly #logger: Logger
  readonly #runs = new Set<Promise<void>>()
  #timer: NodeJS.Timeout | undefined
  #resting: Promise<void> | undefined
  #nudged = false
  #stopped = true

  constructor(job: Job, logger: Logger) {
    this.#job = job
    this.#logger = logger
  }

  start(): void {
    this.#stopped = false
    this.nudge()
  }

  /** Makes the job run soon: at once where a lane is free, otherwise when the first run ends. */
  nudge(): void {
    if (this.#stopped) return
    clearTimeout(this.#timer)
    this.#nudged = true
    if (this.#runs.size >= (this.#job.lanes ?? 1)) return
    const run = this.#run().finally(() => {
      this.#runs.delete(run)
      if (this.#nudged) this.nudge()
      else if (this.#runs.size === 0) this.#resting = this.#rest()
    })
    this.#runs.add(run)
  }

  /** Lets runs that are under way end and starts no other. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await Promise.all(this.#runs)
    await this.#resting
  }

  async #run(): Promise<void> {
    try {
      while (this.#nudged && !this.#stopped) {
        this.#nudged = false
        const { done, more } = await this.#job.runOnce()
        if (done > 0) this.#logger.debug({ job: this.#job.name, done }, 'job ran')
        if (more) this.#nudged = true
      }
    } catch (error) {
      // The next run tries again; what is due stays due.
      this.#logger.error({ err: error, job: this.#job.name }, 'job failed')
    }
  }

  /** Waits for the next thing that is due, or for the interval to be over. */
  async #rest(): Promise<void> {
    let waitMs = this.#job.intervalMs
    try {
      const dueAt = this.#stopped ? undefined : await this.#job.nextDueAt?.()
      if (dueAt) waitMs = Math.min(waitMs, Math.max(0, dueAt.getTime() - Date.now()))
    } catch (error) {
      this.#logger.error({ err: error, job: this.#job.name }, 'job failed')
    }
    if (this.#stopped || this.#runs.size > 0) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.nudge(), waitMs)
  }
}

/**
 * A job that is given no input: it finds what is due in the database, does a bounded batch of it and says how much.
 * A worker runs its job by timer and when nudged, one run at a time; another process may run the same job beside it.
 */
import type { Logger } from '../log.js'

export interface Job {
  name: string
  intervalMs: number
  /** Does one batch. Returns how many items it did; a full batch makes the worker run it again at once. */
  runOnce(): Promise<{ done: number; more: boolean }>
  /** When the next item is due, if that is known to be before the interval is over. */
  nextDueAt?(): Promise<Date | undefined>
}

export class Worker {
  readonly #job: Job
  readonly #logger: Logger
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
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

  /** Makes the job run soon, once more if it is running just now. */
  nudge(): void {
    if (this.#stopped) return
    this.#nudged = true
    clearTimeout(this.#timer)
    this.#running ??= this.#run().finally(() => (this.#running = undefined))
  }

  /** Lets a run that is under way end and starts no other. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#running
  }

  async #run(): Promise<void> {
    let waitMs = this.#job.intervalMs
    try {
      while (this.#nudged && !this.#stopped) {
        this.#nudged = false
        const { done, more } = await this.#job.runOnce()
        if (done > 0) this.#logger.debug({ job: this.#job.name, done }, 'job ran')
        if (more) this.#nudged = true
      }
      const dueAt = this.#stopped ? undefined : await this.#job.nextDueAt?.()
      if (dueAt) waitMs = Math.min(waitMs, Math.max(0, dueAt.getTime() - Date.now()))
    } catch (error) {
      // The next run tries again; what is due stays due.
      this.#logger.error({ err: error, job: this.#job.name }, 'job failed')
    }
    if (!this.#stopped) this.#timer = setTimeout(() => this.nudge(), waitMs)
  }
}

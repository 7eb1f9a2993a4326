/** Records what the workers of this process have done, for status and metrics. */
import type { Clock } from '../clock.js'

/** The result of one run of a task. */
export interface TaskReport {
  /** Items that were due and claimed; each ends as done, failed or skipped. */
  claimed: number
  done: number
  /** Items that ended as failed, or have to be tried again because of an error. */
  failed: number
  /** Items that were left unchanged, to be claimed again. */
  skipped: number
  /** More is due at once. */
  more: boolean
}

/** What a worker has done since its process started. */
export interface WorkerReport extends Omit<TaskReport, 'more'> {
  name: string
  /** Runs that have ended, including those that threw. */
  runs: number
  /** Runs under way. */
  running: number
  /** When the latest run began. */
  lastRunAt: Date | null
  /** The duration of the run that ended last. */
  lastDurationMs: number | null
  /** The error of the latest run that threw. */
  lastError: { at: Date; message: string } | null
}

const MAX_MESSAGE_CHARS = 500

export class WorkerRegistry {
  readonly #clock: Clock
  readonly #reports = new Map<string, WorkerReport>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** By worker, in the order in which they were made. */
  reports(): WorkerReport[] {
    return [...this.#reports.values()].map((report) => ({ ...report }))
  }

  /** Adds a worker before its first run. */
  add(name: string): void {
    this.#reports.set(name, this.#reports.get(name) ?? newReport(name))
  }

  /** Records a run of a task. Throws what the run throws. */
  async record(name: string, run: () => Promise<TaskReport>): Promise<TaskReport> {
    const report = this.#reports.get(name) ?? newReport(name)
    this.#reports.set(name, report)
    report.running++
    report.lastRunAt = this.#clock.now()
    // The clock of an emulator may be moved meanwhile.
    const begunAt = performance.now()
    try {
      const did = await run()
      for (const count of ['claimed', 'done', 'failed', 'skipped'] as const) report[count] += did[count]
      return did
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      report.lastError = { at: this.#clock.now(), message: message.slice(0, MAX_MESSAGE_CHARS) }
      throw error
    } finally {
      report.running--
      report.runs++
      report.lastDurationMs = Math.round(performance.now() - begunAt)
    }
  }
}

const newReport = (name: string): WorkerReport => ({
  name,
  runs: 0,
  running: 0,
  claimed: 0,
  done: 0,
  failed: 0,
  skipped: 0,
  lastRunAt: null,
  lastDurationMs: null,
  lastError: null,
})

/**
 * The jobs of this process: its runs, and the jobs whose files it has. The progress of a running job is kept here,
 * because it can't be read from an embedded database while the job's transaction is open; readers ask here first.
 */
import { newId } from '../../ids.js'
import { JobStopped, MAX_REFUSALS, type Job, type JobProgress, type Refusal } from './job.js'

export class OwnJobs {
  /** The name of this process in claims. */
  readonly processId = newId()
  readonly #runs = new Map<string, OwnRun>()
  /** For jobs that are being received or wait: each aborts when its job is cancelled. */
  readonly #files = new Map<string, AbortController>()
  #stopping = false

  get isStopping(): boolean {
    return this.#stopping
  }

  /** Everything whose claim this process renews. */
  get ids(): string[] {
    return [...new Set([...this.#runs.keys(), ...this.#files.keys()])]
  }

  get runs(): readonly OwnRun[] {
    return [...this.#runs.values()]
  }

  run(id: string): OwnRun | undefined {
    return this.#runs.get(id)
  }

  /**
   * Notes that a job's file is here, or on its way. Returns a signal that aborts when the file isn't needed any more.
   */
  keepFile(id: string): AbortSignal {
    const controller = new AbortController()
    this.#files.set(id, controller)
    return controller.signal
  }

  forgetFile(id: string): void {
    this.#files.get(id)?.abort(new JobStopped('cancelled'))
    this.#files.delete(id)
  }

  begin(job: Job): OwnRun {
    const run = new OwnRun(job)
    this.#runs.set(job.id, run)
    if (this.#stopping) run.stop('stopping')
    return run
  }

  end(id: string): void {
    this.#runs.delete(id)
  }

  /** Ends the runs, for the next process to resume, and lets no other begin. */
  stop(): void {
    this.#stopping = true
    for (const run of this.runs) run.stop('stopping')
  }

  /** A stored job with what only this process knows about it. */
  shown(job: Job): Job {
    return this.#runs.get(job.id)?.shown() ?? job
  }
}

/** A run under way in this process. */
export class OwnRun {
  readonly #job: Job
  readonly #controller = new AbortController()
  #progress: JobProgress
  #refusals: Refusal[] = []
  #refused = 0
  #cancelRequested: Job['cancelRequested']
  /** Whether its end is being stored, so that it is too late to cancel. */
  isCommitting = false

  constructor(job: Job) {
    this.#job = job
    this.#progress = { ...job.progress, done: 0 }
    this.#cancelRequested = job.cancelRequested
  }

  get id(): string {
    return this.#job.id
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  get progress(): JobProgress {
    return this.#progress
  }

  get refused(): number {
    return this.#refused
  }

  get cancelRequested(): Job['cancelRequested'] {
    return this.#cancelRequested
  }

  shown(): Job {
    return {
      ...this.#job,
      progress: this.#progress,
      refused: this.#refused,
      cancelRequested: this.#cancelRequested,
    }
  }

  moveTo(done: number, total: number | null = this.#progress.total): void {
    this.#progress = { ...this.#progress, done, total }
  }

  refuse(refusal: Refusal): void {
    this.#refused++
    if (this.#refusals.length < MAX_REFUSALS) this.#refusals.push(refusal)
  }

  /** The refused rows that are kept, in the order of their lines. */
  refusals(): Refusal[] {
    return [...this.#refusals].sort((a, b) => a.line - b.line)
  }

  startAgain(): void {
    this.#progress = { ...this.#progress, done: 0 }
    this.#refusals = []
    this.#refused = 0
  }

  cancel(request: { at: Date; by: string }): void {
    this.#cancelRequested ??= request
    this.stop('cancelled')
  }

  stop(why: JobStopped['why']): void {
    if (!this.signal.aborted) this.#controller.abort(new JobStopped(why))
  }
}

/**
 * Durable jobs: long work that is promised with a 202, runs in the background and survives a restart. A job that only
 * needs the database may run in any process; one with a file runs where its file is.
 */
import type { Tx } from '../../db/db.js'

export const jobStates = ['receiving', 'queued', 'running', 'succeeded', 'failed', 'cancelled'] as const
export type JobState = (typeof jobStates)[number]

/** The kinds of jobs, and the input of each. */
export interface JobInputs {
  /** Its body is the CSV file. */
  'stock-import': {
    /** The pool that the numbers join; the shared one when left out. */
    pool?: string
    /** Does everything, then rolls it back. */
    dryRun?: boolean
    /** Enters the good lines even if others are bad. */
    skipBad?: boolean
    /** The file's name in the history of numbers and in messages. */
    fileName?: string
  }
  'stock-generate': {
    /** The first number. */
    phoneNumber: string
    count: number
    countryCode?: string
    phoneNumberType?: string
    areaCode?: string
    locality?: string
    administrativeDivision?: string
    pool?: string
  }
  /** The current month when left out. */
  'wallets-charge-month': { month?: string }
}
export type JobKindName = keyof JobInputs

export interface JobError {
  code: string
  message: string
}

export interface JobProgress {
  done: number
  /** Null: not known. */
  total: number | null
  /** The unit of the counts: bytes, numbers, resources. */
  unit: string
}

export interface Job {
  id: string
  kind: string
  state: JobState
  /** The actor that started it. */
  createdBy: string
  createdAt: Date
  /** When its current run began. */
  startedAt: Date | null
  endedAt: Date | null
  input: object
  progress: JobProgress
  /** The result of its run; a failed job may have one too. */
  result: object | null
  error: JobError | null
  /** How many rows it has refused. At most {@link MAX_REFUSALS} of them are kept. */
  refused: number
  cancelRequested: { at: Date; by: string } | null
}

/** A row of its input that a job could not take. */
export interface Refusal {
  /** From 1. */
  line: number
  /** Null: the line itself is malformed. */
  field: string | null
  value: string
  reason: string
}

/** The request that starts a job. */
export type JobRequest = { createdBy: string } & {
  [Kind in JobKindName]: { kind: Kind; input: JobInputs[Kind] }
}[JobKindName]

export interface JobKind<Input extends object = object> {
  name: string
  /** The unit of its progress. */
  unit: string
  /** Whether a run that was lost with its process may start again. Otherwise the job fails then. */
  resumable: boolean
  /** Checks the input of a job, and completes it with defaults that must not change later. Throws DomainErrors. */
  check?(input: Input): Promise<Input> | Input
  /**
   * Does the work and returns the result. Throws the signal's reason once it aborts, and a JobFailed or a DomainError
   * when the work can't be done.
   */
  run(context: JobContext<Input>): Promise<object>
}

/** The context of a run. */
export interface JobContext<Input extends object = object> {
  job: Job
  input: Input
  /** The file that its body was spooled to; null for a kind without one. */
  file: string | null
  /** Aborts when the job is cancelled, the process stops or the claim is lost. */
  signal: AbortSignal
  progress(done: number, total?: number): void
  refuse(refusal: Refusal): void
  /** Discards progress and refusals: the work starts again. */
  startAgain(): void
  /**
   * Ends the job as succeeded in the transaction that does its work, so that neither is committed without the other.
   * Throws when the job was cancelled or another process has taken it over. A kind that works in several transactions
   * doesn't call it; its job ends when `run` returns.
   */
  commit(tx: Tx, result: object): Promise<void>
}

/** Ends a job as failed, maybe with a result. */
export class JobFailed extends Error {
  override readonly name = 'JobFailed'

  constructor(
    readonly error: JobError,
    readonly result: object | null = null,
  ) {
    super(error.message)
  }
}

/** The reason of an aborted run. */
export class JobStopped extends Error {
  override readonly name = 'JobStopped'

  constructor(readonly why: 'cancelled' | 'stopping' | 'claim-lost') {
    super(`The job was stopped: ${why}`)
  }
}

/** How many refused rows of a job are kept; all are counted. */
export const MAX_REFUSALS = 100_000
/** How many jobs may wait at a time. */
export const MAX_WAITING_JOBS = 100
/** How long an ended job can still be read. */
export const JOB_RETENTION_MS = 31 * 24 * 60 * 60_000
/** How long a claim lasts; a living process renews it many times in that. */
export const CLAIM_MS = 60_000
/** How often a job is run when its process is lost each time. */
export const MAX_ATTEMPTS = 5

/** The average speed of its current run; null before there is any progress. */
export function perSecond({ startedAt, endedAt, progress }: Job, now: Date): number | null {
  const elapsedMs = startedAt === null ? 0 : (endedAt ?? now).getTime() - startedAt.getTime()
  return elapsedMs > 0 ? (progress.done * 1_000) / elapsedMs : null
}

/** The part of the composition root that makes durable jobs: their folder and their workers. */
import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../clock.js'
import type { Config } from '../../config/config.js'
import type { JobsDeps } from '../../operations/jobs/deps.js'
import { releaseOwn } from '../../operations/jobs/keep.js'
import { OwnJobs } from '../../operations/jobs/own-jobs.js'
import { keepJobsTask } from '../../workers/keep-jobs.js'
import { runJobsTask } from '../../workers/run-jobs.js'
import { Worker, type WorkerDeps } from '../../workers/worker.js'
import type { Store } from '../store.js'
import { jobKinds } from './job-kinds.js'

export interface JobsWiring {
  deps: JobsDeps
  /** Runs jobs; a process that doesn't start its workers uses `carryOut`. */
  runner: Worker
  /** Keeps this process's claims. */
  keeper: Worker
  /** Ends the runs, so that the next process starts them again. The workers are stopped after it. */
  stop(): void
  /** Releases this process's claims. */
  release(): Promise<void>
}

/** Nothing runs yet. */
export function wireJobs(
  config: Config,
  { db, clock, logger }: Store,
  realClock: Clock,
  workerDeps: WorkerDeps,
): JobsWiring {
  const own = new OwnJobs()
  const deps: JobsDeps = {
    db,
    clock,
    realClock,
    logger,
    own,
    kinds: new Map(Object.entries(jobKinds(db, clock))),
    spoolFolder: spoolFolderOf(config, own.processId),
    nudge: () => runner.nudge(),
  }
  const runner = new Worker(runJobsTask(deps), workerDeps)
  return {
    deps,
    runner,
    keeper: new Worker(keepJobsTask(deps), workerDeps),
    stop: () => own.stop(),
    release: async () => {
      // Without it the next process waits for the claims to run out.
      await releaseOwn(deps).catch((error: unknown) => logger.warn({ err: error }, 'claims on jobs not released'))
      if (isFolderOurs(config)) await rm(deps.spoolFolder, { recursive: true, force: true })
    },
  }
}

/** In memory, jobs end with the process, and so do their files. */
const isFolderOurs = ({ spoolFolder, databaseUrl, inMemory }: Config): boolean =>
  spoolFolder === undefined && databaseUrl === undefined && inMemory

/**
 * Beside the embedded database; without one in the system's temporary folder, under a name that the next process on the
 * same database finds again.
 */
function spoolFolderOf(config: Config, processId: string): string {
  const { spoolFolder, databaseUrl, dataDir } = config
  if (spoolFolder !== undefined) return spoolFolder
  if (isFolderOurs(config)) return join(tmpdir(), `linebook-${processId}`)
  if (databaseUrl === undefined) return join(dataDir, 'spool')
  const { host, pathname } = new URL(databaseUrl)
  return join(tmpdir(), `linebook-${createHash('sha256').update(`${host}${pathname}`).digest('hex').slice(0, 16)}`)
}

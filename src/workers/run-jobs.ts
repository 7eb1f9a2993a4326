import type { JobsDeps } from '../operations/jobs/deps.js'
import { runNextJob } from '../operations/jobs/run.js'
import type { Task } from './worker.js'

/** A new job wakes the worker of its own process; the timer finds what another process left behind. */
const INTERVAL_MS = 5_000

/** Runs durable jobs, one after the other. */
export const runJobsTask = (deps: JobsDeps): Task => ({
  name: 'run-jobs',
  intervalMs: INTERVAL_MS,
  runOnce: () => runNextJob(deps),
})

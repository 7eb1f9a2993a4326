import type { JobsDeps } from '../operations/jobs/deps.js'
import { removeLeftovers, renewOwn, takeOverLost } from '../operations/jobs/keep.js'
import type { Task } from './worker.js'

/** A small part of a claim's duration, and the greatest age of the progress that other processes see. */
const INTERVAL_MS = 5_000

/** Keeps this process's claims on jobs, and takes over those of processes that are gone. */
export function keepJobsTask(deps: JobsDeps): Task {
  let isCleared = false
  return {
    name: 'keep-jobs',
    intervalMs: INTERVAL_MS,
    async runOnce() {
      const renewed = await renewOwn(deps)
      const { resumed, ended } = await takeOverLost(deps)
      if (!isCleared) await removeLeftovers(deps)
      isCleared = true
      const done = renewed + resumed
      return { claimed: done + ended, done, failed: ended, skipped: 0, more: false }
    },
  }
}

import type { Clock } from '../../clock.js'
import type { Db } from '../../db/db.js'
import type { Logger } from '../../log.js'
import type { JobKind } from './job.js'
import type { OwnJobs } from './own-jobs.js'

/** The dependencies of this folder's functions. */
export interface JobsDeps {
  db: Db
  /** Dates jobs. */
  clock: Clock
  /** Dates claims; test controls don't move it. */
  realClock: Clock
  logger: Logger
  kinds: ReadonlyMap<string, JobKind>
  own: OwnJobs
  /** Where bodies are spooled. */
  spoolFolder: string
  /** Wakes the task that runs jobs; called after one has been queued. */
  nudge(): void
}

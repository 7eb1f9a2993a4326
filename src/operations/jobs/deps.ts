import type { Clock } from '../../clock.js'
import type { Db } from '../../db/db.js'
import type { Logger } from '../../log.js'
import type { JobKind } from './job.js'
import type { OwnJobs } from './own-jobs.js'

/** What the functions of this folder work with. */
export interface JobsDeps {
  db: Db
  /** What jobs are dated by. */
  clock: Clock
  /** What claims are dated by; nobody moves it. */
  realClock: Clock
  logger: Logger
  kinds: ReadonlyMap<string, JobKind>
  own: OwnJobs
  /** Where bodies are spooled. */
  spoolFolder: string
  /** Wakes the task that runs jobs; called after one has been queued. */
  nudge(): void
}

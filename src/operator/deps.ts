import type { ProvisioningDeps } from '../accounts/deps.js'
import type { Sealer } from '../auth/seal.js'
import type { Clock } from '../clock.js'
import type { Db } from '../db/db.js'
import type { Logger } from '../log.js'
import type { JobsDeps } from '../operations/jobs/deps.js'

/** What the operations of this API work with. */
export interface OperatorDeps {
  db: Db
  /** The one that the program lives by; an emulator's can be moved. */
  clock: Clock
  realClock: Clock
  logger: Logger
  sealer: Sealer
  /** Accounts, backends and the zone. */
  provisioning: ProvisioningDeps
  /** Long work. */
  jobs: JobsDeps
  info: InstallationInfo
  /** What the workers of this process have done, those that were never started too. */
  workers(): readonly WorkerStanding[]
  /** Every setting as it is in effect. */
  settings(): readonly EffectiveSetting[]
  /** Has running servers of this process know of changed resources, keys, hosts and grants at once. */
  resourcesChanged(): Promise<void>
}

export interface InstallationInfo {
  version: string
  mode: string
  apis: readonly string[]
  maxSearchQuantity: number
  maxReservationNumbers: number
}

/** What a worker has done since its process started: its items, its runs. */
export interface WorkerStanding {
  name: string
  runs: number
  running: number
  claimed: number
  done: number
  failed: number
  skipped: number
  lastRunAt: Date | null
  lastDurationMs: number | null
  lastError: { at: Date; message: string } | null
}

export interface EffectiveSetting {
  name: string
  flag: string
  /** Null for a secret. */
  value: string | null
  isSet: boolean
  source: 'flag' | 'environment' | 'default'
  secret: boolean
  help: string
}

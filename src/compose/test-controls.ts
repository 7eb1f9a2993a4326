/**
 * The port through which an emulator's test controls reach the rest of the program. In production it is empty:
 * `emulator.ts`, which implements it, is loaded in emulator mode only.
 */
import type { ResourceDirectory } from '../auth/resource-directory.js'
import type { Clock } from '../clock.js'
import type { Config } from '../config/config.js'
import type { FastifyInstance } from '../http/server.js'
import type { Course, OperationKind } from '../operations/operation.js'
import type { PhoneNumbersDeps } from '../phone-numbers/model/deps.js'
import type { Throttle } from '../phone-numbers/throttle.js'
import type { Task, Worker } from '../workers/worker.js'
import type { ProvisioningWiring } from './parts/provisioning.js'
import type { Store } from './store.js'

export interface TestControlsPort {
  /** The program's clock, which tests can move. */
  clock: Clock
  /** Finds the course of each operation of a resource: as scripted, or as usual. */
  coursesOver(usual: Readonly<Record<OperationKind, Course>>): PhoneNumbersDeps['courseOf']
  /** The background tasks of these controls. */
  tasks: readonly Task[]
  /** Reads the settings of other processes again. */
  load(): Promise<void>
  /** Stores pending changes of settings. */
  flush(): Promise<void>
  /** Adds the routes and their hooks. Must be called before the APIs are added. */
  open(server: FastifyInstance, parts: ControlledParts): void
}

/** The parts of the program that the test controls use. */
export interface ControlledParts {
  config: Config
  /** With the clock that is moved. */
  store: Store
  realClock: Clock
  deps: PhoneNumbersDeps
  directory: ResourceDirectory
  throttle: Throttle
  provisioning: ProvisioningWiring
  /** One for each kind of work that falls due when the clock is moved. */
  operations: Pick<Worker, 'carryOut'>
  sweeper: Pick<Worker, 'carryOut'>
  nudgeAll(): void
}

/** @param store with the real clock */
export type CreateTestControls = (store: Store) => TestControlsPort

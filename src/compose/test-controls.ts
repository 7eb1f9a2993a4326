/**
 * The port through which an emulator's test controls reach the rest of the program. Production has nothing behind it:
 * `emulator.ts`, which fills it, is loaded in emulator mode only.
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
  /** The one that the program lives by, which tests can move. */
  clock: Clock
  /** How an operation of a resource goes: as a script has it, or as usual. */
  courseOf(kind: OperationKind, resourceName: string, usual: Course): Course
  /** What these controls do in the background. */
  tasks: readonly Task[]
  /** Reads again what other processes have set. */
  load(): Promise<void>
  /** Stores what is about to be stored. */
  flush(): Promise<void>
  /** Adds the routes and what they work by. To be called before the APIs are added. */
  open(server: FastifyInstance, parts: ControlledParts): void
}

/** What the test controls reach of the rest. */
export interface ControlledParts {
  config: Config
  /** With the clock that is moved. */
  store: Store
  realClock: Clock
  deps: PhoneNumbersDeps
  directory: ResourceDirectory
  throttle: Throttle
  provisioning: ProvisioningWiring
  /** Each for one kind of what falls due when the clock is moved. */
  operations: Pick<Worker, 'carryOut'>
  sweeper: Pick<Worker, 'carryOut'>
  nudgeAll(): void
}

/** @param store with the real clock */
export type CreateTestControls = (store: Store) => TestControlsPort

/**
 * The test controls of an emulator, under `/_emulator/`, for tests that need what no real service allows.
 * docs/emulator.md describes them; simulated backends have their own routes (`routes/backends.ts`).
 */
import { MovableClock, type Clock } from '../clock.js'
import type { Db } from '../db/db.js'
import { isUnavailable } from '../db/failures.js'
import type { FastifyInstance } from '../http/server.js'
import type { Logger } from '../log.js'
import { addFaultHooks, type FaultHookDeps } from './inject/fault-hooks.js'
import { FaultBook, type RoutedOperation } from './inject/faults.js'
import { ScriptBook } from './inject/scripts.js'
import { addClockSetting, clockRoutes, type ClockControlDeps } from './routes/clock.js'
import { FAULTS_SETTING, faultRoutes } from './routes/faults.js'
import { resourceRoutes, type ResourceControlDeps } from './routes/resources.js'
import { addControl, type ControlDeps } from './routes/routes.js'
import { SCRIPTS_SETTING, scriptRoutes, type ScriptControlDeps } from './routes/scripts.js'
import { stateRoutes, type StateControlDeps } from './routes/state.js'
import { Gate, isExempt } from './state/gate.js'
import { EmulatorSettings } from './state/settings.js'

/** The state of the test controls in memory. Each process has its own; the database keeps what they share. */
export interface TestControls {
  clock: MovableClock
  scripts: ScriptBook
  faults: FaultBook
  settings: EmulatorSettings
  gate: Gate
  operations: readonly RoutedOperation[]
}

export function createTestControls(options: {
  db: Db
  logger: Logger
  realClock: Clock
  /** Every operation of both published APIs, for which faults can be requested by name. */
  operations: readonly RoutedOperation[]
}): TestControls {
  const { db, logger, realClock, operations } = options
  const settings = new EmulatorSettings(db, logger)
  const clock = new MovableClock(realClock)
  const scripts = new ScriptBook(() => settings.keepSoon(SCRIPTS_SETTING))
  const faults = new FaultBook(operations, () => settings.keepSoon(FAULTS_SETTING))
  addClockSetting({ clock, settings })
  settings.add(SCRIPTS_SETTING, scripts)
  settings.add(FAULTS_SETTING, faults)
  return { clock, scripts, faults, settings, gate: new Gate(), operations }
}

export type ControlsDeps = ControlDeps &
  Pick<StateControlDeps, 'fill' | 'refresh'> &
  Pick<ClockControlDeps, 'catchUp'> &
  Pick<ScriptControlDeps, 'failureCodes' | 'advance'> &
  Pick<ResourceControlDeps, 'db' | 'sealer' | 'resourcesChanged'> &
  Pick<FaultHookDeps, 'internalErrorCode'> & { realClock: Clock }

const PREFIX = '/_emulator'

/** Adds the routes and their hooks. Must be called before the APIs are added, whose requests the hooks act on. */
export function openTestControls(server: FastifyInstance, controls: TestControls, deps: ControlsDeps): void {
  const { settings } = controls
  server.addHook('onReady', () =>
    settings.load().catch((error: unknown) => {
      if (!isUnavailable(error)) throw error
      // The request fails because the database is unreachable; the settings come back with the database.
      deps.logger.warn({ err: error }, 'the settings of the emulator could not be read')
    }),
  )
  server.addHook('onClose', () => settings.flush().catch(() => undefined))
  addFaultHooks(server, { faults: controls.faults, isExempt, internalErrorCode: deps.internalErrorCode })
  controls.gate.guard(server, isExempt)
  const all = { ...deps, ...controls }
  addControl(server, deps, PREFIX, [
    ...stateRoutes(all),
    ...clockRoutes(all),
    ...scriptRoutes(all),
    ...faultRoutes(all),
    ...resourceRoutes(all),
  ])
}

/**
 * The controls of an emulator, under `/_emulator/`: what people's tests need that no real service would let them do. Told
 * for people in docs/emulator.md; simulated backends have routes of their own (`backend-control.ts`).
 */
import { MovableClock, type Clock } from '../clock.js'
import { isConnectionFailure, type Db } from '../db/db.js'
import type { FastifyInstance, FastifyRequest } from '../http/server.js'
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
import { Gate } from './state/gate.js'
import { EmulatorSettings } from './state/settings.js'

/** What is kept in memory of the test controls; each process has its own, and the database what they agree on. */
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
  /** Every operation of both APIs: what faults can be asked for by name. */
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

/** Neither the controls themselves nor the probes of whoever runs the program are kept waiting or made to fail. */
const isExempt = ({ url }: FastifyRequest): boolean => /^\/+(_emulator|healthz|readyz)\/*([/?]|$)/i.test(url)

/** Adds the routes and what they work by. To be called before the APIs are added: theirs are the requests that it is about. */
export function openTestControls(server: FastifyInstance, controls: TestControls, deps: ControlsDeps): void {
  const { settings } = controls
  server.addHook('onReady', () =>
    settings.load().catch((error: unknown) => {
      if (!isConnectionFailure(error)) throw error
      // Whoever asks is told that the database is away; what was kept comes back with it.
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

/**
 * The powers of a stand-in, under `/_standin/`: what people's tests need that no real service would let them do. Told
 * for people in docs/standin.md; simulated backends have routes of their own (`backend-control.ts`).
 */
import { MovableClock, type Clock } from '../clock.js'
import { isConnectionFailure, type Db } from '../db/db.js'
import type { FastifyInstance, FastifyRequest } from '../http/server.js'
import type { Logger } from '../log.js'
import { buyerRoutes } from './routes/buyers.js'
import { addClockSetting, clockRoutes, type ClockControlDeps } from './routes/clock.js'
import { addControl, type ControlDeps } from './routes/routes.js'
import { FAULTS_SETTING, faultRoutes } from './routes/faults.js'
import { addFaultHooks, type FaultHookDeps } from './inject/fault-hooks.js'
import { FaultBook, type RoutedOperation } from './inject/faults.js'
import { Gate } from './state/gate.js'
import { resourceRoutes, type ResourceControlDeps } from './routes/resources.js'
import { SCRIPTS_SETTING, scriptRoutes, type ScriptControlDeps } from './routes/scripts.js'
import { ScriptBook } from './inject/scripts.js'
import { StandinSettings } from './state/settings.js'
import { stateRoutes, type StateControlDeps } from './routes/state.js'

/** What is kept in memory of a stand-in's powers; each process has its own, and the database what they agree on. */
export interface Powers {
  clock: MovableClock
  scripts: ScriptBook
  faults: FaultBook
  settings: StandinSettings
  gate: Gate
  operations: readonly RoutedOperation[]
}

export function createPowers(options: {
  db: Db
  logger: Logger
  realClock: Clock
  /** Every operation of both APIs: what faults can be asked for by name. */
  operations: readonly RoutedOperation[]
}): Powers {
  const { db, logger, realClock, operations } = options
  const settings = new StandinSettings(db, logger)
  const clock = new MovableClock(realClock)
  const scripts = new ScriptBook(() => settings.keepSoon(SCRIPTS_SETTING))
  const faults = new FaultBook(operations, () => settings.keepSoon(FAULTS_SETTING))
  addClockSetting({ clock, settings })
  settings.add(SCRIPTS_SETTING, scripts)
  settings.add(FAULTS_SETTING, faults)
  return { clock, scripts, faults, settings, gate: new Gate(), operations }
}

export type PowersDeps = ControlDeps &
  Pick<StateControlDeps, 'fill' | 'refresh'> &
  Pick<ClockControlDeps, 'catchUp'> &
  Pick<ScriptControlDeps, 'failureCodes' | 'advance'> &
  Pick<ResourceControlDeps, 'db' | 'sealer' | 'resourcesChanged'> &
  Pick<FaultHookDeps, 'internalErrorCode'> & { realClock: Clock }

const PREFIX = '/_standin'

/** Neither the powers themselves nor the probes of whoever runs the program are kept waiting or made to fail. */
const isExempt = ({ url }: FastifyRequest): boolean => /^\/+(_standin|healthz|readyz)\/*([/?]|$)/i.test(url)

/** Adds the routes and what they work by. To be called before the APIs are added: theirs are the requests that it is about. */
export function openPowers(server: FastifyInstance, powers: Powers, deps: PowersDeps): void {
  const { settings } = powers
  server.addHook('onReady', () =>
    settings.load().catch((error: unknown) => {
      if (!isConnectionFailure(error)) throw error
      // Whoever asks is told that the database is away; what was kept comes back with it.
      deps.logger.warn({ err: error }, 'the settings of the stand-in could not be read')
    }),
  )
  server.addHook('onClose', () => settings.flush().catch(() => undefined))
  addFaultHooks(server, { faults: powers.faults, isExempt, internalErrorCode: deps.internalErrorCode })
  powers.gate.guard(server, isExempt)
  const all = { ...deps, ...powers }
  addControl(server, deps, PREFIX, [
    ...stateRoutes(all),
    ...clockRoutes(all),
    ...scriptRoutes(all),
    ...faultRoutes(all),
    ...resourceRoutes(all),
    ...buyerRoutes(all),
  ])
}

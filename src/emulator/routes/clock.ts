/** The clock of an emulator: shown, moved forward, set, and put back to real time. */
import Type from 'typebox'
import type { MovableClock } from '../../clock.js'
import { invalidInput } from '../../errors.js'
import { addDuration } from '../inject/duration.js'
import type { Setting, EmulatorSettings } from '../state/settings.js'
import { readBody } from './input.js'
import type { ControlRoute } from './routes.js'

export interface ClockControlDeps {
  clock: MovableClock
  settings: EmulatorSettings
  /** Carries out what has fallen due; called when the clock has moved. */
  catchUp: () => Promise<object>
}

const CLOCK_SETTING = 'clock'
/**
 * Retention, monthly charges and the like are worked off one by one: a clock in the far future would take them long.
 */
const MAX_AHEAD_MS = 100 * 366 * 24 * 60 * 60_000

const strictly = { additionalProperties: false }
const Advance = Type.Object(
  { advance: Type.Union([Type.String({ maxLength: 100 }), Type.Integer({ minimum: 0 })]) },
  strictly,
)
const SetTo = Type.Object({ now: Type.String({ maxLength: 100 }) }, strictly)

/** The setting that stores the clock. */
export const clockSetting = (clock: MovableClock): Setting<{ offsetMs: number }> => ({
  read: () => (clock.offsetMs === 0 ? undefined : { offsetMs: clock.offsetMs }),
  apply: (value) => {
    clock.offsetMs = value?.offsetMs ?? 0
  },
})

export const addClockSetting = ({ clock, settings }: Pick<ClockControlDeps, 'clock' | 'settings'>): void =>
  settings.add(CLOCK_SETTING, clockSetting(clock))

export const clockRoutes = (deps: ClockControlDeps): ControlRoute[] => [
  ['GET', '/clock', () => shown(deps.clock)],
  [
    'POST',
    '/clock',
    (request) => {
      const { advance } = readBody(Advance, request)
      return move(deps, (now) => later(now, advance))
    },
  ],
  [
    'PUT',
    '/clock',
    (request) => {
      const { now: wanted } = readBody(SetTo, request)
      return move(deps, (now, real) => (wanted === 'real' ? real : instantFrom(wanted, now)))
    },
  ],
]

/** @param to returns the new time, given the current one and the real one */
async function move(deps: ClockControlDeps, to: (now: Date, real: Date) => Date): Promise<object> {
  const { clock, settings, catchUp } = deps
  await settings.change(CLOCK_SETTING, () => {
    const real = clock.base.now()
    const offsetMs = to(clock.now(), real).getTime() - real.getTime()
    if (offsetMs > MAX_AHEAD_MS) {
      throw invalidInput(`The clock goes to a hundred years ahead of the real one, which is ${real.toISOString()}.`)
    }
    return offsetMs === 0 ? undefined : { offsetMs }
  })
  const done = await catchUp()
  return { ...shown(clock), done }
}

function later(now: Date, advance: string | number): Date {
  const moved = typeof advance === 'number' ? new Date(now.getTime() + advance) : addDuration(now, advance)
  if (moved === undefined) {
    throw invalidInput(
      'advance must be milliseconds, e.g. 900000, or an ISO 8601 duration, e.g. PT15M, P1DT2H or P1M.',
      'advance',
    )
  }
  if (Number.isNaN(moved.getTime())) throw invalidInput('advance is too long.', 'advance')
  return moved
}

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/i

function instantFrom(text: string, now: Date): Date {
  const instant = INSTANT.test(text) ? new Date(text) : new Date(NaN)
  if (Number.isNaN(instant.getTime())) {
    throw invalidInput('now must be an instant, e.g. 2026-12-31T23:59:00Z, or "real".', 'now')
  }
  if (instant >= now) return instant
  throw invalidInput(
    `The clock says ${now.toISOString()} and does not go back to ${instant.toISOString()}: what has happened since ` +
      'would be in the future. It goes back to real time ({"now": "real"}), or to a snapshot that is restored.',
    'now',
  )
}

const shown = (clock: MovableClock): object => ({
  now: clock.now().toISOString(),
  real: clock.base.now().toISOString(),
  offsetMs: clock.offsetMs,
})

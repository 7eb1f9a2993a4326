/** The routes that replace the whole state of an emulator: reset and snapshots. */
import type { Clock } from '../../clock.js'
import type { Db } from '../../db/db.js'
import { schemaVersion } from '../../db/migrate.js'
import type { Gate } from '../state/gate.js'
import { emptyTables } from '../state/reset.js'
import type { EmulatorSettings } from '../state/settings.js'
import { deleteSnapshot, listSnapshots, restoreSnapshot, takeSnapshot, type Snapshot } from '../state/snapshots.js'
import { noBody } from './input.js'
import type { ControlRoute } from './routes.js'

export interface StateControlDeps {
  db: Db
  /** Dates snapshots. */
  realClock: Clock
  gate: Gate
  settings: EmulatorSettings
  /** Adds the initial content of an emulator to an empty database. */
  fill: () => Promise<void>
  /** Called when everything may have changed, to read again what is kept in memory. */
  refresh: () => Promise<void>
}

export const stateRoutes = (deps: StateControlDeps): ControlRoute[] => [
  [
    'POST',
    '/reset',
    async (request) => {
      noBody(request)
      await replaceAll(deps, async () => {
        await emptyTables(deps.db)
        await deps.fill()
      })
    },
  ],
  ['GET', '/snapshots', () => showSnapshots(deps)],
  [
    'PUT',
    '/snapshots/{name}',
    async (request, { name = '' }) => {
      noBody(request)
      const { db, settings, realClock } = deps
      // The snapshot includes what requests have used up.
      await settings.flush()
      return takeSnapshot(db, name, realClock.now())
    },
  ],
  ['DELETE', '/snapshots/{name}', (_request, { name = '' }) => deleteSnapshot(deps.db, name)],
  [
    'POST',
    '/snapshots/{name}/restore',
    (request, { name = '' }) => {
      noBody(request)
      return replaceAll(deps, () => restoreSnapshot(deps.db, name))
    },
  ],
]

/** Replaces the state; nothing of the old one is left in memory when the first request goes on. */
const replaceAll = <T>({ gate, settings, refresh }: StateControlDeps, work: () => Promise<T>): Promise<T> =>
  gate.alone(async () => {
    await settings.flush()
    const done = await work()
    await settings.load()
    await refresh()
    return done
  })

async function showSnapshots({ db }: StateControlDeps): Promise<object> {
  const version = await schemaVersion(db)
  const taken = await listSnapshots(db)
  return {
    snapshots: taken.map((snapshot: Snapshot) => ({ ...snapshot, restorable: snapshot.schemaVersion === version })),
  }
}

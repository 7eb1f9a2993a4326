/** The routes that replace all that an emulator knows: reset, and snapshots. */
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
  /** What snapshots are dated by. */
  realClock: Clock
  gate: Gate
  settings: EmulatorSettings
  /** Puts into an empty database what a fresh emulator has. */
  fill: () => Promise<void>
  /** Told when everything may have changed: what is kept in memory is to be read again. */
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
    '/snapshots/:name',
    async (request, { name = '' }) => {
      noBody(request)
      const { db, settings, realClock } = deps
      // What requests have used up belongs to it.
      await settings.flush()
      return takeSnapshot(db, name, realClock.now())
    },
  ],
  ['DELETE', '/snapshots/:name', (_request, { name = '' }) => deleteSnapshot(deps.db, name)],
  [
    'POST',
    '/snapshots/:name/restore',
    (request, { name = '' }) => {
      noBody(request)
      return replaceAll(deps, () => restoreSnapshot(deps.db, name))
    },
  ],
]

/** Nothing of what was in memory before is left when the first request goes on. */
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

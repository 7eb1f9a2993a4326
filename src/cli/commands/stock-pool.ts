/** Whose stock a command is about: a resource may have one to itself, which has its name; emulators make such. */
import { Option } from 'commander'
import { listResources } from '../../auth/resource-store.js'
import type { Db } from '../../db/db.js'
import { SetupError } from '../../errors.js'

export const poolOption = (what: string): Option =>
  new Option('--pool <RESOURCE>', `${what} the stock that this resource has to itself, not the shared one`)

/** Throws a SetupError unless there is such a stock. */
export async function requirePool(db: Db, pool: string | undefined): Promise<void> {
  if (pool === undefined) return
  const pools = (await listResources(db)).map((resource) => resource.pool).filter((name) => name !== '')
  if (pools.includes(pool)) return
  throw new SetupError(
    `--pool: no resource has a stock "${pool}" to itself. ` +
      (pools.length > 0 ? `These have one: ${[...new Set(pools)].join(', ')}.` : 'None has one.'),
  )
}

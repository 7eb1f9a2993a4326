import { migrate, readMigrations } from '../dist/db/migrate.js'
import { openPostgres } from '../dist/db/postgres.js'
import { createLogger } from '../dist/log.js'
import { runOnce } from './postgres.js'

export const COUNTRY = 'US'

/** Area codes 200, 201, …; the numbers of each are +999, four digits of the area's place, seven of a counter. */
export const areaCodes = (count) => Array.from({ length: count }, (_, index) => String(200 + index))

/** What a search of these measurements asks for. @param {string} [areaCode] any area when left out */
export const wantedSearch = (areaCode) => ({
  phoneNumberType: 'geographic',
  assignmentType: 'application',
  capabilities: { calling: 'inbound+outbound', sms: 'none' },
  ...(areaCode !== undefined && { areaCode }),
  quantity: 1,
})

/** Makes a migrated, empty database. @param {import('./postgres.js').DurablePostgres} postgres @param {string} name */
export async function createMigratedDatabase(postgres, name) {
  const url = await postgres.createDatabase(name)
  const db = await openPostgres({ connectionString: url, poolSize: 2, logger: createLogger('warn') })
  await migrate(db, await readMigrations(), 'emulator')
  await db.close()
  return url
}

/**
 * Makes a database with available numbers, each with the line of history that it would have, spread evenly over areas.
 * @param {import('./postgres.js').DurablePostgres} postgres
 * @param {string} name
 * @param {{ areas: number, perArea: number }} size
 */
export async function createStockedDatabase(postgres, name, { areas, perArea }) {
  const url = await createMigratedDatabase(postgres, name)
  await addPlaces(url, areas)
  await runOnce(
    url,
    `insert into number (e164, place_id, shuffle, state)
     select '+999' || lpad(id::text, 4, '0') || lpad(n::text, 7, '0'), id,
            floor((random() - 0.5) * 4294967296)::bigint, 'available'
     from generate_series(1, ${perArea}) as n cross join place`,
  )
  await runOnce(
    url,
    `insert into number_history (e164, at, event, to_state, actor, reason)
     select e164, now(), 'enter', 'available', 'operator', 'bench' from number`,
  )
  await settle(url)
  return url
}

/** Stocks of two sizes, spread evenly over as many areas; what differs is how many numbers an area has. */
export const SIZES = { areas: 100, small: 100, large: 20_000 }

/** @type {Map<number, Promise<{ name: string, url: string }>>} */
const sizedDatabases = new Map()

/**
 * The database of one of these sizes, which is filled once in a run: what leaves numbers held in it has to come last.
 * @param {import('./postgres.js').DurablePostgres} postgres @param {number} perArea
 */
export function sizedDatabase(postgres, perArea) {
  const fill = async () => {
    const name = `stock_${SIZES.areas * perArea}`
    return { name, url: await createStockedDatabase(postgres, name, { areas: SIZES.areas, perArea }) }
  }
  if (!sizedDatabases.has(perArea)) sizedDatabases.set(perArea, fill())
  return sizedDatabases.get(perArea)
}

/** @param {string} url @param {number} count */
export const addPlaces = (url, count) =>
  runOnce(
    url,
    `insert into place (country_code, number_type, area_code, administrative_division, locality, shuffle)
     select '${COUNTRY}', 'geographic', area_code, '', '', floor((random() - 0.5) * 4294967296)::bigint
     from unnest($1::text[]) as area_code`,
    [areaCodes(count)],
  )

/** What autovacuum would do some time: done now, so that it doesn't come in the middle of a measurement. */
export async function settle(url) {
  await runOnce(url, 'vacuum analyze')
  await runOnce(url, 'checkpoint')
}

/**
 * Gives everything back that searches hold. Without a sequential scan, so that any that is counted is the program's.
 */
export async function releaseHolds(url) {
  await runOnce(
    url,
    `set enable_seqscan = off;
     update number set state = 'available', hold_id = null, resource_id = null, free_at = null
     where hold_id is not null`,
  )
  await runOnce(url, 'vacuum number')
}

import type { Readable } from 'node:stream'
import { requirePool } from '../../auth/resources.js'
import { restore, retire } from '../../ledger/commands.js'
import type { Cause } from '../../ledger/history.js'
import { exportStock as stockText } from '../../ledger/stock/export.js'
import { reportStock } from '../../ledger/stock/report.js'
import { prepareJob, receiveJob } from '../../operations/jobs/commands.js'
import {
  exportStock,
  generateStock,
  getStock,
  importStock,
  listPlaces,
  MAX_IMPORT_BYTES,
  restoreStock,
  retireStock,
} from '../contract/stock.js'
import type { OperatorDeps } from '../deps.js'
import { selectPlaces, type StockPlace } from '../reads/places.js'
import { nextKey } from '../reads/window.js'
import { list, route, type OperatorPrincipal, type Route } from '../wire/route.js'
import { promised } from './jobs.js'

export const stockRoutes = (deps: OperatorDeps): Route[] => [...stockReads(deps), ...stockWrites(deps)]

const stockReads = ({ db, clock }: OperatorDeps): Route[] => [
  route(getStock, async () => {
    const now = clock.now()
    const { stock, neverStock } = await reportStock(db, now)
    const lines = stock.map(({ pool = null, countryCode, phoneNumberType, areaCode, states }) => {
      return { pool, countryCode, numberType: phoneNumberType, areaCode, states }
    })
    return { body: { at: now.toISOString(), stock: lines, neverStock } }
  }),
  route(listPlaces, async ({ query }) => {
    const { pool, countryCode, numberType, areaCode, locality, available: counted = false } = query
    const filter = {
      pool,
      countryCodes: countryCode,
      numberTypes: numberType,
      areaCodes: areaCode,
      localities: locality,
    }
    return list<StockPlace>({
      page: async ({ limit, after: [after = 0] = [] }) => {
        const window = await selectPlaces(db, filter, { now: clock.now(), limit, after: Number(after), counted })
        return { items: window.found, next: nextKey(window, limit, ({ id }) => [id]) }
      },
      view: placeView,
      columns: PLACE_COLUMNS,
    })
  }),
  route(exportStock, async ({ query: { pool, state } }) => {
    await requirePool(db, pool)
    return {
      headers: { 'Content-Disposition': 'attachment; filename="stock.csv"' },
      text: stockText(db, clock.now(), state, undefined, pool),
    }
  }),
]

const stockWrites = ({ clock, jobs }: OperatorDeps): Route[] => {
  const causeOf = ({ actor }: OperatorPrincipal, reason: string): Cause => ({ at: clock.now(), actor, reason })
  return [
    route(importStock, async ({ who, query, request }) => {
      const begun = { kind: 'stock-import' as const, createdBy: who.actor, input: query }
      const job = await receiveJob(jobs, begun, request.body as Readable, { maxBytes: MAX_IMPORT_BYTES })
      return promised(job, clock.now())
    }),
    route(generateStock, async ({ who, body, commit }) => {
      const queue = await prepareJob(jobs, { kind: 'stock-generate', createdBy: who.actor, input: body })
      return commit(
        async (tx) => promised(await queue(tx), clock.now()),
        () => jobs.nudge(),
      )
    }),
    route(retireStock, async ({ who, body: { phoneNumbers, held = false }, commit }) =>
      commit(async (db) => {
        const cause = causeOf(who, retireStock.operationId)
        await db.transaction((tx) => retire(tx, phoneNumbers, cause, { evenHeld: held }))
        return {}
      }),
    ),
    route(restoreStock, async ({ who, body: { phoneNumbers }, commit }) =>
      commit(async (db) => {
        await db.transaction((tx) => restore(tx, phoneNumbers, causeOf(who, restoreStock.operationId)))
        return {}
      }),
    ),
  ]
}

const PLACE_COLUMNS = [
  'id',
  'pool',
  'countryCode',
  'numberType',
  'areaCode',
  'administrativeDivision',
  'locality',
  'available',
]

const placeView = (place: StockPlace) => ({
  id: place.id,
  pool: place.pool === '' ? null : place.pool,
  countryCode: place.countryCode,
  numberType: place.numberType,
  areaCode: place.areaCode,
  administrativeDivision: place.administrativeDivision,
  locality: place.locality,
  available: place.available,
})

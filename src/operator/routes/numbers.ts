import type { Static } from 'typebox'
import { DomainError } from '../../errors.js'
import { getNumber, getTimeline, listNumbers } from '../contract/numbers.js'
import type { OperatorDeps } from '../deps.js'
import { countNumbers, selectNumbers, type LedgerNumber, type NumberFilter } from '../reads/numbers.js'
import { nextKey } from '../reads/window.js'
import { servicesOf } from '../status/status.js'
import { timelineOf } from '../status/timeline.js'
import { timelineView } from '../status/views.js'
import { readE164, readPrefix } from '../wire/e164.js'
import { readInstant } from '../wire/input.js'
import { list, param, route, type Route } from '../wire/route.js'

export const numberRoutes = ({ db, clock, provisioning }: OperatorDeps): Route[] => [
  route(listNumbers, async ({ query }) => numberList({ db, clock }, query)),
  route(getNumber, async ({ params }) => {
    const e164 = readE164(param({ params }, 'e164'))
    const { found } = await selectNumbers(db, { prefixes: [e164] }, { now: clock.now(), limit: 1 })
    // What begins with it and is longer comes after it.
    if (found[0]?.e164 === e164) return { body: numberView(found[0]) }
    throw unknown(`${e164} is not in the ledger. Its timeline says whether it ever was.`)
  }),
  route(getTimeline, async ({ params }) => {
    const e164 = readE164(param({ params }, 'e164'))
    const now = clock.now()
    const timeline = await timelineOf(db, e164, { now, services: servicesOf(provisioning) })
    if (timeline) return { body: timelineView(timeline, now) }
    throw unknown(`${e164} has never been in the ledger.`)
  }),
]

/** Numbers that the query asks for. Throws 'invalid-input'. */
export function numberList({ db, clock }: Pick<OperatorDeps, 'db' | 'clock'>, query: Static<typeof listNumbers.query>) {
  const { q, prefix, account, resource, changedSince } = query
  const filter: NumberFilter = {
    prefixes: [
      ...(q === undefined ? [] : [readPrefix(q, 'q')]),
      ...(prefix === undefined ? [] : [readPrefix(prefix, 'prefix')]),
    ],
    states: query.state,
    countryCodes: query.countryCode,
    numberTypes: query.numberType,
    areaCodes: query.areaCode,
    localities: query.locality,
    account,
    resource,
    services: query.service,
    syncStatuses: query.syncStatus,
    changedSince: changedSince === undefined ? undefined : readInstant(changedSince, 'changedSince'),
  }
  return list<LedgerNumber>({
    page: async ({ limit, after: [after] = [] }) => {
      const window = await selectNumbers(db, filter, { now: clock.now(), limit, after: after?.toString() })
      return { items: window.found, next: nextKey(window, limit, ({ e164 }) => [e164]) }
    },
    view: numberView,
    count: () => countNumbers(db, filter, clock.now()),
    columns: NUMBER_COLUMNS,
  })
}

const unknown = (message: string): DomainError =>
  new DomainError('number-not-found', message, { place: 'path', target: 'e164' })

const NUMBER_COLUMNS = [
  'e164',
  'state',
  'freeAt',
  'pool',
  'countryCode',
  'numberType',
  'areaCode',
  'locality',
  'administrativeDivision',
  'resource',
  'account',
  'services',
  'syncStatus',
  'changedAt',
]

const numberView = ({ freeAt, pool, changedAt, purchase, ...number }: LedgerNumber) => ({
  e164: number.e164,
  state: number.state,
  // A purchase that is under way has no end.
  freeAt: freeAt instanceof Date ? freeAt.toISOString() : null,
  leftAccount: number.leftAccount,
  pool: pool === '' ? null : pool,
  countryCode: number.countryCode,
  numberType: number.numberType,
  areaCode: number.areaCode,
  locality: number.locality,
  administrativeDivision: number.administrativeDivision,
  resource: number.resource,
  account: number.account,
  services: number.services,
  syncStatus: number.syncStatus,
  changedAt: changedAt && changedAt.toISOString(),
  purchase: purchase && { ...purchase, at: purchase.at.toISOString() },
})

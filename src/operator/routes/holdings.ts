import { requireResource } from '../../buyers/terms.js'
import { listHolds, listResourceNumbers, listResourceOperations } from '../contract/holdings.js'
import type { OperatorDeps } from '../deps.js'
import { selectHolds, type HoldOfResource } from '../reads/holds.js'
import { list, param, route, type Route } from '../wire/route.js'
import { numberList } from './numbers.js'
import { operationList } from './work.js'

/** Each throws 'not-found' for a resource that is none. */
export const holdingRoutes = ({ db, clock }: OperatorDeps): Route[] => [
  route(listHolds, async (context) => {
    const resourceId = await requireResource(db, param(context, 'name'))
    return list<HoldOfResource>({
      page: ({ limit, after }) => selectHolds(db, resourceId, { now: clock.now(), limit, after }),
      view: ({ expires, createdAt, ...hold }) => ({
        id: hold.id,
        kind: hold.kind,
        numbers: hold.numbers,
        expires: expires && expires.toISOString(),
        createdAt: createdAt.toISOString(),
        actor: hold.actor,
      }),
      columns: ['id', 'kind', 'numbers', 'expires', 'createdAt', 'actor'],
    })
  }),
  route(listResourceOperations, async (context) => {
    const resource = param(context, 'name')
    await requireResource(db, resource)
    const { status, kind } = context.query
    return operationList({ db, clock }, { statuses: status, kinds: kind, resource })
  }),
  route(listResourceNumbers, async (context) => {
    const resource = param(context, 'name')
    await requireResource(db, resource)
    return numberList({ db, clock }, { ...context.query, resource })
  }),
]

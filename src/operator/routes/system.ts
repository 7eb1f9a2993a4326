import { BODY_LIMIT_BYTES } from '../../http/server.js'
import { MAX_EXAMINED, MAX_LIMIT } from '../contract/operation.js'
import { getInfo, listSettings } from '../contract/system.js'
import type { OperatorDeps } from '../deps.js'
import { servicesOf } from '../status/status.js'
import { route, type Route } from '../wire/route.js'

export const systemRoutes = (deps: OperatorDeps): Route[] => [
  route(getInfo, async () => {
    const { db, clock, realClock, provisioning, info } = deps
    const now = clock.now()
    return {
      body: {
        version: info.version,
        mode: info.mode,
        apis: info.apis,
        engine: db.engine,
        time: now.toISOString(),
        clockOffsetMs: Math.round((now.getTime() - realClock.now().getTime()) / 1_000) * 1_000,
        services: servicesOf(provisioning).map(({ code, backend }) => ({ service: code, backend })),
        limits: {
          page: MAX_LIMIT,
          examined: MAX_EXAMINED,
          searchQuantity: info.maxSearchQuantity,
          reservationNumbers: info.maxReservationNumbers,
          bodyBytes: BODY_LIMIT_BYTES,
        },
      },
    }
  }),
  route(listSettings, async () => ({ body: { items: deps.settings(), next: null } })),
]

/** Every operation with its handler. */
import { operations } from '../contract/operations.js'
import type { OperatorDeps } from '../deps.js'
import type { Route } from '../wire/route.js'
import { clientRoutes } from './clients.js'
import { holdingRoutes } from './holdings.js'
import { jobRoutes } from './jobs.js'
import { numberRoutes } from './numbers.js'
import { resourceRoutes } from './resources.js'
import { stockRoutes } from './stock.js'
import { syncRoutes } from './sync.js'
import { systemRoutes } from './system.js'
import { walletRoutes } from './wallets.js'
import { workRoutes } from './work.js'

/** One without a handler is a fault that shows at the start. */
export function operatorRoutes(deps: OperatorDeps): Route[] {
  const routes = [
    ...systemRoutes(deps),
    ...numberRoutes(deps),
    ...stockRoutes(deps),
    ...resourceRoutes(deps),
    ...holdingRoutes(deps),
    ...walletRoutes(deps),
    ...clientRoutes(deps),
    ...syncRoutes(deps),
    ...workRoutes(deps),
    ...jobRoutes(deps),
  ]
  const missing = operations.filter((operation) => !routes.some(([contract]) => contract === operation))
  if (missing.length > 0) throw new Error(`No handler for ${missing.map(({ operationId }) => operationId).join(', ')}.`)
  return routes
}

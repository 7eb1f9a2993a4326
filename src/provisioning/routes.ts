import type { RouteDeps, Routes } from './route.js'
import { accountRoutes } from './routes/accounts.js'
import { numberRoutes } from './routes/numbers.js'
import { teamsRoutes } from './routes/teams.js'

/** The operations of api-versions 2024 with their handlers. */
export const routes2024 = (deps: RouteDeps): Routes =>
  new Map([...accountRoutes(deps), ...numberRoutes(deps), ...teamsRoutes(deps)])

import type { RouteDeps, Routes } from '../wire/route.js'
import { accountRoutes } from './accounts.js'
import { numberRoutes } from './numbers.js'
import { teamsRoutes } from './teams.js'

/** The operations of api-versions 2024 with their handlers. */
export const routes2024 = (deps: RouteDeps): Routes =>
  new Map([...accountRoutes(deps), ...numberRoutes(deps), ...teamsRoutes(deps)])

/** The part of the composition root that makes the Operator API: over HTTP, and in process for the command line. */
import type { ResourceDirectory } from '../../auth/resource-directory.js'
import type { Clock } from '../../clock.js'
import { effectiveSettings, type Config } from '../../config/config.js'
import { VERSION } from '../../config/version.js'
import { RateLimit } from '../../http/rate-limit.js'
import type { FastifyInstance } from '../../http/server.js'
import type { JobsDeps } from '../../operations/jobs/deps.js'
import { byToken } from '../../operator/admit.js'
import { openOperatorApi } from '../../operator/api.js'
import type { OperatorDeps } from '../../operator/deps.js'
import { operatorRoutes } from '../../operator/routes/routes.js'
import { openStatus } from '../../operator/status/short-way.js'
import type { Store } from '../store.js'
import type { TrustedPrincipal } from '../trusted.js'
import type { ProvisioningWiring } from './provisioning.js'

export interface OperatorParts {
  config: Config
  store: Store
  realClock: Clock
  provisioning: ProvisioningWiring
  directory: ResourceDirectory
  jobs: JobsDeps
  workers: OperatorDeps['workers']
  /** The principal of all requests, for a server that never listens: see `in-process.ts`. */
  trusted?: TrustedPrincipal | undefined
}

export interface OperatorWiring {
  deps: OperatorDeps
  /** Adds the API, and the short way to its status. */
  open(server: FastifyInstance): void
}

export function wireOperator(parts: OperatorParts): OperatorWiring {
  const { config, store, realClock, provisioning, directory, jobs, workers, trusted } = parts
  const { db, clock, logger, sealer } = store
  const deps: OperatorDeps = {
    db,
    clock,
    realClock,
    logger,
    sealer,
    provisioning: provisioning.deps,
    jobs,
    info: {
      version: VERSION,
      mode: config.mode,
      apis: config.apis,
      maxSearchQuantity: config.maxSearchQuantity,
      maxReservationNumbers: config.maxReservationNumbers,
    },
    workers,
    settings: () => effectiveSettings(config),
    resourcesChanged: () => directory.reload(),
  }
  const { verifier, allowedAddresses, trustedProxies } = provisioning.deps
  const rateLimit = trusted ? undefined : config.rateLimit && new RateLimit(clock, config.rateLimit)
  const authenticate = byToken({ verifier, allowedAddresses, trustedProxies, rateLimit })
  const hosts = trusted ? [] : config.operatorHosts
  const routes = operatorRoutes(deps)
  return {
    deps,
    open: (server) => {
      // In their own scopes: their headers and error responses differ from those of the other APIs.
      void server.register(async (scope) => openOperatorApi(scope, { ...deps, authenticate, hosts }, routes))
      void server.register(async (scope) => openStatus(scope, provisioning.deps))
    },
  }
}

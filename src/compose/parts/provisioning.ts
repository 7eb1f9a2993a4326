/** The part of the composition root that makes the Provisioning API, its backends and their reconcilers. */
import { READ_TIMEOUT_MS } from '../../accounts/commands/ask-backend.js'
import { AnnouncedConsents } from '../../accounts/commands/consents.js'
import { activeServices } from '../../accounts/deps.js'
import { createBackends } from '../../backends/create.js'
import { StoredZone } from '../../backends/dns/stored-zone.js'
import { storedDocuments } from '../../backends/simulated/stored-documents.js'
import type { Clock } from '../../clock.js'
import type { Config } from '../../config/config.js'
import { parseAddresses } from '../../http/addresses.js'
import { RateLimit } from '../../http/rate-limit.js'
import type { FastifyInstance } from '../../http/server.js'
import type { PolicyOf } from '../../ledger/policy.js'
import type { AdmitDeps } from '../../provisioning/admit.js'
import { openProvisioningApi, type ApiDeps } from '../../provisioning/api.js'
import type { SyncService } from '../../sync/sync.js'
import { reconcileTask } from '../../workers/reconcile.js'
import { Worker, type WorkerDeps } from '../../workers/worker.js'
import type { Store } from '../store.js'
import type { TrustedPrincipal } from '../trusted.js'
import type { IssuerWiring } from './issuer.js'

export interface ProvisioningWiring {
  deps: ApiDeps
  /** By service: one for each service with a backend, and one for the DNS zone. */
  reconcilers: ReadonlyMap<SyncService, Worker<string>>
  /** Adds the API. */
  open(server: FastifyInstance): void
}

/** Requests in process have no address. */
const EVERYWHERE = parseAddresses('0.0.0.0/0,::/0')

/**
 * Wires the parts together on an open store. Nothing runs yet.
 * @param trusted the principal of all requests, for a server that never listens: see `in-process.ts`
 */
export function wireProvisioning(
  config: Config,
  { db, clock, logger }: Store,
  realClock: Clock,
  issuer: IssuerWiring,
  policyOf: PolicyOf,
  workerDeps: WorkerDeps,
  trusted?: TrustedPrincipal,
): ProvisioningWiring {
  const backends = createBackends(config.backends, { clock, documents: storedDocuments(db) })
  const admitDeps: AdmitDeps = {
    verifier: trusted ? { verify: async () => trusted } : issuer.verifierFor(config.tokenAudiences),
    allowedAddresses: trusted ? EVERYWHERE : config.allowedAddresses,
    trustedProxies: config.trustedProxies,
    rateLimit: trusted ? undefined : config.rateLimit && new RateLimit(clock, config.rateLimit),
  }
  const readDeadline = (): AbortSignal => AbortSignal.timeout(READ_TIMEOUT_MS)
  const reconcilers = new Map<SyncService, Worker<string>>()
  const deps: ApiDeps = {
    ...admitDeps,
    db,
    clock,
    realClock,
    logger,
    backends,
    callsBackends: trusted === undefined,
    readDeadline,
    zone: new StoredZone(db),
    regions: {
      baseDomain: config.baseDomain,
      pattern: config.dnsRegionPattern,
      count: config.dnsRegions,
      enforceLength: config.enforceDomainLength,
    },
    rules: {
      exclusiveServices: config.exclusiveNumberServices,
      rejectUnsupportedSipHeader: config.rejectUnsupportedSipHeader,
    },
    policyOf,
    initialAssignmentStatus: config.initialAssignmentStatus,
    verifyIntervalMs: config.verifyIntervalMs,
    announced: new AnnouncedConsents({ clock, backends, readDeadline }),
    publicUrl: config.provisioningUrl,
    tolerateTrailingCommas: config.tolerateTrailingCommas,
    repeatabilityWindowMs: config.repeatabilityWindowMs,
    hosts: config.provisioningHosts,
    alone: !config.apis.includes('phone-numbers'),
    nudge: (services) => {
      for (const service of services) reconcilers.get(service)?.nudge()
    },
    reconcileZoneNow: (labels) => zoneReconciler.carryOut(labels),
  }
  const reconciler = (service: SyncService) => new Worker(reconcileTask(deps, service), workerDeps)
  for (const service of activeServices(deps)) reconcilers.set(service, reconciler(service))
  const zoneReconciler = reconciler('dns')
  reconcilers.set('dns', zoneReconciler)
  return {
    deps,
    reconcilers,
    open: (server) => {
      if (config.apis.includes('provisioning')) {
        // In its own scope: its headers and error responses differ from those of the other APIs.
        void server.register(async (scope) => openProvisioningApi(scope, deps))
      }
    },
  }
}

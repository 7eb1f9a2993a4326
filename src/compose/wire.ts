/**
 * The composition root: all parts of the program are made here and closed here, in reverse. Everything below gets its
 * dependencies passed in.
 */
import { ResourceDirectory } from '../auth/resource-directory.js'
import type { Config } from '../config/config.js'
import { readinessOf } from '../db/readiness.js'
import { CONNECTION_BOUNDS } from '../http/connection-bounds.js'
import type { BodyBounds } from '../http/late-bodies.js'
import { addHealthRoutes, createServer, type FastifyInstance, type ServerOptions } from '../http/server.js'
import type { TlsFiles } from '../http/tls.js'
import type { JobsDeps } from '../operations/jobs/deps.js'
import type { Course, OperationKind } from '../operations/operation.js'
import { isOperatorPath } from '../operator/api.js'
import { problemOfShell } from '../operator/wire/errors.js'
import { openPhoneNumbersApi } from '../phone-numbers/api.js'
import type { HookName, Hooks } from '../phone-numbers/hooks/hook.js'
import { HttpHook } from '../phone-numbers/hooks/http-hook.js'
import type { Catalogue } from '../phone-numbers/model/catalogue.js'
import type { PhoneNumbersDeps } from '../phone-numbers/model/deps.js'
import { Throttle } from '../phone-numbers/throttle.js'
import { isProvisioningPath } from '../provisioning/api.js'
import { callsTask } from '../workers/calls.js'
import { operationsTask } from '../workers/operations.js'
import { WorkerRegistry } from '../workers/registry.js'
import { sweepTask } from '../workers/sweep.js'
import { Worker } from '../workers/worker.js'
import { wireIssuer } from './parts/issuer.js'
import { wireJobs, type JobsWiring } from './parts/jobs.js'
import { wireOperator, type OperatorWiring } from './parts/operator.js'
import { policyFrom } from './parts/policy.js'
import { wireProvisioning, type ProvisioningWiring } from './parts/provisioning.js'
import type { Store } from './store.js'
import type { CreateTestControls, TestControlsPort } from './test-controls.js'
import type { TrustedPrincipal } from './trusted.js'

/** How long calls to billing and fulfilment may still take when the program stops; the next process repeats them. */
const CALLS_END_WITHIN_MS = 5_000

/** The parts between the store and the network: the server, not yet listening, and the background work. */
export interface Wiring {
  deps: PhoneNumbersDeps
  provisioning: ProvisioningWiring
  operator: OperatorWiring
  /** Durable jobs. */
  jobs: JobsDeps
  /** The workers of jobs: a process that doesn't start its workers may still call their `carryOut`. */
  jobWorkers: Pick<JobsWiring, 'runner' | 'keeper'>
  /** In emulator mode. */
  controls: TestControlsPort | undefined
  /** All background workers. */
  workers: readonly Pick<Worker, 'start' | 'nudge' | 'stop'>[]
  /** Their reports. */
  registry: WorkerRegistry
  /** Starts no more background work, and waits for what is under way. */
  stopWorkers(): Promise<void>
  createServer(tls: TlsFiles | undefined): FastifyInstance
}

/** How far an issuer's clock may be from ours; the contract of Phone Numbers allows more than that of Provisioning. */
const PHONE_NUMBERS_TOKEN_SKEW_MS = 5 * 60_000

export interface WireOptions {
  /** In emulator mode. */
  createTestControls?: CreateTestControls | undefined
  /** The principal of all requests, for a server that never listens: see `in-process.ts`. */
  trusted?: TrustedPrincipal | undefined
  /** How long bodies may take; a minute when left out. */
  bodyBounds?: BodyBounds | undefined
}

/**
 * Wires the parts together on an open store. Nothing runs or listens yet.
 */
export function wire(
  config: Config,
  opened: Store,
  catalogue: Catalogue,
  { createTestControls, trusted, bodyBounds }: WireOptions = {},
): Wiring {
  // An emulator uses a clock that can be moved. Dates of clients and tokens are checked against the real one.
  const { clock: realClock } = opened
  const controls = createTestControls?.(opened)
  const store = controls ? { ...opened, clock: controls.clock } : opened
  const { db, sealer, clock, logger } = store
  const usual: Record<OperationKind, Course> = {
    search: { delayMs: config.searchDelayMs },
    purchase: { delayMs: config.purchaseDelayMs },
    reservationPurchase: { delayMs: config.purchaseDelayMs },
    release: { delayMs: config.releaseDelayMs },
    capabilities: { delayMs: config.capabilitiesDelayMs },
  }
  const policyOf = policyFrom(config)
  const stopping = new AbortController()
  const deps: PhoneNumbersDeps = {
    db,
    clock,
    logger,
    catalogue,
    policyOf,
    maxSearchQuantity: config.maxSearchQuantity,
    maxReservationNumbers: config.maxReservationNumbers,
    courseOf: controls?.coursesOver(usual) ?? ((kind) => usual[kind]),
    walletRequired: config.walletRequired,
    hooks: hooksOf(config, stopping.signal),
    operator: {
      name: config.operatorName ?? null,
      mobileNetworkCode: config.operatorMnc ?? null,
      mobileCountryCode: config.operatorMcc ?? null,
    },
    nudge: () => {
      operationsWorker.nudge()
      callsWorker.nudge()
    },
    carryOutNow: (operation) => operationsWorker.carryOut([operation]),
  }
  const registry = new WorkerRegistry(clock)
  const workerDeps = { logger, clock, registry }
  const operationsWorker = new Worker(operationsTask(deps), workerDeps)
  const callsWorker = new Worker(callsTask(deps), workerDeps)
  const sweeper = new Worker(sweepTask(deps), workerDeps)
  const directory = new ResourceDirectory(db, sealer, logger, config.mode === 'emulator')
  const issuer = wireIssuer(config, store, realClock)
  const auth = {
    clock: realClock,
    directory,
    logger,
    tokens: issuer.verifierFor(config.phoneNumbersAudiences, PHONE_NUMBERS_TOKEN_SKEW_MS),
    clockSkewMs: config.clockSkewMs,
    publicHosts: config.publicHosts,
  }
  const throttle = new Throttle(clock, config.throttle)
  const versionPolicy = { tolerant: config.tolerantApiVersions }
  const provisioning = wireProvisioning(config, store, realClock, issuer, policyOf, workerDeps, trusted)
  const jobs = wireJobs(config, store, realClock, workerDeps)
  const operator = wireOperator({
    config,
    store,
    realClock,
    provisioning,
    directory,
    jobs: jobs.deps,
    workers: () => registry.reports(),
    trusted,
  })
  const workers = [
    operationsWorker,
    callsWorker,
    sweeper,
    ...provisioning.reconcilers.values(),
    jobs.runner,
    jobs.keeper,
    ...(controls?.tasks ?? []).map((task) => new Worker(task, workerDeps)),
  ]
  return {
    deps,
    provisioning,
    operator,
    jobs: jobs.deps,
    jobWorkers: jobs,
    controls,
    workers,
    registry,
    stopWorkers: async () => {
      const timer = setTimeout(() => stopping.abort(), CALLS_END_WITHIN_MS)
      jobs.stop()
      await Promise.all(workers.map((worker) => worker.stop()))
      clearTimeout(timer)
      await jobs.release()
    },
    createServer: (tls) => {
      const { maxConnections: most, maxConnectionsPerAddress: mostPerAddress } = config
      const connectionBounds = { ...CONNECTION_BOUNDS, most, mostPerAddress }
      const server = createServer({ logger, tls, wordingOf, bodyBounds, connectionBounds })
      addHealthRoutes(server, () => readinessOf(db))
      if (controls) {
        controls.open(server, {
          ...{ config, store, realClock, deps, directory, throttle, provisioning },
          operations: operationsWorker,
          sweeper,
          nudgeAll: () => {
            for (const worker of workers) worker.nudge()
          },
        })
      }
      if (config.apis.includes('phone-numbers')) {
        const { phoneNumbersHosts: hosts, corsOrigins } = config
        const apiDeps = { ...deps, auth, versionPolicy, throttle, hosts, corsOrigins }
        // In its own scope: its headers and error responses differ from those of the other APIs.
        void server.register(async (scope) => openPhoneNumbersApi(scope, apiDeps))
      }
      provisioning.open(server)
      operator.open(server)
      issuer.open(server)
      return server
    },
  }
}

function hooksOf(config: Config, stopping: AbortSignal): Hooks {
  const { billingHookUrl, fulfilmentHookUrl, hookSecret, hookTimeoutMs, hookGiveUpMs } = config
  const hookAt = (name: HookName, url: string | undefined) =>
    url === undefined ? undefined : new HttpHook({ name, url, secret: hookSecret, timeoutMs: hookTimeoutMs, stopping })
  return {
    billing: hookAt('billing', billingHookUrl),
    fulfilment: hookAt('fulfilment', fulfilmentHookUrl),
    giveUpMs: hookGiveUpMs,
  }
}

const wordingOf: NonNullable<ServerOptions['wordingOf']> = (target, refused) => {
  if (isOperatorPath(target)) return problemOfShell(refused)
  if (refused.status === 408) return { code: 'RequestTimeout' }
  return isProvisioningPath(target) ? { code: 'InvalidParameter' } : undefined
}

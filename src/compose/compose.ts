/**
 * The composition root: what the program is made of is made here and closed here, in reverse. Everything below gets
 * what it needs passed in.
 */
import { checkKeys } from '../auth/resources.js'
import { ResourceDirectory } from '../auth/resource-directory.js'
import { systemClock, type Clock } from '../clock.js'
import { wireIssuer } from './issuer.js'
import { wireProvisioning, type ProvisioningWiring } from './provisioning.js'
import { createStandinPowers, openStandin, standinWorkers } from './emulator.js'
import { openStore, type Store } from './store.js'
import { checkListeners, type Config } from '../config/config.js'
import { sql, type Db } from '../db/db.js'
import { SetupError } from '../errors.js'
import { addHealthRoutes, createServer, type FastifyInstance } from '../http/server.js'
import { readTlsFiles, standinTls, type TlsFiles } from '../http/tls.js'
import { readCatalogue, type Catalogue } from '../phone-numbers/model/catalogue.js'
import type { OperationKind } from '../operations/operation.js'
import type { PhoneNumbersDeps } from '../phone-numbers/model/deps.js'
import { openPhoneNumbersDoor } from '../phone-numbers/api.js'
import type { HookName, Hooks } from '../phone-numbers/hooks/hook.js'
import { HttpHook } from '../phone-numbers/hooks/http-hook.js'
import { Throttle } from '../phone-numbers/throttle.js'
import { isProvisioningPath } from '../provisioning/api.js'
import type { Powers } from '../emulator/controls.js'
import { callsJob, operationsJob, sweepJob } from '../workers/jobs.js'
import { Worker } from '../workers/worker.js'

/** How long calls to billing and provisioning may still take when the program stops; whoever starts next repeats them. */
const CALLS_END_WITHIN_MS = 5_000

export interface Listener {
  scheme: 'http' | 'https'
  /** e.g. http://127.0.0.1:8080 */
  url: string
}

export interface Service {
  listeners: readonly Listener[]
  /** Certificate that HTTPS shows, absolute path. */
  certFile: string | undefined
  store: Store
  /** Takes no new requests, lets those under way end, then closes everything. */
  close(): Promise<void>
}

/** What stands between the store and the network: the API's servers, not yet listening, and the background jobs. */
export interface Wiring {
  deps: PhoneNumbersDeps
  provisioning: ProvisioningWiring
  /** In stand-in mode. */
  powers: Powers | undefined
  /** Everything that works in the background. */
  workers: readonly Worker[]
  /** Starts no more work in the background, and lets what is under way end. */
  stopWorkers(): Promise<void>
  createServer(tls: TlsFiles | undefined): FastifyInstance
}

/** How far an issuer's clock may be from ours; the contract of Phone Numbers allows more than that of Provisioning. */
const PHONE_NUMBERS_TOKEN_SKEW_MS = 5 * 60_000

/** Wires the parts together on an open store. Nothing runs or listens yet. */
export function wire(config: Config, opened: Store, catalogue: Catalogue): Wiring {
  // A stand-in lives by a clock that can be moved. What clients date and tokens are judged by stays the real one.
  const { clock: realClock } = opened
  const powers = config.mode === 'standin' ? createStandinPowers(opened) : undefined
  const store = powers ? { ...opened, clock: powers.clock } : opened
  const { db, sealer, clock, logger } = store
  const delays: Record<OperationKind, number> = {
    search: config.searchDelayMs,
    purchase: config.purchaseDelayMs,
    reservationPurchase: config.purchaseDelayMs,
    release: config.releaseDelayMs,
    capabilities: config.capabilitiesDelayMs,
  }
  const stopping = new AbortController()
  const deps: PhoneNumbersDeps = {
    db,
    clock,
    logger,
    catalogue,
    searchHoldMs: config.searchHoldMs,
    maxSearchQuantity: config.maxSearchQuantity,
    reservations: {
      holdMs: config.reservationHoldMs,
      maxMs: config.reservationMaxMs,
      maxNumbers: config.maxReservationNumbers,
    },
    quarantineMs: config.quarantineMs,
    courseOf: (kind, resourceName) => {
      const usual = { delayMs: delays[kind] }
      return powers ? powers.scripts.courseOf(kind, resourceName, usual) : usual
    },
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
  }
  const operationsWorker = new Worker(operationsJob(deps), logger, clock)
  const callsWorker = new Worker(callsJob(deps), logger, clock)
  const sweeper = new Worker(sweepJob(deps), logger, clock)
  const directory = new ResourceDirectory(db, sealer, logger)
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
  const provisioning = wireProvisioning(config, store, realClock, issuer)
  const workers = [
    operationsWorker,
    callsWorker,
    sweeper,
    ...provisioning.reconcilers.values(),
    ...(powers ? standinWorkers(powers, store) : []),
  ]
  return {
    deps,
    provisioning,
    powers,
    workers,
    stopWorkers: async () => {
      const timer = setTimeout(() => stopping.abort(), CALLS_END_WITHIN_MS)
      await Promise.all(workers.map((worker) => worker.stop()))
      clearTimeout(timer)
    },
    createServer: (tls) => {
      const server = createServer({ logger, tls, brokenPathCode })
      addHealthRoutes(server, () => isReachable(db))
      if (powers) {
        const parts = { config, store, realClock, deps, directory, throttle, provisioning, workers }
        openStandin(server, powers, parts)
      }
      if (config.doors.includes('phone-numbers')) {
        const { phoneNumbersHosts: hosts, corsOrigins } = config
        const doorDeps = { ...deps, auth, versionPolicy, throttle, hosts, corsOrigins }
        // In a scope of its own: its headers and error answers are not those of what stands beside it.
        void server.register(async (scope) => openPhoneNumbersDoor(scope, doorDeps))
      }
      provisioning.open(server)
      issuer.open(server)
      return server
    },
  }
}

function hooksOf(config: Config, stopping: AbortSignal): Hooks {
  const { billingHookUrl, provisioningHookUrl, hookSecret, hookTimeoutMs, hookGiveUpMs } = config
  const hookAt = (name: HookName, url: string | undefined) =>
    url === undefined ? undefined : new HttpHook({ name, url, secret: hookSecret, timeoutMs: hookTimeoutMs, stopping })
  return {
    billing: hookAt('billing', billingHookUrl),
    provisioning: hookAt('provisioning', provisioningHookUrl),
    giveUpMs: hookGiveUpMs,
  }
}

const brokenPathCode = (target: string): string => (isProvisioningPath(target) ? 'InvalidParameter' : 'InvalidInput')

/** Starts everything: database, workers, listeners. Throws SetupErrors, with nothing left open. */
export async function startService(config: Config, clock: Clock = systemClock): Promise<Service> {
  checkListeners(config)
  // The slow parts side by side: the database loads while certificate and catalogue are read.
  const [store, tls, catalogue] = await openTogether(
    openStore(config, clock),
    tlsOf(config),
    readCatalogue(config.catalogueFile),
  )
  const closers: (() => Promise<unknown>)[] = [() => store.close()]
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    await checkKeys(store)
    const { workers, stopWorkers, createServer } = wire(config, store, catalogue)
    closers.push(stopWorkers)
    const open = async (scheme: 'http' | 'https', port: number | undefined): Promise<Listener[]> => {
      if (port === undefined) return []
      const server = createServer(scheme === 'https' ? tls : undefined)
      closers.push(() => server.close())
      return [{ scheme, url: await listen(server, scheme, config.host, port) }]
    }
    const listeners = [...(await open('http', config.httpPort)), ...(await open('https', config.httpsPort))]
    for (const worker of workers) worker.start()
    return { listeners, certFile: tls?.certFile, store, close }
  } catch (error) {
    await close()
    throw error
  }
}

function tlsOf(config: Config): Promise<TlsFiles | undefined> {
  if (config.httpsPort === undefined) return Promise.resolve(undefined)
  return config.tlsCertFile !== undefined && config.tlsKeyFile !== undefined
    ? readTlsFiles(config.tlsCertFile, config.tlsKeyFile)
    : standinTls(config.dataDir, config.host)
}

/** Like Promise.all for a store and things that need no closing: when one of those fails, the store is closed. */
async function openTogether<A, B>(store: Promise<Store>, a: Promise<A>, b: Promise<B>): Promise<[Store, A, B]> {
  try {
    return await Promise.all([store, a, b])
  } catch (error) {
    await store.then(
      (opened) => opened.close(),
      () => undefined,
    )
    throw error
  }
}

async function listen(server: FastifyInstance, scheme: 'http' | 'https', host: string, port: number): Promise<string> {
  try {
    return await server.listen({ host, port })
  } catch (error) {
    throw listenError(error, scheme, host, port)
  }
}

const isReachable = async (db: Db): Promise<boolean> => {
  try {
    await db.query(sql`select 1`)
    return true
  } catch {
    return false
  }
}

function listenError(error: unknown, scheme: 'http' | 'https', host: string, port: number): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const setting = `LINEBOOK_${scheme.toUpperCase()}_PORT`
  switch (code) {
    case 'EADDRINUSE':
      return new SetupError(
        `${setting}: port ${port} on ${host} is in use by another program. Choose another port, or 0 for any free one.`,
      )
    case 'EACCES':
      return new SetupError(
        `${setting}: port ${port} needs privileges that this process doesn't have. Use one above 1023.`,
      )
    case 'EADDRNOTAVAIL':
      return new SetupError(`LINEBOOK_HOST: ${host} is not an address of this machine.`)
    default:
      return error
  }
}

/**
 * The composition root: what the program is made of is made here and closed here, in reverse. Everything below gets
 * what it needs passed in.
 */
import { checkKeys } from './auth/resources.js'
import { ResourceDirectory } from './auth/resource-directory.js'
import { systemClock, type Clock } from './clock.js'
import { wireProvisioning, type ProvisioningWiring } from './compose-provisioning.js'
import { openStore, type Store } from './compose-store.js'
import { checkListeners, type Config } from './config.js'
import { sql, type Db } from './db/db.js'
import { SetupError } from './errors.js'
import { addHealthRoutes, createServer, type FastifyInstance } from './http/server.js'
import { readTlsFiles, standinTls, type TlsFiles } from './http/tls.js'
import { readCatalogue, type Catalogue } from './phone-numbers/catalogue.js'
import type { PhoneNumbersDeps } from './phone-numbers/deps.js'
import { openPhoneNumbersDoor } from './phone-numbers/door.js'
import { isProvisioningPath } from './provisioning/door.js'
import { operationsJob, sweepJob } from './workers/jobs.js'
import { Worker } from './workers/worker.js'

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
  /** Everything that works in the background. */
  workers: readonly Worker[]
  createServer(tls: TlsFiles | undefined): FastifyInstance
}

/** Wires the parts together on an open store. Nothing runs or listens yet. */
export function wire(config: Config, store: Store, catalogue: Catalogue): Wiring {
  const { db, sealer, clock, logger } = store
  const deps: PhoneNumbersDeps = {
    db,
    clock,
    logger,
    catalogue,
    searchHoldMs: config.searchHoldMs,
    maxSearchQuantity: config.maxSearchQuantity,
    quarantineMs: config.quarantineMs,
    delays: {
      search: config.searchDelayMs,
      purchase: config.purchaseDelayMs,
      release: config.releaseDelayMs,
      capabilities: config.capabilitiesDelayMs,
    },
    nudge: () => operationsWorker.nudge(),
  }
  const operationsWorker = new Worker(operationsJob(deps), logger)
  const sweeper = new Worker(sweepJob(deps), logger)
  const directory = new ResourceDirectory(db, sealer, logger)
  const auth = { clock, directory, clockSkewMs: config.clockSkewMs, publicHosts: config.publicHosts }
  const versionPolicy = { tolerant: config.tolerantApiVersions }
  const provisioning = wireProvisioning(config, store)
  return {
    deps,
    provisioning,
    workers: [operationsWorker, sweeper, ...provisioning.reconcilers.values()],
    createServer: (tls) => {
      const server = createServer({ logger, tls, brokenPathCode })
      addHealthRoutes(server, () => isReachable(db))
      if (config.doors.includes('phone-numbers')) {
        const doorDeps = { ...deps, auth, versionPolicy, hosts: config.phoneNumbersHosts }
        // In a scope of its own: its headers and error answers are not those of what stands beside it.
        void server.register(async (scope) => openPhoneNumbersDoor(scope, doorDeps))
      }
      provisioning.open(server)
      return server
    },
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
    const { workers, createServer } = wire(config, store, catalogue)
    closers.push(() => Promise.all(workers.map((worker) => worker.stop())))
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

/** Starts and stops the program: everything opened here is closed here, in reverse. */
import { checkKeys } from '../auth/resources.js'
import { systemClock, type Clock } from '../clock.js'
import { checkListeners, type Config } from '../config/config.js'
import { readinessOf } from '../db/readiness.js'
import { SetupError } from '../errors.js'
import type { FastifyInstance } from '../http/server.js'
import { readTlsFiles, emulatorTls, type TlsFiles } from '../http/tls.js'
import { readCatalogue } from '../phone-numbers/model/catalogue.js'
import { openStore, type Store } from './store.js'
import type { CreateTestControls } from './test-controls.js'
import { wire } from './wire.js'

export interface Listener {
  scheme: 'http' | 'https'
  /** e.g. http://127.0.0.1:8080 */
  url: string
}

export interface Service {
  listeners: readonly Listener[]
  /** The absolute path of the certificate for HTTPS. */
  certFile: string | undefined
  store: Store
  /** Takes no new requests, lets those under way end, then closes everything. */
  close(): Promise<void>
}

/** Starts everything: database, workers, listeners. Throws SetupErrors, with nothing left open. */
export async function startService(config: Config, clock: Clock = systemClock): Promise<Service> {
  checkListeners(config)
  // The slow parts run in parallel: the database loads while certificate and catalogue are read.
  const [store, tls, catalogue, createTestControls] = await openTogether(
    openStore(config, 'serve', clock),
    tlsOf(config),
    readCatalogue(config.catalogueFile),
    testControlsOf(config),
  )
  const closeStore = once(() => store.close())
  const closers: (() => Promise<unknown>)[] = [closeStore]
  const close = async () => {
    // What waits for a database that does not respond would keep everything else from closing.
    if (closers.length > 1 && (await readinessOf(store.db)) === 'unreachable') await closeStore()
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    await checkKeys(store)
    const { workers, stopWorkers, createServer } = wire(config, store, catalogue, { createTestControls })
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

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined
  return () => (result ??= work())
}

/** Production never loads them. */
const testControlsOf = async ({ mode }: Config): Promise<CreateTestControls | undefined> =>
  mode === 'emulator' ? (await import('./emulator.js')).createEmulator : undefined

function tlsOf(config: Config): Promise<TlsFiles | undefined> {
  if (config.httpsPort === undefined) return Promise.resolve(undefined)
  return config.tlsCertFile !== undefined && config.tlsKeyFile !== undefined
    ? readTlsFiles(config.tlsCertFile, config.tlsKeyFile)
    : emulatorTls(config.dataDir, config.host)
}

/** Like Promise.all for a store and values that need no closing: when one of them fails, the store is closed. */
async function openTogether<Others extends unknown[]>(
  store: Promise<Store>,
  ...others: { [Index in keyof Others]: Promise<Others[Index]> }
): Promise<[Store, ...Others]> {
  try {
    return await Promise.all([store, ...others])
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

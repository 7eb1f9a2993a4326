/**
 * The APIs in process: the same routes over the configured database, reached by `inject` and by nothing else. That is
 * how the command line works without a server. Whoever can run it can read the database anyway, so it asks for no
 * token; the server that would trust it never listens, so no request over a network can be taken for it.
 */
import { BUILT_IN_ISSUER } from '../auth/tokens/claims.js'
import { roles } from '../auth/tokens/roles.js'
import type { Config } from '../config/config.js'
import type { FastifyInstance } from '../http/server.js'
import { readCatalogue } from '../phone-numbers/model/catalogue.js'
import { openStore, type Store } from './store.js'
import type { TrustedPrincipal } from './trusted.js'
import { wire } from './wire.js'

export interface InProcess {
  server: FastifyInstance
  /** Has jobs run from now on: what queues one here can't count on a server. */
  runJobs(): void
  close(): Promise<void>
}

/**
 * Opens the configured database and the APIs over it, without listeners, allow list and rate limit, and without workers
 * but for jobs. Throws SetupErrors, DataDirInUse where another process has the folder.
 * @param user the person at the command line, whose changes are recorded as of `cli:<user>`
 */
export async function openInProcess(config: Config, user: string): Promise<InProcess> {
  const store = await openStore(config, 'use')
  try {
    const apis = await openOver(store, config, user)
    return {
      ...apis,
      close: async () => {
        await apis.close()
        await store.close()
      },
    }
  } catch (error) {
    await store.close()
    throw error
  }
}

/** The same over a store that is open, and stays so. */
export async function openOver(store: Store, config: Config, user: string): Promise<InProcess> {
  const catalogue = await readCatalogue(config.catalogueFile)
  const apis: Config['apis'] = ['phone-numbers', 'provisioning']
  const { createServer, jobWorkers, stopWorkers } = wire({ ...config, apis }, store, catalogue, {
    trusted: principalOf(user),
  })
  const server = createServer(undefined)
  await server.ready()
  return {
    server,
    runJobs: () => {
      jobWorkers.runner.start()
      jobWorkers.keeper.start()
    },
    close: async () => {
      await server.close()
      await stopWorkers()
    },
  }
}

const principalOf = (user: string): TrustedPrincipal => ({
  callerId: `cli:${user}`,
  actor: `cli:${user}`,
  name: user,
  issuer: BUILT_IN_ISSUER,
  roles: new Set(roles),
  operatorRoles: new Set(roles),
  isUser: true,
})

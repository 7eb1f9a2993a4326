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
import { openStore } from './store.js'
import type { TrustedPrincipal } from './trusted.js'
import { wire } from './wire.js'

export interface InProcess {
  server: FastifyInstance
  close(): Promise<void>
}

/**
 * Opens the configured database and the APIs over it, without workers, listeners, allow list and rate limit. Throws
 * SetupErrors, DataDirInUse where another process has the folder.
 * @param user the person at the command line, who is told of as `cli:<user>`
 */
export async function openInProcess(config: Config, user: string): Promise<InProcess> {
  const [store, catalogue] = [await openStore(config), await readCatalogue(config.catalogueFile)]
  try {
    const { createServer } = wire({ ...config, apis: ['phone-numbers', 'provisioning'] }, store, catalogue, {
      trusted: principalOf(user),
    })
    const server = createServer(undefined)
    await server.ready()
    return {
      server,
      close: async () => {
        await server.close()
        await store.close()
      },
    }
  } catch (error) {
    await store.close()
    throw error
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

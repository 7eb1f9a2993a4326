import { invalidInput, SetupError } from '../../errors.js'
import { addClient, removeClient, rotateSecret } from '../../issuer/clients.js'
import { readPublicKey } from '../../issuer/public-key.js'
import { rotateSigningKey } from '../../issuer/signing-keys.js'
import { listClients, type Client } from '../../issuer/store.js'
import * as contract from '../contract/clients.js'
import type { OperatorDeps } from '../deps.js'
import { pageOf } from '../wire/list.js'
import { by, list, param, route, type Route } from '../wire/route.js'

export function clientRoutes({ db, clock, realClock, sealer, logger }: OperatorDeps): Route[] {
  return [
    route(contract.listClients, async () => {
      const clients = await listClients(db)
      return list({
        page: async (request) => pageOf(clients, request, ({ clientId }) => clientId),
        view: clientView,
        count: async () => ({ value: clients.length, exact: true }),
        columns: ['clientId', 'roles', 'createdAt', 'secrets', 'signs'],
      })
    }),
    route(contract.createClient, ({ body: { clientId, roles = [], publicKey }, who, commit }) =>
      commit(async (joined) => {
        const publicJwk = publicKey === undefined ? undefined : publicKeyOf(publicKey)
        const secret = await addClient(
          { db: joined, clock, logger },
          { clientId, roles, publicJwk },
          by(who, contract.createClient),
        )
        const created = { clientId, roles: [...new Set(roles)], createdAt: clock.now().toISOString() }
        const shows = secret === undefined ? { secrets: 0, signs: true } : { secrets: 1, signs: false, secret }
        return { body: { ...created, ...shows } }
      }),
    ),
    route(contract.rotateSecret, (context) =>
      context.commit(async (joined) => {
        const clientId = param(context, 'clientId')
        const who = by(context.who, contract.rotateSecret)
        const secret = await rotateSecret({ db: joined, logger }, clientId, flags(context.body), who)
        return { body: { clientId, secret } }
      }),
    ),
    route(contract.deleteClient, (context) =>
      context.commit(async (joined) => {
        await removeClient({ db: joined, logger }, param(context, 'clientId'), by(context.who, contract.deleteClient))
        return {}
      }),
    ),
    route(contract.rotateSigningKey, ({ body, who, commit }) =>
      commit(async (joined) => {
        const deps = { db: joined, sealer, clock: realClock, logger }
        return { body: { kid: await rotateSigningKey(deps, flags(body), by(who, contract.rotateSigningKey)) } }
      }),
    ),
  ]
}

const flags = ({ dropEarlier = false }: { dropEarlier?: boolean }) => ({ dropEarlier })

const clientView = ({ clientId, roles, createdAt, secretHashes, publicJwk }: Client) => ({
  clientId,
  roles,
  createdAt: createdAt.toISOString(),
  secrets: secretHashes.length,
  signs: publicJwk !== null,
})

/** Throws 'invalid-input'. */
function publicKeyOf(text: string) {
  try {
    return readPublicKey(text, 'publicKey')
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    throw invalidInput(error.message.replace(/^--public-key: /, ''), 'publicKey')
  }
}

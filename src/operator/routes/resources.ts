import { createHash } from 'node:crypto'
import { ANY_ISSUER, listGrants as storedGrants } from '../../auth/grant-store.js'
import { grantAccess, revokeAccess } from '../../auth/grants.js'
import { listResources as storedResources, type StoredResource } from '../../auth/resource-store.js'
import {
  addResource,
  changeHosts,
  removeResource,
  resourceNamed,
  revealResource,
  rotateKey as rotate,
  setResourceDisabled,
} from '../../auth/resources.js'
import { readAddress } from '../../buyers/address.js'
import { parseEntitlement } from '../../buyers/entitlement.js'
import { changeTerms, showBuyer } from '../../buyers/terms.js'
import type { Db } from '../../db/db.js'
import { DomainError, notFound } from '../../errors.js'
import type { OperationContract } from '../contract/operation.js'
import * as contract from '../contract/resources.js'
import type { OperatorDeps } from '../deps.js'
import { pageOf } from '../wire/list.js'
import { by, list, param, route, type Context, type Route } from '../wire/route.js'

export function resourceRoutes(deps: OperatorDeps): Route[] {
  const { db, sealer, clock, logger, resourcesChanged } = deps
  const dueTo = (joined: Db) => ({ db: joined, sealer, clock, logger })
  return [
    route(contract.listResources, async ({ query: { q = '' } }) => {
      const found = (await storedResources(db)).filter(({ name }) => name.includes(q.toLowerCase()))
      return list({
        page: async (request) => pageOf(found, request, ({ name }) => name),
        view: resourceView,
        count: async () => ({ value: found.length, exact: true }),
        columns: ['name', 'hosts', 'createdAt', 'disabledAt', 'pool'],
      })
    }),
    route(contract.createResource, ({ body: { name, hosts = [] }, who, commit }) =>
      commit(async (joined) => {
        const keys = await addResource(dueTo(joined), { name, hosts }, by(who, contract.createResource))
        return { body: { name, ...keys } }
      }, resourcesChanged),
    ),
    route(contract.getResource, async (context) => shown(db, param(context, 'name'))),
    route(contract.deleteResource, (context) =>
      context.commit(async (joined) => {
        await removeResource(dueTo(joined), param(context, 'name'), by(context.who, contract.deleteResource))
        return {}
      }, resourcesChanged),
    ),
    route(contract.disableResource, (context) => disable(deps, context, clock.now(), contract.disableResource)),
    route(contract.enableResource, (context) => disable(deps, context, null, contract.enableResource)),
    route(contract.getKeys, async (context) => {
      const name = param(context, 'name')
      return { body: { name, ...(await revealResource({ db, sealer, clock }, name)).keys } }
    }),
    route(contract.rotateKey, (context) =>
      context.commit(async (joined) => {
        const which = param(context, 'which')
        if (which !== 'primary' && which !== 'secondary')
          throw notFound(`A resource has the keys primary and secondary.`)
        const who = by(context.who, contract.rotateKey)
        return { body: { which, key: await rotate(dueTo(joined), param(context, 'name'), which, who) } }
      }, resourcesChanged),
    ),
    route(contract.putHosts, (context) =>
      context.commit(async (joined) => {
        const who = by(context.who, contract.putHosts)
        await changeHosts(dueTo(joined), param(context, 'name'), context.body.hosts, who)
        return {}
      }, resourcesChanged),
    ),
    route(contract.patchTerms, (context) => changeTermsOf(deps, context)),
    ...grantRoutes(deps),
  ]
}

const resourceView = ({ name, hosts, createdAt, disabledAt, pool }: StoredResource) => ({
  name,
  hosts,
  createdAt: createdAt.toISOString(),
  disabledAt: disabledAt?.toISOString() ?? null,
  pool,
})

/** A resource with its tag, which is of what can be edited. */
async function shown(db: Db, name: string) {
  const resource = resourceView(await resourceNamed(db, name))
  const { numberLimit, entitledTo, addresses, wallets, numbers } = await showBuyer(db, name)
  const terms = { numberLimit, entitledTo, addresses }
  return { headers: { ETag: tagOf({ ...resource, ...terms }) }, body: { ...resource, ...terms, wallets, numbers } }
}

const tagOf = (value: object): string =>
  `"${createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 22)}"`

function disable(
  { logger, resourcesChanged }: OperatorDeps,
  context: Context,
  at: Date | null,
  operation: Pick<OperationContract, 'operationId'>,
) {
  return context.commit(async (joined) => {
    const name = param(context, 'name')
    await setResourceDisabled({ db: joined, logger }, name, at, by(context.who, operation))
    return {}
  }, resourcesChanged)
}

const changeTermsOf = (
  { logger, resourcesChanged }: OperatorDeps,
  context: Context<typeof contract.patchTerms.query, typeof contract.Terms>,
) =>
  context.commit(async (joined) => {
    const name = param(context, 'name')
    const { 'if-match': ifMatch } = context.request.headers
    const { numberLimit, entitledTo, addresses = {} } = context.body
    const { headers } = await shown(joined, name)
    if (ifMatch !== undefined && ifMatch.trim() !== '*' && ifMatch.trim() !== headers.ETag) {
      throw new DomainError('condition-not-met', `${name} has changed since it was read; read it again.`, {
        target: 'if-match',
        place: 'header',
      })
    }
    const terms = {
      ...(numberLimit !== undefined && { numberLimit }),
      ...(entitledTo !== undefined && {
        entitledTo: entitledTo && [...new Set(entitledTo.map(parseEntitlement))].sort(),
      }),
      addresses: Object.fromEntries(
        Object.entries(addresses).map(([country, address]) => [country, address && readAddress(address)]),
      ),
    }
    await changeTerms(joined, name, terms, { by: by(context.who, contract.patchTerms), logger })
    return shown(joined, name)
  }, resourcesChanged)

function grantRoutes({ db, clock, logger, resourcesChanged }: OperatorDeps): Route[] {
  return [
    route(contract.listGrants, async (context) => {
      const { id } = await resourceNamed(db, param(context, 'name'))
      const grants = (await storedGrants(db)).filter(({ resourceId }) => resourceId === id)
      return list({
        page: async (request) => pageOf(grants, request, ({ clientId, issuer }) => `${clientId}\n${issuer}`),
        view: ({ clientId, issuer }) => ({ clientId, issuer: issuer === ANY_ISSUER ? null : issuer }),
        columns: ['clientId', 'issuer'],
      })
    }),
    route(contract.createGrant, (context) =>
      context.commit(async (joined) => {
        const { clientId, issuer = null } = context.body
        const wanted = { resource: param(context, 'name'), clientId, issuer: issuer ?? undefined }
        await grantAccess({ db: joined, clock, logger }, wanted, by(context.who, contract.createGrant))
        return { body: { clientId, issuer } }
      }, resourcesChanged),
    ),
    route(contract.deleteGrants, (context) =>
      context.commit(async (joined) => {
        const wanted = { resource: param(context, 'name'), clientId: param(context, 'clientId') }
        await revokeAccess({ db: joined, logger }, wanted, by(context.who, contract.deleteGrants))
        return {}
      }, resourcesChanged),
    ),
  ]
}

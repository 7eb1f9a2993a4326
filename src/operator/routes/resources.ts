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
import * as contract from '../contract/resources.js'
import type { OperatorDeps } from '../deps.js'
import { pageOf } from '../wire/list.js'
import { list, param, route, type Context, type Route } from '../wire/route.js'

export function resourceRoutes(deps: OperatorDeps): Route[] {
  const { db, sealer, clock, resourcesChanged } = deps
  const dueTo = (joined: Db) => ({ db: joined, sealer, clock })
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
    route(contract.createResource, ({ body: { name, hosts = [] }, commit }) =>
      commit(
        async (joined) => ({ body: { name, ...(await addResource(dueTo(joined), { name, hosts })) } }),
        resourcesChanged,
      ),
    ),
    route(contract.getResource, async (context) => shown(db, param(context, 'name'))),
    route(contract.deleteResource, (context) =>
      context.commit(async (joined) => {
        await removeResource(joined, param(context, 'name'))
        return {}
      }, resourcesChanged),
    ),
    route(contract.disableResource, (context) => disable(deps, context, clock.now())),
    route(contract.enableResource, (context) => disable(deps, context, null)),
    route(contract.getKeys, async (context) => {
      const name = param(context, 'name')
      return { body: { name, ...(await revealResource({ db, sealer, clock }, name)).keys } }
    }),
    route(contract.rotateKey, (context) =>
      context.commit(async (joined) => {
        const which = param(context, 'which')
        if (which !== 'primary' && which !== 'secondary')
          throw notFound(`A resource has the keys primary and secondary.`)
        return { body: { which, key: await rotate(dueTo(joined), param(context, 'name'), which) } }
      }, resourcesChanged),
    ),
    route(contract.putHosts, (context) =>
      context.commit(async (joined) => {
        await changeHosts(joined, param(context, 'name'), context.body.hosts)
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

function disable({ resourcesChanged }: OperatorDeps, context: Context, at: Date | null) {
  return context.commit(async (joined) => {
    await setResourceDisabled(joined, param(context, 'name'), at)
    return {}
  }, resourcesChanged)
}

const changeTermsOf = (
  { resourcesChanged }: OperatorDeps,
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
    await changeTerms(joined, name, {
      ...(numberLimit !== undefined && { numberLimit }),
      ...(entitledTo !== undefined && {
        entitledTo: entitledTo && [...new Set(entitledTo.map(parseEntitlement))].sort(),
      }),
      addresses: Object.fromEntries(
        Object.entries(addresses).map(([country, address]) => [country, address && readAddress(address)]),
      ),
    })
    return shown(joined, name)
  }, resourcesChanged)

function grantRoutes({ db, clock, resourcesChanged }: OperatorDeps): Route[] {
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
        await grantAccess({ db: joined, clock }, wanted)
        return { body: { clientId, issuer } }
      }, resourcesChanged),
    ),
    route(contract.deleteGrants, (context) =>
      context.commit(async (joined) => {
        await revokeAccess({ db: joined }, { resource: param(context, 'name'), clientId: param(context, 'clientId') })
        return {}
      }, resourcesChanged),
    ),
  ]
}

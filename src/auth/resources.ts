/**
 * Resources: the buyers' side of the Phone Numbers API. Each has a name, the host names it answers to and two access
 * keys, so that one can be replaced while clients use the other.
 */
import { randomBytes } from 'node:crypto'
import type { Clock } from '../clock.js'
import type { Db, Queryable, Tx } from '../db/db.js'
import { DomainError, invalidInput, notFound } from '../errors.js'
import { newId } from '../ids.js'
import { BY_SYSTEM, noteAccess, type Attribution, type NotedBy, type ResourceFacts } from './changes.js'
import {
  deleteResource,
  HostClaimed,
  insertResource,
  listResources,
  replaceHosts,
  ResourceNameTaken,
  setDisabled,
  updateResourceKey,
  whatIsLeft,
  type KeySlot,
  type StoredResource,
} from './resource-store.js'
import type { Sealer } from './seal.js'

export interface ResourceDeps extends NotedBy {
  db: Db
  sealer: Sealer
  clock: Clock
}

/** Access keys as they are handed to people: base64. */
export interface AccessKeys {
  primary: string
  secondary: string
}

export interface NewResource {
  name: string
  hosts: string[]
  /** Fresh random ones when left out. */
  keys?: AccessKeys
  /** The stock it sees: the shared one when left out. */
  pool?: string
}

const ACCESS_KEY_BYTES = 64
const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/
const HOST = /^([a-z0-9]([a-z0-9-]*[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/
const MAX_HOST_LENGTH = 253
/**
 * Every key of these is tried on a request whose host no resource claims, so there may not be many. Those with a stock of
 * their own, which tests have an emulator make, are not counted.
 */
export const MAX_RESOURCES_WITHOUT_HOST = 20

export const EMULATOR_RESOURCE = 'local'
/** Decodes to "linebook stand-in key: well known, so not a secret". */
export const EMULATOR_ACCESS_KEY = 'bGluZWJvb2sgc3RhbmQtaW4ga2V5OiB3ZWxsIGtub3duLCBzbyBub3QgYSBzZWNyZXQ='

/** Makes a resource and returns its keys. Throws 'invalid-input' and 'state-conflict' for a bad or taken name or host. */
export async function addResource(deps: ResourceDeps, wanted: NewResource, by: Attribution): Promise<AccessKeys> {
  if (wanted.hosts.length === 0) await refuseTooManyWithoutHost(deps.db)
  return deps.db.transaction(async (tx) => (await insertNewResource(tx, deps, wanted, by)).keys)
}

/** Does so as part of a transaction, however many there are. */
export async function insertNewResource(
  tx: Tx,
  { sealer, clock, logger }: Omit<ResourceDeps, 'db'>,
  wanted: NewResource,
  by: Attribution,
): Promise<{ id: string; keys: AccessKeys }> {
  const { name, keys = { primary: newAccessKey(), secondary: newAccessKey() } } = wanted
  const hosts = wanted.hosts.map((host) => host.toLowerCase())
  checkNames(name, hosts)
  const id = newId()
  try {
    await insertResource(tx, {
      id,
      name,
      hosts,
      primaryKeySealed: sealKey(sealer, id, 'primary', keys.primary),
      secondaryKeySealed: sealKey(sealer, id, 'secondary', keys.secondary),
      createdAt: clock.now(),
      pool: wanted.pool ?? '',
    })
  } catch (error) {
    if (error instanceof ResourceNameTaken) {
      throw new DomainError('state-conflict', `There is already a resource named "${name}".`, {
        target: 'name',
        cause: error,
      })
    }
    if (error instanceof HostClaimed) {
      throw hostClaimed(hosts, error)
    }
    throw error
  }
  const after = { hosts, pool: wanted.pool ?? '', disabledAt: null }
  noteAccess({ logger }, tx, { kind: 'resource', subject: name, before: undefined, after }, by)
  return { id, keys }
}

/** Replaces one key and returns the new one. The old one stops working within seconds on every running server. */
export async function rotateKey(
  { db, sealer, logger }: Omit<ResourceDeps, 'clock'>,
  name: string,
  slot: KeySlot,
  by: Attribution,
): Promise<string> {
  return db.transaction(async (tx) => {
    const { id } = await resourceNamed(tx, name)
    const key = newAccessKey()
    await updateResourceKey(tx, id, slot, sealKey(sealer, id, slot, key))
    noteAccess({ logger }, tx, { kind: 'key', subject: name, which: slot }, by)
    return key
  })
}

/** A resource's hosts and keys. Throws 'not-found'. */
export async function revealResource(
  { db, sealer }: ResourceDeps,
  name: string,
): Promise<{ hosts: string[]; keys: AccessKeys }> {
  const resource = await resourceNamed(db, name)
  const [primary, secondary] = openKeys(sealer, resource)
  return {
    hosts: resource.hosts,
    keys: { primary: primary.toString('base64'), secondary: secondary.toString('base64') },
  }
}

/** Makes the well-known resource of emulator mode unless it is there. */
export async function ensureEmulatorResource(deps: ResourceDeps): Promise<void> {
  const resources = await listResources(deps.db)
  if (resources.some(({ name }) => name === EMULATOR_RESOURCE)) return
  const keys = { primary: EMULATOR_ACCESS_KEY, secondary: newAccessKey() }
  await addResource(deps, { name: EMULATOR_RESOURCE, hosts: [], keys }, BY_SYSTEM).catch(async (error: unknown) => {
    // Another process may have made it in the meantime.
    const present = (await listResources(deps.db)).some(({ name }) => name === EMULATOR_RESOURCE)
    if (!present) throw error
  })
}

export type SealedKeys = Pick<StoredResource, 'id' | 'primaryKeySealed' | 'secondaryKeySealed'>

/** A resource's keys as bytes, primary and secondary. Throws a SetupError when the sealer has no key that opens them. */
export const openKeys = (
  sealer: Sealer,
  { id, primaryKeySealed, secondaryKeySealed }: SealedKeys,
): [primary: Buffer, secondary: Buffer] => [
  sealer.open(primaryKeySealed, sealContext(id, 'primary')),
  sealer.open(secondaryKeySealed, sealContext(id, 'secondary')),
]

/** Throws a SetupError unless the keys of every resource can be opened; for the start of a server. */
export async function checkKeys({ db, sealer }: Omit<ResourceDeps, 'clock'>): Promise<void> {
  for (const resource of await listResources(db)) openKeys(sealer, resource)
}

export const sealKey = (sealer: Sealer, id: string, slot: KeySlot, key: string): Buffer =>
  sealer.seal(Buffer.from(key, 'base64'), sealContext(id, slot))

const sealContext = (id: string, slot: KeySlot): string => `resource ${id} ${slot} key`

export const newAccessKey = (): string => randomBytes(ACCESS_KEY_BYTES).toString('base64')

/** Throws 'not-found', naming those that there are. */
export async function resourceNamed(db: Queryable, name: string): Promise<StoredResource> {
  const resources = await listResources(db)
  const resource = resources.find((candidate) => candidate.name === name)
  if (resource) return resource
  const known = resources.map((candidate) => candidate.name).join(', ')
  throw notFound(`There is no resource named "${name}". ${known ? `There are: ${known}.` : 'There is none yet.'}`)
}

/**
 * Says which hosts a resource answers to, in place of those it had; running servers know within seconds. Throws
 * 'not-found', 'invalid-input', 'state-conflict'.
 */
export const changeHosts = (
  { db, logger }: ChangeDeps,
  name: string,
  wanted: readonly string[],
  by: Attribution,
): Promise<void> =>
  db.transaction(async (tx) => {
    const hosts = [...new Set(wanted.map((host) => host.toLowerCase()))]
    checkNames(name, hosts)
    const resource = await resourceNamed(tx, name)
    if (hosts.length === 0 && resource.hosts.length > 0) await refuseTooManyWithoutHost(tx)
    try {
      await replaceHosts(tx, resource.id, hosts)
    } catch (error) {
      if (error instanceof HostClaimed) throw hostClaimed(hosts, error)
      throw error
    }
    const before = factsOf(resource)
    noteAccess({ logger }, tx, { kind: 'resource', subject: name, before, after: { ...before, hosts } }, by)
  })

/** Shuts a resource out, or lets it in again; running servers know within seconds. Throws 'not-found'. */
export const setResourceDisabled = (
  { db, logger }: ChangeDeps,
  name: string,
  at: Date | null,
  by: Attribution,
): Promise<void> =>
  db.transaction(async (tx) => {
    const before = factsOf(await resourceNamed(tx, name))
    await setDisabled(tx, name, at)
    const after = { ...before, disabledAt: at && (before.disabledAt ?? at) }
    noteAccess({ logger }, tx, { kind: 'resource', subject: name, before, after }, by)
  })

type ChangeDeps = Pick<ResourceDeps, 'db' | 'logger'>

const factsOf = ({ hosts, pool, disabledAt }: StoredResource): ResourceFacts => ({ hosts, pool, disabledAt })

const hostClaimed = (hosts: readonly string[], cause: unknown): DomainError =>
  new DomainError('state-conflict', `Another resource has one of the hosts ${hosts.join(', ')}.`, {
    target: 'hosts',
    cause,
  })

/**
 * Removes a resource that nothing is left of. Throws 'not-found', and 'state-conflict' that says what is left.
 */
export const removeResource = ({ db, logger }: ChangeDeps, name: string, by: Attribution): Promise<void> =>
  db.transaction(async (tx) => {
    const resource = await resourceNamed(tx, name)
    const { id } = resource
    const left = await whatIsLeft(tx, id)
    if (left.length > 0) {
      throw new DomainError(
        'state-conflict',
        `${name} still has ${left.join(', ')}. Release that first, or disable the resource: what money did is kept.`,
      )
    }
    await deleteResource(tx, id)
    noteAccess({ logger }, tx, { kind: 'resource', subject: name, before: factsOf(resource), after: undefined }, by)
  })

function checkNames(name: string, hosts: string[]): void {
  if (!NAME.test(name)) {
    throw invalidInput(
      `"${name}" can't name a resource: 1 to 63 lower-case letters, digits and inner hyphens, e.g. contoso-prod.`,
      'name',
    )
  }
  const bad = hosts.find((host) => host.length > MAX_HOST_LENGTH || !HOST.test(host))
  if (bad !== undefined) {
    throw invalidInput(
      `"${bad}" is not a host name; without scheme, port or path, e.g. contoso.numbers.example.`,
      'hosts',
    )
  }
}

async function refuseTooManyWithoutHost(db: Queryable): Promise<void> {
  const withoutHost = (await listResources(db)).filter(({ hosts, pool }) => hosts.length === 0 && pool === '')
  if (withoutHost.length >= MAX_RESOURCES_WITHOUT_HOST) {
    throw new DomainError(
      'state-conflict',
      `There are ${withoutHost.length} resources without a host name already, which is the most. Give this one a host.`,
      { target: 'hosts' },
    )
  }
}

/** Throws 'invalid-input' unless a resource has a stock of this name to itself; undefined is the shared one. */
export async function requirePool(db: Queryable, pool: string | undefined): Promise<void> {
  if (pool === undefined) return
  const pools = new Set((await listResources(db)).map((resource) => resource.pool).filter((name) => name !== ''))
  if (pools.has(pool)) return
  const shown = [...pools].slice(0, 10).join(', ')
  const are = pools.size === 0 ? 'None has one' : `These have one: ${shown}${pools.size > 10 ? ', …' : ''}`
  throw invalidInput(`No resource has a stock "${pool.slice(0, 100)}" to itself. ${are}.`, 'pool')
}

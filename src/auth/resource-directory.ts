/**
 * Which resources a host names, with their keys opened and who is granted what, from memory: authentication must not
 * cost a query. Every process reads them again when what it has is older than MAX_AGE_MS, so a replaced key and a
 * revoked grant stop working by then; and at once when a signature fits no key or a token's client no grant, so new
 * ones work immediately.
 */
import { createSecretKey, type KeyObject } from 'node:crypto'
import type { Queryable } from '../db/db.js'
import type { Logger } from '../log.js'
import { ANY_ISSUER, listGrants } from './grant-store.js'
import { listResources, type StoredResource } from './resource-store.js'
import { openKeys } from './resources.js'
import type { Sealer } from './seal.js'
import type { TokenPrincipal } from './tokens/claims.js'
import { isWellKnownKey } from './well-known.js'

export interface KnownResource {
  id: string
  name: string
  hosts: string[]
  pool: string
  restricted: boolean
  keys: readonly KeyObject[]
}

const MAX_AGE_MS = 5_000
/**
 * After a reading that was asked for in doubt, the next one rests for this many times as long as a reading takes: wrong
 * signatures, which anyone can send, get a tenth of the time at most (19 ms each at 500 resources).
 */
const REST_FACTOR = 10
const MAX_REST_MS = 1_000

export class ResourceDirectory {
  readonly #db: Queryable
  readonly #sealer: Sealer
  readonly #logger: Logger
  readonly #acceptWellKnown: boolean
  #byHost = new Map<string, KnownResource>()
  /** The one that spoke last comes first. */
  #withoutHost: readonly KnownResource[] = []
  #usedAt = new Map<string, number>()
  #uses = 0
  #grants = new Set<string>()
  #stored = new Map<string, StoredResource>()
  #known = new Map<string, KnownResource>()
  #readAt = -Infinity
  #reading: Promise<void> | undefined
  #inDoubt: Promise<void> | undefined
  #restsUntil = -Infinity

  /** @param acceptWellKnown whether the access key that every emulator has opens anything */
  constructor(db: Queryable, sealer: Sealer, logger: Logger, acceptWellKnown: boolean) {
    this.#acceptWellKnown = acceptWellKnown
    this.#db = db
    this.#sealer = sealer
    this.#logger = logger
  }

  /**
   * The resource that claims `host`, or else those that claim no host, with the ones that claim one of `publicHosts`
   * (what a proxy that rewrites Host was addressed by).
   * @param host lower case, without port
   */
  async resourcesAt(host: string, publicHosts: readonly string[]): Promise<readonly KnownResource[]> {
    if (performance.now() - this.#readAt > MAX_AGE_MS) await this.reload()
    const named = this.#byHost.get(host)
    if (named) return [named]
    const behindProxy = publicHosts.map((name) => this.#byHost.get(name)).filter((found) => found !== undefined)
    return behindProxy.length === 0 ? this.#withoutHost : [...new Set([...this.#withoutHost, ...behindProxy])]
  }

  /**
   * Notes that a request was of this resource. Those that claim no host are tried in the order of their latest: a
   * emulator may have a thousand, made by tests, and one of them speaks at a time.
   */
  noteUse({ id, hosts }: KnownResource): void {
    if (hosts.length > 0 || this.#withoutHost[0]?.id === id) return
    const known = this.#known.get(id)
    if (!known) return
    this.#usedAt.set(id, ++this.#uses)
    this.#withoutHost = [known, ...this.#withoutHost.filter((other) => other !== known)]
  }

  /** Whether a caller with a token may use a resource. */
  isGranted(resourceId: string, { callerId, issuer }: Pick<TokenPrincipal, 'callerId' | 'issuer'>): boolean {
    return [issuer, ANY_ISSUER].some((by) => this.#grants.has(grantKey(resourceId, callerId, by)))
  }

  /** Reads the resources again. However many requests ask for it at once, only one query runs at a time. */
  reload(): Promise<void> {
    this.#reading ??= this.#readOnce().finally(() => (this.#reading = undefined))
    return this.#reading
  }

  /**
   * Reads them again for a request that fits nothing that is known: it may be of a new key. Requests that come while the
   * directory rests wait together for the reading after that.
   */
  reloadInDoubt(): Promise<void> {
    this.#inDoubt ??= this.#restAndReload().finally(() => (this.#inDoubt = undefined))
    return this.#inDoubt
  }

  async #restAndReload(): Promise<void> {
    const restMs = this.#restsUntil - performance.now()
    if (restMs > 0) await new Promise((resolve) => setTimeout(resolve, restMs))
    const startedAt = performance.now()
    await this.reload()
    const readAt = performance.now()
    this.#restsUntil = readAt + Math.min(MAX_REST_MS, REST_FACTOR * (readAt - startedAt))
  }

  async #readOnce(): Promise<void> {
    const startedAt = performance.now()
    const stored = await listResources(this.#db)
    const grants = await listGrants(this.#db)
    const known = new Map<string, KnownResource>()
    for (const resource of stored) {
      // To those who ask with its keys it isn't there.
      if (resource.disabledAt !== null) continue
      const opened = this.#open(resource)
      if (opened) known.set(resource.id, opened)
    }
    this.#stored = new Map(stored.map((resource) => [resource.id, resource]))
    this.#known = known
    this.#byHost = new Map([...known.values()].flatMap((resource) => resource.hosts.map((host) => [host, resource])))
    const usedAt = (id: string): number => this.#usedAt.get(id) ?? 0
    this.#withoutHost = [...known.values()]
      .filter(({ hosts }) => hosts.length === 0)
      .sort((a, b) => usedAt(b.id) - usedAt(a.id))
    for (const id of this.#usedAt.keys()) if (!known.has(id)) this.#usedAt.delete(id)
    this.#grants = new Set(grants.map(({ resourceId, clientId, issuer }) => grantKey(resourceId, clientId, issuer)))
    this.#readAt = startedAt
  }

  /** Undefined for one sealed under a key that this process doesn't have: the others go on being served. */
  #open(resource: StoredResource): KnownResource | undefined {
    const { id, name, hosts, pool, restricted } = resource
    const before = this.#stored.get(id)
    const unchanged =
      before?.disabledAt === null &&
      Buffer.compare(before.primaryKeySealed, resource.primaryKeySealed) === 0 &&
      Buffer.compare(before.secondaryKeySealed, resource.secondaryKeySealed) === 0
    if (unchanged) {
      const keys = this.#known.get(id)?.keys
      return keys && { id, name, hosts, pool, restricted, keys }
    }
    try {
      const [primary, secondary] = openKeys(this.#sealer, resource)
      const usable = [primary, secondary].filter((key) => this.#acceptWellKnown || !isWellKnownKey(key))
      return { id, name, hosts, pool, restricted, keys: usable.map((key) => createSecretKey(key)) }
    } catch (error) {
      this.#logger.error({ err: error, resource: name }, 'access keys can not be opened')
      return undefined
    }
  }
}

/** Neither an id nor a client's holds a line break. */
const grantKey = (resourceId: string, clientId: string, issuer: string): string =>
  `${resourceId}\n${clientId}\n${issuer}`

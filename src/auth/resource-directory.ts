/**
 * Which resources a host names, with their keys opened, from memory: authentication must not cost a query. Every
 * process reads the resources again when what it has is older than MAX_AGE_MS, so a replaced key stops working by
 * then; and at once when a signature fits none, so a new key works immediately.
 */
import { createSecretKey, type KeyObject } from 'node:crypto'
import type { Queryable } from '../db/db.js'
import type { Logger } from '../log.js'
import { listResources, type StoredResource } from './resource-store.js'
import { openKeys } from './resources.js'
import type { Sealer } from './seal.js'

export interface KnownResource {
  id: string
  name: string
  hosts: string[]
  keys: readonly KeyObject[]
}

const MAX_AGE_MS = 5_000

export class ResourceDirectory {
  readonly #db: Queryable
  readonly #sealer: Sealer
  readonly #logger: Logger
  #byHost = new Map<string, KnownResource>()
  #withoutHost: KnownResource[] = []
  #stored = new Map<string, StoredResource>()
  #known = new Map<string, KnownResource>()
  #readAt = -Infinity
  #reading: Promise<void> | undefined

  constructor(db: Queryable, sealer: Sealer, logger: Logger) {
    this.#db = db
    this.#sealer = sealer
    this.#logger = logger
  }

  /**
   * The resource that claims `host`, or else those that claim no host, with the ones that claim one of `publicHosts`
   * (what a proxy that rewrites Host was addressed by).
   * @param host lower case, without port
   */
  async resourcesAt(host: string, publicHosts: readonly string[]): Promise<KnownResource[]> {
    if (performance.now() - this.#readAt > MAX_AGE_MS) await this.reload()
    const named = this.#byHost.get(host)
    if (named) return [named]
    const behindProxy = publicHosts.map((name) => this.#byHost.get(name)).filter((found) => found !== undefined)
    return [...new Set([...this.#withoutHost, ...behindProxy])]
  }

  /** Reads the resources again. However many requests ask for it at once, only one query runs at a time. */
  reload(): Promise<void> {
    this.#reading ??= this.#readOnce().finally(() => (this.#reading = undefined))
    return this.#reading
  }

  async #readOnce(): Promise<void> {
    const startedAt = performance.now()
    const stored = await listResources(this.#db)
    const known = new Map<string, KnownResource>()
    for (const resource of stored) {
      const opened = this.#open(resource)
      if (opened) known.set(resource.id, opened)
    }
    this.#stored = new Map(stored.map((resource) => [resource.id, resource]))
    this.#known = known
    this.#byHost = new Map([...known.values()].flatMap((resource) => resource.hosts.map((host) => [host, resource])))
    this.#withoutHost = [...known.values()].filter(({ hosts }) => hosts.length === 0)
    this.#readAt = startedAt
  }

  /** Undefined for one sealed under a key that this process doesn't have: the others go on being served. */
  #open(resource: StoredResource): KnownResource | undefined {
    const { id, name, hosts } = resource
    const before = this.#stored.get(id)
    const unchanged =
      before !== undefined &&
      Buffer.compare(before.primaryKeySealed, resource.primaryKeySealed) === 0 &&
      Buffer.compare(before.secondaryKeySealed, resource.secondaryKeySealed) === 0
    if (unchanged) {
      const keys = this.#known.get(id)?.keys
      return keys && { id, name, hosts, keys }
    }
    try {
      const [primary, secondary] = openKeys(this.#sealer, resource)
      return { id, name, hosts, keys: [createSecretKey(primary), createSecretKey(secondary)] }
    } catch (error) {
      this.#logger.error({ err: error, resource: name }, 'access keys can not be opened')
      return undefined
    }
  }
}

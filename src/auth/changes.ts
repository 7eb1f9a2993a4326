/**
 * Every change of a resource, its keys, its hosts or its grants passes through `noteAccess`, in the transaction that
 * makes it: whatever follows such changes has this one place. Secrets stay out of it.
 */
import type { Tx } from '../db/db.js'
import type { Logger } from '../log.js'
import type { KeySlot } from './resource-store.js'

/** Who makes a change, and by which operation; the history of a number shows both. */
export interface Attribution {
  actor: string
  reason: string
}

/** At the start of an emulator. */
export const BY_SYSTEM: Attribution = { actor: 'system', reason: 'start' }

/** A value before and after a change; undefined where there was or is none. */
export interface BeforeAndAfter<Value> {
  before: Value | undefined
  after: Value | undefined
}

export interface ResourceFacts {
  hosts: readonly string[]
  pool: string
  /** Since when it is disabled; null: it isn't. */
  disabledAt: Date | null
}

/** `subject` is the resource's name. */
export type AccessChange =
  | ({ kind: 'resource'; subject: string } & BeforeAndAfter<ResourceFacts>)
  /** The new key is a secret, so the change doesn't have it. */
  | { kind: 'key'; subject: string; which: KeySlot }
  /** The issuers whose tokens of the client count. */
  | ({ kind: 'grant'; subject: string; clientId: string } & BeforeAndAfter<readonly string[]>)

export interface NotedBy {
  logger?: Logger | undefined
}

/** Records a change: writes a line to the log. */
export function noteAccess({ logger }: NotedBy, _tx: Tx, change: AccessChange, { actor, reason }: Attribution): void {
  // Logged before the commit: a transaction that runs again logs again, and one that fails has logged too.
  logger?.debug({ ...change, actor, reason }, 'change of access')
}

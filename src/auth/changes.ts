/**
 * Every change of a resource, of its keys, its hosts and of who is granted it passes through `noteAccess`, in the
 * transaction that makes it: what is to follow such changes has this one place. No secret does.
 */
import type { Tx } from '../db/db.js'
import type { Logger } from '../log.js'
import type { KeySlot } from './resource-store.js'

/** Who makes a change, and by which operation or command. */
export interface By {
  actor: string
  reason: string
}

/** At the command line. */
export const BY_OPERATOR: By = { actor: 'operator', reason: 'command line' }
/** At the start of an emulator. */
export const BY_SYSTEM: By = { actor: 'system', reason: 'start' }

/** What was and what is; undefined where there was or is nothing. */
export interface BeforeAndAfter<Value> {
  before: Value | undefined
  after: Value | undefined
}

export interface ResourceFacts {
  hosts: readonly string[]
  pool: string
  /** Since when it is shut out; null: it isn't. */
  disabledAt: Date | null
}

/** `subject` is the resource's name. */
export type AccessChange =
  | ({ kind: 'resource'; subject: string } & BeforeAndAfter<ResourceFacts>)
  /** Another one is in its place, which nobody is told. */
  | { kind: 'key'; subject: string; which: KeySlot }
  /** The issuers whose tokens of the client count. */
  | ({ kind: 'grant'; subject: string; clientId: string } & BeforeAndAfter<readonly string[]>)

export interface NotedBy {
  logger?: Logger | undefined
}

/** Notes a change; the log has a line. */
export function noteAccess({ logger }: NotedBy, _tx: Tx, change: AccessChange, { actor, reason }: By): void {
  // Before the commit: a transaction that is run again has another line, and one that fails has its own.
  logger?.debug({ ...change, actor, reason }, 'change of access')
}

import type { Principal } from '../auth/authenticate.js'
import type { Clock } from '../clock.js'
import type { Db } from '../db/db.js'
import type { Logger } from '../log.js'
import type { OperationDelays } from '../operations/operation.js'
import type { Catalogue } from './catalogue.js'

/** What the commands of this API work with. */
export interface PhoneNumbersDeps {
  db: Db
  clock: Clock
  logger: Logger
  catalogue: Catalogue
  searchHoldMs: number
  maxSearchQuantity: number
  quarantineMs: number
  delays: OperationDelays
  /** Wakes the worker that carries out delayed operations; called after one has been stored. */
  nudge(): void
}

/** A caller that asks for a change: who, and the mark by which the same request sent again is known. */
export interface Caller {
  principal: Principal
  requestMark: Buffer | null
}

/** How the history of numbers names a resource. */
export const actorOf = ({ resourceName }: Principal): string => `resource:${resourceName}`

/** Who an operation belongs to and acts for. */
export const askerOf = ({ principal }: Caller): { resourceId: string; actor: string } => ({
  resourceId: principal.resourceId,
  actor: actorOf(principal),
})

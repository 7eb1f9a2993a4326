/**
 * Every change of the clients of the built-in issuer and of the key that it signs with passes through `noteIssuer`, in
 * the transaction that makes it: what is to follow such changes has this one place. No secret does.
 */
import type { BeforeAndAfter, By, NotedBy } from '../auth/changes.js'
import type { Tx } from '../db/db.js'

export interface ClientFacts {
  /** As tokens say them. */
  roles: readonly string[]
  /** How many secrets are good. */
  secrets: number
  signs: boolean
}

/** `subject` is the client's id; of the key it is `issuer`, and before and after are key ids. */
export type IssuerChange =
  | ({ kind: 'client'; subject: string } & BeforeAndAfter<ClientFacts>)
  | ({ kind: 'signing-key'; subject: 'issuer' } & BeforeAndAfter<string>)

/** Notes a change; the log has a line. */
export function noteIssuer({ logger }: NotedBy, _tx: Tx, change: IssuerChange, { actor, reason }: By): void {
  // Before the commit: a transaction that is run again has another line, and one that fails has its own.
  logger?.debug({ ...change, actor, reason }, 'change of the issuer')
}

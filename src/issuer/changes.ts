/**
 * Every change of the clients of the built-in issuer and of the key that it signs with passes through `noteIssuer`, in
 * the transaction that makes it: whatever follows such changes has this one place. Secrets
 * stay out of it.
 */
import type { Attribution, BeforeAndAfter, NotedBy } from '../auth/changes.js'
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

/** Records a change: writes a line to the log. */
export function noteIssuer({ logger }: NotedBy, _tx: Tx, change: IssuerChange, { actor, reason }: Attribution): void {
  // Logged before the commit: a transaction that runs again logs again, and one that fails has logged too.
  logger?.debug({ ...change, actor, reason }, 'change of the issuer')
}

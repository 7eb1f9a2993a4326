/**
 * The state of the simulated backends, as small JSON documents. `memory-documents.ts` keeps them in memory; an emulator
 * keeps them in its database (`stored-documents.ts`), so that its backends survive a restart and are the same for all
 * processes on one PostgreSQL.
 */
import type { ServiceCode } from '../port/backend.js'

/** `teams` holds the world that Operator Connect and Teams Phone Mobile share, since in reality they are one API. */
export type Scope = ServiceCode | 'teams'
export type Kind = 'behaviour' | 'tenant' | 'number' | 'consent' | 'addresses' | 'plans'

export interface Ref {
  scope: Scope
  kind: Kind
  key: string
}

export interface Documents {
  /** In the order asked for; undefined for one that isn't there. */
  read(refs: readonly Ref[]): Promise<unknown[]>
  /** The documents of a kind by key, from the first key greater than `after` on. */
  list(scope: Scope, kind: Kind, page: { after?: string; limit: number }): Promise<{ key: string; content: unknown }[]>
  /**
   * Runs `work` so that no other change comes between its reads of a document and its writes. The writes are all kept,
   * or none if it rejects. It may run again, so it must have no other effect.
   */
  change<T>(work: (change: Change) => Promise<T>): Promise<T>
  /** The calls received, oldest first, from the first id greater than `after` on. */
  calls(scope: Scope, page: { after?: number; limit: number }): Promise<LoggedCall[]>
}

export interface Change {
  read(refs: readonly Ref[]): Promise<unknown[]>
  /** Content undefined: removed. No two entries may be about one document. */
  write(entries: readonly { ref: Ref; content: unknown }[]): Promise<void>
  /** Removes every document of a scope, or those of one kind. */
  clear(scope: Scope, kind?: Kind): Promise<void>
  append(scope: Scope, call: Omit<LoggedCall, 'id'>): Promise<void>
  clearCalls(scope: Scope): Promise<void>
}

/** Limits of the log of a service's calls: it keeps the newest ones that stay within both. */
export const LOG_LIMITS = { calls: 1_000, items: 20_000 }

/** A call as the backend received it. */
export interface LoggedCall {
  id: number
  /** ISO 8601. */
  at: string
  /** The port's method, e.g. `uploadNumbers`. */
  method: string
  tenantId?: string
  items: LoggedItem[]
  /** `lost`: no answer was given, whether the call was acted on or not. */
  answer: 'given' | 'lost' | 'throttled' | 'unavailable'
}

export interface LoggedItem {
  /** A number, a tenant's id. */
  key: string
  sequence?: number
  idempotencyKey?: string
  /** The reply that was sent, or that would have been sent if the answer had not been lost. */
  outcome?: 'done' | 'refused' | 'later'
  /** Whether it changed what the backend has. */
  acted?: boolean
  note?: 'repeated' | 'superseded' | 'held back' | 'carried out late'
}

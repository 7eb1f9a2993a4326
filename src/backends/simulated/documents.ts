/**
 * What the simulated backends remember, as small JSON documents. Kept in memory here; an emulator keeps them in its
 * database (`src/emulator/stored-documents.ts`), so that its backends survive a restart and are the same for all
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
   * Runs `work` so that no other change comes between its reading of a document and its writes, which are all kept or,
   * when it rejects, none. It may be run again, so it must have no other effect.
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

/** What the log keeps of a service's calls: the newest, as many as stay within both. */
export const LOG_LIMITS = { calls: 1_000, items: 20_000 }

/** A call as the backend received it. */
export interface LoggedCall {
  id: number
  /** ISO 8601. */
  at: string
  /** As the port calls it, e.g. `uploadNumbers`. */
  method: string
  tenantId?: string
  items: LoggedItem[]
  /** `lost`: acted on or not, no answer was given. */
  answer: 'given' | 'lost' | 'throttled' | 'unavailable'
}

export interface LoggedItem {
  /** A number, a tenant's id. */
  key: string
  sequence?: number
  idempotencyKey?: string
  /** What the caller was told, or would have been told were the answer not lost. */
  outcome?: 'done' | 'refused' | 'later'
  /** Whether it changed what the backend has. */
  acted?: boolean
  note?: 'repeated' | 'superseded' | 'held back' | 'carried out late'
}

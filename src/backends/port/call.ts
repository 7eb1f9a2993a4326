/** What a call to a backend carries, and its outcomes. */

/** An error in the backend's own words; it reaches clients unchanged. `target` defaults to the service. */
export interface BackendFault {
  code: string
  message: string
  target?: string
}

/** The outcome of one item of a call. */
export type Outcome<Value = undefined> =
  | { kind: 'done'; value: Value }
  /** Final: the backend refuses every repeat too. */
  | { kind: 'refused'; fault: BackendFault }
  /** Not yet: throttled, busy, or a job under way (`ticket`). Repeated after `afterMs`, or by back-off. */
  | { kind: 'later'; reason: string; afterMs?: number; ticket?: string }

/** The part that each item of a command has. */
export interface CommandItem {
  /** The same for each repeat of one command: a backend that has acted on it answers without acting twice. */
  idempotencyKey: string
  /** Rises with each command about the same item: a backend drops one that arrives after a higher one. */
  sequence: number
  /** From the `later` outcome of the attempt before. */
  ticket?: string
}

/** A call whose effect is unknown: the backend may have acted on it or not. */
export class BackendError extends Error {
  override readonly name = 'BackendError'
  /** The backend's own error if it sent one (a 503 with a body); otherwise ours. */
  readonly fault: BackendFault
  /** How long the backend asked us to wait. */
  readonly afterMs: number | undefined
  /** Whether the call may have been acted on: false when it never left (no connection, an open circuit). */
  readonly mayHaveActed: boolean

  constructor(fault: BackendFault, details: { afterMs?: number; mayHaveActed: boolean; cause?: unknown }) {
    super(fault.message, details.cause === undefined ? undefined : { cause: details.cause })
    this.fault = fault
    this.afterMs = details.afterMs
    this.mayHaveActed = details.mayHaveActed
  }
}

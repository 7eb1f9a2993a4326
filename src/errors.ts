/**
 * Refusals that a caller may meet in the normal course of things. The kind says what sort of refusal it is in the
 * ledger's own words; each API maps kinds to its published status and code in its `errors.ts`. A broken invariant is
 * not a DomainError but a plain Error, and is answered as an internal error.
 */
export type ErrorKind =
  | 'unauthenticated'
  | 'invalid-input'
  | 'version-missing'
  | 'version-malformed'
  | 'version-unsupported'
  | 'version-ambiguous'
  | 'unsupported-media-type'
  | 'body-too-large'
  | 'method-not-allowed'
  | 'country-not-served'
  | 'no-matching-offering'
  | 'not-found'
  | 'number-not-owned'
  | 'resell-agreement-required'
  | 'hold-expired'
  | 'search-not-purchasable'
  | 'number-busy'
  | 'state-conflict'
  | 'not-implemented'
  | 'unavailable'

export interface ErrorDetails {
  /** What the error is about: a parameter name or property path, lower case. */
  target?: string
  /** For 'method-not-allowed': the methods that the path does take. */
  allow?: readonly string[]
  cause?: unknown
}

export class DomainError extends Error {
  override readonly name = 'DomainError'
  readonly kind: ErrorKind
  readonly target: string | undefined
  readonly allow: readonly string[] | undefined

  /** @param message for the client: what was wrong, with which value, and what would be right */
  constructor(kind: ErrorKind, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.kind = kind
    this.target = details.target
    this.allow = details.allow
  }
}

export const invalidInput = (message: string, target?: string): DomainError =>
  new DomainError('invalid-input', message, target === undefined ? {} : { target })

export const notFound = (message: string, target?: string): DomainError =>
  new DomainError('not-found', message, target === undefined ? {} : { target })

/**
 * A problem that the person who runs Linebook can mend (a port in use, a bad setting, a missing file). Printed as one
 * line by the command line, without a stack, and the process ends with a non-zero code.
 */
export class SetupError extends Error {
  override readonly name = 'SetupError'
}

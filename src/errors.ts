/**
 * Errors that clients may get in normal operation. The kind names the error in the domain's terms; each API maps kinds
 * to its published status and code in its `errors.ts`. A broken invariant is not a DomainError but a plain Error, and
 * the response is an internal error.
 */
/** Kinds that every API may return. */
export type SharedErrorKind =
  | 'unauthenticated'
  | 'invalid-input'
  | 'version-missing'
  | 'version-unsupported'
  | 'unsupported-media-type'
  | 'body-too-large'
  | 'method-not-allowed'
  | 'not-found'
  | 'state-conflict'
  | 'too-many-requests'
  | 'unavailable'

export type PhoneNumbersErrorKind =
  | SharedErrorKind
  | 'version-malformed'
  | 'version-ambiguous'
  | 'country-not-served'
  | 'no-matching-offering'
  | 'number-not-owned'
  | 'resell-agreement-required'
  | 'hold-expired'
  | 'search-not-purchasable'
  | 'reservation-not-found'
  | 'reservation-not-active'
  | 'reservation-empty'
  | 'access-not-granted'
  | 'not-one-number'
  | 'number-busy'
  | 'route-duplicated'
  | 'trunk-duplicated-in-route'
  | 'trunk-fqdn-invalid'
  | 'trunk-port-invalid'
  | 'route-name-invalid'
  | 'route-pattern-invalid'
  | 'trunk-missing'

export type ProvisioningErrorKind =
  | SharedErrorKind
  | 'unsupported-query-parameter'
  | 'invalid-filter'
  | 'invalid-json'
  | 'invalid-body'
  | 'service-not-enabled'
  | 'conflicting-services'
  | 'sip-header-not-supported'
  | 'tenant-required'
  | 'batch-too-large'
  | 'batch-empty'
  | 'duplicate-in-batch'
  | 'repeatability-header-invalid'
  | 'repeatability-mismatch'
  | 'repeatability-in-progress'
  | 'repeatability-window-exceeded'
  | 'role-missing'
  | 'address-not-allowed'
  | 'account-not-found'
  | 'number-not-found'
  | 'civic-address-not-found'
  | 'consent-not-found'
  | 'account-has-numbers'
  | 'tenant-in-use'
  | 'number-in-use'
  | 'subdomain-in-use'
  | 'service-in-use'
  | 'not-representable'
  | 'condition-not-met'
  | 'backend-failed'

export type OperatorErrorKind =
  | Exclude<SharedErrorKind, 'version-missing' | 'version-unsupported'>
  | 'invalid-json'
  | 'role-missing'
  | 'address-not-allowed'
  | 'number-not-found'
  | 'condition-not-met'
  | 'backend-failed'
  | 'request-timeout'
  | 'idempotency-key-invalid'
  | 'idempotency-in-progress'
  | 'idempotency-mismatch'

export type ErrorKind = PhoneNumbersErrorKind | ProvisioningErrorKind | OperatorErrorKind

/** An error as it is shown, unchanged from its source. */
export interface ShownError {
  code: string
  message: string
  target?: string
}

export interface ErrorDetails {
  /** What the error is about: a parameter name or property path, spelled as its API does. */
  target?: string
  /** Where the target is, for an API that says so: `body`, `query`, `path` or `header`. */
  place?: string
  /** A code of this fault alone, for an API that has such: `required`, `wrong-type`, … */
  faultCode?: string
  /** For 'method-not-allowed': the methods that the path does take. */
  allow?: readonly string[]
  /** Every fault of a request that has several; each is shown with its own code. */
  faults?: readonly DomainError[]
  /** A backend's own error, shown unchanged. */
  said?: ShownError
  /** Further help: the number, the rule, what would work. */
  details?: readonly ShownError[]
  /** For 'too-many-requests' and 'unavailable': when to try again. */
  retryAfterSeconds?: number
  cause?: unknown
}

export class DomainError extends Error {
  override readonly name = 'DomainError'
  readonly kind: ErrorKind
  readonly target: string | undefined
  readonly place: string | undefined
  readonly faultCode: string | undefined
  readonly allow: readonly string[] | undefined
  readonly faults: readonly DomainError[]
  readonly said: ShownError | undefined
  readonly details: readonly ShownError[]
  readonly retryAfterSeconds: number | undefined

  /** @param message for the client: what was wrong, with which value, and what would be right */
  constructor(kind: ErrorKind, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.kind = kind
    this.target = details.target
    this.place = details.place
    this.faultCode = details.faultCode
    this.allow = details.allow
    this.faults = details.faults ?? []
    this.said = details.said
    this.details = details.details ?? []
    this.retryAfterSeconds = details.retryAfterSeconds
  }
}

export const invalidInput = (message: string, target?: string): DomainError =>
  new DomainError('invalid-input', message, target === undefined ? {} : { target })

export const notFound = (message: string, target?: string): DomainError =>
  new DomainError('not-found', message, target === undefined ? {} : { target })

/**
 * A problem that the person who runs Linebook can fix (a port in use, a bad setting, a missing file). The command line
 * prints it as one line, without a stack, and the process ends with a non-zero code.
 */
export class SetupError extends Error {
  override readonly name = 'SetupError'
}

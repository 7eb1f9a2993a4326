/** The error responses of the Provisioning API: from an error's kind to the published status, code and envelope. */
import { DomainError, type ErrorKind, type ProvisioningErrorKind } from '../../errors.js'
import type { Response } from '../../http/repeatable/store.js'
import type { ErrorResponse } from '../contract/models.js'

interface PublishedError {
  status: number
  code: string
}

export const publishedErrors: Readonly<Record<ProvisioningErrorKind, PublishedError>> = {
  'version-missing': { status: 400, code: 'MissingApiVersionParameter' },
  'version-unsupported': { status: 400, code: 'UnsupportedApiVersionValue' },
  'invalid-input': { status: 400, code: 'InvalidParameter' },
  'unsupported-query-parameter': { status: 400, code: 'UnsupportedQueryParameter' },
  'invalid-filter': { status: 400, code: 'InvalidFilter' },
  'invalid-json': { status: 400, code: 'InvalidJson' },
  'invalid-body': { status: 400, code: 'InvalidRequestBody' },
  'service-not-enabled': { status: 400, code: 'ServiceNotEnabledOnAccount' },
  'conflicting-services': { status: 400, code: 'ConflictingServices' },
  'sip-header-not-supported': { status: 400, code: 'CustomSipHeaderNotSupported' },
  'tenant-required': { status: 400, code: 'TeamsTenantIdRequired' },
  'batch-too-large': { status: 400, code: 'BatchTooLarge' },
  'batch-empty': { status: 400, code: 'BatchEmpty' },
  'duplicate-in-batch': { status: 400, code: 'DuplicateNumberInBatch' },
  'repeatability-header-invalid': { status: 400, code: 'RepeatabilityHeaderInvalid' },
  'repeatability-mismatch': { status: 400, code: 'RepeatabilityRequestMismatch' },
  unauthenticated: { status: 401, code: 'Unauthorized' },
  'role-missing': { status: 403, code: 'InsufficientRole' },
  'address-not-allowed': { status: 403, code: 'IpNotAllowed' },
  'not-found': { status: 404, code: 'RouteNotFound' },
  'account-not-found': { status: 404, code: 'AccountNotFound' },
  'number-not-found': { status: 404, code: 'NumberNotFound' },
  'civic-address-not-found': { status: 404, code: 'CivicAddressNotFound' },
  'consent-not-found': { status: 404, code: 'RequestForInformationNotFound' },
  'method-not-allowed': { status: 405, code: 'MethodNotAllowed' },
  'account-has-numbers': { status: 409, code: 'AccountHasNumbers' },
  'tenant-in-use': { status: 409, code: 'TeamsTenantIdInUse' },
  'number-in-use': { status: 409, code: 'NumberInOtherAccount' },
  'subdomain-in-use': { status: 409, code: 'SubdomainInUse' },
  'service-in-use': { status: 409, code: 'ServiceInUseByNumbers' },
  'repeatability-in-progress': { status: 409, code: 'RepeatableRequestInProgress' },
  'not-representable': { status: 409, code: 'NotRepresentableInApiVersion' },
  'state-conflict': { status: 409, code: 'Conflict' },
  'condition-not-met': { status: 412, code: 'ConditionNotMet' },
  'repeatability-window-exceeded': { status: 412, code: 'RepeatabilityWindowExceeded' },
  'body-too-large': { status: 413, code: 'RequestBodyTooLarge' },
  'unsupported-media-type': { status: 415, code: 'UnsupportedMediaType' },
  'too-many-requests': { status: 429, code: 'TooManyRequests' },
  'backend-failed': { status: 502, code: 'BackendServiceError' },
  unavailable: { status: 503, code: 'ServiceUnavailable' },
}

/** For anything but a DomainError of this API. */
export const internalError: PublishedError = { status: 500, code: 'InternalServerError' }

export interface ErrorReply {
  status: number
  headers: Record<string, string>
  body: ErrorResponse
}

/** When to try again, if nothing better is known. */
const RETRY_AFTER_SECONDS: Readonly<Record<number, number>> = { 429: 1, 503: 5 }

/** The response to an error; anything but a DomainError of this API is an internal error, shown without detail. */
export function errorResponse(error: unknown): ErrorReply {
  const published = error instanceof DomainError && isOurs(error) ? publishedErrors[error.kind] : undefined
  if (!(error instanceof DomainError) || published === undefined) {
    return {
      status: internalError.status,
      headers: { 'x-ms-error-code': internalError.code },
      body: { error: { code: internalError.code, message: 'Something went wrong inside; x-ms-request-id names it.' } },
    }
  }
  const { status, code } = published
  const retryAfter = error.retryAfterSeconds ?? RETRY_AFTER_SECONDS[status]
  return {
    status,
    headers: {
      'x-ms-error-code': code,
      ...(error.kind === 'unauthenticated' && { 'WWW-Authenticate': 'Bearer' }),
      ...(error.kind === 'method-not-allowed' && { Allow: (error.allow ?? []).join(', ') }),
      ...(retryAfter !== undefined && { 'Retry-After': String(Math.ceil(retryAfter)) }),
    },
    body: { error: errorView(error) },
  }
}

type ErrorView = ErrorResponse['error']

/** An error and its faults, each with its own code; a backend's error is in the details, unchanged. */
function errorView({ kind, message, target, faults, said }: DomainError): ErrorView {
  const details = [...(said ? [said] : []), ...faults.map(errorView)]
  return {
    code: publishedErrors[kind as ProvisioningErrorKind].code,
    message,
    ...(target !== undefined && { target }),
    ...(details.length > 0 && { details }),
  }
}

/** A kind that only the other API has can't occur here; if it does, that is a bug. */
const isOurs = (error: DomainError): error is DomainError & { kind: ProvisioningErrorKind } =>
  isOurKind(error.kind) && error.faults.every(isOurs)

const isOurKind = (kind: ErrorKind): kind is ProvisioningErrorKind => Object.hasOwn(publishedErrors, kind)

/** The response to a refused write. Any other error is a bug: it is rethrown, and not kept as a response. */
export function refusal(error: unknown): Response {
  if (!(error instanceof DomainError)) throw error
  const { status, headers, body } = errorResponse(error)
  return { status, headers, body: JSON.stringify(body) }
}

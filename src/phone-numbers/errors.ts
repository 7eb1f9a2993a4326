/** The error responses of the Phone Numbers API: from an error's kind to the published status, code and envelope. */
import { DomainError, type ErrorKind, type PhoneNumbersErrorKind } from '../errors.js'
import type { CommunicationErrorResponse } from './contract/models.js'

interface PublishedError {
  status: number
  code: string
  /** The outer message, where the recorded one is fixed; the refusal's own message then goes inside. */
  outer?: string
  /** The code of `innererror`, which carries the refusal's own message when `outer` is set. */
  inner?: string
}

const INTERNAL_MESSAGE = 'The server encountered an internal error.'

/** SIP routing has one outer code for all its refusals; the inner error names the rule that was broken. */
const sipRefusal = (status: 400 | 422, inner: string): PublishedError => ({
  status,
  code: 'UnprocessableConfiguration',
  outer: 'One or more request inputs are not valid.',
  inner,
})

const published: Record<PhoneNumbersErrorKind, PublishedError> = {
  unauthenticated: { status: 401, code: 'Denied' },
  'access-not-granted': { status: 403, code: 'Forbidden' },
  'too-many-requests': { status: 429, code: 'TooManyRequests' },
  'invalid-input': { status: 400, code: 'InvalidInput' },
  'version-missing': { status: 400, code: 'ApiVersionUnspecified' },
  'version-malformed': { status: 400, code: 'InvalidApiVersion' },
  'version-unsupported': { status: 400, code: 'UnsupportedApiVersion' },
  'version-ambiguous': { status: 400, code: 'AmbiguousApiVersion' },
  'unsupported-media-type': { status: 415, code: 'UnsupportedMediaType' },
  'body-too-large': { status: 413, code: 'RequestBodyTooLarge' },
  'method-not-allowed': { status: 405, code: 'MethodNotAllowed' },
  'country-not-served': { status: 400, code: 'InvalidInput' },
  'no-matching-offering': { status: 400, code: 'InternalError', outer: INTERNAL_MESSAGE, inner: 'BadRequest' },
  'not-found': { status: 404, code: 'NotFound' },
  'number-not-owned': { status: 403, code: 'InsufficientPermissions' },
  'resell-agreement-required': { status: 400, code: 'BadRequest' },
  'hold-expired': { status: 400, code: 'BadRequest', inner: 'ReservationExpired' },
  'search-not-purchasable': { status: 400, code: 'BadRequest' },
  'reservation-not-found': { status: 404, code: 'ReservationNotFound' },
  'reservation-not-active': { status: 400, code: 'BadRequest', inner: 'ReservationNotActive' },
  'reservation-empty': { status: 400, code: 'BadRequest' },
  'not-one-number': { status: 400, code: 'BadRequest' },
  'number-busy': { status: 409, code: 'Conflict' },
  'state-conflict': { status: 409, code: 'Conflict' },
  'route-duplicated': sipRefusal(400, 'DuplicatedRoute'),
  'trunk-duplicated-in-route': sipRefusal(400, 'RouteWithDuplicatedTrunk'),
  'trunk-fqdn-invalid': sipRefusal(422, 'InvalidTrunkFqdn'),
  'trunk-port-invalid': sipRefusal(422, 'InvalidTrunkSipSignalingPort'),
  'route-name-invalid': sipRefusal(422, 'InvalidRouteName'),
  'route-pattern-invalid': sipRefusal(422, 'InvalidRouteNumberPattern'),
  'trunk-missing': sipRefusal(422, 'MissingTrunk'),
  unavailable: { status: 503, code: 'ServiceUnavailable' },
}

export interface ErrorResponse {
  status: number
  headers: Record<string, string>
  body: CommunicationErrorResponse
}

const RETRY_AFTER_SECONDS = 5

/** The response to an error; anything but a DomainError is an internal error, shown without detail. */
export function errorResponse(error: unknown): ErrorResponse {
  // A kind that only the other API has can't occur here; if it does, that is a bug.
  const entry =
    error instanceof DomainError ? (published as Partial<Record<ErrorKind, PublishedError>>)[error.kind] : undefined
  if (!(error instanceof DomainError) || entry === undefined) {
    return {
      status: 500,
      headers: { 'x-ms-error-code': 'InternalError' },
      body: { error: { code: 'InternalError', message: INTERNAL_MESSAGE } },
    }
  }
  const { status, code, outer, inner } = entry
  // The details go beside the text that they explain; the recorded outer error stays as it is.
  const details = error.details.length > 0 && { details: [...error.details] }
  return {
    status,
    headers: {
      'x-ms-error-code': code,
      ...(error.kind === 'unauthenticated' && { 'WWW-Authenticate': 'HMAC-SHA256, Bearer' }),
      ...(error.kind === 'method-not-allowed' && { Allow: (error.allow ?? []).join(', ') }),
      ...((error.kind === 'unavailable' || error.kind === 'too-many-requests') && {
        'Retry-After': String(error.retryAfterSeconds ?? RETRY_AFTER_SECONDS),
      }),
    },
    body: {
      error: {
        code,
        message: outer ?? error.message,
        ...(error.target !== undefined && { target: error.target }),
        ...(inner === undefined ? details : { innererror: { code: inner, message: error.message, ...details } }),
      },
    },
  }
}

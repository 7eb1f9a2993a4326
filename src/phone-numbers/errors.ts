/** The error answers of the Phone Numbers API: from a refusal's kind to the published status, code and envelope. */
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

const published: Record<PhoneNumbersErrorKind, PublishedError> = {
  unauthenticated: { status: 401, code: 'Denied' },
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
  'number-busy': { status: 409, code: 'Conflict' },
  'state-conflict': { status: 409, code: 'Conflict' },
  'not-implemented': { status: 501, code: 'NotImplemented' },
  unavailable: { status: 503, code: 'ServiceUnavailable' },
}

export interface ErrorAnswer {
  status: number
  headers: Record<string, string>
  body: CommunicationErrorResponse
}

const RETRY_AFTER_SECONDS = '5'

/** The answer to a refusal; anything that is no DomainError is an internal error, told without detail. */
export function errorAnswer(error: unknown): ErrorAnswer {
  // A kind that only the other API has can't come up here; if it does, that is a fault of ours.
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
  return {
    status,
    headers: {
      'x-ms-error-code': code,
      ...(error.kind === 'unauthenticated' && { 'WWW-Authenticate': 'HMAC-SHA256, Bearer' }),
      ...(error.kind === 'method-not-allowed' && { Allow: (error.allow ?? []).join(', ') }),
      ...(error.kind === 'unavailable' && { 'Retry-After': RETRY_AFTER_SECONDS }),
    },
    body: {
      error: {
        code,
        message: outer ?? error.message,
        ...(error.target !== undefined && { target: error.target }),
        ...(inner !== undefined && { innererror: { code: inner, message: error.message } }),
      },
    },
  }
}

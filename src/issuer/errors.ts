/** The error answers of the built-in issuer: OAuth's codes, with Entra's numbers and envelope around them. */
import { randomUUID } from 'node:crypto'

interface Published {
  status: number
  /** OAuth's word. */
  error: string
  /** Entra's number, after AADSTS. */
  code: number
}

const published = {
  'tenant-unknown': { status: 400, error: 'invalid_tenant', code: 90002 },
  'method-not-allowed': { status: 405, error: 'invalid_request', code: 900561 },
  'parameter-missing': { status: 400, error: 'invalid_request', code: 900144 },
  'request-invalid': { status: 400, error: 'invalid_request', code: 90013 },
  'body-too-large': { status: 413, error: 'invalid_request', code: 90013 },
  'grant-unsupported': { status: 400, error: 'unsupported_grant_type', code: 70003 },
  'credential-missing': { status: 401, error: 'invalid_client', code: 7000216 },
  'secret-wrong': { status: 401, error: 'invalid_client', code: 7000215 },
  'assertion-wrong': { status: 401, error: 'invalid_client', code: 700027 },
  'assertion-not-of-client': { status: 401, error: 'invalid_client', code: 700021 },
  'assertion-out-of-time': { status: 401, error: 'invalid_client', code: 700024 },
  'scope-invalid': { status: 400, error: 'invalid_scope', code: 1002012 },
  'resource-unknown': { status: 400, error: 'invalid_resource', code: 500011 },
  unavailable: { status: 503, error: 'temporarily_unavailable', code: 90033 },
  internal: { status: 500, error: 'server_error', code: 90034 },
} as const satisfies Record<string, Published>

export type IssuerErrorKind = keyof typeof published

/** A refusal of the issuer. */
export class IssuerError extends Error {
  override readonly name = 'IssuerError'
  readonly kind: IssuerErrorKind

  /** @param message for the client: what was wrong and what would be right */
  constructor(kind: IssuerErrorKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.kind = kind
  }

  get status(): number {
    return published[this.kind].status
  }
}

/** What an error answers. */
export interface ErrorBody {
  error: string
  error_description: string
  error_codes: number[]
  /** e.g. 2026-03-01 12:00:00Z */
  timestamp: string
  trace_id: string
  correlation_id: string
}

/** The body of an error answer. `error_description` repeats the ids, because it is all that some clients show. */
export function errorBody(error: IssuerError, now: Date, correlationId: string): ErrorBody {
  const { error: word, code } = published[error.kind]
  const timestamp = now.toISOString().replace('T', ' ').replace(/\.\d+/, '')
  const traceId = randomUUID()
  return {
    error: word,
    error_description:
      `AADSTS${code}: ${error.message} ` +
      `Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`,
    error_codes: [code],
    timestamp,
    trace_id: traceId,
    correlation_id: correlationId,
  }
}

/** Refusals as problem details (RFC 9457): what was wrong, where, and what would be right, one entry per fault. */
import { refusalOfDatabase } from '../../db/failures.js'
import { DomainError, type OperatorErrorKind } from '../../errors.js'
import { refusalOfShell, type Refused, type ShellResponse } from '../../http/server.js'
import type { OperationContract } from '../contract/operation.js'

interface Published {
  status: number
  code: string
  title: string
}

const published = (status: number, code: string, title: string): Published => ({ status, code, title })

/** Every refusal of this API. */
export const problems: Readonly<Record<OperatorErrorKind, Published>> = {
  'invalid-input': published(400, 'invalid-input', 'Invalid request'),
  'invalid-json': published(400, 'invalid-json', 'The body is not JSON'),
  'idempotency-key-invalid': published(400, 'idempotency-key-invalid', 'Invalid Idempotency-Key'),
  unauthenticated: published(401, 'unauthenticated', 'No valid access token'),
  'role-missing': published(403, 'role-missing', 'The access token lacks a role'),
  'address-not-allowed': published(403, 'address-not-allowed', 'The address is not allowed'),
  'not-found': published(404, 'not-found', 'Not found'),
  'number-not-found': published(404, 'number-not-found', 'Unknown number'),
  'method-not-allowed': published(405, 'method-not-allowed', 'Method not allowed'),
  'request-timeout': published(408, 'request-timeout', 'The body did not arrive in time'),
  'state-conflict': published(409, 'conflict', 'Conflict with the present state'),
  'idempotency-in-progress': published(409, 'idempotency-in-progress', 'The same request is being carried out'),
  'condition-not-met': published(412, 'condition-not-met', 'Changed since it was read'),
  'body-too-large': published(413, 'body-too-large', 'The body is too large'),
  'unsupported-media-type': published(415, 'unsupported-media-type', 'Unsupported media type'),
  'idempotency-mismatch': published(422, 'idempotency-mismatch', 'The Idempotency-Key was used for another request'),
  'too-many-requests': published(429, 'too-many-requests', 'Too many requests'),
  'backend-failed': published(502, 'backend-failed', 'A backend failed'),
  unavailable: published(503, 'unavailable', 'Not available at the moment'),
}

const INTERNAL = published(500, 'internal', 'Linebook failed; its log says why')

export const PROBLEM_TYPE = 'application/problem+json'

/** One fault of the input. */
export interface Fault {
  in?: string
  pointer: string
  detail: string
  code: string
}

export interface Problem {
  type: string
  title: string
  status: number
  code: string
  detail?: string
  errors?: Fault[]
}

export interface ProblemResponse {
  status: number
  headers: Record<string, string>
  body: Problem
}

/** What an operation takes, by which a fault's place is found. */
export type Takes = Pick<OperationContract, 'path' | 'query' | 'body'>

/**
 * The response to anything that was thrown; what is no refusal is a fault of ours and says nothing of itself.
 * @param takes of the operation that was asked for, once that is known
 */
export function problemOf(error: unknown, takes?: Takes): ProblemResponse {
  const refusal = asRefusal(error)
  const found = refusal && (problems as Partial<Record<string, Published>>)[refusal.kind]
  const { status, code, title } = found ?? INTERNAL
  return {
    status,
    headers: {
      'Content-Type': PROBLEM_TYPE,
      'Cache-Control': 'no-store',
      ...(status === 401 && { 'WWW-Authenticate': 'Bearer' }),
      ...(status === 405 && { Allow: (refusal?.allow ?? []).join(', ') }),
      ...retryAfter(status, refusal),
    },
    body: {
      type: `urn:linebook:problem:${code}`,
      title,
      status,
      code,
      ...(found && { detail: refusal.message, ...errorsOf(refusal, code, takes) }),
    },
  }
}

/** The same for what the shell refuses before the API sees it. */
export function problemOfShell({ status, message }: Refused): ShellResponse {
  const kind = status === 408 ? 'request-timeout' : 'invalid-input'
  const { headers, body } = problemOf(new DomainError(kind, message))
  return { headers, body: JSON.stringify(body) }
}

const RETRY_AFTER_SECONDS = 1

const retryAfter = (status: number, refusal: DomainError | undefined): Record<string, string> =>
  status === 429 || status === 503
    ? { 'Retry-After': String(Math.ceil(refusal?.retryAfterSeconds ?? RETRY_AFTER_SECONDS)) }
    : {}

function errorsOf(refusal: DomainError, code: string, takes: Takes | undefined): { errors?: Fault[] } {
  const faults = refusal.faults.length > 0 ? refusal.faults : refusal.target === undefined ? [] : [refusal]
  if (faults.length === 0) return {}
  return {
    errors: faults.map(({ target = '', message, place = takes && placeOf(target, takes), faultCode }) => ({
      ...(place !== undefined && { in: place }),
      pointer: target === '' || target.startsWith('/') ? target : `/${target}`,
      detail: message,
      code: faultCode ?? code,
    })),
  }
}

/** Commands name what is wrong, and know nothing of a request; where that is in one is for its contract to say. */
function placeOf(target: string, { path, query, body }: Takes): string | undefined {
  const [name = ''] = target.replace(/^\//, '').split(/[/.[]/, 1)
  if (body !== undefined && 'properties' in body && Object.hasOwn(body.properties as object, name)) return 'body'
  if (Object.hasOwn(query.properties, name)) return 'query'
  return path.includes(`{${name}}`) ? 'path' : undefined
}

function asRefusal(error: unknown): DomainError | undefined {
  if (error instanceof DomainError) return error
  return refusalOfDatabase(error) ?? refusalOfShell(error, 'invalid-input')
}

import { isConnectionFailure } from '../db/db.js'
import { DomainError, type ErrorKind } from '../errors.js'

/** What these routes can meet; whatever else their authorization says is a refusal too. */
const ANSWERS: Partial<Record<ErrorKind, readonly [status: number, code: string]>> = {
  unauthenticated: [401, 'Unauthorized'],
  'role-missing': [403, 'InsufficientRole'],
  'address-not-allowed': [403, 'IpNotAllowed'],
  'invalid-input': [400, 'InvalidInput'],
  'not-found': [404, 'NotFound'],
  'method-not-allowed': [405, 'MethodNotAllowed'],
  'body-too-large': [413, 'RequestBodyTooLarge'],
  'unsupported-media-type': [415, 'UnsupportedMediaType'],
  unavailable: [503, 'ServiceUnavailable'],
}

interface ShownError {
  code: string
  message: string
  target?: string
  details?: ShownError[]
}

export function controlErrorAnswer(error: unknown): { status: number; body: { error: ShownError } } {
  const refusal = asRefusal(error)
  const [status, code] = (refusal && ANSWERS[refusal.kind]) ?? [500, 'InternalServerError']
  return { status, body: { error: refusal && status !== 500 ? shown(refusal, code) : INTERNAL } }
}

const INTERNAL = { code: 'InternalServerError', message: 'Linebook failed; its log says why.' }

const shown = ({ message, target, faults }: DomainError, code: string): ShownError => ({
  code,
  message,
  ...(target !== undefined && { target }),
  ...(faults.length > 0 && { details: faults.map((fault) => shown(fault, code)) }),
})

function asRefusal(error: unknown): DomainError | undefined {
  if (error instanceof DomainError) return error
  if (isConnectionFailure(error)) return new DomainError('unavailable', 'The database is not reachable at the moment.')
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new DomainError('body-too-large', 'The body is larger than 1 MiB.')
  if (code === 'FST_ERR_CTP_INVALID_CONTENT_LENGTH') {
    return new DomainError('invalid-input', 'The body is shorter or longer than its Content-Length.')
  }
  return undefined
}

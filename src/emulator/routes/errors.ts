import { refusalOfDatabase } from '../../db/failures.js'
import { DomainError, type ErrorKind } from '../../errors.js'
import { refusalOfShell } from '../../http/server.js'

/** The status and code of each kind of error of these routes. */
const ANSWERS: Partial<Record<ErrorKind, readonly [status: number, code: string]>> = {
  unauthenticated: [401, 'Unauthorized'],
  'role-missing': [403, 'InsufficientRole'],
  'address-not-allowed': [403, 'IpNotAllowed'],
  'invalid-input': [400, 'InvalidInput'],
  'not-found': [404, 'NotFound'],
  'method-not-allowed': [405, 'MethodNotAllowed'],
  'state-conflict': [409, 'Conflict'],
  'body-too-large': [413, 'RequestBodyTooLarge'],
  'unsupported-media-type': [415, 'UnsupportedMediaType'],
  'too-many-requests': [429, 'TooManyRequests'],
  unavailable: [503, 'ServiceUnavailable'],
}

interface ShownError {
  code: string
  message: string
  target?: string
  details?: ShownError[]
}

export interface ControlErrorAnswer {
  status: number
  headers: Record<string, string>
  body: { error: ShownError }
}

export function controlErrorAnswer(error: unknown): ControlErrorAnswer {
  const refusal = asRefusal(error)
  const [status, code] = (refusal && ANSWERS[refusal.kind]) ?? [500, 'InternalServerError']
  return {
    status,
    headers: {
      ...(status === 401 && { 'WWW-Authenticate': 'Basic realm="linebook emulator", Bearer' }),
      ...(status === 405 && { Allow: (refusal?.allow ?? []).join(', ') }),
      ...(refusal?.retryAfterSeconds !== undefined && { 'Retry-After': String(Math.ceil(refusal.retryAfterSeconds)) }),
    },
    body: { error: refusal && status !== 500 ? shown(refusal, code) : INTERNAL },
  }
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
  return refusalOfDatabase(error) ?? refusalOfShell(error, 'invalid-input')
}

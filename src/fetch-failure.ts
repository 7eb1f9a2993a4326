/** Failures from before anything was sent. */
const NEVER_LEFT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/**
 * Why a fetch had no answer: the code alone, since the texts of such errors may repeat addresses and headers; and
 * whether it failed before anything was sent, so that the other side can't have acted.
 */
export function fetchFailure(error: unknown): { code: string; neverLeft: boolean } {
  const code = causeCode(error)
  return { code, neverLeft: NEVER_LEFT.has(code) || code.startsWith('ERR_TLS') || code.includes('CERT') }
}

function causeCode(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  const inner = cause instanceof AggregateError ? (cause.errors[0] as unknown) : cause
  if (!(inner instanceof Error)) return 'failure'
  return 'code' in inner && typeof inner.code === 'string' ? inner.code : inner.name
}

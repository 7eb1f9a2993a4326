/** Responses before they are sent: a repeated request gets the very same one again. */
import { DomainError } from '../../errors.js'
import type { Response } from '../../http/repeatable/store.js'
import type { Version } from './conditions.js'
import { versionHeaders } from './conditions.js'
import { errorResponse } from './errors.js'

export const json = (status: number, view: unknown, headers: Record<string, string> = {}): Response => ({
  status,
  headers,
  body: JSON.stringify(view),
})

/** A resource with its version. */
export const resource = (status: number, view: unknown, version: Version): Response =>
  json(status, view, versionHeaders(version))

export const noContent: Response = { status: 204, headers: {}, body: null }

/** The response to a refused write. Any other error is a bug: it is rethrown, and not kept as a response. */
export function refusal(error: unknown): Response {
  if (!(error instanceof DomainError)) throw error
  const { status, headers, body } = errorResponse(error)
  return { status, headers, body: JSON.stringify(body) }
}

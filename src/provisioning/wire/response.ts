/** Answers before they are sent: a repeated request is given the very same one again. */
import { DomainError } from '../../errors.js'
import type { Response } from '../../http/repeatable/store.js'
import type { Version } from './conditions.js'
import { versionHeaders } from './conditions.js'
import { errorAnswer } from './errors.js'

export const json = (status: number, view: unknown, headers: Record<string, string> = {}): Response => ({
  status,
  headers,
  body: JSON.stringify(view),
})

/** A resource as it is, with its version. */
export const resource = (status: number, view: unknown, version: Version): Response =>
  json(status, view, versionHeaders(version))

export const noContent: Response = { status: 204, headers: {}, body: null }

/** The answer to what a write threw. What is no refusal is thrown on: it is a fault of ours, and nobody's answer. */
export function refusal(error: unknown): Response {
  if (!(error instanceof DomainError)) throw error
  const { status, headers, body } = errorAnswer(error)
  return { status, headers, body: JSON.stringify(body) }
}

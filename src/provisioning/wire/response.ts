/** Answers before they are sent: a repeated request is given the very same one again. */
import { DomainError } from '../../errors.js'
import type { Version } from './conditions.js'
import { versionHeaders } from './conditions.js'
import { errorAnswer } from './errors.js'
import type { Answer } from './repeatable-store.js'

export const json = (status: number, view: unknown, headers: Record<string, string> = {}): Answer => ({
  status,
  headers,
  body: JSON.stringify(view),
})

/** A resource as it is, with its version. */
export const resource = (status: number, view: unknown, version: Version): Answer =>
  json(status, view, versionHeaders(version))

export const noContent: Answer = { status: 204, headers: {}, body: null }

/** The answer to what a write threw. What is no refusal is thrown on: it is a fault of ours, and nobody's answer. */
export function refusal(error: unknown): Answer {
  if (!(error instanceof DomainError)) throw error
  const { status, headers, body } = errorAnswer(error)
  return { status, headers, body: JSON.stringify(body) }
}

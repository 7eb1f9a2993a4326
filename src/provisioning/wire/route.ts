/** The input and output of an operation's handler. */
import type { ConsentDeps } from '../../accounts/commands/consents.js'
import type { Precondition } from '../../accounts/deps.js'
import type { Attribution } from '../../auth/changes.js'
import type { Carrying } from '../../http/repeatable/once.js'
import type { Response } from '../../http/repeatable/store.js'
import type { Admitted } from '../admit.js'
import { readJson } from '../body/read-json.js'
import type { OperationContract } from '../contract/operation.js'
import { checkRead, checkWrite, versionHeaders, type Conditions } from './conditions.js'
import type { Version } from './etag.js'
import { nextLink, type ListQuery, type Page } from './list.js'

export interface RouteDeps extends ConsentDeps {
  /** The origin under which clients reach us; undefined: taken from each request. */
  publicUrl: string | undefined
  tolerateTrailingCommas: boolean
  /** Updates the zone for those of these labels that are due. */
  reconcileZoneNow(labels: readonly string[]): Promise<unknown>
}

export interface Context extends Admitted {
  by: Attribution
  conditions: Conditions
  contentType: string | undefined
  body: Buffer
  /** The URL under which clients reach us, without a slash at the end. */
  baseUrl: string
}

export type Handler = (context: Context, carrying: Carrying) => Promise<Response>
export type Routes = Map<OperationContract, Handler>

/** A path parameter that the operation has. */
export function param({ params, operation }: Context, name: string): string {
  const value = params[name]
  if (value === undefined) throw new Error(`${operation.operationId} has no parameter ${name}.`)
  return value
}

export const json = (status: number, view: unknown, headers: Record<string, string> = {}): Response => ({
  status,
  headers,
  body: JSON.stringify(view),
})

/** A resource with its version. */
export const resource = (status: number, view: unknown, version: Version): Response =>
  json(status, view, versionHeaders(version))

export const noContent: Response = { status: 204, headers: {}, body: null }

/** A page with the link to the next one, and the number of matches if requested. */
export function pageResponse<Item>(
  { baseUrl, path, version }: Context,
  query: ListQuery,
  page: Page<Item>,
  view: (item: Item) => unknown,
  total: number | undefined,
): Response {
  const next = nextLink({ baseUrl, path, apiVersion: version, query, page })
  return json(
    200,
    { value: page.items.map(view), ...(next !== undefined && { nextLink: next }) },
    total === undefined ? {} : { 'x-ms-record-count': String(total) },
  )
}

/** The JSON of a request's body. Throws 'unsupported-media-type', 'invalid-json'. */
export const bodyOf = ({ tolerateTrailingCommas }: RouteDeps, { body, contentType, operation }: Context): unknown =>
  readJson(body, contentType, {
    mergePatch: operation.body?.mergePatch,
    mayBeEmpty: operation.body?.mayBeEmpty,
    trailingCommas: tolerateTrailingCommas,
  })

/**
 * Refuses a write whose conditions don't hold.
 * @param versionOf the version of the stored value that clients know
 */
export const preconditionOf =
  <Stored>({ conditions }: Context, versionOf: (stored: Stored) => Version): Precondition<Stored> =>
  (current) =>
    checkWrite(conditions, current && versionOf(current))

/** A requested resource, or a 304 when the client has this version. */
export const readResponse = ({ conditions }: Context, version: Version, view: () => unknown): Response =>
  checkRead(conditions, version) === 'send'
    ? resource(200, view(), version)
    : { status: 304, headers: versionHeaders(version), body: null }

/** Reads a body now and returns or throws the outcome later, once everything checked before the body was right. */
export function deferred<Value>(read: () => Value): () => Value {
  let outcome: { value: Value } | { error: unknown }
  try {
    outcome = { value: read() }
  } catch (error) {
    outcome = { error }
  }
  return () => {
    if ('error' in outcome) throw outcome.error
    return outcome.value
  }
}

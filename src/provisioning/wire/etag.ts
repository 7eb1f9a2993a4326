/**
 * The version of a resource in two parts: `cfg` covers everything that clients can write, `state` everything that only
 * we change (sync status and errors, counts, a backend's report). So a write can check whether another client has
 * changed the resource without being refused because of a sync, and a read can check whether anything has changed.
 */
import { createHash } from 'node:crypto'

export interface Etag {
  readonly cfg: string
  readonly state: string
}

/** The same values give the same tag, whatever the order of their properties; undefined ones count as absent. */
export const etagOf = (cfg: unknown, state: unknown): Etag => ({ cfg: digest(cfg), state: digest(state) })

/** The text inside the quotes. */
export const etagText = ({ cfg, state }: Etag): string => `${cfg}.${state}`

/** The value of the header `ETag`: a strong tag. */
export const formatEtag = (etag: Etag): string => `"${etagText(etag)}"`

/** Whether `tag`, the inside of the quotes, is this version in both parts. */
export const sameVersion = (tag: string, etag: Etag): boolean => tag === etagText(etag)

/** Whether `tag` is a version with the same `cfg`, in whatever state. */
export const sameConfiguration = (tag: string, { cfg }: Etag): boolean => {
  const [given, state, ...more] = tag.split('.')
  return given === cfg && state !== undefined && more.length === 0
}

const digest = (value: unknown): string =>
  createHash('sha256').update(canonicalJson(value)).digest().subarray(0, DIGEST_BYTES).toString('base64url')
/** Twelve characters. They distinguish the versions of one resource, so this is far more than enough. */
const DIGEST_BYTES = 9

export const canonicalJson = (value: unknown): string =>
  JSON.stringify(value ?? null, (_, part: unknown) => (isPlainRecord(part) ? sorted(part) : part))

const isPlainRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const sorted = (record: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))

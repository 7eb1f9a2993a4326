/**
 * The version of a resource in two parts: `cfg` covers everything that clients can write, `state` everything that only
 * we change (sync status and errors, counts, a backend's report). So a write can check whether another client has
 * changed the resource without being refused because of a sync, and a read can check whether anything has changed.
 */
import { createHash } from 'node:crypto'
import type { Account, AccountWithStatus } from '../../accounts/account.js'
import type { AccountNumber, NumberDetails } from '../../accounts/account-number.js'
import type { RequestForInformation } from '../../accounts/consent.js'
import type { SubdomainStatus } from '../../accounts/subdomain.js'
import type { CivicAddress } from '../../backends/port/teams.js'

export interface Etag {
  readonly cfg: string
  readonly state: string
}

/** The version of a resource that conditions are compared with. */
export interface Version {
  etag: Etag
  /** When a client last changed it; writes compare this. */
  modifiedAt: Date
  /** When anything of it last changed; reads compare this, and `Last-Modified` shows it. */
  changedAt: Date
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

const accountConfiguration = ({ name, correlationId, teamsTenantId, services }: Account) => ({
  name,
  correlationId,
  teamsTenantId,
  services,
})

/** An account about to be written: only the part that clients can write counts then. */
export const storedAccount = (account: Account): Version => ({
  etag: etagOf(accountConfiguration(account), null),
  modifiedAt: account.modifiedAt,
  changedAt: account.modifiedAt,
})

export const shownAccount = (account: AccountWithStatus, subdomain: SubdomainStatus): Version => ({
  etag: etagOf(accountConfiguration(account), [account.sync, account.counts, subdomain]),
  modifiedAt: account.modifiedAt,
  changedAt: account.changedAt,
})

export const storedNumber = (number: { details: NumberDetails; modifiedAt: Date }): Version => ({
  etag: etagOf(number.details, null),
  modifiedAt: number.modifiedAt,
  changedAt: number.modifiedAt,
})

export const shownNumber = ({ details, sync, modifiedAt, changedAt }: AccountNumber): Version => ({
  etag: etagOf(details, { ...sync, observedAt: null }),
  modifiedAt,
  changedAt,
})

export const shownConsent = ({
  consent,
  accountName,
  sync,
  relationship,
  changedAt,
}: RequestForInformation): Version => {
  const modifiedAt = relationship.lastModifiedOn ?? changedAt
  const { status, comment } = relationship
  return { etag: etagOf({ status, comment }, { ...consent, accountName, sync }), modifiedAt, changedAt }
}

/**
 * Addresses can't be written here: all of one is state. Its last change is not known, so it counts as changed just now.
 * @param at when it was read
 */
export const shownAddress = (address: CivicAddress, at: Date): Version => ({
  etag: etagOf(null, address),
  modifiedAt: at,
  changedAt: at,
})

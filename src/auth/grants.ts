/**
 * Grants: which callers with an access token may use which resource. Azure keeps them as role assignments; here an
 * operator gives and takes them by name. Every process has them in memory, see `resource-directory.ts`.
 */
import { DomainError, invalidInput, notFound } from '../errors.js'
import { BY_SYSTEM, noteAccess, type Attribution } from './changes.js'
import { ANY_ISSUER, deleteGrants, insertGrant, insertMissingGrants, listGrants, type Grant } from './grant-store.js'
import { resourceNamed, EMULATOR_RESOURCE, type ResourceDeps } from './resources.js'
import { BUILT_IN_ISSUER } from './tokens/claims.js'

type GrantDeps = Pick<ResourceDeps, 'db' | 'clock' | 'logger'>

export interface WantedGrant {
  /** The resource's name. */
  resource: string
  clientId: string
  /** Left out: tokens of every issuer that is trusted. */
  issuer?: string | undefined
}

/** All grants are kept in memory. */
export const MAX_GRANTS_OF_A_RESOURCE = 100

/** As a token may name its caller: `user/` goes before the id of a person. */
const CLIENT_ID = /^(user\/)?\P{C}{1,256}$/u
const ISSUER = /^https?:\/\/[^\s|]+$/i

/** Lets a caller use a resource; running servers know at once. Harmless when it may already.
 * Throws 'not-found', 'invalid-input', 'state-conflict'. */
export async function grantAccess(deps: GrantDeps, wanted: WantedGrant, by: Attribution): Promise<void> {
  const { clientId, issuer = ANY_ISSUER } = wanted
  if (!CLIENT_ID.test(clientId)) {
    throw invalidInput(
      `"${clientId}" can't be a client: up to 256 characters, as its tokens say them in appid, azp, oid or sub; ` +
        'for a person user/ and their oid.',
      'clientId',
    )
  }
  if (issuer !== ANY_ISSUER && issuer !== BUILT_IN_ISSUER && !ISSUER.test(issuer)) {
    throw invalidInput(
      `"${issuer}" is no issuer; give ${BUILT_IN_ISSUER}, or its address as its tokens say it in iss, ` +
        'e.g. https://login.microsoftonline.com/<tenant>/v2.0.',
      'issuer',
    )
  }
  const { db, clock, logger } = deps
  await db.transaction(async (tx) => {
    const { id: resourceId } = await resourceNamed(tx, wanted.resource)
    const present = (await listGrants(tx)).filter((grant) => grant.resourceId === resourceId)
    if (present.length >= MAX_GRANTS_OF_A_RESOURCE) {
      throw new DomainError(
        'state-conflict',
        `${wanted.resource} has ${present.length} grants already, which is the most. Revoke one that is not used.`,
      )
    }
    const before = issuersOf(present, clientId)
    if (before?.includes(issuer)) return
    await insertGrant(tx, { resourceId, clientId, issuer }, clock.now())
    const after = [...(before ?? []), issuer]
    noteAccess({ logger }, tx, { kind: 'grant', subject: wanted.resource, clientId, before, after }, by)
  })
}

const issuersOf = (grants: readonly Grant[], clientId: string): string[] | undefined => {
  const issuers = grants.filter((grant) => grant.clientId === clientId).map(({ issuer }) => issuer)
  return issuers.length === 0 ? undefined : issuers
}

/** Takes from a caller what it was granted; running servers know within seconds. Throws
 * 'not-found' for nothing. */
export async function revokeAccess(
  { db, logger }: Pick<GrantDeps, 'db' | 'logger'>,
  { resource, clientId }: Omit<WantedGrant, 'issuer'>,
  by: Attribution,
): Promise<void> {
  await db.transaction(async (tx) => {
    const { id: resourceId } = await resourceNamed(tx, resource)
    const granted = (await listGrants(tx)).filter((grant) => grant.resourceId === resourceId)
    const before = issuersOf(granted, clientId)
    if (await deleteGrants(tx, { resourceId, clientId })) {
      noteAccess({ logger }, tx, { kind: 'grant', subject: resource, clientId, before, after: undefined }, by)
      return
    }
    const known = [...new Set(granted.map((grant) => grant.clientId))].join(', ')
    throw notFound(
      `${clientId} has no grant on ${resource}. ${known ? `Those that have are: ${known}.` : 'Nobody has one.'}`,
    )
  })
}

/** Lets the well-known clients of emulator mode use its well-known resource. */
export const ensureEmulatorGrants = ({ db, clock, logger }: GrantDeps, clientIds: readonly string[]): Promise<void> =>
  db.transaction(async (tx) => {
    const grants = { resource: EMULATOR_RESOURCE, clientIds, issuer: BUILT_IN_ISSUER, createdAt: clock.now() }
    for (const clientId of await insertMissingGrants(tx, grants)) {
      const change = { kind: 'grant' as const, subject: EMULATOR_RESOURCE, clientId }
      noteAccess({ logger }, tx, { ...change, before: undefined, after: [BUILT_IN_ISSUER] }, BY_SYSTEM)
    }
  })

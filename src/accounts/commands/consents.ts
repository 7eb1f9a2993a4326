/** Requests for information: the backends' reports, with the operator's later changes applied (contract 5.11). */
import type { Attribution } from '../../auth/changes.js'
import { serviceCodes, type ServiceCode } from '../../backends/port/backend.js'
import { isTeams } from '../../backends/port/services.js'
import type { Consent, Relationship } from '../../backends/port/teams.js'
import type { Queryable, Tx } from '../../db/db.js'
import { requestSync } from '../../sync/store.js'
import { accountsOfTenants } from '../account-store.js'
import { noteChange } from '../changes.js'
import { rfiNotFound, type RelationshipPatch, type RequestForInformation } from '../consent.js'
import { lockConsentChange, putConsentChange, readConsentStates } from '../consent-store.js'
import { activeServices, causeOf, type Precondition, type ProvisioningDeps } from '../deps.js'
import { consentChanges, type ConsentChange } from '../desired.js'
import { askEach } from './ask-backend.js'

/** A consent and the backend that it came from. */
interface Announced {
  code: ServiceCode
  consent: Consent
}

/** How long the backends' announcements are cached; the operator's own changes show at once all the same. */
const CACHED_MS = 30_000

type AnnouncedDeps = Pick<ProvisioningDeps, 'clock' | 'backends' | 'readDeadline'>

/** Caches the backends' announcements, and reads them by one query at a time. */
export class AnnouncedConsents {
  readonly #deps: AnnouncedDeps
  #latest: { at: Date; announced: Promise<Map<string, Announced>> } | undefined

  constructor(deps: AnnouncedDeps) {
    this.#deps = deps
  }

  /** By tenant, lower case. A tenant announced by both Teams services is taken from Operator Connect. */
  all(): Promise<Map<string, Announced>> {
    const now = this.#deps.clock.now()
    if (this.#latest && now.getTime() - this.#latest.at.getTime() < CACHED_MS) return this.#latest.announced
    const latest = { at: now, announced: this.#read() }
    this.#latest = latest
    // A failure reaches the requests that waited for this query, and is not cached.
    latest.announced.catch(() => {
      if (this.#latest === latest) this.forget()
    })
    return latest.announced
  }

  forget(): void {
    this.#latest = undefined
  }

  async #read(): Promise<Map<string, Announced>> {
    const found = new Map<string, Announced>()
    const asked = serviceCodes.flatMap((code) => {
      const teams = isTeams(code) ? this.#deps.backends[code]?.teams : undefined
      return teams ? [{ code, teams }] : []
    })
    const announced = await askEach(this.#deps, asked, async ({ code, teams }, signal) =>
      (await teams.listConsents(signal)).map((consent) => ({ code, consent })),
    )
    for (const one of announced.flat()) {
      const key = one.consent.tenantId.toLowerCase()
      if (!found.has(key)) found.set(key, one)
    }
    return found
  }
}

export interface ConsentDeps extends ProvisioningDeps {
  announced: AnnouncedConsents
}

/** All requests for information. Throws 'backend-failed'. */
export async function listConsents(deps: ConsentDeps): Promise<RequestForInformation[]> {
  const announced = await deps.announced.all()
  return show(deps, deps.db, [...announced.values()])
}

/** Throws 'consent-not-found', 'backend-failed'. */
export async function getConsent(deps: ConsentDeps, tenantId: string): Promise<RequestForInformation> {
  const [consent] = await show(deps, deps.db, [await find(deps, tenantId)])
  return consent as RequestForInformation
}

/**
 * Changes the operator's response to a request; the backend follows after the commit.
 * @param announced from `find`: backends are not queried while a transaction is open
 * Throws 'condition-not-met' and what `read` throws.
 */
export async function patchConsent(
  deps: ConsentDeps,
  tx: Tx,
  by: Attribution,
  announced: Announced,
  { precondition, read }: { precondition: Precondition<RequestForInformation>; read(): RelationshipPatch },
): Promise<RequestForInformation> {
  const key = announced.consent.tenantId.toLowerCase()
  const cause = causeOf(deps, by)
  await lockConsentChange(tx, key)
  const [before] = (await show(deps, tx, [announced])) as [RequestForInformation]
  precondition(before)
  const patch = read()
  const { status, comment } = before.relationship
  await putConsentChange(tx, {
    tenantId: key,
    status: patch.status === undefined ? (status ?? null) : patch.status,
    comment: patch.comment === undefined ? (comment ?? null) : patch.comment,
    modifiedAt: cause.at,
  })
  await requestSync(tx, 'consent', [{ key, service: announced.code, accountId: null }], cause.at)
  const [after] = (await show(deps, tx, [announced])) as [RequestForInformation]
  const change = { before: before.relationship, after: after.relationship }
  await noteChange(deps, tx, { kind: 'consent', subject: key, ...change }, cause)
  return after
}

/** Throws 'consent-not-found', 'backend-failed'. */
export async function find({ announced }: ConsentDeps, tenantId: string): Promise<Announced> {
  const found = (await announced.all()).get(tenantId.toLowerCase())
  if (found === undefined) throw rfiNotFound(tenantId)
  return found
}

async function show(
  deps: ConsentDeps,
  db: Queryable,
  announced: readonly Announced[],
): Promise<RequestForInformation[]> {
  const keys = announced.map(({ consent }) => consent.tenantId.toLowerCase())
  const accounts = await accountsOfTenants(db, keys)
  const changes = await consentChanges(db, keys)
  const states = await readConsentStates(db, keys, activeServices(deps))
  return announced.map(({ consent }, index) => {
    const key = keys[index] as string
    const accountName = accounts.get(key)
    const state = states.get(key)
    const change = changes.get(key)
    return {
      consent,
      ...(accountName !== undefined && { accountName }),
      sync: state?.sync ?? { status: 'synced', errors: [], observed: {}, observedAt: null },
      relationship: relationshipOf(consent, change),
      changedAt: new Date(
        Math.max(
          ...[consent.lastModifiedOn, consent.relationship.lastModifiedOn, change?.modifiedAt, state?.changedAt].map(
            (date) => date?.getTime() ?? 0,
          ),
        ),
      ),
    }
  })
}

/** The operator's change counts until the backend shows a newer relationship. */
function relationshipOf({ relationship }: Consent, change: ConsentChange | undefined): Relationship {
  if (change === undefined || (relationship.lastModifiedOn ?? new Date(0)) > change.modifiedAt) return relationship
  return {
    ...(change.status !== null && { status: change.status }),
    ...(change.comment !== null && { comment: change.comment }),
    lastModifiedOn: change.modifiedAt,
  }
}

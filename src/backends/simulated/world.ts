/**
 * The world around the numbers: consents, civic addresses and capability plans. Changes are documents laid over the
 * seed, so that a fresh backend needs no initial data and `reset` only deletes documents.
 */
import type { ServiceCode } from '../port/backend.js'
import type { CapabilityPlan, CivicAddress, Consent, RelationshipChange } from '../port/teams.js'
import type { Documents, Ref } from './documents.js'
import { nothingRemembered, type Act, type Remembered } from './receive.js'
import type { Seed, SeedConsent } from './seed.js'

export interface ConsentDocument extends Remembered {
  /** Absent: as seeded. Null: taken out. */
  consent?: SeedConsent | null
}

const PAGE = 1_000

export const consentRef = (tenantId: string): Ref => ({ scope: 'teams', kind: 'consent', key: tenantId.toLowerCase() })
export const addressesRef = (tenantId: string): Ref => ({
  scope: 'teams',
  kind: 'addresses',
  key: tenantId.toLowerCase(),
})
export const plansRef = (service: ServiceCode, tenantId: string): Ref => ({
  scope: service,
  kind: 'plans',
  key: tenantId.toLowerCase(),
})

/** The consent of a tenant as it is now. */
export function consentNow(seed: Seed, tenantId: string, content: unknown): SeedConsent | undefined {
  const { consent } = (content as ConsentDocument | undefined) ?? {}
  if (consent === null) return undefined
  return consent ?? seed.consents.find((seeded) => seeded.tenantId.toLowerCase() === tenantId.toLowerCase())
}

/** The seeded consents first, then the others by tenant id. */
export async function consentsNow(seed: Seed, documents: Documents): Promise<SeedConsent[]> {
  const changed = new Map<string, unknown>()
  for (let after: string | undefined; ;) {
    const page = await documents.list('teams', 'consent', { ...(after !== undefined && { after }), limit: PAGE })
    for (const { key, content } of page) changed.set(key, content)
    after = page.at(-1)?.key
    if (page.length < PAGE) break
  }
  const seeded = seed.consents.map(({ tenantId }) => tenantId.toLowerCase())
  const tenantIds = [...seeded, ...[...changed.keys()].filter((key) => !seeded.includes(key))]
  return tenantIds.flatMap((tenantId) => consentNow(seed, tenantId, changed.get(tenantId)) ?? [])
}

export const reportConsent = (
  { consentedOn, lastModifiedOn, relationship, ...consent }: SeedConsent,
  operatorId: string,
): Consent => ({
  operatorId,
  ...consent,
  ...(consentedOn !== undefined && { consentedOn: new Date(consentedOn) }),
  ...(lastModifiedOn !== undefined && { lastModifiedOn: new Date(lastModifiedOn) }),
  relationship: {
    ...(relationship.status !== undefined && { status: relationship.status }),
    ...(relationship.comment !== undefined && { comment: relationship.comment }),
    ...(relationship.lastModifiedOn !== undefined && { lastModifiedOn: new Date(relationship.lastModifiedOn) }),
  },
})

/** Applies the operator's response to a consent. */
export const relationshipAct =
  (seed: Seed, service: ServiceCode, now: Date): Act<ConsentDocument, RelationshipChange> =>
  (document, _method, { tenantId, status, comment }) => {
    const consent = consentNow(seed, tenantId, document)
    if (!consent) {
      return { fault: { code: 'NotFound', message: `The tenant ${tenantId} has given no consent.`, target: service } }
    }
    const relationship = {
      ...(status !== null && { status }),
      ...(comment !== null && { comment }),
      lastModifiedOn: now.toISOString(),
    }
    document.consent = { ...consent, relationship }
    return { acted: true }
  }

export const addressesNow = (seed: Seed, tenantId: string, content: unknown): CivicAddress[] => {
  const own = Object.entries(seed.civicAddresses).find(([tenant]) => tenant.toLowerCase() === tenantId.toLowerCase())
  const addresses = (content as CivicAddress[] | undefined) ?? own?.[1] ?? seed.defaultCivicAddresses
  return addresses.map((address) => ({ tenantId, ...address }))
}

export const plansNow = (seed: Seed, service: ServiceCode, content: unknown): readonly CapabilityPlan[] =>
  (content as CapabilityPlan[] | undefined) ?? seed.capabilityPlans[service] ?? []

/** A consent document with only a new consent, or none. */
export const consentDocument = (before: unknown, consent: SeedConsent | null): ConsentDocument => ({
  ...nothingRemembered(),
  ...(before as ConsentDocument | undefined),
  consent,
})

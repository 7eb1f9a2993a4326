import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ServiceCode } from '../port/backend.js'
import type { CapabilityPlan, CivicAddress, Consent, Relationship } from '../port/teams.js'

/** The initial world of the simulated backends; later changes are laid over it. */
export interface Seed {
  consents: readonly SeedConsent[]
  /** By tenant id. */
  civicAddresses: Readonly<Record<string, readonly CivicAddress[]>>
  /** For every tenant without its own addresses. */
  defaultCivicAddresses: readonly CivicAddress[]
  capabilityPlans: Readonly<Partial<Record<ServiceCode, readonly CapabilityPlan[]>>>
}

/** A consent as in JSON: its instants are ISO 8601 texts. */
export type SeedConsent = Omit<Consent, 'consentedOn' | 'lastModifiedOn' | 'relationship'> & {
  consentedOn?: string
  lastModifiedOn?: string
  relationship: Omit<Relationship, 'lastModifiedOn'> & { lastModifiedOn?: string }
}

const SEED_FILE = fileURLToPath(new URL('../../../data/simulated-backends.json', import.meta.url))

export const readSeed = (): Seed => JSON.parse(readFileSync(SEED_FILE, 'utf8')) as Seed

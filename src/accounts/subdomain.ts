/** Direct Routing's DNS names: the TXT records that an account wants, and whether the zone has them (contract 7). */
import type { TxtRecord } from '../backends/port/zone.js'
import { DomainError } from '../errors.js'
import type { AccountSettings, SubdomainTokens } from './account.js'

export interface Regions {
  baseDomain: string
  /** The name of a region in front of the base domain; `<n>` stands for its number. */
  pattern: string
  /** A lab has one. */
  count: 1 | 2
  /** Whether to refuse names that are too long for Entra ID. */
  enforceLength: boolean
}

/** The longest domain name that Entra ID accepts. */
const MAX_NAME_LENGTH = 48

const nameIn = (regions: Regions, label: string, region: number): string =>
  `${label}.${regions.pattern.replace('<n>', String(region))}.${regions.baseDomain}`.toLowerCase()

/** The names of a label, one per region. */
export const namesOf = (regions: Regions, label: string): string[] =>
  Array.from({ length: regions.count }, (_, index) => nameIn(regions, label, index + 1))

/** The label whose records the account wants in the zone; none while Direct Routing is switched off. */
export function wantedLabel({ services }: Pick<AccountSettings, 'services'>): string | undefined {
  const service = services.teamsDirectRouting
  return service?.enabled ? service.configuration?.subdomain.toLowerCase() : undefined
}

export function wantedRecords(regions: Regions, label: string, tokens: SubdomainTokens): TxtRecord[] {
  const values = [tokens.region1Token, tokens.region2Token]
  return namesOf(regions, label).map((name, index) => ({ name, values: [values[index] as string] }))
}

/** Throws 'invalid-body' when a name of the label would be too long and the limit is enforced. */
export function checkLength(regions: Regions, label: string): void {
  const longest = namesOf(regions, label).reduce((a, b) => (b.length > a.length ? b : a))
  if (!regions.enforceLength || longest.length <= MAX_NAME_LENGTH) return
  throw new DomainError(
    'invalid-body',
    `The subdomain makes ${longest}, which is ${longest.length} characters long; at most ${MAX_NAME_LENGTH} are allowed.`,
    { target: 'serviceDetails.teamsDirectRouting.configuration.subdomain' },
  )
}

export type SubdomainStatus = 'provisioned' | 'notProvisioned' | 'inconsistent'

/**
 * Compares the wanted records with those of the zone.
 * @param wanted empty when the account has no label
 * @param stale names of labels that the account no longer wants but the zone may still have
 */
export function subdomainStatus(
  wanted: readonly TxtRecord[],
  stale: readonly string[],
  found: ReadonlyMap<string, readonly string[]>,
): SubdomainStatus {
  const isRight = ({ name, values }: TxtRecord): boolean => {
    const there = found.get(name) ?? []
    return there.length === values.length && values.every((value) => there.includes(value))
  }
  const anyStale = stale.some((name) => found.has(name))
  const anyWanted = wanted.some(({ name }) => found.has(name))
  if (wanted.length > 0 && wanted.every(isRight) && !anyStale) return 'provisioned'
  return anyStale || anyWanted ? 'inconsistent' : 'notProvisioned'
}

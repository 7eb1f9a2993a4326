/**
 * The SIP routing of a resource: the trunks (session border controllers) that calls go out on, and the routes that
 * choose among them by the called number. Routes are tried in their order; the first whose pattern matches counts.
 */

export interface SipTrunk {
  /** As spelled by the latest write; letter case does not distinguish trunks. */
  fqdn: string
  sipSignalingPort: number
}

export interface SipRoute {
  description?: string
  name: string
  /** A regular expression of .NET; never compiled here, see number-pattern.ts. */
  numberPattern: string
  /** FQDNs of trunks, the preferred one first. */
  trunks: string[]
}

export interface SipConfiguration {
  trunks: SipTrunk[]
  routes: SipRoute[]
}

/** The change of one trunk: removed, or set. Without a port it keeps the one that it has. */
export type TrunkChange = { fqdn: string; remove: true } | { fqdn: string; sipSignalingPort?: number }

export interface SipConfigurationChange {
  trunks: readonly TrunkChange[]
  /** Replaces all routes; undefined leaves them as they are. */
  routes: SipRoute[] | undefined
}

/** The port of a new trunk that was given none; the rules refuse it. */
export const NO_PORT = 0

/** The same for two spellings of one FQDN. */
export const trunkKey = (fqdn: string): string => fqdn.toLowerCase()

/**
 * The configuration after a change, not yet checked. Trunks keep their places and new ones come last. A trunk that is
 * both set and removed in one change is set: that is how the official client changes a spelling.
 */
export function changed(configuration: SipConfiguration, change: SipConfigurationChange): SipConfiguration {
  const trunks = new Map(configuration.trunks.map((trunk) => [trunkKey(trunk.fqdn), trunk]))
  const wanted = new Set<string>()
  for (const one of change.trunks) {
    if ('remove' in one) continue
    const key = trunkKey(one.fqdn)
    wanted.add(key)
    const sipSignalingPort = one.sipSignalingPort ?? trunks.get(key)?.sipSignalingPort ?? NO_PORT
    trunks.set(key, { fqdn: one.fqdn, sipSignalingPort })
  }
  for (const one of change.trunks) {
    const key = trunkKey(one.fqdn)
    if ('remove' in one && !wanted.has(key)) trunks.delete(key)
  }
  return { trunks: [...trunks.values()], routes: change.routes ?? configuration.routes }
}

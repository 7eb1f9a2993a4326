/**
 * The SIP routing of a resource: the trunks (session border controllers) that calls go out on, and the routes that
 * choose among them by the called number. Routes are tried in their order; the first whose pattern matches counts.
 */

export interface SipTrunk {
  /** In the spelling of whoever wrote it last; letter case does not tell trunks apart. */
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

/** What is asked of one trunk: to be gone, or to be there. Without a port it keeps the one that it has. */
export type TrunkChange = { fqdn: string; remove: true } | { fqdn: string; sipSignalingPort?: number }

export interface SipConfigurationChange {
  trunks: readonly TrunkChange[]
  /** All routes there shall be; undefined leaves them as they are. */
  routes: SipRoute[] | undefined
}

/** What a new trunk has that was given no port; no rule lets it through. */
export const NO_PORT = 0

/** By which two spellings of one FQDN are the same. */
export const trunkKey = (fqdn: string): string => fqdn.toLowerCase()

/**
 * The configuration that a change leads to, not yet checked. Trunks keep their places and new ones come last. Of a trunk
 * that is asked for and removed in one change the first counts: it is how the official client changes a spelling.
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

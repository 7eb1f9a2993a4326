/**
 * The rules of a SIP configuration. The texts of the seven errors are the service's own, including the misspelling; the
 * details add what these don't say: which trunk, which route, what is allowed.
 */
import { DomainError, invalidInput, type ErrorKind } from '../../errors.js'
import { NO_PORT, trunkKey, type SipConfiguration, type SipRoute, type SipTrunk } from './configuration.js'
import { bracketFault } from './number-pattern.js'

export const MAX_TRUNKS = 250
export const MAX_ROUTES = 250
export const MAX_TRUNKS_OF_ROUTE = 250
export const MAX_FQDN_CHARS = 249
export const MAX_NAME_CHARS = 256
export const MAX_PATTERN_CHARS = 1024
export const MAX_DESCRIPTION_CHARS = 1024
export const MAX_PORT = 65535

/** Further faults are not reported. */
const MAX_FAULTS = 20
/** Longer texts of a client are cut before they are shown. */
const MAX_SHOWN_CHARS = 260

/** The service's codes with our kinds and its texts. */
const refusals = {
  DuplicatedRoute: ['route-duplicated', 'There is a duplicated route.'],
  RouteWithDuplicatedTrunk: ['trunk-duplicated-in-route', 'There is a duplicated trunk in a route.'],
  InvalidTrunkFqdn: ['trunk-fqdn-invalid', "Domain '%s' is not properly formatted domnain name."],
  InvalidTrunkSipSignalingPort: ['trunk-port-invalid', 'Trunk with an invalid SIP signaling port.'],
  InvalidRouteName: ['route-name-invalid', 'Route with an invalid name.'],
  InvalidRouteNumberPattern: ['route-pattern-invalid', 'Route with an invalid number pattern.'],
  MissingTrunk: ['trunk-missing', 'Route targeting a missing trunk.'],
} as const satisfies Record<string, [ErrorKind, string]>

interface Fault {
  code: keyof typeof refusals
  /** The property path, in lower case. */
  target: string
  /** What exactly is wrong, and what would be right. */
  message: string
  /** The value that the service's text quotes. */
  quotes?: string
}

/**
 * Throws the refusal of the first rule that `configuration` breaks, with every fault in its details:
 * 'route-duplicated', 'trunk-duplicated-in-route', 'trunk-fqdn-invalid', 'trunk-port-invalid', 'route-name-invalid',
 * 'route-pattern-invalid' or 'trunk-missing'; before these, 'invalid-input' for values that exceed a limit or can't be
 * stored.
 */
export function requireValid(configuration: SipConfiguration): void {
  refuseTooMuch(configuration)
  const faults: Fault[] = []
  for (const fault of faultsOf(configuration)) {
    if (faults.push(fault) === MAX_FAULTS) break
  }
  const [first] = faults
  if (first === undefined) return
  const [kind, text] = refusals[first.code]
  throw new DomainError(
    kind,
    text.replace('%s', () => first.quotes ?? ''),
    {
      details: faults.map(({ code, message, target }) => ({ code, message, target })),
    },
  )
}

/** Duplicates come first: the service refuses them while it reads the request, with another status. */
function* faultsOf({ trunks, routes }: SipConfiguration): Generator<Fault> {
  yield* duplicatedRoutes(routes)
  yield* duplicatedTrunks(routes)
  for (const trunk of trunks) if (!isFqdn(trunk.fqdn)) yield badFqdn(trunk)
  for (const trunk of trunks) if (!isPort(trunk.sipSignalingPort)) yield badPort(trunk)
  for (const [index, { name }] of routes.entries()) {
    if (isBlank(name) || name.length > MAX_NAME_CHARS) yield badName(index, name)
  }
  for (const [index, route] of routes.entries()) {
    const wrong = patternFault(route.numberPattern)
    if (wrong !== undefined) yield badPattern(index, route, wrong)
  }
  yield* missingTrunks(trunks, routes)
}

function* duplicatedRoutes(routes: readonly SipRoute[]): Generator<Fault> {
  const seen = new Map<string, number>()
  for (const [index, { name }] of routes.entries()) {
    if (isBlank(name)) continue
    const earlier = seen.get(name)
    if (earlier === undefined) seen.set(name, index)
    else {
      yield {
        code: 'DuplicatedRoute',
        target: `routes.${index}.name`,
        message: `Routes ${earlier} and ${index} are both named ${quoted(name)}; each needs a name of its own.`,
      }
    }
  }
}

function* duplicatedTrunks(routes: readonly SipRoute[]): Generator<Fault> {
  for (const [index, route] of routes.entries()) {
    const seen = new Set<string>()
    for (const [place, fqdn] of route.trunks.entries()) {
      if (seen.has(trunkKey(fqdn))) {
        yield {
          code: 'RouteWithDuplicatedTrunk',
          target: `routes.${index}.trunks.${place}`,
          message:
            `Route ${quoted(route.name)} names the trunk ${quoted(fqdn)} more than once; ` +
            'letter case does not make it another.',
        }
      }
      seen.add(trunkKey(fqdn))
    }
  }
}

function* missingTrunks(trunks: readonly SipTrunk[], routes: readonly SipRoute[]): Generator<Fault> {
  const present = new Set(trunks.map(({ fqdn }) => trunkKey(fqdn)))
  for (const [index, route] of routes.entries()) {
    for (const [place, fqdn] of route.trunks.entries()) {
      if (present.has(trunkKey(fqdn))) continue
      yield {
        code: 'MissingTrunk',
        target: `routes.${index}.trunks.${place}`,
        message:
          `Route ${quoted(route.name)} uses the trunk ${quoted(fqdn)}, which the configuration would not have. ` +
          'Add the trunk, or take it out of the route.',
      }
    }
  }
}

const badFqdn = ({ fqdn }: SipTrunk): Fault => ({
  code: 'InvalidTrunkFqdn',
  target: trunkTarget(fqdn),
  message:
    `A trunk is named by a fully qualified domain name of at most ${MAX_FQDN_CHARS} characters, ` +
    `e.g. sbc.contoso.com, not by ${quoted(fqdn)}.`,
  quotes: cut(fqdn),
})

const badPort = ({ fqdn, sipSignalingPort }: SipTrunk): Fault => ({
  code: 'InvalidTrunkSipSignalingPort',
  target: `${trunkTarget(fqdn)}.sipsignalingport`,
  message:
    `The sipSignalingPort of trunk ${quoted(fqdn)} must be from 1 to ${MAX_PORT}; ` +
    (sipSignalingPort === NO_PORT ? 'it is 0, or not given.' : `it is ${sipSignalingPort}.`),
})

const badName = (index: number, name: string): Fault => ({
  code: 'InvalidRouteName',
  target: `routes.${index}.name`,
  message:
    `A route needs a name of 1 to ${MAX_NAME_CHARS} characters; ` +
    `that of route ${index} ${isBlank(name) ? 'is blank' : `has ${name.length}`}.`,
})

const badPattern = (index: number, { name }: SipRoute, wrong: string): Fault => ({
  code: 'InvalidRouteNumberPattern',
  target: `routes.${index}.numberpattern`,
  message:
    `The numberPattern of route ${quoted(name)} must be a .NET regular expression of 1 to ${MAX_PATTERN_CHARS} ` +
    `characters, e.g. ^\\+1[0-9]{10}$; it ${wrong}.`,
})

function patternFault(pattern: string): string | undefined {
  if (isBlank(pattern)) return 'is blank'
  if (pattern.length > MAX_PATTERN_CHARS) return `has ${pattern.length}`
  return bracketFault(pattern)
}

/** Limits that the service has no own code for. */
function refuseTooMuch({ trunks, routes }: SipConfiguration): void {
  refuseMore(trunks.length, MAX_TRUNKS, 'trunks', 'trunks')
  refuseMore(routes.length, MAX_ROUTES, 'routes', 'routes')
  for (const [index, route] of routes.entries()) {
    const of = `of route ${quoted(route.name)}`
    refuseMore(route.trunks.length, MAX_TRUNKS_OF_ROUTE, `trunks ${of}`, `routes.${index}.trunks`)
    refuseMore(
      route.description?.length ?? 0,
      MAX_DESCRIPTION_CHARS,
      `characters in the description ${of}`,
      `routes.${index}.description`,
    )
    for (const property of ['name', 'description', 'numberPattern'] as const) {
      if (UNSTORABLE.test(route[property] ?? '')) {
        throw invalidInput(
          `routes.${index}.${property} has a NUL or half of a surrogate pair, which can't be stored. Leave it out.`,
          `routes.${index}.${property.toLowerCase()}`,
        )
      }
    }
  }
}

function refuseMore(count: number, limit: number, what: string, target: string): void {
  if (count > limit) throw invalidInput(`There may be at most ${limit} ${what}, not ${count}.`, target)
}

/** Characters that PostgreSQL can't store in a text. */
const UNSTORABLE = /\0|\p{Cs}/u

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i

/**
 * Letters, digits and inner hyphens, in at least two labels of which the last is no number: an address or a bare host
 * name is no FQDN, and no certificate authority would certify a controller by it. Other alphabets go as `xn--`.
 */
export function isFqdn(text: string): boolean {
  if (text.length > MAX_FQDN_CHARS) return false
  const labels = text.split('.')
  return labels.length >= 2 && labels.every((label) => LABEL.test(label)) && !/^\d+$/.test(labels.at(-1) as string)
}

const isPort = (port: number): boolean => port >= 1 && port <= MAX_PORT

const isBlank = (text: string): boolean => text.trim() === ''

const cut = (text: string): string => (text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS)}…` : text)

const quoted = (text: string): string => `'${cut(text)}'`

const trunkTarget = (fqdn: string): string => `trunks.${cut(fqdn).toLowerCase()}`

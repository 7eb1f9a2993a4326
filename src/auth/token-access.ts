/**
 * Bearer tokens of the Phone Numbers API. A token says who is asking, but not for which resource: that is the one whose
 * host name the request is sent to, or else, at a host that no resource claims, the one that the client is granted there.
 */
import { DomainError } from '../errors.js'
import type { Logger } from '../log.js'
import type { KnownResource, ResourceDirectory } from './resource-directory.js'
import type { TokenPrincipal } from './tokens/claims.js'
import type { TokenVerifier } from './tokens/token-verifier.js'

export interface TokenAccessDeps {
  directory: ResourceDirectory
  logger: Logger
  tokens: TokenVerifier
}

/** Where a request was sent: lower case, without ports. */
export interface Destination {
  host: string
  publicHosts: readonly string[]
}

/**
 * Who a bearer token speaks for, and the resource that it may use. Throws 'unauthenticated' without saying why: what is
 * wrong with a token goes to the log alone. Throws 'access-not-granted' for a good token.
 */
export async function resourceOfToken(
  deps: TokenAccessDeps,
  authorization: string,
  destination: Destination,
): Promise<{ resource: KnownResource; caller: TokenPrincipal }> {
  const caller = await callerOf(deps, authorization)
  let granted = await grantedTo(deps, caller, destination)
  if (granted.length === 0) {
    // The grant may be newer than what this process has read.
    await deps.directory.reloadInDoubt()
    granted = await grantedTo(deps, caller, destination)
  }
  const [resource, ...others] = granted
  if (resource === undefined) throw noGrant(caller)
  if (others.length > 0) throw severalGrants(caller)
  return { resource, caller }
}

async function callerOf({ tokens, logger }: TokenAccessDeps, authorization: string): Promise<TokenPrincipal> {
  try {
    return await tokens.verify(authorization)
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    logger.debug({ reason: error.message }, 'access token denied')
    if (error.kind !== 'unavailable') throw denied(error)
    throw new DomainError('unavailable', 'Access tokens can not be verified at the moment. Try again.', {
      cause: error,
      ...(error.retryAfterSeconds !== undefined && { retryAfterSeconds: error.retryAfterSeconds }),
    })
  }
}

async function grantedTo(
  { directory }: TokenAccessDeps,
  caller: TokenPrincipal,
  { host, publicHosts }: Destination,
): Promise<KnownResource[]> {
  const resources = await directory.resourcesAt(host, publicHosts)
  return resources.filter(({ id }) => directory.isGranted(id, caller))
}

const denied = (cause: unknown): DomainError =>
  new DomainError('unauthenticated', 'Denied by the resource provider.', { cause })

const noGrant = ({ callerId }: TokenPrincipal): DomainError =>
  new DomainError(
    'access-not-granted',
    `The client ${callerId} has no grant on a resource at this address. The operator of this Linebook gives it one with ` +
      `"linebook resource grant <name> ${callerId}".`,
  )

const severalGrants = ({ callerId }: TokenPrincipal): DomainError =>
  new DomainError(
    'access-not-granted',
    `The client ${callerId} has grants on several resources, and this host name tells none of them from the others. ` +
      'Send the request to a host name of the resource itself.',
  )

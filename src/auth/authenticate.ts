import type { Clock } from '../clock.js'
import { DomainError } from '../errors.js'
import {
  checkDateAndBody,
  hostForms,
  parseAuthorization,
  verifySignature,
  withoutPort,
  type ParsedSignature,
  type SignedRequest,
} from './access-key.js'
import type { Evidence } from './request-mark.js'
import type { KnownResource } from './resource-directory.js'
import { resourceOfToken, type Destination, type TokenAccessDeps } from './token-access.js'

/** Who is asking, once shown. */
export interface Principal {
  resourceId: string
  resourceName: string
  /** As histories name it. */
  actor: string
  /** The stock that it sees; '' for the one that is shared. */
  pool: string
  /** Whether the operator has limited what it may buy. */
  restricted: boolean
  /** What showed it; with the client's request id it marks one request, see `request-mark.ts`. */
  evidence: Evidence
}

export interface AuthDeps extends TokenAccessDeps {
  /** The real time, whatever the clock of the domain was moved to: clients date what they sign by theirs. */
  clock: Clock
  /** How far a request's date may be from the clock, either side, in milliseconds. */
  clockSkewMs: number
  /** Host names, with port where clients use one, that a proxy in front is addressed by when it rewrites Host. */
  publicHosts: readonly string[]
}

/**
 * Finds the resource that a request is for. Of a signed one the host it names says which keys may have signed it, and
 * the signature says whose did; of one with a bearer token see `token-access.ts`. Throws 'unauthenticated' with the
 * recorded text, 'access-not-granted' for a good token that may not use the resource.
 */
export async function authenticate(deps: AuthDeps, request: SignedRequest): Promise<Principal> {
  const authorization = request.headers.authorization
  const header = Array.isArray(authorization) ? authorization[0] : authorization
  if (header !== undefined && isBearer(header)) {
    const { resource, caller } = await resourceOfToken(deps, header, destinationOf(deps, request))
    deps.directory.noteUse(resource)
    const { callerId, issuer } = caller
    return { ...asPrincipal(resource), evidence: { scheme: 'token', callerId, issuer } }
  }
  const parsed = parseAuthorization(header)
  if (typeof parsed === 'string') throw denied()
  const refusal = checkDateAndBody(request, parsed, deps.clock.now(), deps.clockSkewMs)
  if (refusal === 'body-hash-differs') {
    throw new DomainError('unauthenticated', "Request 'x-ms-content-sha256' differs from generated content hash.")
  }
  if (refusal !== undefined) throw denied()

  let signer = await findSigner(deps, request, parsed)
  if (signer === undefined) {
    // The key may be newer than what this process has read.
    await deps.directory.reloadInDoubt()
    signer = await findSigner(deps, request, parsed)
  }
  if (signer === undefined) throw denied()
  deps.directory.noteUse(signer)
  return { ...asPrincipal(signer), evidence: { scheme: 'access-key', signature: parsed.signature } }
}

const asPrincipal = ({ id, name, pool, restricted }: KnownResource): Omit<Principal, 'evidence'> => ({
  resourceId: id,
  resourceName: name,
  actor: `resource:${name}`,
  pool,
  restricted,
})

/** Whether an Authorization header shows a token, not a signature. */
export const isBearer = (authorization: string | undefined): boolean => /^bearer(\s|$)/i.test(authorization ?? '')

async function findSigner(
  deps: AuthDeps,
  request: SignedRequest,
  parsed: ParsedSignature,
): Promise<KnownResource | undefined> {
  const hosts = [...new Set([...hostForms(hostOf(request)), ...deps.publicHosts.flatMap(hostForms)])]
  const destination = destinationOf(deps, request)
  const resources = await deps.directory.resourcesAt(destination.host, destination.publicHosts)
  return resources.find((resource) => verifySignature(request, parsed, resource.keys, hosts))
}

function hostOf({ headers }: SignedRequest): string {
  const host = headers.host ?? headers[':authority']
  return typeof host === 'string' ? host : ''
}

const destinationOf = ({ publicHosts }: AuthDeps, request: SignedRequest): Destination => ({
  host: withoutPort(hostOf(request)).toLowerCase(),
  publicHosts: publicHosts.map(withoutPort),
})

/** One text for every cause: which part was wrong is not revealed to a client that is not authenticated. */
const denied = (): DomainError => new DomainError('unauthenticated', 'Denied by the resource provider.')

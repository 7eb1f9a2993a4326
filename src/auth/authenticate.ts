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
import type { KnownResource, ResourceDirectory } from './resource-directory.js'

/** Who is asking, once shown. */
export interface Principal {
  resourceId: string
  resourceName: string
  /** The signature that showed it; with the client's request id it marks one request, see `request-mark.ts`. */
  signature: Buffer
}

export interface AuthDeps {
  clock: Clock
  directory: ResourceDirectory
  /** How far a request's date may be from the clock, either side, in milliseconds. */
  clockSkewMs: number
  /** Host names, with port where clients use one, that a proxy in front is addressed by when it rewrites Host. */
  publicHosts: readonly string[]
}

/**
 * Finds the resource that a signed request is for: the host it names says which keys may have signed it, the signature
 * says whose did. Throws 'unauthenticated' with the recorded text; 'not-implemented' for bearer tokens.
 */
export async function authenticate(deps: AuthDeps, request: SignedRequest): Promise<Principal> {
  const authorization = request.headers.authorization
  const header = Array.isArray(authorization) ? authorization[0] : authorization
  if (isBearer(header)) throw bearerNotImplemented()

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
    await deps.directory.reload()
    signer = await findSigner(deps, request, parsed)
  }
  if (signer === undefined) throw denied()
  return { resourceId: signer.id, resourceName: signer.name, signature: parsed.signature }
}

/** Whether an Authorization header shows a token, not a signature. */
export const isBearer = (authorization: string | undefined): boolean => /^bearer(\s|$)/i.test(authorization ?? '')

async function findSigner(
  { directory, publicHosts }: AuthDeps,
  request: SignedRequest,
  parsed: ParsedSignature,
): Promise<KnownResource | undefined> {
  const hostHeader = request.headers.host ?? request.headers[':authority']
  const host = typeof hostHeader === 'string' ? hostHeader : ''
  const bare = withoutPort(host).toLowerCase()
  const hosts = [...new Set([...hostForms(host), ...publicHosts.flatMap(hostForms)])]
  const resources = await directory.resourcesAt(bare, publicHosts.map(withoutPort))
  return resources.find((resource) => verifySignature(request, parsed, resource.keys, hosts))
}

/** One text for every cause: which part was wrong is not told to somebody who has not shown who they are. */
const denied = (): DomainError => new DomainError('unauthenticated', 'Denied by the resource provider.')

const bearerNotImplemented = (): DomainError =>
  new DomainError(
    'not-implemented',
    'Bearer tokens are not supported by this version of Linebook. Sign requests with an access key (HMAC-SHA256).',
  )

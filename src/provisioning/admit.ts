/**
 * Admits requests. Before an operation runs, every request is checked in the order of contract 1.5: address, route and
 * method, authentication, rate, role, api-version.
 */
import type { TokenPrincipal } from '../auth/tokens/claims.js'
import { allows } from '../auth/tokens/roles.js'
import { roleName, type Role } from '../auth/tokens/roles.js'
import type { TokenVerifier } from '../auth/tokens/token-verifier.js'
import { DomainError } from '../errors.js'
import { clientAddress, type AddressList } from '../http/addresses.js'
import type { QueryParameters } from '../http/query.js'
import type { RateLimit } from '../http/rate-limit.js'
import { rawTarget, type FastifyRequest } from '../http/server.js'
import type { OperationContract } from './contract/operation.js'
import { parametersIn, readFlag, readPath } from './contract/parameters.js'
import { readVersion, type ApiVersion } from './contract/versions.js'
import { matchPath } from './match-path.js'

export interface AdmitDeps {
  verifier: Pick<TokenVerifier, 'verify'>
  allowedAddresses: AddressList
  trustedProxies: AddressList
  /** Undefined: no limit. */
  rateLimit: RateLimit | undefined
}

/** A request that has passed all checks. */
export interface Admitted {
  principal: TokenPrincipal
  operation: OperationContract
  version: ApiVersion
  params: Readonly<Record<string, string>>
  query: QueryParameters
  /** As it came, without the query. */
  path: string
}

/** Throws 'address-not-allowed' for a client outside of the allow list. */
export function checkAddress(
  { allowedAddresses, trustedProxies }: Pick<AdmitDeps, 'allowedAddresses' | 'trustedProxies'>,
  request: FastifyRequest,
): void {
  const address = clientAddress(request, trustedProxies)
  if (address !== undefined && allowedAddresses.has(address)) return
  throw new DomainError(
    'address-not-allowed',
    `Requests from ${address ?? 'an unknown address'} are not allowed. The operator of this Linebook lists the addresses ` +
      'that are, in LINEBOOK_ALLOWED_ADDRESSES.',
  )
}

/**
 * Admits a request whose address is allowed. Throws 'not-found', 'method-not-allowed', 'unauthenticated',
 * 'too-many-requests', 'role-missing', 'version-missing', 'version-unsupported', 'invalid-input'.
 */
export async function admit(deps: AdmitDeps, request: FastifyRequest): Promise<Admitted> {
  const path = pathOf(request)
  const match = matchPath(path)
  if (match === undefined) throw routeNotFound(path)
  const offered = match.operations.filter(({ method }) => method === request.method)
  const [first] = offered
  if (first === undefined) throw methodNotAllowed(request.method, match.operations)
  // Operations of one path and method differ by version alone.
  const principal = await authenticateRequest(deps, request, first.role)
  const query = request.query as QueryParameters
  const version = readVersion(
    query.get('api-version') ?? [],
    offered.flatMap(({ versions }) => versions),
  )
  const operation = offered.find(({ versions }) => versions.includes(version)) as OperationContract
  const names = parametersIn(operation.path)
  // The oldest version calls telephoneNumber phoneNumber.
  const params = readPath({ ...match.params, phoneNumber: match.params['telephoneNumber'] }, names)
  if (operation.repeatable) checkFlags(operation, query)
  return { principal, operation, version, params, query, path }
}

/** Checks the query of a write, which has only flags, before the write is checked for being a repeat. */
function checkFlags({ query: known }: OperationContract, query: QueryParameters): void {
  for (const name of Object.keys(known.properties)) readFlag(name, query.get(name.toLowerCase()))
}

/**
 * Authenticates a client and checks its rate and role. Throws 'unauthenticated', 'too-many-requests', 'role-missing'.
 */
export async function authenticateRequest(
  { verifier, rateLimit }: AdmitDeps,
  request: FastifyRequest,
  role: Role,
): Promise<TokenPrincipal> {
  const principal = await verifier.verify(request.headers.authorization)
  const taken = rateLimit?.take(principal.callerId)
  if (taken && !taken.allowed) {
    throw new DomainError(
      'too-many-requests',
      'Too many requests. Space them, or put numbers in batches: a batch counts as one.',
      { retryAfterSeconds: taken.retryAfterSeconds },
    )
  }
  if (allows(principal.roles, role)) return principal
  throw new DomainError(
    'role-missing',
    `This needs the role ${roleName(role)}${role === 'Admin' ? '' : ` or ${roleName('Admin')}`}; the access token has ` +
      `${principal.roles.size === 0 ? 'none' : [...principal.roles].map(roleName).join(', ')}.`,
  )
}

/** The path as it was sent, without the origin of an absolute target. */
export function pathOf(request: FastifyRequest): string {
  const [path = ''] = rawTarget(request).split('?', 1)
  return path.replace(/^https?:\/\/[^/]*/i, '')
}

export const routeNotFound = (path: string): DomainError =>
  new DomainError('not-found', `There is nothing at ${path.slice(0, 200)}. Paths are case-sensitive.`)

export function methodNotAllowed(method: string, operations: readonly { method: string }[]): DomainError {
  const allow = [...new Set(operations.map((operation) => operation.method))]
  return new DomainError(
    'method-not-allowed',
    `${method} is not a method of this path; it takes ${allow.join(', ')}.`,
    {
      allow,
    },
  )
}

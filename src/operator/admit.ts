/** Who may in: where a request comes from, who asks, how often, and whether they may. */
import { allows, operatorRoleName, type Role } from '../auth/tokens/roles.js'
import type { TokenVerifier } from '../auth/tokens/token-verifier.js'
import { DomainError } from '../errors.js'
import { clientAddress, type AddressList } from '../http/addresses.js'
import type { RateLimit } from '../http/rate-limit.js'
import type { FastifyRequest } from '../http/server.js'
import type { OperatorPrincipal } from './wire/route.js'

/** Finds out who asks. Throws 'address-not-allowed', 'unauthenticated', 'too-many-requests'. */
export type Authenticate = (request: FastifyRequest) => Promise<OperatorPrincipal>

export interface TokenAdmission {
  verifier: Pick<TokenVerifier, 'verify'>
  allowedAddresses: AddressList
  trustedProxies: AddressList
  /** Undefined: as often as they like. */
  rateLimit: RateLimit | undefined
}

/** Over HTTP: an allowed address, a token of a trusted issuer, and not too often. */
export const byToken =
  ({ verifier, allowedAddresses, trustedProxies, rateLimit }: TokenAdmission): Authenticate =>
  async (request) => {
    const address = clientAddress(request, trustedProxies)
    if (address === undefined || !allowedAddresses.has(address)) {
      throw new DomainError(
        'address-not-allowed',
        `Requests from ${address ?? 'an unknown address'} are not allowed; LINEBOOK_ALLOWED_ADDRESSES lists those that are.`,
      )
    }
    const principal = await verifier.verify(request.headers.authorization)
    const taken = rateLimit?.take(principal.callerId)
    if (taken && !taken.allowed) {
      throw new DomainError('too-many-requests', 'Too many requests. Space them.', {
        retryAfterSeconds: taken.retryAfterSeconds,
      })
    }
    return principal
  }

/** Throws 'role-missing'. */
export function checkRole({ operatorRoles }: OperatorPrincipal, role: Role): void {
  if (allows(operatorRoles, role)) return
  const held = operatorRoles.size === 0 ? 'none' : [...operatorRoles].map(operatorRoleName).join(', ')
  const or = role === 'Admin' ? '' : ` or ${operatorRoleName('Admin')}`
  throw new DomainError('role-missing', `This needs the role ${operatorRoleName(role)}${or}; the token has ${held}.`)
}

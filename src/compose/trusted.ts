import type { TokenPrincipal } from '../auth/tokens/claims.js'

/** A principal with all rights that needs no token; only `in-process.ts` makes one. */
export type TrustedPrincipal = TokenPrincipal

import type { TokenPrincipal } from '../auth/tokens/claims.js'

/** Somebody who may do everything, of whom no token is asked; made by `in-process.ts` only. */
export type TrustedPrincipal = TokenPrincipal

/** What a token says, once its signature has shown that its issuer said it. */
import type { JWTPayload } from 'jose'
import { DomainError } from '../../errors.js'
import { operatorRolesOfClaim, rolesOfClaim, type Role } from './roles.js'

/** The client that a token identifies. */
export interface TokenPrincipal {
  /** Who the caller is to us: a program's client id; for a user `user/` and the id that the issuer knows them by. */
  callerId: string
  /** Who says so: as its tokens name it in `iss`, or BUILT_IN_ISSUER. */
  issuer: string
  /** The same for people to read, in logs and histories. */
  name: string
  /** In the Provisioning API. */
  roles: ReadonlySet<Role>
  /** In the Operator API. */
  operatorRoles: ReadonlySet<Role>
  /** Who did it, as histories say: `client:` and the caller's id; `cli:` and a user for the command line in process. */
  actor: string
  /** Whether a person is signed in, as opposed to a program that acts for itself. */
  isUser: boolean
}

/** How the built-in issuer is called, whatever host name a token was asked for under. */
export const BUILT_IN_ISSUER = 'built-in'

/** What a token must say to be accepted. */
export interface Acceptance {
  audiences: readonly string[]
  /** How far the issuer's clock may be from ours. */
  skewMs: number
}

/** The time for which a token is accepted, in milliseconds since the epoch: from the first, until before the second. */
export interface Validity {
  fromMs: number
  untilMs: number
}

/** Checks audience and times, and returns when the token is good. Throws 'unauthenticated', telling what is wrong. */
export function checkClaims(claims: JWTPayload, nowMs: number, { audiences, skewMs }: Acceptance): Validity {
  const { aud, exp, nbf } = claims as Record<string, unknown>
  const named: unknown[] = Array.isArray(aud) ? aud : [aud]
  if (!audiences.some((audience) => named.includes(audience))) {
    const wanted = named.filter((item) => typeof item === 'string').map(quote)
    throw refused(
      `The access token is for ${wanted.length > 0 ? wanted.join(', ') : 'no audience'}, not for this API. ` +
        `Ask for a token whose audience is ${audiences.map(quote).join(' or ')}.`,
    )
  }
  if (!isTime(exp)) throw refused('The access token has no time at which it expires (exp).')
  if (nbf !== undefined && !isTime(nbf)) throw refused('The access token\'s "nbf" is not a time.')
  const validity = {
    fromMs: nbf === undefined ? -Infinity : nbf * 1000 - skewMs,
    untilMs: exp * 1000 + skewMs,
  }
  if (nowMs >= validity.untilMs) throw refused(`The access token expired at ${shownTime(exp)}. Ask for a new one.`)
  if (nowMs < validity.fromMs) {
    throw refused(`The access token is not valid before ${shownTime(nbf as number)}. Compare the clocks.`)
  }
  return validity
}

const CALLER_ID = /^\P{C}{1,256}$/u

/** The client that a verified token of `issuer` identifies. Throws 'unauthenticated' for one that names none. */
export function principalOfClaims(claims: JWTPayload, issuer: string): TokenPrincipal {
  const said = (...names: string[]): string | undefined =>
    names
      .map((name) => claims[name])
      .find((value): value is string => typeof value === 'string' && CALLER_ID.test(value))
  const isUser = typeof claims.scp === 'string' || claims.idtyp === 'user'
  const user = isUser ? said('oid', 'sub') : undefined
  const callerId = user === undefined ? said('appid', 'azp', 'oid', 'sub') : `user/${user}`
  if (callerId === undefined) throw refused('The access token names no caller (appid, azp, oid or sub).')
  const name = isUser ? said('preferred_username', 'upn', 'email', 'name') : said('app_displayname')
  return {
    callerId,
    issuer,
    name: name ?? callerId,
    roles: rolesOfClaim(claims.roles),
    operatorRoles: operatorRolesOfClaim(claims.roles),
    actor: `client:${callerId}`,
    isUser,
  }
}

export const refused = (message: string, cause?: unknown): DomainError =>
  new DomainError('unauthenticated', message, { cause })

const MAX_QUOTED_CHARS = 200

/** What a stranger's token says, safe to repeat. */
export function quote(said: unknown): string {
  const text = JSON.stringify(said)
  return text.length > MAX_QUOTED_CHARS ? `${text.slice(0, MAX_QUOTED_CHARS)}...` : text
}

const MAX_TIME_SECONDS = 8.64e12

/** Seconds since the epoch, within what a date can hold. */
const isTime = (value: unknown): value is number => typeof value === 'number' && Math.abs(value) <= MAX_TIME_SECONDS

const shownTime = (seconds: number): string => new Date(seconds * 1000).toISOString()

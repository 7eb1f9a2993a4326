/** Access tokens that say what a test wants, signed by the service's own issuer or by somebody else. */
import { SignJWT, UnsecuredJWT, type JWTPayload } from 'jose'
import { generateKeyPairSync } from 'node:crypto'
import { SigningKeys } from '../../../src/issuer/signing-keys.js'
import type { TestService } from '../../fixtures/service.js'

export const AUDIENCE = 'https://func-voiceservice-rp-prod-eastuseuap.azurewebsites.net'
const HOUR_SECONDS = 3600

type Service = Pick<TestService, 'store' | 'clock'>

export const secondsAt = ({ clock }: Pick<Service, 'clock'>, offset = 0): number =>
  Math.floor(clock.now().getTime() / 1000) + offset

/** What a token of the service's own issuer says, unless a test says otherwise. */
const claimsOf = (service: Service, claims: JWTPayload): JWTPayload => ({
  iss: 'http://localhost/linebook/v2.0',
  aud: AUDIENCE,
  exp: secondsAt(service, HOUR_SECONDS),
  appid: 'billing',
  roles: ['ProvisioningAPI.Admin'],
  ...claims,
})

/** A good token, but for what `claims` say. */
export async function aToken(service: Service, claims: JWTPayload = {}): Promise<string> {
  const { kid, key } = await new SigningKeys(service.store).current()
  return new SignJWT(claimsOf(service, claims)).setProtectedHeader({ alg: 'ES256', kid }).sign(key)
}

/** As a good one, but signed with a key of somebody else under the name of ours. */
export async function aForgedToken(service: Service): Promise<string> {
  const { kid } = await new SigningKeys(service.store).current()
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return new SignJWT(claimsOf(service, {})).setProtectedHeader({ alg: 'ES256', kid }).sign(privateKey)
}

export const anUnsignedToken = (service: Service): string => new UnsecuredJWT(claimsOf(service, {})).encode()

/** The built-in issuer on a server, over a test database, with a clock that tests move. */
import type { LightMyRequestResponse } from 'fastify'
import { Sealer, EMULATOR_SEALING_KEY } from '../../../src/auth/seal.js'
import { TokenVerifier } from '../../../src/auth/tokens/token-verifier.js'
import { ManualClock } from '../../../src/clock.js'
import type { Db } from '../../../src/db/db.js'
import { createServer, type FastifyInstance } from '../../../src/http/server.js'
import type { TlsFiles } from '../../../src/http/tls.js'
import { openIssuer, type IssuerDeps } from '../../../src/issuer/issuer.js'
import { SigningKeys } from '../../../src/issuer/signing-keys.js'
import { createLogger } from '../../../src/log.js'

export const AUDIENCE = 'https://func-voiceservice-rp-prod-eastuseuap.azurewebsites.net'
export const APPLICATION_ID = '8502a0ec-c76d-412f-836c-398018e2312b'
export const COMMUNICATION = 'https://communication.azure.com/'
export const AUDIENCES = [AUDIENCE, APPLICATION_ID, COMMUNICATION]
export const TENANT = 'linebook'
export const TOKEN_PATH = `/${TENANT}/oauth2/v2.0/token`
export const HOST = 'login.example:8443'
export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

export interface TestIssuer {
  deps: IssuerDeps
  keys: SigningKeys
  clock: ManualClock
  sealer: Sealer
  server: FastifyInstance
  verifier: TokenVerifier
  /** A token request; a field of undefined is left out. */
  ask(form: Record<string, string | undefined>, headers?: Record<string, string>): Promise<LightMyRequestResponse>
}

interface TestIssuerOptions {
  tls?: TlsFiles
  clock?: ManualClock
  sealer?: Sealer
  over?: Partial<IssuerDeps>
}

export async function createTestIssuer(db: Db, options: TestIssuerOptions = {}): Promise<TestIssuer> {
  const { tls, clock = new ManualClock(new Date('2026-03-01T12:00:00.000Z')), over = {} } = options
  const sealer = options.sealer ?? new Sealer([EMULATOR_SEALING_KEY])
  const logger = createLogger('silent')
  const keys = new SigningKeys({ db, sealer, clock, logger })
  const deps: IssuerDeps = {
    db,
    clock,
    logger,
    signingKeys: keys,
    tenant: TENANT,
    audiences: AUDIENCES,
    publicUrl: undefined,
    acceptEmulatorSecret: true,
    ...over,
  }
  const server = createServer({ logger, tls })
  void server.register(async (scope) => openIssuer(scope, deps))
  await server.ready()
  const ownIssuer = { tenant: TENANT, readKeys: () => keys.publicKeys() }
  return {
    deps,
    keys,
    clock,
    sealer,
    server,
    verifier: new TokenVerifier({ clock, issuers: [], audiences: AUDIENCES, ownIssuer }),
    ask: (form, headers = {}) =>
      server.inject({
        method: 'POST',
        url: TOKEN_PATH,
        headers: { host: HOST, 'content-type': 'application/x-www-form-urlencoded', ...headers },
        payload: formOf(form),
      }),
  }
}

const formOf = (form: Record<string, string | undefined>): string =>
  new URLSearchParams(
    Object.entries(form).filter((entry): entry is [string, string] => entry[1] !== undefined),
  ).toString()

/** The fields of a good request of an emulator client. */
export const aRequest = (over: Record<string, string | undefined> = {}): Record<string, string | undefined> => ({
  grant_type: 'client_credentials',
  client_id: 'linebook-reader',
  client_secret: 'linebook-standin',
  scope: `${AUDIENCE}/.default`,
  ...over,
})

/** The part of the composition root that makes the built-in token issuer, and the verifiers of tokens. */
import { TokenVerifier, type OwnIssuer } from '../../auth/tokens/token-verifier.js'
import type { Clock } from '../../clock.js'
import type { Config } from '../../config/config.js'
import type { FastifyInstance } from '../../http/server.js'
import { openIssuer } from '../../issuer/issuer.js'
import { SigningKeys } from '../../issuer/signing-keys.js'
import type { Store } from '../store.js'

export interface IssuerWiring {
  /**
   * Verifies the tokens of every trusted issuer, for one API.
   * @param audiences that API's own, so that a token for another API is refused
   */
  verifierFor(audiences: readonly string[], skewMs?: number): TokenVerifier
  /** Adds the built-in issuer, if there is one. */
  open(server: FastifyInstance): void
}

/** Nothing runs yet. The clock is the real one: tokens carry times of other systems' clocks. */
export function wireIssuer(config: Config, { db, sealer, logger }: Store, clock: Clock): IssuerWiring {
  const { issuerTenant: tenant, provisioningUrl: publicUrl } = config
  const signingKeys = new SigningKeys({ db, sealer, clock, logger })
  const ownIssuer: OwnIssuer | undefined = config.builtInIssuer
    ? { tenant, readKeys: () => signingKeys.publicKeys() }
    : undefined
  return {
    verifierFor: (audiences, skewMs) =>
      new TokenVerifier({
        clock,
        logger,
        issuers: config.tokenIssuers,
        audiences,
        ownIssuer,
        ...(skewMs !== undefined && { skewMs }),
      }),
    open: (server) => {
      if (!config.builtInIssuer) return
      const audiences = audiencesOf(config)
      const acceptEmulatorSecret = config.mode === 'emulator'
      // In its own scope: its headers and error responses differ from those of the APIs.
      void server.register(async (scope) =>
        openIssuer(scope, { db, clock, logger, signingKeys, tenant, audiences, publicUrl, acceptEmulatorSecret }),
      )
    },
  }
}

/** The audiences of the APIs that are served. The Operator API always is, under Provisioning's audiences. */
const audiencesOf = ({ apis, tokenAudiences, phoneNumbersAudiences }: Config): string[] => [
  ...tokenAudiences,
  ...(apis.includes('phone-numbers') ? phoneNumbersAudiences : []),
]

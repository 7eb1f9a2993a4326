/** The part of the composition root that makes the built-in token issuer, and what verifies tokens for both APIs. */
import { TokenVerifier, type OwnIssuer } from '../../auth/tokens/token-verifier.js'
import type { Clock } from '../../clock.js'
import type { Config } from '../../config/config.js'
import type { FastifyInstance } from '../../http/server.js'
import { openIssuer } from '../../issuer/issuer.js'
import { SigningKeys } from '../../issuer/signing-keys.js'
import type { Store } from '../store.js'

export interface IssuerWiring {
  /**
   * Verifies the tokens of every issuer that is trusted, for one API.
   * @param audiences that API's own, so that a token for the other one opens nothing here
   */
  verifierFor(audiences: readonly string[], skewMs?: number): TokenVerifier
  /** Adds the built-in issuer, if there is one. */
  open(server: FastifyInstance): void
}

/** Nothing runs yet. The clock is the real one: tokens are judged by others' clocks too. */
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
      // In a scope of its own: its headers and error answers are not those of what stands beside it.
      void server.register(async (scope) =>
        openIssuer(scope, { db, clock, logger, signingKeys, tenant, audiences, publicUrl, acceptEmulatorSecret }),
      )
    },
  }
}

/** What tokens may be asked for: the APIs that are served. The Operator API always is, under Provisioning's audiences. */
const audiencesOf = ({ apis, tokenAudiences, phoneNumbersAudiences }: Config): string[] => [
  ...tokenAudiences,
  ...(apis.includes('phone-numbers') ? phoneNumbersAudiences : []),
]

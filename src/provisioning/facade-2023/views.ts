/** Turns domain values into the shapes of api-version 2023-10-01, which don't show sync. */
import type { AccountSettings, SubdomainTokens } from '../../accounts/account.js'
import { isEnabled, type NumberDetails } from '../../accounts/account-number.js'
import type { SubdomainStatus } from '../../accounts/subdomain.js'
import { shaped } from '../contract/shaped.js'
import * as models from './models.js'

const statuses: Readonly<Record<SubdomainStatus, models.DirectRoutingProvisioningState['subdomainStatus']>> = {
  provisioned: 'Provisioned',
  notProvisioned: 'NotProvisioned',
  inconsistent: 'Inconsistent',
}

/** The state of an account's subdomain in DNS. */
export interface SubdomainState {
  status: SubdomainStatus
  /** The tokens that are really there. */
  tokens: Partial<SubdomainTokens>
}

/** @param etag without quotes */
export const accountView2023 = (account: AccountSettings, etag: string): models.AccountResponse => {
  const service = account.services.teamsDirectRouting
  const configuration = service?.enabled ? service.configuration : undefined
  return shaped(models.AccountResponse, {
    etag,
    name: account.name,
    details: shaped(models.AccountDetails, {
      directRouting:
        configuration &&
        shaped(models.DirectRoutingDetails, {
          ...configuration,
          subdomainTokens: shaped(models.SubdomainTokens, configuration.subdomainTokens),
        }),
    }),
  })
}

/** An account requested with `status=true`. */
export const accountWithStatusView2023 = (
  account: AccountSettings,
  etag: string,
  { status, tokens }: SubdomainState,
): models.AccountWithStatusResponse =>
  shaped(models.AccountWithStatusResponse, {
    ...accountView2023(account, etag),
    directRoutingProvisioningState: shaped(models.DirectRoutingProvisioningState, {
      subdomainStatus: statuses[status],
      subdomainTokens: Object.keys(tokens).length > 0 ? shaped(models.TokensInDns, tokens) : undefined,
    }),
  })

/**
 * The tokens that a zone has.
 * @param names of the account's subdomain by region, see `namesOf`
 * @param found the zone's records of these names
 */
export function tokensInZone(
  names: readonly string[],
  found: ReadonlyMap<string, readonly string[]>,
): Partial<SubdomainTokens> {
  const [region1Token, region2Token] = names.map((name) => found.get(name)?.[0])
  return {
    ...(region1Token !== undefined && { region1Token }),
    ...(region2Token !== undefined && { region2Token }),
  }
}

export const numberView2023 = (
  { e164, account, details }: { e164: string; account: Pick<AccountSettings, 'name'>; details: NumberDetails },
  etag: string,
): models.NumberResponse =>
  shaped(models.NumberResponse, {
    etag,
    accountName: account.name,
    phoneNumber: e164,
    details: shaped(models.NumberDetails, {
      services: {
        teamsDrEnabled: isEnabled(details, 'teamsDirectRouting'),
        teamsOcEnabled: isEnabled(details, 'teamsOperatorConnect'),
        zoomEnabled: isEnabled(details, 'zoomPhoneCloudPeering'),
      },
      configuration: details.configuration && shaped(models.NumberConfiguration, details.configuration),
    }),
  })

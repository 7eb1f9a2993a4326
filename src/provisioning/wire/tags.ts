/** The two parts of a tag: what clients can write, and the rest of what they see (contract 1.7). */
import type { Account, AccountWithStatus } from '../../accounts/account.js'
import type { AccountNumber, NumberDetails } from '../../accounts/account-number.js'
import type { RequestForInformation } from '../../accounts/consent.js'
import type { SubdomainStatus } from '../../accounts/subdomain.js'
import type { CivicAddress } from '../../backends/port/teams.js'
import type { Version } from './conditions.js'
import { etagOf } from './etag.js'

const accountConfiguration = ({ name, correlationId, teamsTenantId, services }: Account) => ({
  name,
  correlationId,
  teamsTenantId,
  services,
})

/** An account about to be written: only the part that clients can write counts then. */
export const storedAccount = (account: Account): Version => ({
  etag: etagOf(accountConfiguration(account), null),
  modifiedAt: account.modifiedAt,
  changedAt: account.modifiedAt,
})

export const shownAccount = (account: AccountWithStatus, subdomain: SubdomainStatus): Version => ({
  etag: etagOf(accountConfiguration(account), [account.sync, account.counts, subdomain]),
  modifiedAt: account.modifiedAt,
  changedAt: account.changedAt,
})

export const storedNumber = (number: { details: NumberDetails; modifiedAt: Date }): Version => ({
  etag: etagOf(number.details, null),
  modifiedAt: number.modifiedAt,
  changedAt: number.modifiedAt,
})

export const shownNumber = ({ details, sync, modifiedAt, changedAt }: AccountNumber): Version => ({
  etag: etagOf(details, { ...sync, observedAt: null }),
  modifiedAt,
  changedAt,
})

export const shownConsent = ({
  consent,
  accountName,
  sync,
  relationship,
  changedAt,
}: RequestForInformation): Version => {
  const modifiedAt = relationship.lastModifiedOn ?? changedAt
  const { status, comment } = relationship
  return { etag: etagOf({ status, comment }, { ...consent, accountName, sync }), modifiedAt, changedAt }
}

/**
 * Addresses can't be written here: all of one is state. Its last change is not known, so it counts as changed just now.
 * @param at when it was read
 */
export const shownAddress = (address: CivicAddress, at: Date): Version => ({
  etag: etagOf(null, address),
  modifiedAt: at,
  changedAt: at,
})

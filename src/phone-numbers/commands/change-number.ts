import type { Principal } from '../../auth/authenticate.js'
import type { Queryable } from '../../db/db.js'
import { DomainError, invalidInput, notFound } from '../../errors.js'
import { newId } from '../../ids.js'
import { covers, isE164, type Capabilities } from '../../ledger/number.js'
import { findOwned, type OwnedNumber } from '../../ledger/reads.js'
import { newOperation, type Operation } from '../../operations/operation.js'
import type { PhoneNumbersDeps, Requester } from '../model/deps.js'
import { acceptOnce, acceptOnNumber } from './accept.js'
import { noMatchingOffering } from './search-numbers.js'

/** One number that the resource owns. Throws 'not-found' for any other, malformed ones included. */
export async function getOwnedNumber(
  db: Queryable,
  { resourceId }: Principal,
  phoneNumber: string,
): Promise<OwnedNumber> {
  const e164 = toE164(phoneNumber)
  const owned = e164 === undefined ? undefined : await findOwned(db, resourceId, e164)
  if (!owned) throw notFound(`Input phoneNumber ${phoneNumber} cannot be found.`, 'phonenumber')
  return owned
}

/**
 * Changes the capabilities of an owned number; one that is left out stays as it is.
 *
 * Throws 'number-not-owned' (for malformed numbers too, as recorded), 'invalid-input' when nothing is asked for,
 * 'no-matching-offering' beyond what the number's offering has, 'number-busy' while another operation on it runs.
 */
export function changeCapabilities(
  deps: PhoneNumbersDeps,
  requester: Requester,
  phoneNumber: string,
  wanted: Partial<Capabilities>,
): Promise<Operation> {
  const now = deps.clock.now()
  return acceptOnce(deps, requester, async (tx) => {
    const e164 = toE164(phoneNumber)
    const owned = e164 === undefined ? undefined : await findOwned(tx, requester.principal.resourceId, e164)
    if (!owned) {
      throw new DomainError('number-not-owned', 'Phone number not owned by this resource.', { target: 'phonenumber' })
    }
    checkCapabilities(deps, owned, wanted)
    const subject = { kind: 'capabilities', e164: owned.e164, capabilities: wanted } as const
    const operation = newOperation(
      newId(),
      requester.principal,
      subject,
      now,
      deps.courseOf('capabilities', requester.principal.resourceName),
    )
    return acceptOnNumber(deps, tx, operation, requester.requestMark)
  })
}

/**
 * Releases an owned number; it rests in quarantine before it can be sold again.
 *
 * Throws 'not-found' for a number that is not owned, 'number-busy' while another operation on it runs.
 */
export function releaseOwnedNumber(
  deps: PhoneNumbersDeps,
  requester: Requester,
  phoneNumber: string,
): Promise<Operation> {
  const now = deps.clock.now()
  return acceptOnce(deps, requester, async (tx) => {
    const { e164 } = await getOwnedNumber(tx, requester.principal, phoneNumber)
    const operation = newOperation(
      newId(),
      requester.principal,
      { kind: 'release', e164 },
      now,
      deps.courseOf('release', requester.principal.resourceName),
    )
    return acceptOnNumber(deps, tx, operation, requester.requestMark)
  })
}

function checkCapabilities({ catalogue }: PhoneNumbersDeps, owned: OwnedNumber, wanted: Partial<Capabilities>): void {
  if (wanted.calling === undefined && wanted.sms === undefined) {
    throw invalidInput(
      'Give calling, sms or both, each one of none, inbound, outbound, inbound+outbound.',
      'capabilities',
    )
  }
  const offering = catalogue.find(owned.countryCode, owned.numberType, owned.assignmentType)
  if (!offering || !covers(offering.capabilities, { calling: 'none', sms: 'none', ...wanted })) {
    throw noMatchingOffering(catalogue.offerings(owned.countryCode))
  }
}

/** A number in a path: E.164, or its digits alone. */
const toE164 = (text: string): string | undefined => {
  const e164 = text.startsWith('+') ? text : `+${text}`
  return isE164(e164) ? e164 : undefined
}

import { later } from '../../clock.js'
import { DomainError, invalidInput } from '../../errors.js'
import { newId } from '../../ids.js'
import { covers, type AssignmentType, type Capabilities, type NumberType } from '../../ledger/number.js'
import { ended, isDue, newOperation, subjectId, type Operation } from '../../operations/operation.js'
import { insertOperation } from '../../operations/store.js'
import { searchNow } from '../execution/run-search.js'
import type { Offering } from '../model/catalogue.js'
import type { PhoneNumbersDeps, Requester } from '../model/deps.js'
import type { Search } from '../model/search.js'
import { findSearch, saveSearch } from '../model/search-store.js'
import { acceptOnce } from './accept.js'

export interface WantedSearch {
  countryCode: string
  numberType: NumberType
  assignmentType: AssignmentType
  capabilities: Capabilities
  areaCode: string | undefined
  quantity: number
}

/**
 * Searches for numbers and holds those it finds for the resource. The hold runs from acceptance, so that the expiry
 * that a client reads is never further away than the documented time.
 *
 * Throws 'no-matching-offering' when nothing in the catalogue has these capabilities, 'invalid-input' for a quantity
 * or area code out of bounds. Finding too few numbers is not an error; finding none makes the operation fail.
 * Returns the search too, once it has finished.
 */
export async function searchNumbers(
  deps: PhoneNumbersDeps,
  requester: Requester,
  wanted: WantedSearch,
): Promise<{ operation: Operation; search: Search | undefined }> {
  checkBounds(deps, wanted)
  const offering = findOffering(deps, wanted)
  const now = deps.clock.now()
  const owner = requester.principal
  const search = newSearch(deps, owner.resourceId, wanted, offering, now)
  const course = deps.courseOf('search', requester.principal.resourceName)
  const operation = newOperation(search.id, owner, { kind: 'search', searchId: search.id }, now, course)
  let searched = search
  const accepted = await acceptOnce(deps, requester, async (tx) => {
    let stored = operation
    searched = search
    if (isDue(operation, now)) {
      const done = await searchNow(deps, tx, operation, search, requester.principal, now)
      searched = done.search
      stored = ended(operation, now, done.failure)
    }
    await saveSearch(tx, searched)
    await insertOperation(tx, stored, requester.requestMark)
    return stored
  })
  const isFirst = accepted.id === operation.id
  const current = isFirst ? searched : await findSearch(deps.db, owner.resourceId, subjectId(accepted), now)
  return { operation: accepted, search: current?.state === 'running' ? undefined : current }
}

const newSearch = (
  { policyOf }: PhoneNumbersDeps,
  resourceId: string,
  wanted: WantedSearch,
  { price, resellAgreementRequired }: Offering,
  now: Date,
): Search => ({
  ...wanted,
  id: newId(),
  resourceId,
  price,
  resellAgreementRequired,
  createdAt: now,
  expiresAt: later(now, policyOf(wanted).searchHoldMs),
  state: 'running',
  phoneNumbers: [],
  error: 'NoError',
})

function checkBounds({ maxSearchQuantity }: PhoneNumbersDeps, { quantity, areaCode }: WantedSearch): void {
  if (quantity < 1 || quantity > maxSearchQuantity) {
    throw invalidInput(`quantity must be a whole number from 1 to ${maxSearchQuantity}, not ${quantity}.`, 'quantity')
  }
  if (areaCode !== undefined && !/^\d{1,8}$/.test(areaCode)) {
    throw invalidInput('areaCode must be 1 to 8 digits, e.g. "425".', 'areacode')
  }
}

function findOffering({ catalogue }: PhoneNumbersDeps, wanted: WantedSearch): Offering {
  const { countryCode, numberType, assignmentType, capabilities } = wanted
  const offering = catalogue.find(countryCode, numberType, assignmentType)
  const asksForNothing = capabilities.calling === 'none' && capabilities.sms === 'none'
  if (!offering || asksForNothing || !covers(offering.capabilities, capabilities)) {
    throw noMatchingOffering(catalogue.offerings(countryCode))
  }
  return offering
}

/** The service's own wording; the details list what is offered instead. */
export const noMatchingOffering = (offered: readonly Offering[]): DomainError =>
  new DomainError('no-matching-offering', 'We are unable to find phone plans to match your requested capabilities.', {
    details: offered.map(({ countryCode, numberType, assignmentType, capabilities: { calling, sms } }) => ({
      code: 'Offering',
      message: `${countryCode} has ${numberType} for ${assignmentType} with calling ${calling} and sms ${sms}.`,
    })),
  })

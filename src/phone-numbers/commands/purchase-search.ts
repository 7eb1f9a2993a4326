import { DomainError } from '../../errors.js'
import { isUuid } from '../../ids.js'
import { newOperation, type Operation } from '../../operations/operation.js'
import { findOperation } from '../../operations/store.js'
import { acceptPurchase } from '../execution/purchase.js'
import { saleOfSearch } from '../execution/search-sale.js'
import type { PhoneNumbersDeps, Requester } from '../model/deps.js'
import type { Search } from '../model/search.js'
import { lockSearch } from '../model/search-store.js'
import { acceptOnce } from './accept.js'
import { searchNotFound } from './get-search-result.js'

/**
 * Purchases all numbers that a search holds. Repeating a purchase that is under way or done has no second effect: its
 * operation has the search's id.
 *
 * Throws 'not-found', 'resell-agreement-required', 'search-not-purchasable' for a search that runs or failed, and
 * 'hold-expired'.
 */
export async function purchaseSearch(
  deps: PhoneNumbersDeps,
  requester: Requester,
  { searchId, agreeToNotResell }: { searchId: string; agreeToNotResell: boolean },
): Promise<Operation> {
  if (!isUuid(searchId)) throw searchNotFound(searchId)
  const owner = requester.principal
  return acceptOnce(deps, requester, async (tx) => {
    const now = deps.clock.now()
    const search = await lockSearch(tx, owner.resourceId, searchId, now)
    if (!search) throw searchNotFound(searchId)
    const sale = saleOfSearch(search)
    if (search.state === 'purchased' || search.state === 'purchasing') {
      const { id } = newOperation(search.id, owner, sale.subject, now, { delayMs: 0 })
      return (
        (await findOperation(tx, owner.resourceId, id, now)) ??
        // The operation ended so long ago that it has been purged; its effect remains.
        newOperation(search.id, owner, sale.subject, now, { delayMs: 0 }, search.createdAt)
      )
    }
    checkPurchasable(search, agreeToNotResell, now)
    return acceptPurchase(deps, tx, requester, search.id, sale)
  })
}

function checkPurchasable(
  { state, resellAgreementRequired, expiresAt }: Search,
  agreeToNotResell: boolean,
  now: Date,
): void {
  if (state !== 'found') {
    throw new DomainError(
      'search-not-purchasable',
      state === 'running'
        ? 'The search has not finished yet. Wait for its operation to succeed, then purchase.'
        : 'The search or its purchase has failed and holds no numbers. Search again.',
      { target: 'searchid' },
    )
  }
  if (resellAgreementRequired && !agreeToNotResell) throw resellAgreementMissing()
  if (expiresAt <= now) {
    throw new DomainError(
      'hold-expired',
      'The search has expired and its numbers are no longer held. Search again and purchase within the time of the hold.',
    )
  }
}

/** The service's own wording. */
export const resellAgreementMissing = (): DomainError =>
  new DomainError(
    'resell-agreement-required',
    'Do not resell agreement was not provided and it is required for this purchase.',
  )

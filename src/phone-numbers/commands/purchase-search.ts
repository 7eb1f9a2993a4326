import { DomainError } from '../../errors.js'
import { isUuid } from '../../ids.js'
import { requireWholeHold } from '../../ledger/commands.js'
import { extendHold } from '../../ledger/store.js'
import { ended, newOperation, type Operation } from '../../operations/operation.js'
import { insertOperation } from '../../operations/store.js'
import { askerOf, type Caller, type PhoneNumbersDeps } from '../deps.js'
import type { Search } from '../search.js'
import { lockSearch, saveSearch } from '../store.js'
import { acceptOnce } from './accept.js'
import { runPurchase } from './carry-out.js'
import { searchNotFound } from './get-search-result.js'

/**
 * Purchases all numbers that a search holds, or none. Asking again for a purchase that is under way or done has no
 * second effect: its operation has the search's id.
 *
 * Throws 'not-found', 'resell-agreement-required', 'search-not-purchasable' for a search that runs or failed, and
 * 'hold-expired'.
 */
export async function purchaseSearch(
  deps: PhoneNumbersDeps,
  caller: Caller,
  { searchId, agreeToNotResell }: { searchId: string; agreeToNotResell: boolean },
): Promise<Operation> {
  if (!isUuid(searchId)) throw searchNotFound(searchId)
  const asker = askerOf(caller)
  return acceptOnce(deps, caller, async (tx) => {
    const now = deps.clock.now()
    const search = await lockSearch(tx, asker.resourceId, searchId, now)
    if (!search) throw searchNotFound(searchId)
    const operation = newOperation(
      search.id,
      asker,
      { kind: 'purchase', searchId: search.id },
      now,
      deps.delays.purchase,
      search.createdAt,
    )
    if (search.state === 'purchased') return ended(operation, now, null)
    if (search.state === 'purchasing') return operation
    checkPurchasable(search, agreeToNotResell)

    if (operation.dueAt > now) {
      requireWholeHold(await extendHold(tx, search.id, 'infinity', now), search.phoneNumbers)
      await saveSearch(tx, { ...search, state: 'purchasing' })
      await insertOperation(tx, operation, null)
      return operation
    }
    await runPurchase(tx, search, { at: now, actor: asker.actor, reason: operation.id })
    const done = ended(operation, now, null)
    await insertOperation(tx, done, null)
    return done
  })
}

function checkPurchasable({ state, resellAgreementRequired }: Search, agreeToNotResell: boolean): void {
  if (state !== 'found') {
    throw new DomainError(
      'search-not-purchasable',
      state === 'running'
        ? 'The search has not finished yet. Wait for its operation to succeed, then purchase.'
        : 'The search has failed and holds no numbers. Search again.',
      { target: 'searchid' },
    )
  }
  if (resellAgreementRequired && !agreeToNotResell) {
    throw new DomainError(
      'resell-agreement-required',
      'Do not resell agreement was not provided and it is required for this purchase.',
    )
  }
}

import type { Tx } from '../../db/db.js'
import type { Sale, SaleProgress } from '../model/sale.js'
import { isSearchErrorCode, type Search, type SearchError } from '../model/search.js'
import { saveSearch } from '../model/search-store.js'

/** The purchase of the numbers that a locked search holds, all on the same terms. */
export const saleOfSearch = (search: Search): Sale => ({
  subject: { kind: 'purchase', searchId: search.id },
  resourceId: search.resourceId,
  holdId: search.id,
  createdAt: search.createdAt,
  heldUntil: search.expiresAt,
  lines: search.phoneNumbers.map((e164) => ({
    e164,
    countryCode: search.countryCode,
    numberType: search.numberType,
    assignmentType: search.assignmentType,
    ...search.capabilities,
    price: search.price,
  })),
  settle: (tx, progress, now) => settle(tx, search, progress, now),
})

async function settle(tx: Tx, search: Search, progress: SaleProgress, now: Date): Promise<void> {
  if (progress.state === 'accepted') return saveSearch(tx, { ...search, state: 'purchasing' })
  if (progress.state === 'called-off') return saveSearch(tx, { ...search, state: 'found' })
  const { bought, failure } = progress
  if (failure === null) return saveSearch(tx, { ...search, state: 'purchased' })
  await saveSearch(tx, {
    ...search,
    state: 'failed',
    // The numbers that it bought are owned now; the others are no longer held for it.
    phoneNumbers: bought.length > 0 ? [...bought].sort() : search.phoneNumbers,
    error: asSearchError(failure.code),
    expiresAt: now,
  })
}

/** The published name of an error, as readers of the search see it. */
export const asSearchError = (code: string): SearchError => (isSearchErrorCode(code) ? code : 'UnknownErrorCode')

/** Carries out a search: checks whether the resource may buy this, then holds the available numbers. */
import type { Principal } from '../../auth/authenticate.js'
import { refuseOffering, type Refusal } from '../../buyers/buyer.js'
import { readBuyer } from '../../buyers/store.js'
import type { Tx } from '../../db/db.js'
import type { Cause } from '../../ledger/history.js'
import { holdAny } from '../../ledger/holds.js'
import { countFree, nearestAreaCodes, type Kind } from '../../ledger/places.js'
import type { Operation, OperationFailure } from '../../operations/operation.js'
import type { PhoneNumbersDeps } from '../model/deps.js'
import type { Search } from '../model/search.js'
import { offerWithdrawn, refuseOverLimit } from './purchase.js'
import { asSearchError } from './search-sale.js'

/** The properties of the resource that a search depends on; undefined where only its id is known. */
export type Searcher = Pick<Principal, 'pool' | 'restricted'> | undefined

const MAX_NEAREST = 5

/** A search after it has ended, and why its operation failed if it did. */
export interface RanSearch {
  search: Search
  failure: OperationFailure | null
}

/** Ends a search as its operation is scripted, or with the numbers that are available. */
export async function searchNow(
  deps: PhoneNumbersDeps,
  tx: Tx,
  { id, actor, scriptedFailure }: Operation,
  search: Search,
  searcher: Searcher,
  now: Date,
): Promise<RanSearch> {
  if (scriptedFailure) return { search: failedSearch(search, scriptedFailure, now), failure: scriptedFailure }
  return runSearch(deps, tx, search, searcher, { at: now, actor, reason: id })
}

/** Holds numbers for a search. Returns it as found or failed, and why it failed. */
async function runSearch(
  deps: PhoneNumbersDeps,
  tx: Tx,
  search: Search,
  searcher: Searcher,
  cause: Cause,
): Promise<RanSearch> {
  const { id, resourceId, countryCode, numberType, areaCode, quantity, expiresAt } = search
  const { refusal, pool } = await mayBuy(deps, tx, search, searcher)
  if (refusal) return { search: failedSearch(search, refusal, cause.at), failure: refusal }
  const kind = { pool, countryCode, numberType }
  const phoneNumbers = await holdAny(
    tx,
    { ...kind, areaCode, quantity },
    { holdId: id, resourceId, until: expiresAt },
    cause,
  )
  if (phoneNumbers.length > 0) return { search: { ...search, state: 'found', phoneNumbers }, failure: null }
  const failure = outOfStock(search, await whatIsThere(deps, tx, kind, areaCode, cause.at))
  return { search: failedSearch(search, failure, cause.at), failure }
}

/** A search that has ended without numbers. */
export const failedSearch = (search: Search, { code }: OperationFailure, now: Date): Search => ({
  ...search,
  state: 'failed',
  error: asSearchError(code),
  expiresAt: now,
})

/**
 * Why the resource may not buy this, if so, and the stock that it sees. Costs a query only if there may be a reason.
 */
async function mayBuy(
  { catalogue }: PhoneNumbersDeps,
  tx: Tx,
  { resourceId, countryCode, numberType, assignmentType, quantity }: Search,
  searcher: Searcher,
): Promise<{ refusal: Refusal | undefined; pool: string }> {
  const offering = catalogue.find(countryCode, numberType, assignmentType)
  if (!offering || offering.withdrawn) {
    return { refusal: offerWithdrawn(`${countryCode}:${numberType}:${assignmentType}`), pool: '' }
  }
  if (searcher && !searcher.restricted && !offering.addressRequired) return { refusal: undefined, pool: searcher.pool }
  const buyer = await readBuyer(tx, resourceId)
  const { addressRequired } = offering
  const refusal =
    refuseOffering(buyer, { countryCode, numberType, assignmentType, addressRequired }) ??
    (await refuseOverLimit(tx, buyer, quantity))
  return { refusal, pool: buyer.pool }
}

/** The numbers in other areas, for a kind that has none in the requested one. */
interface Elsewhere {
  nearest: readonly string[]
  /** How many numbers all areas have, up to the largest quantity of a search. */
  count: number
}

async function whatIsThere(
  { maxSearchQuantity }: PhoneNumbersDeps,
  tx: Tx,
  kind: Kind,
  areaCode: string | undefined,
  now: Date,
): Promise<Elsewhere> {
  if (areaCode === undefined) return { nearest: [], count: 0 }
  const nearest = await nearestAreaCodes(tx, { ...kind, areaCode }, MAX_NEAREST, now)
  const count = nearest.length > 0 ? await countFree(tx, kind, maxSearchQuantity, now) : 0
  return { nearest, count }
}

function outOfStock({ countryCode, numberType, areaCode }: Search, { nearest, count }: Elsewhere): OperationFailure {
  const where = areaCode === undefined ? countryCode : `area code ${areaCode} of ${countryCode}`
  return {
    code: 'OutOfStock',
    message: `No ${numberType} numbers are available in ${where} now.`,
    ...(nearest.length > 0 && {
      details: [
        {
          code: 'NearestAreaCodes',
          message: `There are numbers in area code ${nearest.join(', ')}.`,
          target: 'areacode',
        },
        {
          code: 'LargestQuantity',
          message: `Without an area code a search would find up to ${count} now.`,
          target: 'quantity',
        },
      ],
    }),
  }
}

import type { Principal } from '../../auth/authenticate.js'
import { notFound, type DomainError } from '../../errors.js'
import { isUuid } from '../../ids.js'
import type { PhoneNumbersDeps } from '../model/deps.js'
import type { Search } from '../model/search.js'
import { findSearch } from '../model/search-store.js'

/** A search that has ended. Throws 'not-found' for one that is unknown, of another resource, running or purged. */
export async function getSearchResult(
  { db, clock }: PhoneNumbersDeps,
  { resourceId }: Principal,
  searchId: string,
): Promise<Search> {
  const search = isUuid(searchId) ? await findSearch(db, resourceId, searchId, clock.now()) : undefined
  if (!search || search.state === 'running') throw searchNotFound(searchId)
  return search
}

/** The service's own wording; it echoes any id as it came. */
export const searchNotFound = (searchId: string): DomainError =>
  notFound(`Input searchId ${searchId} cannot be found.`, 'searchid')

/** The Teams part of a backend that speaks the protocol. */
import { BackendError } from '../port/call.js'
import type { CivicAddress, Consent, TeamsPart } from '../port/teams.js'
import { nothing, type Calls } from './calls.js'
import type { TimeLimit } from './transport.js'
import { readConsent } from './wire.js'

export function httpTeams({ command, read, limit }: Calls): TeamsPart {
  const consents = (signal?: AbortSignal, tenantId?: string): Promise<Consent[]> =>
    allPages(limit(signal), async (cursor, time) => {
      const { consents: found, nextCursor } = await read('listConsents', { query: { tenantId, cursor }, ...time })
      return { found: found.map(readConsent), nextCursor }
    })
  const civicAddresses = (signal: AbortSignal | undefined, tenantId: string, id?: string): Promise<CivicAddress[]> =>
    allPages(limit(signal), async (cursor, time) => {
      const response = await read('listCivicAddresses', { query: { tenantId, id, cursor }, ...time })
      return { found: response.civicAddresses, nextCursor: response.nextCursor }
    })

  return {
    listConsents: (signal) => consents(signal),
    getConsent: async (tenantId, signal) =>
      (await consents(signal, tenantId)).find((consent) => consent.tenantId.toLowerCase() === tenantId.toLowerCase()),
    updateCustomerRelationships: (changes) =>
      command('updateCustomerRelationships', changes, { items: changes }, nothing),
    listCivicAddresses: (tenantId, signal) => civicAddresses(signal, tenantId),
    getCivicAddress: async (tenantId, id, signal) =>
      (await civicAddresses(signal, tenantId, id)).find((address) => address.id === id),
    listCapabilityPlans: async (tenantId, signal) =>
      (await read('listCapabilityPlans', { query: { tenantId }, ...limit(signal) })).capabilityPlans,
    getAvailableCapabilities: async (tenantId, e164s, signal) => {
      const body = { tenantId, telephoneNumbers: e164s }
      const { numbers } = await read('getAvailableCapabilities', { body, ...limit(signal) })
      return numbers.map(({ telephoneNumber: e164, availableCapabilities }) => ({ e164, availableCapabilities }))
    },
  }
}

/** A longer list is neither read to its end nor shown in part. */
const MAX_PAGES = 200

/** All pages, within the time limit of one call. */
async function allPages<Item>(
  time: TimeLimit,
  read: (cursor: string | undefined, time: TimeLimit) => Promise<{ found: Item[]; nextCursor: string | undefined }>,
): Promise<Item[]> {
  const all: Item[] = []
  let cursor: string | undefined
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const { found, nextCursor } = await read(cursor, time)
    all.push(...found)
    if (nextCursor === undefined) return all
    cursor = nextCursor
  }
  throw new BackendError(
    { code: 'InvalidAnswer', message: `A list of the backend has more than ${MAX_PAGES} pages.` },
    { mayHaveActed: false },
  )
}

/** The Teams part of a simulated backend: consents, civic addresses and capability plans. */
import type { RelationshipChange, TeamsPart } from '../port/teams.js'
import { runCommand, runRead, type CallDeps } from './calls.js'
import { availableCapabilities, type HeldNumber } from './numbers.js'
import type { Seed } from './seed.js'
import {
  addressesNow,
  addressesRef,
  consentNow,
  consentRef,
  consentsNow,
  plansNow,
  plansRef,
  relationshipAct,
  reportConsent,
  type ConsentDocument,
} from './world.js'

/** Reads those of the numbers that the tenant has, and its plans. */
export type NumbersOf = (
  method: 'getNumbers' | 'getAvailableCapabilities',
  tenantId: string,
  e164s: readonly string[],
) => Promise<{ plans: ReturnType<typeof plansNow>; numbers: { e164: string; number: HeldNumber }[] }>

interface TeamsDeps extends CallDeps {
  seed: Seed
  operatorId: string
  numbersOf: NumbersOf
}

export function simulatedTeams(deps: TeamsDeps): TeamsPart {
  const { service, documents, clock, seed, operatorId, numbersOf } = deps

  const readAddresses = (method: 'listCivicAddresses' | 'getCivicAddress', tenantId: string) =>
    runRead(deps, { method, tenantId, keys: [] }, [addressesRef(tenantId)], ([content]) =>
      addressesNow(seed, tenantId, content),
    )

  return {
    listConsents: () =>
      runRead(deps, { method: 'listConsents', keys: [] }, [], async () =>
        (await consentsNow(seed, documents)).map((consent) => reportConsent(consent, operatorId)),
      ),
    getConsent: (tenantId) =>
      runRead(deps, { method: 'getConsent', tenantId, keys: [tenantId] }, [consentRef(tenantId)], ([content]) => {
        const consent = consentNow(seed, tenantId, content)
        return consent && reportConsent(consent, operatorId)
      }),
    updateCustomerRelationships: (changes) =>
      runCommand<ConsentDocument, RelationshipChange, undefined>(deps, {
        method: 'updateCustomerRelationships',
        items: changes,
        keyOf: ({ tenantId }) => tenantId,
        refOf: ({ tenantId }) => consentRef(tenantId),
        around: [],
        rules: () => ({ act: relationshipAct(seed, service, clock.now()), value: () => undefined }),
      }),

    listCivicAddresses: (tenantId) => readAddresses('listCivicAddresses', tenantId),
    getCivicAddress: async (tenantId, id) =>
      (await readAddresses('getCivicAddress', tenantId)).find((address) => address.id === id),
    listCapabilityPlans: (tenantId) =>
      runRead(
        deps,
        { method: 'listCapabilityPlans', tenantId, keys: [] },
        [plansRef(service, tenantId)],
        ([content]) => [...plansNow(seed, service, content)],
      ),
    getAvailableCapabilities: async (tenantId, e164s) => {
      const { plans, numbers } = await numbersOf('getAvailableCapabilities', tenantId, e164s)
      return numbers.map(({ e164, number }) => ({
        e164,
        availableCapabilities: availableCapabilities(number.configuration, plans),
      }))
    },
  }
}

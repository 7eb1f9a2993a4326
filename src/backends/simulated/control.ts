/** Controls a simulated backend from outside, for people and tests: inspect it, change its world, make it misbehave. */
import type { BackendNumber, ServiceCode, TenantSettings } from '../port/backend.js'
import type { CapabilityPlan, CivicAddress, Consent } from '../port/teams.js'
import { behaviourRef } from './calls.js'
import type { Change, Documents, Kind, LoggedCall, Ref, Scope } from './documents.js'
import {
  asBehaviour,
  type Behaviour,
  type Misbehaviour,
  type MisbehaviourName,
  type SimulatedSettings,
} from './misbehaviour.js'
import { reportNumber, type NumberDocument } from './numbers.js'
import type { Seed, SeedConsent } from './seed.js'
import {
  addressesNow,
  addressesRef,
  consentDocument,
  consentRef,
  consentsNow,
  plansNow,
  plansRef,
  reportConsent,
} from './world.js'

/** The ways in which a number silently loses something. */
export const driftEffects = ['configuration', 'assignment', 'vanish'] as const
export type DriftEffect = (typeof driftEffects)[number]

export interface Page {
  after?: string
  limit: number
}

export interface SimulatedControl {
  readonly service: ServiceCode
  settings(): Promise<SimulatedSettings>
  changeSettings(settings: Partial<SimulatedSettings>): Promise<void>
  misbehaviours(): Promise<Behaviour['misbehaviours']>
  /** Starts a misbehaviour; it replaces an earlier one of the same name. */
  misbehave<Name extends MisbehaviourName>(name: Name, misbehaviour: Misbehaviour<Name>): Promise<void>
  /** Ends one misbehaviour, or all. */
  behave(name?: MisbehaviourName): Promise<void>
  /** Makes numbers silently lose something at once; all numbers when none are given. Returns those that did. */
  drift(effect: DriftEffect, e164s?: readonly string[]): Promise<string[]>

  /** The numbers that are there, ordered by number. `next`: where the next page starts, if there may be one. */
  numbers(page: Page): Promise<{ numbers: BackendNumber[]; next?: string }>
  tenants(page: Page): Promise<{ tenants: Tenant[]; next?: string }>
  consents(): Promise<Consent[]>
  putConsent(consent: SeedConsent): Promise<void>
  removeConsent(tenantId: string): Promise<void>
  civicAddresses(tenantId: string): Promise<CivicAddress[]>
  /** None: as seeded. */
  putCivicAddresses(tenantId: string, addresses?: readonly CivicAddress[]): Promise<void>
  capabilityPlans(tenantId: string): Promise<readonly CapabilityPlan[]>
  /** None: as seeded. */
  putCapabilityPlans(tenantId: string, plans?: readonly CapabilityPlan[]): Promise<void>

  calls(page: { after?: number; limit: number }): Promise<LoggedCall[]>
  clearCalls(): Promise<void>
  /**
   * Deletes all state: the numbers, tenants, misbehaviours and calls of the service, and the changes to consents and
   * civic addresses, which Operator Connect and Teams Phone Mobile share.
   */
  reset(): Promise<void>
}

export type Tenant = Pick<TenantSettings, 'tenantId' | 'accountName' | 'enabled' | 'syncEnabled'>

interface ControlDeps {
  service: ServiceCode
  documents: Documents
  seed: Seed
  operatorId: string
  settings: SimulatedSettings
}

const DRIFT_PAGE = 1_000

export function simulatedControl({ service, documents, seed, operatorId, settings }: ControlDeps): SimulatedControl {
  const readOne = async (ref: Ref): Promise<unknown> => (await documents.read([ref]))[0]
  const behaviour = async () => asBehaviour(await readOne(behaviourRef(service)))
  const changeOne = (ref: Ref, to: (content: unknown) => unknown): Promise<void> =>
    documents.change(async (change) => change.write([{ ref, content: to((await change.read([ref]))[0]) }]))
  const changeBehaviour = (to: (before: Behaviour) => Behaviour) =>
    changeOne(behaviourRef(service), (content) => to(asBehaviour(content)))
  const plansOf = async (tenantId: string) => plansNow(seed, service, await readOne(plansRef(service, tenantId)))
  const plansByTenant = async (tenantIds: readonly string[]) => {
    const tenants = [...new Set(tenantIds)]
    const contents = await documents.read(tenants.map((tenantId) => plansRef(service, tenantId)))
    return new Map(tenants.map((tenantId, index) => [tenantId, plansNow(seed, service, contents[index])]))
  }

  const page = async (kind: Kind, { after, limit }: Page) => {
    const found = await documents.list(service, kind, { ...(after !== undefined && { after }), limit })
    const last = found.at(-1)
    return { found, ...(found.length === limit && last && { next: last.key }) }
  }

  const driftSome = (effect: DriftEffect, e164s: readonly string[]): Promise<string[]> =>
    documents.change(async (change) => {
      const refs = [...new Set(e164s)].map((key): Ref => ({ scope: service, kind: 'number', key }))
      const contents = (await change.read(refs)) as (NumberDocument | undefined)[]
      const there = refs.flatMap((ref, index) => {
        const document = contents[index]
        return document?.number ? [{ ref, content: drifted(document, effect) }] : []
      })
      await change.write(there)
      return there.map(({ ref }) => ref.key)
    })

  return {
    service,
    settings: async () => ({ ...settings, ...(await behaviour()).settings }),
    changeSettings: (changed) =>
      changeBehaviour((before) => ({ ...before, settings: { ...before.settings, ...changed } })),
    misbehaviours: async () => (await behaviour()).misbehaviours,
    misbehave: (name, misbehaviour) =>
      changeBehaviour((before) => ({
        ...before,
        misbehaviours: { ...before.misbehaviours, [name]: misbehaviour },
      })),
    behave: (name) =>
      changeBehaviour((before) => ({
        ...before,
        misbehaviours: Object.fromEntries(
          Object.entries(before.misbehaviours).filter(([other]) => name !== undefined && other !== name),
        ),
      })),
    drift: async (effect, e164s) => {
      if (e164s) return driftSome(effect, e164s)
      const all: string[] = []
      for (let after: string | undefined; ;) {
        const { found, next } = await page('number', { ...(after !== undefined && { after }), limit: DRIFT_PAGE })
        all.push(
          ...(await driftSome(
            effect,
            found.map(({ key }) => key),
          )),
        )
        if (next === undefined) return all
        after = next
      }
    },

    numbers: async (wanted) => {
      const { found, ...rest } = await page('number', wanted)
      const there = found.flatMap(({ key, content }) => {
        const { number } = content as NumberDocument
        return number ? [{ key, number }] : []
      })
      const plans = await plansByTenant(there.map(({ number }) => number.tenantId))
      const numbers = there.map(({ key, number }) =>
        reportNumber(key, number, { service, plans: plans.get(number.tenantId) ?? [] }),
      )
      return { numbers, ...rest }
    },
    tenants: async (wanted) => {
      const { found, ...rest } = await page('tenant', wanted)
      return { tenants: found.flatMap(({ content }) => (content as { tenant?: Tenant }).tenant ?? []), ...rest }
    },
    consents: async () => (await consentsNow(seed, documents)).map((consent) => reportConsent(consent, operatorId)),
    putConsent: (consent) => changeOne(consentRef(consent.tenantId), (before) => consentDocument(before, consent)),
    removeConsent: (tenantId) => changeOne(consentRef(tenantId), (before) => consentDocument(before, null)),
    civicAddresses: async (tenantId) => addressesNow(seed, tenantId, await readOne(addressesRef(tenantId))),
    putCivicAddresses: (tenantId, addresses) => changeOne(addressesRef(tenantId), () => addresses),
    capabilityPlans: plansOf,
    putCapabilityPlans: (tenantId, plans) => changeOne(plansRef(service, tenantId), () => plans),

    calls: (wanted) => documents.calls(service, wanted),
    clearCalls: () => documents.change((change) => change.clearCalls(service)),
    reset: () =>
      documents.change(async (change) => {
        await forget(change, service)
        await forget(change, 'teams')
      }),
  }
}

const forget = async (change: Change, scope: Scope): Promise<void> => {
  await change.clear(scope)
  await change.clearCalls(scope)
}

/** A number after its drift. The commands it has seen no longer count as carried out, or no repeat could repair it. */
function drifted({ number, ...document }: NumberDocument, effect: DriftEffect): NumberDocument {
  const forgetful = { ...document, answers: [] }
  if (!number || effect === 'vanish') return forgetful
  if (effect === 'configuration') return { ...forgetful, number: { ...number, configuration: {} } }
  return { ...forgetful, number: { ...number, assignmentStatus: 'unassigned' } }
}

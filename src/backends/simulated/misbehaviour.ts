/** The misbehaviours of a simulated backend, each requested by name. */
import type { Backend } from '../port/backend.js'
import type { BackendFault } from '../port/call.js'
import type { TeamsPart } from '../port/teams.js'

/** The methods of the port, including those of its Teams part. */
export type Method = CallOf<Backend> | CallOf<TeamsPart>
type CallOf<Port> = Exclude<
  { [Name in keyof Port]: Port[Name] extends (...parameters: never[]) => Promise<unknown> ? Name : never }[keyof Port],
  undefined
>

export const commandMethods = [
  'upsertTenants',
  'uploadNumbers',
  'updateNumbers',
  'unassignNumbers',
  'releaseNumbers',
  'updateCustomerRelationships',
] as const satisfies readonly Method[]
export const readMethods = [
  'getNumbers',
  'listConsents',
  'getConsent',
  'listCivicAddresses',
  'getCivicAddress',
  'listCapabilityPlans',
  'getAvailableCapabilities',
] as const satisfies readonly Method[]
export type CommandMethod = (typeof commandMethods)[number]

/** Which calls a misbehaviour meets, and how many. */
export interface Limits {
  /** All when absent. */
  methods?: readonly Method[]
  /** Only calls and items about these numbers (or, for tenants and consents, tenant ids). All when absent. */
  keys?: readonly string[]
  /** How many calls (for `refuse`, `job` and `wrong-order`: items) it still meets. Unlimited when absent. */
  times?: number
}

export interface Misbehaviours {
  /** Each call takes this long before anything happens. */
  latency: { ms: number }
  /** Items are refused with this error. */
  refuse: BackendFault
  /** The call takes effect, and its response is lost. */
  'timeout-after-success': object
  /** The call has no effect, and no response comes. */
  'timeout-before': object
  /** Has the effect of a 429: the items have to be sent again later. */
  throttle: { afterMs: number }
  /** Has the effect of a 503. */
  unavailable: { afterMs?: number }
  /** Commands are held back, their responses lost, and carried out after the next command about the same item. */
  'wrong-order': object
  /** Commands become jobs with a ticket, done when they have been polled this many times. */
  job: { polls: number; afterMs?: number }
  /** Every second item of a call has to be sent again later. */
  partial: { afterMs?: number }
}
export type MisbehaviourName = keyof Misbehaviours
export type Misbehaviour<Name extends MisbehaviourName = MisbehaviourName> = Misbehaviours[Name] & Limits

export const misbehaviourNames = [
  'latency',
  'refuse',
  'timeout-after-success',
  'timeout-before',
  'throttle',
  'unavailable',
  'wrong-order',
  'job',
  'partial',
] as const satisfies readonly MisbehaviourName[]

export const isMisbehaviourName = (name: string): name is MisbehaviourName =>
  misbehaviourNames.some((one) => one === name)

export interface SimulatedSettings {
  /**
   * Whether configurations are refused for faults that the original would only notice later: an unknown usage or civic
   * address, a capability outside the plan, a calling user without an emergency address.
   */
  strict: boolean
  /** Whether uploaded numbers without an assignment status are reported as assigned to a user. */
  assignOnUpload: boolean
}

/** The current behaviour of one simulated backend; what is absent is as it was created. */
export interface Behaviour {
  settings?: Partial<SimulatedSettings>
  misbehaviours: { [Name in MisbehaviourName]?: Misbehaviour<Name> }
}

export const asBehaviour = (content: unknown): Behaviour => (content as Behaviour | undefined) ?? { misbehaviours: {} }

/** A call to a backend: its method, and the keys it is about. */
export interface Asked {
  method: Method
  keys: readonly string[]
}

/** Hands out a behaviour's misbehaviours one by one, counting down those that are bounded. */
export class Taker {
  readonly #behaviour: Behaviour
  #changed = false

  constructor(behaviour: Behaviour) {
    this.#behaviour = structuredClone(behaviour)
  }

  /** Returns the misbehaviour if it meets this call, and counts it down. */
  takeCall<Name extends MisbehaviourName>(name: Name, { method, keys }: Asked): Misbehaviour<Name> | undefined {
    const wanted = this.#behaviour.misbehaviours[name]?.keys
    if (wanted && !keys.some((key) => isAmong(key, wanted))) return undefined
    return this.#take(name, method)
  }

  /** Returns the misbehaviour if it meets this item, and counts it down. */
  takeItem<Name extends MisbehaviourName>(name: Name, method: Method, key: string): Misbehaviour<Name> | undefined {
    const wanted = this.#behaviour.misbehaviours[name]?.keys
    return wanted && !isAmong(key, wanted) ? undefined : this.#take(name, method)
  }

  #take<Name extends MisbehaviourName>(name: Name, method: Method): Misbehaviour<Name> | undefined {
    const found = this.#behaviour.misbehaviours[name] as Misbehaviour<Name> | undefined
    if (!found || (found.methods && !found.methods.includes(method))) return undefined
    if (found.times !== undefined) {
      this.#changed = true
      if (found.times > 1) found.times -= 1
      else Reflect.deleteProperty(this.#behaviour.misbehaviours, name)
    }
    return found
  }

  /** The new behaviour, if anything was counted down. */
  changed(): Behaviour | undefined {
    return this.#changed ? this.#behaviour : undefined
  }
}

const isAmong = (key: string, wanted: readonly string[]): boolean =>
  wanted.some((one) => one === key || one.toLowerCase() === key.toLowerCase())

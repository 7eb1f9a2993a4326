/** The ways in which a simulated backend can be asked to misbehave, each by its name. */
import type { Backend } from '../port/backend.js'
import type { BackendFault } from '../port/call.js'
import type { TeamsPart } from '../port/teams.js'

/** The calls of the port, those of its Teams part among them. */
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

/** Which calls are met, and how many. */
export interface Limits {
  /** All when absent. */
  methods?: readonly Method[]
  /** Only calls and items about these numbers (or, for tenants and consents, tenant ids). All when absent. */
  keys?: readonly string[]
  /** How many calls, or for `refuse`, `job` and `wrong-order` items, are still to be met. Without end when absent. */
  times?: number
}

export interface Misbehaviours {
  /** Each call takes this long before anything happens. */
  latency: { ms: number }
  /** Items are refused with this error. */
  refuse: BackendFault
  /** The call has its effect, and its answer is lost. */
  'timeout-after-success': object
  /** Nothing happens, and no answer comes. */
  'timeout-before': object
  /** As an answer of 429 is taken: items are to be sent later. */
  throttle: { afterMs: number }
  /** As an answer of 503 is taken. */
  unavailable: { afterMs?: number }
  /** Commands are held back, their answers lost, and carried out after the next command about the same thing. */
  'wrong-order': object
  /** Commands become jobs with a ticket, done when they have been asked for this many times. */
  job: { polls: number; afterMs?: number }
  /** Every second item of a call is to be sent again later. */
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
   * Whether configurations are refused for what the original would only notice later: an unknown usage or civic
   * address, a capability outside the plan, a calling user without an emergency address.
   */
  strict: boolean
  /** Whether uploaded numbers are reported as assigned to a user, when the operator says nothing. */
  assignOnUpload: boolean
}

/** How one simulated backend behaves at the moment; what is absent is as it was made. */
export interface Behaviour {
  settings?: Partial<SimulatedSettings>
  misbehaviours: { [Name in MisbehaviourName]?: Misbehaviour<Name> }
}

export const asBehaviour = (content: unknown): Behaviour => (content as Behaviour | undefined) ?? { misbehaviours: {} }

/** What is asked of a backend: a method, and what it is about. */
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

  /** The misbehaviour if it meets this call, once less from now on. */
  takeCall<Name extends MisbehaviourName>(name: Name, { method, keys }: Asked): Misbehaviour<Name> | undefined {
    const wanted = this.#behaviour.misbehaviours[name]?.keys
    if (wanted && !keys.some((key) => isAmong(key, wanted))) return undefined
    return this.#take(name, method)
  }

  /** The misbehaviour if it meets this item, once less from now on. */
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

  /** The behaviour from now on, when anything was counted. */
  changed(): Behaviour | undefined {
    return this.#changed ? this.#behaviour : undefined
  }
}

const isAmong = (key: string, wanted: readonly string[]): boolean =>
  wanted.some((one) => one === key || one.toLowerCase() === key.toLowerCase())

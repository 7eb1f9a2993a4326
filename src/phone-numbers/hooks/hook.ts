/**
 * The port to the systems that an operator may put into a purchase: billing, which approves it, and fulfilment, which
 * carries it out where calls are routed. docs/hooks.md describes the wire.
 */

import type { CalledNumber, CalledSystem } from '../../operations/call-out.js'

export type HookName = CalledSystem

/** `begin` approves or carries out; `undo` takes back what an earlier call may have done. */
export type HookAction = 'begin' | 'undo'

export interface HookCall {
  action: HookAction
  /** The same for every try of one purchase, to both systems, so that a repeat is recognised. */
  idempotencyKey: string
  operationId: string
  resourceName: string
  numbers: readonly CalledNumber[]
}

export interface Refused {
  /** One of the published search errors, if the system named one. */
  code: string | undefined
  message: string
}

/** A system's response: done, except for the numbers that it refused; or refused as a whole. */
export type HookResult =
  | { refused?: undefined; refusedNumbers: Readonly<Record<string, string>> }
  | { refused: Refused; refusedNumbers?: undefined }

export interface Hook {
  /** How long a call may take at most, in milliseconds. */
  readonly timeoutMs: number
  /** Rejects with HookUnavailable when the system gave no conclusive answer. */
  call(call: HookCall): Promise<HookResult>
}

export interface Hooks {
  billing: Hook | undefined
  fulfilment: Hook | undefined
  /** How long a purchase keeps calling a system that does not answer. */
  giveUpMs: number
}

export class HookUnavailable extends Error {
  override readonly name = 'HookUnavailable'
  /** False: the call is known not to have reached the system. */
  readonly mayHaveActed: boolean
  /** When the system wants to be called again. */
  readonly afterMs: number | undefined

  /** @param message a sentence for people, without secrets */
  constructor(message: string, { mayHaveActed, afterMs }: { mayHaveActed: boolean; afterMs?: number | undefined }) {
    super(message)
    this.mayHaveActed = mayHaveActed
    this.afterMs = afterMs
  }
}

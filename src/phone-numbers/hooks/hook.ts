/**
 * The port to the systems that an operator may have asked before a purchase ends: billing, which allows it, and
 * fulfilment, which carries it out where calls are routed. The wire is told in docs/hooks.md.
 */

import type { CalledNumber, CalledSystem } from '../../operations/call-out.js'

export type HookName = CalledSystem

/** `begin` allows or carries out; `undo` takes back what a call before may have done. */
export type HookAction = 'begin' | 'undo'

export interface HookCall {
  action: HookAction
  /** The same for every try, to both systems, of one purchase, so that a repeat is known. */
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

/** What a system answered: done, but for the numbers that it would not have; or refused as a whole. */
export type HookAnswer =
  | { refused?: undefined; refusedNumbers: Readonly<Record<string, string>> }
  | { refused: Refused; refusedNumbers?: undefined }

export interface Hook {
  /** How long a call may take at most, in milliseconds. */
  readonly timeoutMs: number
  /** Rejects with HookUnavailable when there was no answer that settles the matter. */
  call(call: HookCall): Promise<HookAnswer>
}

export interface Hooks {
  billing: Hook | undefined
  fulfilment: Hook | undefined
  /** How long a purchase goes on asking a system that does not answer. */
  giveUpMs: number
}

export class HookUnavailable extends Error {
  override readonly name = 'HookUnavailable'
  /** False: the call is known not to have reached the system. */
  readonly mayHaveActed: boolean
  /** When the system wants to be asked again. */
  readonly afterMs: number | undefined

  /** @param message a sentence for people; it has no secret in it */
  constructor(message: string, { mayHaveActed, afterMs }: { mayHaveActed: boolean; afterMs?: number | undefined }) {
    super(message)
    this.mayHaveActed = mayHaveActed
    this.afterMs = afterMs
  }
}

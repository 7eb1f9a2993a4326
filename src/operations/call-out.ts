/**
 * The calls of a purchase to other systems: billing approves it, fulfilment carries it out, and completed calls are
 * undone when the purchase fails. Each call is a stage that is stored before the call is made, so that after a crash
 * another process makes the same call again under the same key; see docs/adr/0009-operations-that-call-out.md.
 */

export const callStages = ['billing', 'fulfilment', 'undo-fulfilment', 'undo-billing'] as const
export type CallStage = (typeof callStages)[number]

export type CalledSystem = 'billing' | 'fulfilment'

/** A number as other systems receive it, with the terms of its purchase. */
export interface CalledNumber {
  e164: string
  countryCode: string
  numberType: string
  assignmentType: string
  calling: string
  sms: string
  /** Per month. */
  price: { amount: string; currency: string }
}

/** The numbers that each system has to undo. */
export type Undo = Readonly<Partial<Record<CalledSystem, readonly CalledNumber[]>>>

/** What is known about an operation's calls besides the next one. */
export interface Verdict {
  /** When the current stage was first tried, ISO 8601; the time until giving up counts from there. */
  since?: string
  /** Tries of the current stage that are known not to have reached the system. */
  unsent?: number
  /** The systems that have done their part. */
  done?: readonly CalledSystem[]
  /** The key under which they did it, for stages that undo, when the purchase itself may be gone. */
  key?: string
  undo?: Undo
}

export interface CallOut {
  stage: CallStage
  /** Tries of this stage. */
  attempts: number
  lastError: string | null
  verdict: Verdict
}

/** A stage before its first try. */
export const callAt = (stage: CallStage, verdict: Verdict = {}): CallOut => ({
  stage,
  attempts: 0,
  lastError: null,
  verdict,
})

export const systemOf = (stage: CallStage): CalledSystem =>
  stage === 'billing' || stage === 'undo-billing' ? 'billing' : 'fulfilment'

export const isUndo = (stage: CallStage): boolean => stage === 'undo-billing' || stage === 'undo-fulfilment'

/** Whether any system has been called, so that the operation can only be undone, not cancelled. */
export const hasCalled = ({ attempts, verdict }: CallOut): boolean => attempts > 0 || verdict.done !== undefined

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 60_000
/** No client waits for calls that undo, and they are retried until they succeed. */
const LONGEST_UNDO_PAUSE_MS = 600_000

/**
 * How long to wait after this many tries without a response.
 * @param askedMs the wait that the system asked for, if it did
 */
export function pauseAfter({ stage, attempts }: CallOut, askedMs = 0): number {
  const longestMs = isUndo(stage) ? LONGEST_UNDO_PAUSE_MS : LONGEST_PAUSE_MS
  return Math.min(Math.max(FIRST_PAUSE_MS * 2 ** Math.max(0, attempts - 1), askedMs), longestMs)
}

/** The next call to undo, the latest first, skipping `last`, which has just failed; null when nothing is left. */
export function nextUndo(verdict: Verdict, last?: CallStage): CallOut | null {
  const { fulfilment = [], billing = [] } = verdict.undo ?? {}
  const left: CallStage[] = [
    ...(fulfilment.length > 0 ? ['undo-fulfilment' as const] : []),
    ...(billing.length > 0 ? ['undo-billing' as const] : []),
  ]
  const stage = left.find((one) => one !== last) ?? left[0]
  return stage === undefined ? null : callAt(stage, verdict)
}

/**
 * The calls that a purchase makes to other systems: billing is asked whether it may be, fulfilment carries it out.
 * What was done and turns out to be for nothing is undone. Each call is a stage that is stored before it is made, so
 * that whoever takes over after a crash makes the same call again under the same key;
 * see docs/adr/0009-operations-that-call-out.md.
 */

export const callStages = ['billing', 'fulfilment', 'undo-fulfilment', 'undo-billing'] as const
export type CallStage = (typeof callStages)[number]

export type CalledSystem = 'billing' | 'fulfilment'

/** A number as other systems are told of it: what it is, and on what terms it is bought. */
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

/** What a system has to let go of again. */
export type Undo = Readonly<Partial<Record<CalledSystem, readonly CalledNumber[]>>>

/** What is known about an operation's calls beside the next one. */
export interface Verdict {
  /** When the present stage was first tried, ISO 8601; giving up is counted from there. */
  since?: string
  /** Of the present stage: tries that are known not to have reached the system. */
  unsent?: number
  /** The systems that have done their part. */
  done?: readonly CalledSystem[]
  /** The key under which they did it; of stages that undo, when the purchase itself may be gone. */
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

/** Whether any system has been asked, so that there is no way back but to undo. */
export const hasCalled = ({ attempts, verdict }: CallOut): boolean => attempts > 0 || verdict.done !== undefined

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 60_000
/** Nobody waits for these, and they are tried until they work. */
const LONGEST_UNDO_PAUSE_MS = 600_000

/**
 * How long to wait after so many tries without an answer.
 * @param askedMs what the system asked for, if it did
 */
export function pauseAfter({ stage, attempts }: CallOut, askedMs = 0): number {
  const longestMs = isUndo(stage) ? LONGEST_UNDO_PAUSE_MS : LONGEST_PAUSE_MS
  return Math.min(Math.max(FIRST_PAUSE_MS * 2 ** Math.max(0, attempts - 1), askedMs), longestMs)
}

/** The next thing to undo: what was done last first, unless `last` has just failed; null when nothing is left. */
export function nextUndo(verdict: Verdict, last?: CallStage): CallOut | null {
  const { fulfilment = [], billing = [] } = verdict.undo ?? {}
  const left: CallStage[] = [
    ...(fulfilment.length > 0 ? ['undo-fulfilment' as const] : []),
    ...(billing.length > 0 ? ['undo-billing' as const] : []),
  ]
  const stage = left.find((one) => one !== last) ?? left[0]
  return stage === undefined ? null : callAt(stage, verdict)
}

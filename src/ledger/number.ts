/**
 * The rules of a number's life, as one table: state × event → state. Pure. The store's statements carry them out; the
 * CHECK constraints of `migrations/` tie each state to its columns.
 */

export const numberStates = ['available', 'held', 'owned', 'assigned', 'quarantined', 'retired'] as const
export type NumberState = (typeof numberStates)[number]

export const numberTypes = ['geographic', 'tollFree', 'mobile'] as const
export type NumberType = (typeof numberTypes)[number]

export const assignmentTypes = ['person', 'application'] as const
export type AssignmentType = (typeof assignmentTypes)[number]

export const capabilityTypes = ['none', 'inbound', 'outbound', 'inbound+outbound'] as const
export type CapabilityType = (typeof capabilityTypes)[number]

export interface Capabilities {
  calling: CapabilityType
  sms: CapabilityType
}

/** A monthly price. The amount is a decimal string, as the database keeps it: money is never a binary fraction. */
export interface Price {
  amount: string
  currency: string
}

/**
 * `expire` and `rest` happen by themselves when the time of a hold or of a quarantine is over: from that instant the
 * number counts as available, whether or not that has been stored yet.
 */
export type NumberEvent =
  | 'enter'
  | 'hold'
  | 'cancel'
  | 'expire'
  | 'purchase'
  | 'configure'
  | 'release'
  | 'rest'
  | 'assign'
  | 'withdraw'
  | 'unassign'
  | 'retire'
  | 'restore'

/** What a line of history may say beside: nothing about the number changes, but somebody acted for it. */
export type HistoryEvent = NumberEvent | 'requeue'

/** `absent` stands for "not in the ledger": before a number is entered, and after one that was never stock has left. */
export const transitions: Record<NumberState | 'absent', Partial<Record<NumberEvent, NumberState | 'absent'>>> = {
  absent: { enter: 'available', assign: 'assigned' },
  available: { hold: 'held', assign: 'assigned', retire: 'retired' },
  held: { purchase: 'owned', cancel: 'available', expire: 'available', retire: 'retired' },
  owned: { configure: 'owned', release: 'quarantined' },
  // `withdraw`: taken off its account, but still known to a backend; it can be put on an account again (`assign`) until
  // the backend has released it. A number that was never stock leaves the ledger instead of resting: `unassignNumbers`
  // in assignment.ts.
  assigned: { configure: 'assigned', withdraw: 'assigned', assign: 'assigned', unassign: 'quarantined' },
  // `assign`: only for a number that left an account, since operators may move their own numbers; one that a buyer
  // released rests for everyone.
  quarantined: { rest: 'available', restore: 'available', retire: 'retired', assign: 'assigned' },
  retired: { restore: 'available' },
}

/** The state after `event`, or undefined where the table doesn't allow the event. */
export const nextState = (state: NumberState | 'absent', event: NumberEvent): NumberState | 'absent' | undefined =>
  transitions[state][event]

/**
 * The state that counts at `now`: a hold or a quarantine whose time is over is available, swept or not.
 * @param freeAt when a held or quarantined number becomes available by itself
 */
export const effectiveState = (state: NumberState, freeAt: Date | number | null, now: Date): NumberState =>
  freeAt !== null && Number(freeAt) <= now.getTime() ? 'available' : state

const E164 = /^\+[1-9][0-9]{1,14}$/

/** Whether `text` has the form of an E.164 number: `+`, then 2 to 15 digits, the first not 0. */
export const isE164 = (text: string): boolean => E164.test(text)

/** Whether capabilities `wanted` are all among those `offered`. */
export const covers = (offered: Capabilities, wanted: Capabilities): boolean =>
  directionsCover(offered.calling, wanted.calling) && directionsCover(offered.sms, wanted.sms)

const directionsCover = (offered: CapabilityType, wanted: CapabilityType): boolean =>
  wanted === 'none' || offered === 'inbound+outbound' || offered === wanted

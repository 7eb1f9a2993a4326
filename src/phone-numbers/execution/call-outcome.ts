/**
 * The consequences of a call to billing or fulfilment, stored in the transaction that records it: the next call, the
 * end of the purchase, or another try. Undoing goes on after the operation has ended for its client.
 */
import { amountOf, formatAmount } from '../../buyers/wallet/amount.js'
import { later } from '../../clock.js'
import type { Tx } from '../../db/db.js'
import {
  callAt,
  nextUndo,
  pauseAfter,
  systemOf,
  isUndo,
  type CalledNumber,
  type CalledSystem,
  type CallOut,
  type CallStage,
  type Undo,
} from '../../operations/call-out.js'
import { saveCall } from '../../operations/call-store.js'
import { ended, type Operation, type OperationFailure } from '../../operations/operation.js'
import { endOperation } from '../../operations/store.js'
import type { HookResult } from '../hooks/hook.js'
import type { PhoneNumbersDeps } from '../model/deps.js'
import { purchaseKey, type Sale, type SaleLine } from '../model/sale.js'
import { isSearchErrorCode } from '../model/search.js'
import { causeOf } from './carry-out.js'
import { abandonPurchase, completePurchase } from './purchase.js'
import { lockSale } from './sales.js'

/** The system gave no conclusive answer. */
export interface Unavailable {
  /** The reason, as a sentence. */
  unavailable: string
  /** Whether the call may have reached the system. */
  mayHaveActed: boolean
  /** When the system wants to be called again. */
  afterMs?: number | undefined
  /** The code that the purchase finally fails with, unless it is the one for a system that does not answer. */
  code?: 'PurchaseFailed'
}

/** The result of a call. */
export type CallResult = HookResult | Unavailable

export const asCalled = ({
  e164,
  countryCode,
  numberType,
  assignmentType,
  calling,
  sms,
  price,
}: SaleLine): CalledNumber => ({
  e164,
  countryCode,
  numberType,
  assignmentType,
  calling,
  sms,
  price: { amount: formatAmount(amountOf(price.amount)), currency: price.currency },
})

/**
 * Returns the next call, if there is one.
 * @param operation locked, with its call still claimed
 */
export function recordOutcome(
  deps: PhoneNumbersDeps,
  tx: Tx,
  operation: Operation,
  callOut: CallOut,
  result: CallResult,
): Promise<CallOut | null> {
  if (isUndo(callOut.stage)) return recordUndo(deps, tx, operation, callOut, result)
  if ('unavailable' in result) return recordUnavailable(deps, tx, operation, callOut, result)
  if (result.refused) {
    // The refusal doesn't undo what an earlier try, whose answer was lost, may have done.
    const earlier = mayHaveActed(callOut, callOut.attempts - 1) ? [systemOf(callOut.stage)] : []
    const failure = refusalOf(callOut.stage, result.refused.code, result.refused.message)
    return abandon(deps, tx, operation, failure, [...doneBefore(callOut), ...earlier])
  }
  if (callOut.stage === 'billing' && deps.hooks.fulfilment) {
    return next(tx, operation, callAt('fulfilment', { done: ['billing'] }), deps.clock.now())
  }
  return complete(deps, tx, operation, callOut, result.refusedNumbers)
}

const doneBefore = ({ verdict }: CallOut): readonly CalledSystem[] => verdict.done ?? []

/** Whether one of `tries` tries of the current stage may have reached its system. */
const mayHaveActed = ({ verdict }: CallOut, tries: number): boolean => tries > (verdict.unsent ?? 0)

/** Tries again after a pause. After too long the purchase fails, and everything that may have been done is undone. */
async function recordUnavailable(
  { clock, hooks, ...deps }: PhoneNumbersDeps,
  tx: Tx,
  operation: Operation,
  before: CallOut,
  result: Unavailable,
): Promise<CallOut | null> {
  const now = clock.now()
  const unsent = (before.verdict.unsent ?? 0) + (result.mayHaveActed ? 0 : 1)
  const callOut: CallOut = { ...before, lastError: result.unavailable, verdict: { ...before.verdict, unsent } }
  const { stage, attempts, verdict } = callOut
  const since = verdict.since === undefined ? now : new Date(verdict.since)
  if (later(since, hooks.giveUpMs) > now) {
    return next(tx, operation, callOut, later(now, pauseAfter(callOut, result.afterMs)))
  }
  const code = result.code ?? (stage === 'billing' ? 'BillingUnavailable' : 'ProvisioningFailed')
  const message = `${result.unavailable} It was asked ${attempts === 1 ? 'once' : `${attempts} times`}.`
  const undo = [...doneBefore(callOut), ...(mayHaveActed(callOut, attempts) ? [systemOf(stage)] : [])]
  return abandon({ clock, hooks, ...deps }, tx, operation, { code, message }, undo)
}

/** A refusal with its own code if that is one of the published ones. */
function refusalOf(stage: CallStage, code: string | undefined, message: string): OperationFailure {
  if (stage === 'fulfilment') return { code: 'ProvisioningFailed', message: `Fulfilment refused: ${message}` }
  if (code === undefined) return { code: 'PurchaseFailed', message: `Billing refused: ${message}` }
  return isSearchErrorCode(code)
    ? { code, message }
    : { code: 'UnknownErrorCode', message: `Billing refused with ${code}, which is no known code: ${message}` }
}

/** Completes the purchase after the last call. Calls for numbers that were not bought are undone. */
async function complete(
  deps: PhoneNumbersDeps,
  tx: Tx,
  operation: Operation,
  callOut: CallOut,
  refused: Readonly<Record<string, string>>,
): Promise<CallOut | null> {
  const now = deps.clock.now()
  const sale = await lockSale(tx, operation, now)
  const { failure, missing } = await completePurchase(tx, sale, refused, causeOf(operation, now))
  const lost = sale.lines.filter(({ e164 }) => missing.includes(e164)).map(asCalled)
  const unsure = mayHaveActed(callOut, callOut.attempts - 1)
  const system = systemOf(callOut.stage)
  return end(deps, tx, operation, sale, failure, {
    ...Object.fromEntries(doneBefore(callOut).map((name) => [name, lost])),
    [system]: lost.filter(({ e164 }) => refused[e164] === undefined || unsure),
  })
}

async function abandon(
  deps: PhoneNumbersDeps,
  tx: Tx,
  operation: Operation,
  failure: OperationFailure,
  undo: readonly CalledSystem[],
): Promise<CallOut | null> {
  const now = deps.clock.now()
  const sale = await lockSale(tx, operation, now)
  await abandonPurchase(tx, sale, failure, causeOf(operation, now))
  const all = sale.lines.map(asCalled)
  return end(deps, tx, operation, sale, failure, Object.fromEntries(undo.map((name) => [name, all])))
}

/** Ends an operation for its client; calls that have to be undone follow later. */
async function end(
  { clock }: PhoneNumbersDeps,
  tx: Tx,
  operation: Operation,
  sale: Sale,
  failure: OperationFailure | null,
  undo: Undo,
): Promise<CallOut | null> {
  const now = clock.now()
  const callOut = nextUndo({ key: purchaseKey(sale), undo })
  await endOperation(tx, { ...ended(operation, now, failure), dueAt: now, callOut })
  return callOut
}

async function next(tx: Tx, operation: Operation, callOut: CallOut | null, dueAt: Date): Promise<CallOut | null> {
  await saveCall(tx, operation, callOut, dueAt)
  return callOut
}

/**
 * An undo that fails is retried for ever, since no other record of it exists. While one system is unavailable, the
 * other one is called in between.
 */
async function recordUndo(
  { clock }: PhoneNumbersDeps,
  tx: Tx,
  operation: Operation,
  callOut: CallOut,
  result: CallResult,
): Promise<CallOut | null> {
  const now = clock.now()
  const { stage, attempts, verdict } = callOut
  if ('unavailable' in result) {
    const again = { ...(nextUndo(verdict, stage) ?? callOut), attempts, lastError: result.unavailable }
    return next(tx, operation, again, later(now, pauseAfter(callOut, result.afterMs)))
  }
  const left = Object.entries(verdict.undo ?? {}).filter(([name]) => name !== systemOf(stage))
  return next(tx, operation, nextUndo({ ...verdict, undo: Object.fromEntries(left) }), now)
}

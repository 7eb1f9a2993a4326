/**
 * The calls of purchases to billing and fulfilment: claim → act → record. No transaction is open during a call, and its
 * result counts only while the claim holds. `call-outcome.ts` has the consequences of a result.
 */
import { readBuyer } from '../../buyers/store.js'
import { later } from '../../clock.js'
import { isUnavailable } from '../../db/failures.js'
import { newId } from '../../ids.js'
import { isUndo, systemOf, type CallOut } from '../../operations/call-out.js'
import { claimCalls, lockClaimed } from '../../operations/call-store.js'
import type { Operation } from '../../operations/operation.js'
import { HookUnavailable, type Hook, type HookCall } from '../hooks/hook.js'
import type { PhoneNumbersDeps } from '../model/deps.js'
import { purchaseKey } from '../model/sale.js'
import { asCalled, recordOutcome, type CallResult } from './call-outcome.js'
import { lockSale } from './sales.js'

/** How many calls one run makes in parallel. */
const CALLS_PER_RUN = 20
/** How much longer than the longest call a claim lasts: a call that might outlive it is not begun. */
const CLAIM_MARGIN_MS = 5_000

/** A call that this process has claimed. */
export interface ClaimedCall {
  operation: Operation
  callOut: CallOut
  by: string
  until: Date
}

/** The results of a run's calls. */
export interface CallsMade {
  claimed: number
  /** Answered and recorded. */
  done: number
  /** Not answered; due again later. */
  failed: number
  /** Not made for lack of time, or no longer claimed. */
  skipped: number
  more: boolean
}

/** Makes the calls that are due. */
export async function makeDueCalls(deps: PhoneNumbersDeps): Promise<CallsMade> {
  const claimed = await claimDueCalls(deps)
  const report = { claimed: claimed.length, done: 0, failed: 0, skipped: 0, more: claimed.length > 0 }
  const made = await Promise.allSettled(claimed.map((call) => carryThrough(deps, call)))
  for (const outcome of made) {
    if (outcome.status === 'rejected') throw outcome.reason
    report[outcome.value]++
  }
  return report
}

/** Claims calls that are due, for longer than a call can take: after a crash they are due again by themselves. */
export async function claimDueCalls({ db, clock, hooks }: PhoneNumbersDeps): Promise<ClaimedCall[]> {
  const longestMs = Math.max(hooks.billing?.timeoutMs ?? 0, hooks.fulfilment?.timeoutMs ?? 0)
  const now = clock.now()
  const claim = { by: newId(), until: later(now, longestMs + CLAIM_MARGIN_MS), limit: CALLS_PER_RUN }
  const operations = await db.transaction((tx) => claimCalls(tx, claim, now))
  return operations.map((operation) => {
    const { id, callOut } = operation
    if (!callOut) throw new Error(`Operation ${id} was claimed without a call`)
    return { operation, callOut, by: claim.by, until: claim.until }
  })
}

async function carryThrough(deps: PhoneNumbersDeps, claimed: ClaimedCall): Promise<'done' | 'failed' | 'skipped'> {
  try {
    const result = await makeCall(deps, claimed)
    if (result === undefined || !(await recordCall(deps, claimed, result))) return 'skipped'
    return 'unavailable' in result ? 'failed' : 'done'
  } catch (error) {
    if (isUnavailable(error)) throw error
    const { operation, callOut } = claimed
    deps.logger.error({ err: error, operation: operation.id, stage: callOut.stage }, 'call failed')
    // Our own bug; the call ends as an unanswered one does.
    const unavailable = 'Linebook met an internal error, which is in its log.'
    await recordCall(deps, claimed, { unavailable, mayHaveActed: true, code: 'PurchaseFailed' })
    return 'failed'
  }
}

/** Makes a claimed call. Undefined when there is no time left for it: another process may claim it soon. */
export async function makeCall(deps: PhoneNumbersDeps, claimed: ClaimedCall): Promise<CallResult | undefined> {
  const { operation, callOut, until } = claimed
  const name = systemOf(callOut.stage)
  const hook: Hook | undefined = deps.hooks[name]
  // The hook was configured when the operation was accepted and no longer is; the setting may come back.
  if (!hook) return { unavailable: `No ${name} hook is configured any more.`, mayHaveActed: false }
  const call = await callOf(deps, operation, callOut)
  if (later(deps.clock.now(), hook.timeoutMs) > until) return undefined
  try {
    return await hook.call(call)
  } catch (error) {
    if (!(error instanceof HookUnavailable)) throw error
    const { message, mayHaveActed, afterMs } = error
    deps.logger.warn({ operation: operation.id, stage: callOut.stage, reason: message }, 'hook unavailable')
    return { unavailable: message, mayHaveActed, afterMs }
  }
}

/** Records the result of a call, if its claim still holds. Returns whether it does. */
export async function recordCall(
  deps: PhoneNumbersDeps,
  { operation, by }: ClaimedCall,
  result: CallResult,
): Promise<boolean> {
  const recorded = await deps.db.transaction(async (tx) => {
    const current = await lockClaimed(tx, operation, by)
    return current?.callOut ? { next: await recordOutcome(deps, tx, current, current.callOut, result) } : undefined
  })
  // Another lane can make the next call while this run waits for its other calls.
  if (recorded?.next?.attempts === 0) deps.nudge()
  return recorded !== undefined
}

/** The call that a stage of an operation makes. */
async function callOf(
  { db, clock }: PhoneNumbersDeps,
  operation: Operation,
  { stage, verdict }: CallOut,
): Promise<HookCall> {
  const { name } = await readBuyer(db, operation.resourceId)
  const named = { operationId: operation.id, resourceName: name }
  if (isUndo(stage)) {
    const { key = operation.id, undo } = verdict
    return { ...named, action: 'undo', idempotencyKey: key, numbers: undo?.[systemOf(stage)] ?? [] }
  }
  const sale = await db.transaction((tx) => lockSale(tx, operation, clock.now()))
  return { ...named, action: 'begin', idempotencyKey: purchaseKey(sale), numbers: sale.lines.map(asCalled) }
}

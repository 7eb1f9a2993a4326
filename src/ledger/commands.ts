/**
 * The ledger's commands. Each one joins a transaction that is already open, applies to all its numbers or to none, and
 * names the numbers that prevented it.
 */
import type { Tx } from '../db/db.js'
import { DomainError } from '../errors.js'
import type { Cause } from './history.js'
import { effectiveState, isE164, nextState } from './number.js'
import { restsUntil, type PolicyOf } from './policy.js'
import { findNumbers } from './reads.js'
import { restoreNumbers, retireNumbers } from './retirement.js'
import { releaseOwned } from './sales.js'

/** How many numbers an error names. */
const MAX_NAMED = 10

/** Releases an owned number into quarantine, unless it is protected or the resource doesn't own it. */
export async function releaseNumber(
  tx: Tx,
  owned: { e164: string; resourceId: string },
  policyOf: PolicyOf,
  cause: Cause,
): Promise<'released' | 'protected' | 'not-owned'> {
  if (!policyOf({ e164: owned.e164 }).releasable) return 'protected'
  const released = await releaseOwned(tx, owned, restsUntil(policyOf, owned.e164, cause.at), cause)
  return released.length > 0 ? 'released' : 'not-owned'
}

/**
 * Takes numbers out of service, with `evenHeld` also those that a buyer has on hold. Throws 'state-conflict' naming the
 * numbers that are in use or unknown.
 */
export async function retire(
  tx: Tx,
  e164s: string[],
  cause: Cause,
  options: { evenHeld?: boolean } = {},
): Promise<void> {
  const wanted = distinctNumbers(e164s)
  await requireAll(tx, 'retire', wanted, await retireNumbers(tx, wanted, cause, options), cause)
}

/** Puts retired or resting numbers back into stock. Throws 'state-conflict' naming the numbers that are neither. */
export async function restore(tx: Tx, e164s: string[], cause: Cause): Promise<void> {
  const wanted = distinctNumbers(e164s)
  await requireAll(tx, 'restore', wanted, await restoreNumbers(tx, wanted, cause), cause)
}

/** Throws unless `event` changed each wanted number, or the number was already in the state that the event leads to. */
async function requireAll(
  tx: Tx,
  event: 'retire' | 'restore',
  wanted: string[],
  done: string[],
  { at }: Cause,
): Promise<void> {
  const missed = new Set(wanted)
  for (const e164 of done) missed.delete(e164)
  if (missed.size === 0) return
  const found = await findNumbers(tx, [...missed])
  const states = new Map(found.map(({ e164, state, freeAt }) => [e164, effectiveState(state, freeAt, at)]))
  const goal = nextState('quarantined', event)
  const inTheWay = [...missed]
    .map((e164) => ({ e164, why: states.get(e164) ?? 'not in the ledger' }))
    .filter(({ why }) => why !== goal)
  if (inTheWay.length > 0) throw conflict(`that can't be ${event}d`, inTheWay)
}

function distinctNumbers(e164s: string[]): string[] {
  const bad = e164s.find((e164) => !isE164(e164))
  if (bad !== undefined) {
    throw new DomainError('invalid-input', `"${bad.slice(0, 40)}" is not an E.164 number, e.g. +14255550100.`, {
      target: 'phoneNumbers',
    })
  }
  return [...new Set(e164s)]
}

function conflict(what: string, numbers: { e164: string; why: string }[]): DomainError {
  const shown = numbers.slice(0, MAX_NAMED).map(({ e164, why }) => `${e164} (${why})`)
  const more = numbers.length > MAX_NAMED ? ` and ${numbers.length - MAX_NAMED} more` : ''
  return new DomainError('state-conflict', `Numbers ${what}: ${shown.join(', ')}${more}.`, { target: 'phonenumber' })
}

/** When an item is next sent to its backend, or verified there, and why then. Pure; in words, for people. */
import type { Placed, SyncStatus } from '../../sync/sync.js'

/** A row of the `sync` table, as far as it says what comes next. */
export interface Standing {
  status: SyncStatus
  attempts: number
  placed: Placed | null
  unsure: boolean
  ticket: string | null
  lastError: string | null
  lastAttemptAt: Date | null
  pendingSince: Date | null
  nextAttemptAt: Date
  claimedUntil: Date | null
  verifyAt: Date | null
}

export interface NextAttempt {
  at: Date
  why: string
}

const LOST = 'looks again because a command was lost'

/** Undefined when nothing is going to happen by itself: it was refused, or is no longer ours to tell. */
export function nextAttempt(standing: Standing, now: Date): NextAttempt | undefined {
  const { status, claimedUntil, nextAttemptAt, verifyAt, unsure } = standing
  if (status === 'failed') return undefined
  const isClaimed = claimedUntil !== null && claimedUntil > now
  if (status === 'pending') {
    return isClaimed
      ? {
          at: claimedUntil,
          why: 'an attempt is under way; should its process die, this is when another one takes over',
        }
      : { at: nextAttemptAt, why: whyTried(standing) }
  }
  if (isClaimed) return { at: claimedUntil, why: 'is being compared with the backend just now' }
  if (verifyAt === null) return undefined
  return { at: verifyAt, why: unsure ? LOST : 'compared with the backend again' }
}

function whyTried(standing: Standing): string {
  const { attempts, placed, unsure, ticket, lastError, lastAttemptAt, pendingSince, claimedUntil } = standing
  if (ticket !== null) return `job ${ticket}${lastError === null ? '' : `: ${lastError}`}`
  if (unsure && placed?.stage === 'released') return LOST
  if (claimedUntil !== null) return 'the process that made the last attempt has died'
  if (attempts > 0 && lastError !== null) return `retry ${attempts} after: ${lastError}`
  const goesOn = attempts === 0 && lastAttemptAt !== null && pendingSince !== null && lastAttemptAt > pendingSince
  return goesOn ? 'next step' : 'first try'
}

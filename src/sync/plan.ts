/** Plans the next step for a number at a backend, from what is wanted and what may be there. Pure. */
import type { Placed } from './sync.js'

export const numberSteps = ['upload', 'update', 'unassign', 'release', 'look'] as const
export type NumberStep = (typeof numberSteps)[number]

export interface NumberSituation {
  /** The tenant that the number should be under; undefined when it should be under none. */
  wantedAt: string | undefined
  placed: Placed | null
  /** Whether the backend has ever confirmed it. */
  known: boolean
  /** Whether a command may still be on its way. */
  unsure: boolean
}

/**
 * The next call, or undefined when nothing is left to do. A number that should be under another tenant, or none, is
 * taken from its user, then from its tenant, and verified once more when a lost command may have brought it back. A
 * requested release is carried through even when the number is wanted again meanwhile; the upload waits behind it.
 */
export function nextStep({
  wantedAt,
  placed,
  known,
  unsure,
}: NumberSituation): { step: NumberStep; tenantId: string } | undefined {
  if (placed) {
    const { tenantId, stage } = placed
    const isWanted = tenantId.toLowerCase() === wantedAt?.toLowerCase()
    if (stage === 'leaving' || (stage === 'uploaded' && !isWanted)) return { step: 'unassign', tenantId }
    if (stage === 'unassigned') return { step: 'release', tenantId }
    if (stage === 'released' && unsure && !isWanted) return { step: 'look', tenantId }
  }
  if (wantedAt === undefined) return undefined
  return { step: known && placed?.stage === 'uploaded' ? 'update' : 'upload', tenantId: wantedAt }
}

/** What the backend may hold after a step. */
export function placedAfter(step: NumberStep, tenantId: string): Placed {
  const stages: Record<NumberStep, Placed['stage']> = {
    upload: 'uploaded',
    update: 'uploaded',
    unassign: 'unassigned',
    release: 'released',
    look: 'released',
  }
  return { tenantId, stage: stages[step] }
}

const FIRST_RETRY_MS = 1_000
const LONGEST_RETRY_MS = 5 * 60_000

/** How long to wait after attempt number `attempts` (from 1) has failed: 1 s doubling to 5 min. */
export const retryAfterMs = (attempts: number): number =>
  Math.min(FIRST_RETRY_MS * 2 ** Math.min(Math.max(attempts, 1) - 1, 20), LONGEST_RETRY_MS)

/** The longest wait that a backend can ask for; then it is called again and can ask anew. */
const LONGEST_ASKED_MS = 60 * 60_000

/**
 * How long to wait after an attempt when the backend has asked for a time: never less than without, since a backend
 * that asks for none would be called without end, except that a job under way can be asked for every second.
 */
export function askedRetryMs(attempts: number, askedMs: number, { isJob }: { isJob: boolean }): number {
  const leastMs = isJob ? FIRST_RETRY_MS : retryAfterMs(attempts)
  return Math.max(leastMs, Math.min(askedMs, LONGEST_ASKED_MS))
}

/** How long a call is retried before the item is marked as failed. */
export const GIVE_UP_AFTER_MS = 24 * 60 * 60_000

/** How soon a number is verified again after a command was lost: by then the backend has acted on it or never will. */
export const VERIFY_AGAIN_MS = 30_000

/** What is to be done next about a number at a backend, from what is wanted and what may be there. Pure. */
import type { Placed } from './sync.js'

export const numberSteps = ['upload', 'update', 'unassign', 'release', 'look'] as const
export type NumberStep = (typeof numberSteps)[number]

export interface NumberSituation {
  /** The tenant under which the number is to be; undefined when it is to be nowhere. */
  wantedAt: string | undefined
  placed: Placed | null
  /** Whether the backend has ever confirmed it. */
  known: boolean
  /** Whether a command may still be on its way. */
  unsure: boolean
}

/**
 * The next call, or undefined when nothing is left to do. A number that is to be elsewhere, or nowhere, is taken from
 * its user, then from its tenant, and looked for once more when a lost command may have brought it back. A release that
 * has been asked for is carried through even when the number is wanted again meanwhile: that waits behind it.
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

/** What the backend may hold once a step has been carried out. */
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

/** How long to wait after the attempt of that number (from 1) has failed: 1 s doubling to 5 min. */
export const retryAfterMs = (attempts: number): number =>
  Math.min(FIRST_RETRY_MS * 2 ** Math.min(Math.max(attempts, 1) - 1, 20), LONGEST_RETRY_MS)

/** How long the backend is asked again before the operator is told that it can't be done. */
export const GIVE_UP_AFTER_MS = 24 * 60 * 60_000

/** How soon a backend is looked at again after a command was lost on the way to it: by then it has acted or never will. */
export const LOOK_AGAIN_MS = 30_000
